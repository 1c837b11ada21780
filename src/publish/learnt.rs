//! What was learnt of the ways to one registry: what was refused, from which size on, and how large chunks may be.
//!
//! # Guarantees
//! * The search is a pure function of this and of the size of a body, so that the second chart asks for nothing that the first was
//!   refused.
//! * Everything is forgotten after a time: what was refused to a request without a body after seconds, a limit for bodies after an hour.
//! * That a way could not be reached is not remembered here: it may open at any time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::ladder::next;
use crate::{
    model::{Chunks, Framing, Method, Origin},
    plan::{Bodies, Route, Strategy, Tactic, Via, first},
    registry::SeenOfChunks,
    remedy::Verdict,
};

const WITHOUT_BODY: Duration = Duration::from_secs(3);
const LIMITED: Duration = Duration::from_hours(1);

/// Of one registry; shared by all that publish into it.
#[derive(Clone, Default)]
pub struct Learnt(Arc<Mutex<HashMap<Key, OfWay>>>);

/// A way: two Ingresses of the same name are two.
type Key = (Route, Origin, Option<Via>);

fn way_of(strategy: &Strategy) -> Key {
    (strategy.route, strategy.origin.clone(), strategy.via.clone())
}

#[derive(Default)]
struct OfWay {
    refusals: Vec<Refusal>,
    seen: SeenOfChunks,
}

/// A tactic that was refused.
#[derive(Debug, Clone)]
struct Refusal {
    key: (Method, bool, Option<u32>),
    /// For bodies of this size and larger.
    from: u64,
    verdict: Verdict,
    at: Instant,
    until: Instant,
}

/// What a way has left for a body.
pub(super) enum Choice {
    /// This, after those that were passed over for what is known of them.
    Try(Tactic, Vec<(Tactic, Verdict)>),
    /// Nothing, and why: the last of those that were passed over.
    Closed(Verdict, Vec<(Tactic, Verdict)>),
}

impl Learnt {
    fn ways(&self) -> MutexGuard<'_, HashMap<Key, OfWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a body of `length` bytes is sent by on this way, after all that was refused there.
    pub(super) fn choose(&self, strategy: &Strategy, length: u64) -> Choice {
        let mut ways = self.ways();
        let Some(way) = ways.get_mut(&way_of(strategy)) else {
            return Choice::Try(first(&strategy.bodies, length), Vec::new());
        };
        let now = Instant::now();
        way.refusals.retain(|refusal| refusal.until > now);
        let mut tactic = first(&strategy.bodies, length);
        let mut passed = Vec::new();
        while let Some(refusal) = way.refusals.iter().find(|refusal| refusal.key == tactic.key() && length >= refusal.from) {
            passed.push((tactic, refusal.verdict.clone()));
            match next(&strategy.bodies, tactic, &refusal.verdict) {
                Some(other) => tactic = other,
                None => return Choice::Closed(refusal.verdict.clone(), passed),
            }
        }
        Choice::Try(sized(tactic, way.seen, &strategy.bodies), passed)
    }

    /// A tactic was refused for a body of `length` bytes.
    pub(super) fn refused(&self, strategy: &Strategy, tactic: Tactic, length: u64, verdict: &Verdict) {
        let key = tactic.key();
        let at = Instant::now();
        let until = at + if length == 0 { WITHOUT_BODY } else { LIMITED };
        let mut ways = self.ways();
        let refusals = &mut ways.entry(way_of(strategy)).or_default().refusals;
        refusals.retain(|old| old.key != key || old.from < length);
        refusals.push(Refusal { key, from: length, verdict: verdict.clone(), at, until });
    }

    /// Forgets what was refused on these ways before `begin`; says whether there was anything.
    pub(super) fn forget<'s>(&self, strategies: impl Iterator<Item = &'s Strategy>, begin: Instant) -> bool {
        let mut ways = self.ways();
        let mut is_something = false;
        for strategy in strategies {
            if let Some(way) = ways.get_mut(&way_of(strategy)) {
                let before = way.refusals.len();
                way.refusals.retain(|refusal| refusal.at >= begin);
                is_something |= way.refusals.len() < before;
            }
        }
        is_something
    }

    /// What was seen of chunks.
    pub(super) fn saw(&self, strategy: &Strategy, seen: SeenOfChunks) {
        if seen == SeenOfChunks::default() {
            return;
        }
        let mut ways = self.ways();
        let known = &mut ways.entry(way_of(strategy)).or_default().seen;
        *known = known.and(seen);
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
    let renew = chunks.renew || seen.renew;
    Tactic { framing: Framing::Chunked(Chunks { first: first.min(most), most, renew }), ..tactic }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::Reason,
        model::Scheme,
        remedy::{Class, Hint},
    };

    fn strategy() -> Strategy {
        Strategy {
            route: Route::Url,
            addresses: Vec::new(),
            origin: Origin::new(Scheme::Http, "registry.example", 5000),
            credential_hosts: Vec::new(),
            bodies: Bodies::default(),
            reason: String::new(),
            via: None,
        }
    }

    fn too_large() -> Verdict {
        Verdict { reason: Reason::BodyTooLarge, class: Class::OtherMethod, hint: Hint::SmallerBody, sentence: "limit".to_owned() }
    }

    fn chosen(learnt: &Learnt, length: u64) -> String {
        match learnt.choose(&strategy(), length) {
            Choice::Try(tactic, _) => format!("{} {}", tactic.method().as_str(), tactic.shown()),
            Choice::Closed(verdict, _) => format!("closed: {}", verdict.sentence),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_chart_is_sent_as_the_first_one_got_through() {
        let learnt = Learnt::default();
        let way = strategy();
        let Choice::Try(buffered, _) = learnt.choose(&way, 5 << 20) else { panic!("closed") };
        learnt.refused(&way, buffered, 5 << 20, &too_large());
        assert_eq!(chosen(&learnt, 5 << 20), "Chunked chunks from 960 KiB");
        assert_eq!(chosen(&learnt, 4 << 20), "Buffered ", "smaller ones may still pass");
        learnt.saw(&way, SeenOfChunks { taken: 960 << 10, refused: Some(1920 << 10), renew: false });
        let Choice::Try(Tactic { framing: Framing::Chunked(chunks), .. }, _) = learnt.choose(&way, 5 << 20) else { panic!("not chunked") };
        assert_eq!((chunks.first, chunks.most), (960 << 10, 960 << 10), "nothing that was refused is tried again");
        let Choice::Try(chunked, _) = learnt.choose(&way, 5 << 20) else { panic!("closed") };
        learnt.refused(&way, chunked, 5 << 20, &too_large());
        assert_eq!(chosen(&learnt, 5 << 20), "closed: limit");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_learnt_of_one_ingress_says_nothing_of_another() {
        let via = |name: &str| Via { kind: "Ingress", namespace: "platform".to_owned(), name: name.to_owned(), controller: None };
        let of = |name: &str| Strategy { via: Some(via(name)), ..strategy() };
        let learnt = Learnt::default();
        let Choice::Try(buffered, _) = learnt.choose(&of("a"), 5 << 20) else { panic!("closed") };
        learnt.refused(&of("a"), buffered, 5 << 20, &too_large());
        assert!(matches!(learnt.choose(&of("a"), 5 << 20), Choice::Try(other, _) if other != buffered));
        assert!(matches!(learnt.choose(&of("b"), 5 << 20), Choice::Try(same, _) if same == buffered));
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_is_left_a_new_run_asks_once_more() {
        let learnt = Learnt::default();
        let way = Strategy { bodies: Bodies { fixed: Some(Method::Buffered), ..Bodies::default() }, ..strategy() };
        let Choice::Try(buffered, _) = learnt.choose(&way, 5 << 20) else { panic!("closed") };
        learnt.refused(&way, buffered, 5 << 20, &too_large());
        let closed = |learnt: &Learnt| matches!(learnt.choose(&way, 5 << 20), Choice::Closed(..));
        assert!(closed(&learnt), "within the run");
        let begin = Instant::now();
        assert!(!learnt.forget([&way].into_iter(), begin), "of this run");
        assert!(closed(&learnt));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(learnt.forget([&way].into_iter(), Instant::now()), "of an earlier one");
        assert!(!closed(&learnt));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_learnt_is_forgotten_after_a_time() {
        let learnt = Learnt::default();
        let way = strategy();
        let Choice::Try(buffered, _) = learnt.choose(&way, 0) else { panic!("closed") };
        let away = Verdict { reason: Reason::RouteUnreachable, class: Class::OtherRoute, hint: Hint::None, sentence: "away".to_owned() };
        learnt.refused(&way, buffered, 0, &away);
        learnt.refused(&way, buffered, 5 << 20, &too_large());
        assert_eq!(chosen(&learnt, 1), "closed: away");
        tokio::time::advance(WITHOUT_BODY + Duration::from_secs(1)).await;
        assert_eq!(chosen(&learnt, 1), "Buffered ");
        assert_eq!(chosen(&learnt, 5 << 20), "Chunked chunks from 960 KiB");
        tokio::time::advance(LIMITED).await;
        assert_eq!(chosen(&learnt, 5 << 20), "Buffered ");
    }
}
