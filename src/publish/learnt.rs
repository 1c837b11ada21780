//! What was learnt of the ways to one registry: what was refused, from which size on, how large chunks may be, and how long the
//! registry wants to be left alone.
//!
//! # Guarantees
//! * That a registry is away or wants to be left alone is known to all who publish there, and so is who writes which of its tags. What it refused is known only to those who ask
//!   in the same name ([`Learnt::beside`]): it may have refused it to them alone.
//! * What was refused for one chart and is passed over for another is told with the other's name.
//! * The search is a pure function of this and of the size of a body, so that the second chart asks for nothing that the first was
//!   refused.
//! * Everything is forgotten after a time: what was refused to a request without a body after seconds, a 429 or 503 after a minute, all
//!   else after an hour. What is stated anew (another limit, another method in the spec) is another way, of which nothing was learnt.
//! * That a way could not be reached is not remembered here: it may open at any time.
//! * Where a search found nothing that works, what it was refused is forgotten after seconds: the next run sees what was mended.
//!   So is all when a user forces a run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

use super::{
    circuit::Circuits,
    claims::Claims,
    ladder::next,
    remembered::{Refused, Remembered, RememberedChunks},
};
use crate::{
    model::{Chunks, Framing, Method, Origin},
    plan::{Bodies, Route, Strategy, Tactic, Via, first},
    registry::{Failure, Pause, SeenOfChunks},
    remedy::{Class, Verdict},
};

const WITHOUT_BODY: Duration = Duration::from_secs(3);
/// A trouble of the registry's and not of its path.
const PASSING: Duration = Duration::from_mins(1);
const LIMITED: Duration = Duration::from_hours(1);

/// Of one registry; copies share all of it.
#[derive(Clone, Default)]
pub struct Learnt {
    ways: Arc<Mutex<HashMap<Key, OfWay>>>,
    /// How long it wants to be left alone.
    pub pause: Pause,
    /// Who asks it while it is away.
    pub(super) circuits: Circuits,
    /// Who writes which tag of it.
    pub(super) claims: Claims,
}

/// A way: two Ingresses of the same name are two, and so is one that states another limit than before.
type Key = (Route, Origin, Option<Via>, Bodies);

fn way_of(strategy: &Strategy) -> Key {
    (strategy.route, strategy.origin.clone(), strategy.via.clone(), strategy.bodies.clone())
}

#[derive(Default)]
struct OfWay {
    refusals: Vec<Refusal>,
    seen: Option<(SeenOfChunks, Term)>,
}

/// A tactic that was refused.
#[derive(Debug, Clone)]
struct Refusal {
    key: (Method, bool, Option<u32>),
    /// For bodies of this size and larger.
    from: u64,
    verdict: Verdict,
    /// What was seen, unless that was by an earlier process.
    failure: Option<Failure>,
    term: Term,
}

/// How long something is remembered.
#[derive(Debug, Clone, Copy)]
struct Term {
    until: Instant,
    /// The same in seconds since 1970, to outlive this process.
    shown: i64,
}

impl Term {
    fn of(length: Duration) -> Self {
        Self { until: Instant::now() + length, shown: seconds() + i64::try_from(length.as_secs()).unwrap_or_default() }
    }

    /// What is left of one that an earlier process gave.
    fn left(shown: i64) -> Option<Self> {
        let left = Duration::from_secs(u64::try_from(shown - seconds()).ok().filter(|left| *left > 0)?);
        Some(Self { until: Instant::now() + left.min(LIMITED), shown })
    }

    /// What ends with the run is of no use to a later one.
    fn outlasts_a_run(&self) -> bool {
        self.until > Instant::now() + WITHOUT_BODY
    }

    fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }
}

fn seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

impl OfWay {
    fn forget_what_is_over(&mut self) {
        self.refusals.retain(|refusal| !refusal.term.is_over());
        self.seen = self.seen.filter(|(_, term)| !term.is_over());
    }

    fn seen(&self) -> SeenOfChunks {
        self.seen.map(|(seen, _)| seen).unwrap_or_default()
    }
}

/// What a way has left for a body.
pub(super) enum Choice {
    /// This, after those that were passed over for what is known of them.
    Try(Tactic, Vec<(Tactic, Verdict)>),
    /// Nothing, and why: the last of those that were passed over.
    Closed(Verdict, Vec<(Tactic, Verdict)>),
}

impl Learnt {
    /// Of the same registry, for those who ask in another name.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { ways: Arc::default(), pause: self.pause.clone(), circuits: self.circuits.clone(), claims: self.claims.clone() }
    }

    fn ways(&self) -> MutexGuard<'_, HashMap<Key, OfWay>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a body of `length` bytes is sent by on this way, after all that was refused there. `told` says what a failure means for it.
    pub(super) fn choose(&self, strategy: &Strategy, length: u64, told: impl Fn(&Failure) -> String) -> Choice {
        let mut ways = self.ways();
        let Some(way) = ways.get_mut(&way_of(strategy)) else {
            return Choice::Try(first(&strategy.bodies, length), Vec::new());
        };
        way.forget_what_is_over();
        let renewed = |tactic| renewed(tactic, way.seen());
        let mut tactic = renewed(first(&strategy.bodies, length));
        let mut passed = Vec::new();
        while let Some(refusal) = way.refusals.iter().find(|refusal| refusal.key == tactic.key() && length >= refusal.from) {
            let sentence = refusal.failure.as_ref().map_or_else(|| refusal.verdict.sentence.clone(), &told);
            let verdict = Verdict { sentence, ..refusal.verdict.clone() };
            passed.push((tactic, verdict.clone()));
            match next(&strategy.bodies, tactic, &verdict) {
                Some(other) => tactic = renewed(other),
                None => return Choice::Closed(verdict, passed),
            }
        }
        Choice::Try(sized(tactic, way.seen(), &strategy.bodies), passed)
    }

    /// A tactic was refused for a body of `length` bytes: what was seen, and what it means.
    pub(super) fn refused(&self, strategy: &Strategy, tactic: Tactic, length: u64, (failure, verdict): (&Failure, Verdict)) {
        let key = tactic.key();
        let term = Term::of(match verdict.remedy {
            _ if length == 0 => WITHOUT_BODY,
            "rate-limited" | "asked-to-wait" | "unavailable-after-body" => PASSING,
            _ => LIMITED,
        });
        let mut ways = self.ways();
        let refusals = &mut ways.entry(way_of(strategy)).or_default().refusals;
        refusals.retain(|old| old.key != key || old.from < length);
        refusals.push(Refusal { key, from: length, verdict: exhausted(verdict), failure: Some(failure.clone()), term });
    }

    /// A search that went this way as well found nothing that works: once something is mended, it is tried again.
    pub(super) fn in_vain(&self, strategy: &Strategy) {
        let soon = Term::of(WITHOUT_BODY);
        for refusal in self.ways().get_mut(&way_of(strategy)).into_iter().flat_map(|way| &mut way.refusals) {
            if refusal.term.until > soon.until {
                refusal.term = soon;
            }
        }
    }

    /// What was seen of chunks.
    pub(super) fn saw(&self, strategy: &Strategy, seen: SeenOfChunks) {
        if seen == SeenOfChunks::default() {
            return;
        }
        let mut ways = self.ways();
        let way = ways.entry(way_of(strategy)).or_default();
        let known = way.seen().and(seen);
        if known != way.seen() {
            way.seen = Some((known, Term::of(LIMITED)));
        }
    }

    /// Nothing is known any more: a user forces a run.
    pub fn forget(&self) {
        self.ways().clear();
        self.ask_anew();
    }

    /// Whoever comes next asks, also where a registry was away a moment ago.
    pub fn ask_anew(&self) {
        self.circuits.forget();
    }

    /// What is worth being kept of a way.
    pub(super) fn remembered(&self, strategy: &Strategy) -> Option<Remembered> {
        let mut ways = self.ways();
        let way = ways.get_mut(&way_of(strategy))?;
        way.forget_what_is_over();
        let lasting = way.refusals.iter().filter(|refusal| refusal.from > 0 && refusal.term.outlasts_a_run());
        let refused: Vec<_> = lasting
            .map(|refusal| Refused { key: refusal.key, from: refusal.from, verdict: refusal.verdict.clone(), until: refusal.term.shown })
            .collect();
        let chunks = way.seen.map(|(seen, term)| RememberedChunks {
            taken: seen.taken,
            refused: seen.refused,
            renew: seen.renew,
            until: term.shown,
        });
        (!refused.is_empty() || chunks.is_some()).then(|| Remembered { refused, chunks, ..Remembered::nothing_of(strategy) })
    }

    /// Takes over what an earlier process remembered of a way, where nothing newer is known.
    pub fn recall(&self, strategy: &Strategy, remembered: &[Remembered]) {
        let mut ways = self.ways();
        for old in remembered.iter().filter(|old| old.is_of(strategy)) {
            let way = ways.entry(way_of(strategy)).or_default();
            if way.seen.is_none() {
                let seen = |chunks: RememberedChunks| SeenOfChunks { taken: chunks.taken, refused: chunks.refused, renew: chunks.renew };
                way.seen = old.chunks.and_then(|chunks| Some((seen(chunks), Term::left(chunks.until)?)));
            }
            for refused in &old.refused {
                let Some(term) = Term::left(refused.until) else { continue };
                if way.refusals.iter().all(|known| known.key != refused.key) {
                    let verdict = exhausted(refused.verdict.clone());
                    way.refusals.push(Refusal { key: refused.key, from: refused.from, verdict, failure: None, term });
                }
            }
        }
    }
}

/// Whether anything is left to try by a way once `tactic` is given up for `verdict`.
pub(super) fn leads_on(bodies: &Bodies, tactic: Tactic, verdict: &Verdict) -> bool {
    next(bodies, tactic, &exhausted(verdict.clone())).is_some()
}

/// The same was tried again and failed alike: now something else.
fn exhausted(verdict: Verdict) -> Verdict {
    match verdict.class {
        Class::SameAgain => Verdict { class: Class::OtherMethod, ..verdict },
        _ => verdict,
    }
}

/// A connection for each chunk where connections are known to end after some.
fn renewed(tactic: Tactic, seen: SeenOfChunks) -> Tactic {
    match tactic.framing {
        Framing::Chunked(chunks) if seen.renew => Tactic { framing: Framing::Chunked(Chunks { renew: true, ..chunks }), ..tactic },
        _ => tactic,
    }
}

/// Chunks as large as is known to pass, and never as large as is known not to.
fn sized(tactic: Tactic, seen: SeenOfChunks, bodies: &Bodies) -> Tactic {
    let Framing::Chunked(chunks) = tactic.framing else { return tactic };
    let (first, most) = match seen {
        SeenOfChunks { refused: None, .. } => (chunks.first, chunks.most.max(1)),
        SeenOfChunks { taken: 0, refused: Some(refused), .. } => (chunks.first, chunks.most.min(refused.saturating_sub(1)).max(1)),
        // With a limit that is known from both sides there is nothing left to find out.
        SeenOfChunks { taken, .. } => (taken.min(bodies.chunk), taken.min(bodies.chunk)),
    };
    Tactic { framing: Framing::Chunked(Chunks { first: first.min(most), most, renew: chunks.renew }), ..tactic }
}

#[cfg(test)]
#[path = "learnt_tests.rs"]
pub(super) mod tests;
