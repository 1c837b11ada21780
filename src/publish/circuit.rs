//! A registry that is away is asked by one publication at a time. What that one was told holds for all others: they open no connection
//! and wait for none, until it answers again.
//!
//! In: who wants to ask, and what came of it. Out: whether he asks, or what he is told instead.
//!
//! # Guarantees
//! * While nobody is known to have answered lately, one asks and the others wait for what he finds.
//! * While nothing answers, one asks every few seconds, and the others are told at once what he was told last.
//! * Who asked last asks again; where he does not come back, another one takes it over after a while.
//! * Only those share one whose ways are the same and whose patience is: a way that is closed says nothing of a registry that others
//!   reach by another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::Way;
use crate::{model::Origin, net::Address, plan::Route, registry::Failure};

/// For so long after an answer everybody asks for himself.
const FRESH: Duration = Duration::from_secs(10);
/// A registry that answered before and is slow to answer now is not waited for by all: after this time the others ask, too.
const SLOW: Duration = Duration::from_secs(2);
/// Who asks in vain asks again after this time, doubled up to the longest: that is how soon a return is seen.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Where nobody asks for so long after it was time, another one does.
const TAKEN_OVER: Duration = Duration::from_secs(10);
/// The others look this long after it was time, spread over as much again and a half.
const BEHIND: Duration = Duration::from_secs(1);
/// Sets of ways to one registry. Beyond this number all are forgotten: each is found out anew by one request.
const MOST: usize = 64;

/// What each way said, by its place: at least one.
pub(super) type Told = Arc<[(usize, Failure)]>;

/// The circuits to one registry, by the ways that lead there. Copies share them.
#[derive(Clone, Default)]
pub(super) struct Circuits(Arc<Mutex<HashMap<Key, Circuit>>>);

type Key = Vec<(Route, Origin, Vec<Address>, Duration)>;

impl Circuits {
    /// That of these ways.
    pub(super) fn of(&self, ways: &[Way]) -> Circuit {
        let key = |way: &Way| {
            let strategy = &way.strategy;
            (strategy.route, strategy.origin.clone(), strategy.addresses.clone(), way.registry.patience().stall)
        };
        let mut known = self.known();
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(ways.iter().map(key).collect()).or_default().clone()
    }

    /// A user asks to try everything anew: so does the next who asks.
    pub(super) fn forget(&self) {
        for circuit in self.known().values() {
            circuit.door().standing = Standing::Unknown;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, Circuit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All who would ask one registry by the same ways.
#[derive(Clone, Default)]
pub(super) struct Circuit(Arc<Shared>);

#[derive(Default)]
struct Shared {
    door: Mutex<Door>,
    changed: Notify,
}

/// Whether one who came asks.
pub(super) enum Entry {
    /// He does.
    Ask(Asking),
    /// Another one does, and was told this.
    Held(Told, Away),
}

impl Circuit {
    /// Waits where another one is about to find out. `before` is what the last run of the same publication found away: who found it
    /// may ask at any time.
    pub(super) async fn enter(&self, before: &[Away]) -> Entry {
        let own = before.iter().find(|away| Arc::ptr_eq(&away.circuit.0, &self.0)).and_then(|away| away.by);
        let mut is_slow = false;
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let turn = self.door().enter(Instant::now(), is_slow, own);
            match turn {
                Turn::Free => return Entry::Ask(Asking { circuit: self.clone(), turn: None }),
                Turn::Ask(turn) => return Entry::Ask(Asking { circuit: self.clone(), turn: Some(turn) }),
                Turn::Held(told) => return Entry::Held(told, Away { circuit: self.clone(), by: None }),
                Turn::Wait => is_slow |= timeout(SLOW, changed).await.is_err(),
            }
        }
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.0.door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn of one who asks. Dropped without a word it says nothing, and the next one asks.
pub(super) struct Asking {
    circuit: Circuit,
    turn: Option<u64>,
}

impl Asking {
    /// Something answered.
    pub(super) fn answered(self) {
        self.circuit.door().standing = Standing::Answers(Instant::now());
    }

    /// Nobody was asked, since all that could be was refused before: what another one was told last, where that is known.
    pub(super) fn in_silence(self) -> Option<(Told, Away)> {
        let told = self.circuit.door().told()?;
        Some((told, Away { circuit: self.circuit.clone(), by: None }))
    }

    /// Nothing answers.
    pub(super) fn in_vain(self, told: Told) -> Away {
        let by = self.circuit.door().in_vain(told, self.turn, Instant::now());
        Away { circuit: self.circuit.clone(), by }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(turn) = self.turn {
            self.circuit.door().left(turn);
        }
        self.circuit.0.changed.notify_waiters();
    }
}

/// A registry that is away, seen by one who wants to publish there.
#[derive(Clone)]
pub struct Away {
    circuit: Circuit,
    /// The turn in which he found it so. While nobody has after him, it is he who asks again.
    by: Option<u64>,
}

impl Away {
    /// Whether he has nothing to do yet.
    pub fn is_held(&self, now: Instant) -> bool {
        self.circuit.door().is_held(now, self.by)
    }

    /// When he looks again whether he has. `random` lies in 0..1.
    pub fn rest(&self, now: Instant, random: f64) -> Duration {
        self.circuit.door().rest(now, self.by, random)
    }
}

impl std::fmt::Debug for Away {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Away").field("by", &self.by).finish_non_exhaustive()
    }
}

/// What is known, and who is about to know more. PURE: the time is handed in.
#[derive(Default)]
struct Door {
    standing: Standing,
    /// The turn of him who asks for all.
    asking: Option<u64>,
    turns: u64,
}

#[derive(Default)]
enum Standing {
    #[default]
    Unknown,
    /// Something answered then.
    Answers(Instant),
    /// Nothing does.
    Away {
        told: Told,
        /// The turn in which that was found.
        by: u64,
        /// How often in a row.
        times: u32,
        /// When it is time to ask again.
        next: Instant,
    },
}

/// What one who comes does.
enum Turn {
    /// He asks, as others may at the same time.
    Free,
    /// He asks for all.
    Ask(u64),
    /// He waits for him who asks.
    Wait,
    /// He is told this, and asks nobody.
    Held(Told),
}

impl Door {
    /// `is_slow`: whether he has waited for long enough. `own`: the turn in which he found it away.
    fn enter(&mut self, now: Instant, is_slow: bool, own: Option<u64>) -> Turn {
        match &self.standing {
            Standing::Answers(at) if now < *at + FRESH => return Turn::Free,
            Standing::Away { told, by, next, .. } if self.asking.is_some() || (now < *next && own != Some(*by)) => {
                return Turn::Held(Arc::clone(told));
            }
            Standing::Unknown | Standing::Answers(_) | Standing::Away { .. } => {}
        }
        if self.asking.is_some() {
            return if is_slow && matches!(self.standing, Standing::Answers(_)) { Turn::Free } else { Turn::Wait };
        }
        let turn = self.next_turn();
        self.asking = Some(turn);
        Turn::Ask(turn)
    }

    fn next_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    /// Gives the turn of him who says so, if he asks again: of several who find it out at once, the first.
    fn in_vain(&mut self, told: Told, turn: Option<u64>, now: Instant) -> Option<u64> {
        let times = match &self.standing {
            Standing::Away { .. } if turn.is_none() => return None,
            Standing::Away { times, .. } => times.saturating_add(1),
            Standing::Unknown | Standing::Answers(_) => 0,
        };
        let pause = FIRST_PAUSE.saturating_mul(1 << times.min(8)).min(LONGEST_PAUSE);
        let by = turn.unwrap_or_else(|| self.next_turn());
        self.standing = Standing::Away { told, by, times, next: now + pause };
        Some(by)
    }

    fn told(&self) -> Option<Told> {
        match &self.standing {
            Standing::Away { told, .. } => Some(Arc::clone(told)),
            Standing::Unknown | Standing::Answers(_) => None,
        }
    }

    fn left(&mut self, turn: u64) {
        self.asking = self.asking.filter(|asking| *asking != turn);
    }

    fn is_held(&self, now: Instant, own: Option<u64>) -> bool {
        let Standing::Away { by, next, .. } = &self.standing else { return false };
        self.asking.is_some() || now < *next + if own == Some(*by) { Duration::ZERO } else { TAKEN_OVER }
    }

    fn rest(&self, now: Instant, own: Option<u64>, random: f64) -> Duration {
        let Standing::Away { by, next, .. } = &self.standing else { return Duration::ZERO };
        let rest = next.saturating_duration_since(now);
        if own == Some(*by) && self.asking.is_none() { rest } else { rest + BEHIND.mul_f64(1.0 + 1.5 * random) }
    }
}

#[cfg(test)]
#[path = "circuit_tests.rs"]
mod tests;
