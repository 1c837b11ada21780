//! The ways to one registry, in order: the first that works is taken, what failed is remembered with its remedy.
//!
//! # Guarantees
//! * What was refused is not tried again, by this run or another, for as long as it is remembered ([`Learnt`]):
//!   for seconds where nothing worked, so that a cure is seen by the next run.
//! * A body costs at most twice its bytes in vain and at most 8 attempts a run; the last one is kept for the last way.
//! * A failure that no other way or method can cure ends the search at once.
//! * What a way answers to one request, and not to its form or size, is of that request until another way has done better: where none
//!   has, the next one asks for itself. After three in a row that found nothing it counts for all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use super::{
    Attempt, FailedAttempt, Learnt, Observer, Remembered, Tried,
    circuit::{Circuit, Told},
    claims::Claim,
    learnt::{Choice, leads_on},
    spent::{Place, Spent},
};
use crate::{
    api::Reason,
    model::{RepositoryName, Tag},
    net::Address,
    plan::{Strategy, Tactic, first},
    registry::{Failure, Registry, Stage, Witness},
    remedy::{Audience, Class, Hint, Scene, Verdict, judge},
};

const MOST_SHOWN: usize = 16;
/// So many searches in a row find nothing before what they were told is believed for the next.
const MOST_IN_VAIN: usize = 3;

/// One way to a registry.
pub struct Way {
    /// Where, how and why.
    pub strategy: Strategy,
    /// The client that goes that way.
    pub registry: Registry,
}

impl Way {
    /// The addresses that it dials, to be shown.
    pub fn address(&self) -> String {
        self.strategy.addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// What the sentences name, whatever the way.
#[derive(Debug, Clone)]
pub struct Subject {
    /// `Service "platform/registry" port 5000`, or the `oci://` URL.
    pub registry: String,
    /// The Secret with the credential.
    pub secret: Option<String>,
    /// The Secret with the CA.
    pub cert_secret: Option<String>,
    /// Whether plain HTTP is allowed.
    pub insecure: bool,
    /// Whom they speak to.
    pub audience: Audience,
}

impl Subject {
    /// What a failure of `way` means that was seen just now.
    pub(super) fn judged(&self, way: &Way, reference: &str, body_length: u64, failure: &Failure) -> Verdict {
        tracing::debug!(route = way.strategy.route.as_str(), address = %way.address(), %reference, %failure, "attempt failed");
        self.meaning(way, reference, body_length, failure)
    }

    /// What it means, whenever it was seen.
    fn meaning(&self, way: &Way, reference: &str, body_length: u64, failure: &Failure) -> Verdict {
        let address = way.address();
        let scene = Scene {
            audience: &self.audience,
            registry: &self.registry,
            route: way.strategy.route,
            address: &address,
            scheme: way.strategy.origin.scheme,
            via: way.strategy.via.as_ref(),
            reference,
            body_length,
            secret: self.secret.as_deref(),
            cert_secret: self.cert_secret.as_deref(),
            insecure: self.insecure,
        };
        judge(failure, &scene)
    }
}

/// All ways to one registry.
pub struct Ways {
    in_order: Vec<Way>,
    subject: Subject,
    learnt: Learnt,
    circuit: Circuit,
    /// Before any list of tags was read by these.
    begin: Instant,
    state: Mutex<State>,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

#[derive(Default)]
struct State {
    attempts: Vec<FailedAttempt>,
    /// Ways that could not be reached, by their place: closed for this run, since a connect in vain may take seconds, and for no
    /// longer, since a route may open at any time.
    unreachable: BTreeMap<usize, Verdict>,
    /// What each way said last to a request without a body, and whether that is of a registry that is away.
    said: BTreeMap<usize, (Failure, bool)>,
    /// Searches in a row that found nothing.
    in_vain: usize,
}

/// A way that was left for what it answered.
struct Left {
    index: usize,
    tactic: Tactic,
    failure: Failure,
    verdict: Verdict,
}

impl Ways {
    /// In the order in which they are tried.
    pub fn new(ways: Vec<Way>, subject: Subject, learnt: Learnt) -> Self {
        let circuit = learnt.circuits.of(&ways);
        Self { in_order: ways, subject, learnt, circuit, begin: Instant::now(), state: Mutex::default(), observer: None }
    }

    /// The right to write a tag, and whether another publication has written it since its list of tags was read, or may have.
    pub(super) async fn claim(&self, repository: &RepositoryName, tag: &Tag) -> (Claim, bool) {
        let claim = self.learnt.claims.claim(repository, tag).await;
        let is_written = claim.was_written_since(self.begin);
        (claim, is_written)
    }

    /// Who else asks by the same ways.
    pub(super) fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// What the ways said where one that was asked did not work; nothing of what was not asked.
    pub(super) fn said(&self) -> Said {
        let said = &self.state().said;
        if said.values().any(|(_, is_away)| !is_away) {
            return Said::Something;
        }
        if said.is_empty() {
            return Said::Nothing;
        }
        Said::Away(said.iter().map(|(index, (failure, _))| (*index, failure.clone())).collect())
    }

    /// What it means here that another one was told this by the same ways.
    pub(super) fn heard(&self, reference: &str, told: &Told) -> Verdict {
        let mut heard = None;
        for (index, failure) in told.iter() {
            let Some(way) = self.in_order.get(*index) else { continue };
            let verdict = self.subject.meaning(way, reference, 0, failure);
            self.show(way, first(&way.strategy.bodies, 0), &verdict);
            heard.get_or_insert(verdict);
        }
        heard.unwrap_or(Verdict::no_route())
    }

    /// The same, each seen by a witness of its own: what a run that is ended at once leaves open can be ended too.
    #[must_use]
    pub fn watched(mut self) -> Self {
        for way in &mut self.in_order {
            way.registry = way.registry.before(Arc::new(Witness::default()));
        }
        self
    }

    /// What failed on the way, each cause once.
    pub fn attempts(&self) -> Vec<FailedAttempt> {
        self.state().attempts.clone()
    }

    /// What sentences name.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The TCP segments that large bodies were seen to need on a way.
    pub(super) fn segment(&self, way: &Way) -> Option<u32> {
        match self.choose(way, u64::MAX, "") {
            Choice::Try(tactic, _) => tactic.segment,
            Choice::Closed(..) => None,
        }
    }

    /// The first way that was not found closed in this run, and what a body of this size would be sent by.
    pub(super) fn begins_with(&self, body_length: u64) -> Option<(&Way, Tactic)> {
        let state = self.state();
        let open = self.in_order.iter().enumerate().filter(|(index, _)| !state.unreachable.contains_key(index));
        open.map(|(_, way)| way).find_map(|way| match self.choose(way, body_length, "") {
            Choice::Try(tactic, _) => Some((way, tactic)),
            Choice::Closed(..) => None,
        })
    }

    fn choose(&self, way: &Way, body_length: u64, reference: &str) -> Choice {
        self.learnt.choose(&way.strategy, body_length, |failure| self.subject.meaning(way, reference, body_length, failure).sentence)
    }

    /// All of them.
    pub fn all(&self) -> &[Way] {
        &self.in_order
    }

    /// What was learnt of them, and is worth being kept.
    pub fn remembered(&self) -> Vec<Remembered> {
        self.in_order.iter().filter_map(|way| self.learnt.remembered(&way.strategy)).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work`, which sends a body of at most `body_length` bytes for `reference`, by the first way and method that work.
    ///
    /// # Errors
    /// The verdict on the failure that nothing could cure: of the first way, which is the one that the Service shows its users.
    pub async fn through<'w, T, F>(
        &'w self,
        reference: &str,
        body_length: u64,
        work: impl Fn(Attempt) -> F,
    ) -> Result<(&'w Way, Tactic, T), Verdict>
    where
        F: Future<Output = Tried<T>>,
    {
        let mut first: Option<Verdict> = None;
        let mut spent = Spent::default();
        let mut left = Vec::new();
        for (index, way) in self.in_order.iter().enumerate() {
            let is_last = index + 1 == self.in_order.len();
            let unreachable = self.state().unreachable.get(&index).cloned();
            if let Some(verdict) = unreachable {
                first.get_or_insert(verdict);
                continue;
            }
            let mut before: Option<Tactic> = None;
            let body = (reference, body_length);
            while let Some(tactic) = self.chosen(way, body, Place { is_last, is_first: before.is_none() }, &mut spent, &mut first) {
                let registry = way.registry.with_segment(tactic.segment);
                let tried = work(Attempt { registry, tactic }).await;
                self.learnt.saw(&way.strategy, tried.seen);
                let failure = match tried.result {
                    Ok(done) => {
                        self.tried(way, tactic, body_length, tried.sent, None);
                        self.found(left, body_length);
                        return Ok((way, tactic, done));
                    }
                    Err(failure) if failure.is_withdrawn() => return Err(Verdict::withdrawn()),
                    Err(failure) => failure,
                };
                let verdict = in_parts(self.judged(way, reference, body_length, &failure), &failure, body_length);
                self.tried(way, tactic, body_length, tried.sent, Some(verdict.class));
                spent.lost(tried.sent, verdict.hint != Hint::None);
                if body_length == 0 {
                    self.heed(index, &failure, &verdict);
                }
                self.show(way, tactic, &verdict);
                if matches!(verdict.class, Class::Wait | Class::Final) {
                    return Err(verdict);
                }
                first.get_or_insert_with(|| verdict.clone());
                // Where a second time is too much for this run, the next one begins with what is left to try by this way, if there is any:
                // else each would spend all that it may on the same.
                let is_new = before.replace(tactic) != Some(tactic);
                let is_left = || spent.allows(tactic, Place { is_last, is_first: false }, body_length);
                if verdict.class == Class::SameAgain && is_new && (is_left() || !leads_on(&way.strategy.bodies, tactic, &verdict)) {
                    continue;
                }
                if self.leaves(Left { index, tactic, failure, verdict }, body_length, &mut left) {
                    break;
                }
            }
        }
        Err(self.ended(first, &spent, (left, body_length)))
    }

    /// Takes note of what a way answered, and says whether it is left.
    fn leaves(&self, seen: Left, body_length: u64, left: &mut Vec<Left>) -> bool {
        let is_left = is_unreachable(&seen.verdict) || seen.verdict.class == Class::OtherRoute;
        if is_of_one_request(&seen.verdict) {
            left.push(seen);
        } else {
            self.believe([seen], body_length);
        }
        is_left
    }

    /// A way works: those that were left for it are not tried by others.
    fn found(&self, left: Vec<Left>, body_length: u64) {
        self.state().in_vain = 0;
        self.believe(left, body_length);
    }

    /// What was answered counts for all.
    fn believe(&self, seen: impl IntoIterator<Item = Left>, body_length: u64) {
        for Left { index, tactic, failure, verdict } in seen {
            if is_unreachable(&verdict) {
                self.close(index, tactic, body_length, (&failure, verdict));
            } else if let Some(way) = self.in_order.get(index) {
                self.learnt.refused(&way.strategy, tactic, body_length, (&failure, verdict));
            }
        }
    }

    /// A token service that is away is not the registry: who logs in elsewhere may reach it.
    fn heed(&self, index: usize, failure: &Failure, verdict: &Verdict) {
        let is_away = verdict.is_of_absence() && failure.stage != Stage::Token;
        self.state().said.insert(index, (failure.clone(), is_away));
    }

    /// What is said of a search that found nothing. Where something was left, the next run goes on with that.
    fn ended(&self, first: Option<Verdict>, spent: &Spent, (left, body_length): (Vec<Left>, u64)) -> Verdict {
        let in_vain = {
            let mut state = self.state();
            state.in_vain += 1;
            state.in_vain
        };
        if in_vain >= MOST_IN_VAIN {
            self.believe(left, body_length);
        }
        if !spent.has_stopped() {
            self.in_order.iter().for_each(|way| self.learnt.in_vain(&way.strategy));
        }
        first.unwrap_or(Verdict::no_route())
    }

    /// What is tried next by a way: nothing where all was refused, or where no more may be spent.
    fn chosen(&self, way: &Way, body: (&str, u64), place: Place, spent: &mut Spent, first: &mut Option<Verdict>) -> Option<Tactic> {
        let (reference, body_length) = body;
        match self.choose(way, body_length, reference) {
            Choice::Try(tactic, passed) if spent.takes(tactic, place, body_length) => {
                self.show_all(way, &passed);
                Some(tactic)
            }
            Choice::Try(..) => None,
            Choice::Closed(verdict, passed) => {
                self.show_all(way, &passed);
                first.get_or_insert(verdict);
                None
            }
        }
    }

    /// A way that leads nowhere is closed for this run; for the next bodies, too, where it was an answer that said so.
    fn close(&self, index: usize, tactic: Tactic, body_length: u64, (failure, verdict): (&Failure, Verdict)) {
        let answers = body_length > 0 && verdict.reason != Reason::RouteUnreachable;
        if let Some(way) = self.in_order.get(index).filter(|_| answers) {
            self.learnt.refused(&way.strategy, tactic, body_length, (failure, verdict.clone()));
        }
        self.state().unreachable.insert(index, verdict);
    }

    /// What a failure by `way` means.
    pub fn judged(&self, way: &Way, reference: &str, body_length: u64, failure: &Failure) -> Verdict {
        self.subject.judged(way, reference, body_length, failure)
    }

    /// What was passed over in this run for what an earlier one was refused.
    fn show_all(&self, way: &Way, passed: &[(Tactic, Verdict)]) {
        for (tactic, verdict) in passed {
            self.show(way, *tactic, verdict);
        }
    }

    /// Keeps a failure for the status, each cause once.
    pub(super) fn show(&self, way: &Way, tactic: Tactic, verdict: &Verdict) {
        let attempt = FailedAttempt {
            route: way.strategy.route,
            address: way.address(),
            method: tactic.method(),
            tactic: tactic.shown(),
            verdict: verdict.clone(),
        };
        let mut state = self.state();
        let attempts = &mut state.attempts;
        let same = |old: &FailedAttempt| {
            (old.route, old.method, &old.tactic, old.verdict.reason)
                == (attempt.route, attempt.method, &attempt.tactic, attempt.verdict.reason)
        };
        if !attempts.iter().any(same) && attempts.len() < MOST_SHOWN {
            attempts.push(attempt);
        }
    }
}

/// What ways said that do not work.
pub(super) enum Said {
    /// None was asked.
    Nothing,
    /// Something is there, by one of them.
    Something,
    /// The registry is away, by each of them.
    Away(Told),
}

/// Who asks for a pause in the middle of a body gets it before the next request, and the body in parts: the next trouble of that
/// kind costs one of them, not all.
fn in_parts(verdict: Verdict, failure: &Failure, body_length: u64) -> Verdict {
    let is_of_body = body_length > 0 && failure.stage == Stage::SendBlob && failure.asks_for_a_pause();
    if is_of_body { Verdict { class: Class::OtherMethod, hint: Hint::SmallerBody, ..verdict } } else { verdict }
}

/// Whether nothing can be sent that way at all.
fn is_unreachable(verdict: &Verdict) -> bool {
    matches!(
        verdict.reason,
        Reason::RouteUnreachable | Reason::TlsFailed | Reason::TlsOnPlainHttp | Reason::PlainHttpOnTls | Reason::NotARegistry
    )
}

/// Whether another request may be answered otherwise by the same way: a proxy had nobody to ask for a moment, or a rule of it is for some.
fn is_of_one_request(verdict: &Verdict) -> bool {
    verdict.class == Class::OtherRoute && (verdict.reason == Reason::NotARegistry || !is_unreachable(verdict))
}

#[cfg(test)]
#[path = "ways_tests.rs"]
mod tests;
