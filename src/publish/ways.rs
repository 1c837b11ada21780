//! The ways to one registry, in order: the first that works is taken, what failed is remembered with its remedy.
//!
//! # Guarantees
//! * A way that could not be reached is not tried again in the same run; one that refused a body of some size gets no larger ones.
//! * A failure that another way cannot cure ends the search at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    api::Reason,
    net::Address,
    plan::{Route, Strategy},
    registry::{Failure, Registry},
    remedy::{Class, Scene, Verdict, judge},
};

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

/// A way that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The way.
    pub route: Route,
    /// What was dialled.
    pub address: String,
    /// The framing.
    pub method: crate::plan::Method,
    /// What it means.
    pub verdict: Verdict,
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
}

/// All ways to one registry.
pub struct Ways {
    in_order: Vec<Way>,
    subject: Subject,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the index of the way.
    closed: Vec<Option<Closed>>,
    attempts: Vec<FailedAttempt>,
}

#[derive(Clone)]
enum Closed {
    Wholly(Verdict),
    /// From this number of bytes on.
    From(u64, Verdict),
}

impl Ways {
    /// In the order in which they are tried.
    pub fn new(ways: Vec<Way>, subject: Subject) -> Self {
        let closed = vec![None; ways.len()];
        Self { in_order: ways, subject, state: Mutex::new(State { closed, attempts: Vec::new() }) }
    }

    /// What failed on the way, each cause once.
    pub fn attempts(&self) -> Vec<FailedAttempt> {
        self.state().attempts.clone()
    }

    /// All of them.
    pub fn all(&self) -> &[Way] {
        &self.in_order
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work`, which sends a body of at most `body_length` bytes for `reference`, by the first way that works.
    ///
    /// # Errors
    /// The verdict on the failure that no way could cure: of the first way, which is the one that the Service shows its users.
    pub async fn through<'w, T, F>(
        &'w self,
        reference: &str,
        body_length: u64,
        work: impl Fn(&'w Way) -> F,
    ) -> Result<(&'w Way, T), Verdict>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut first: Option<Verdict> = None;
        for (index, way) in self.in_order.iter().enumerate() {
            if let Some(verdict) = self.closed(index, body_length) {
                first.get_or_insert(verdict);
                continue;
            }
            match self.attempt(way, reference, body_length, &work).await {
                Ok(done) => return Ok((way, done)),
                Err(verdict) => {
                    self.remember(index, way, body_length, &verdict);
                    if matches!(verdict.class, Class::Wait | Class::Final) {
                        return Err(verdict);
                    }
                    first.get_or_insert(verdict);
                }
            }
        }
        Err(first.unwrap_or(Verdict { reason: Reason::NoRoute, class: Class::Final, sentence: "no route is left to try".to_owned() }))
    }

    async fn attempt<'w, T, F>(
        &'w self,
        way: &'w Way,
        reference: &str,
        body_length: u64,
        work: &impl Fn(&'w Way) -> F,
    ) -> Result<T, Verdict>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let failure = match work(way).await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        let verdict = self.judged(way, reference, body_length, &failure);
        if verdict.class != Class::SameAgain {
            return Err(verdict);
        }
        work(way).await.map_err(|failure| self.judged(way, reference, body_length, &failure))
    }

    fn judged(&self, way: &Way, reference: &str, body_length: u64, failure: &Failure) -> Verdict {
        let address = way.address();
        let scene = Scene {
            registry: &self.subject.registry,
            route: way.strategy.route,
            address: &address,
            scheme: way.strategy.origin.scheme,
            via: way.strategy.via.as_ref(),
            reference,
            body_length,
            secret: self.subject.secret.as_deref(),
            cert_secret: self.subject.cert_secret.as_deref(),
            insecure: self.subject.insecure,
        };
        tracing::debug!(route = way.strategy.route.as_str(), %address, %reference, %failure, "attempt failed");
        judge(failure, &scene)
    }

    fn closed(&self, index: usize, body_length: u64) -> Option<Verdict> {
        match self.state().closed.get(index).cloned().flatten() {
            Some(Closed::Wholly(verdict)) => Some(verdict),
            Some(Closed::From(limit, verdict)) if body_length >= limit => Some(verdict),
            _ => None,
        }
    }

    fn remember(&self, index: usize, way: &Way, body_length: u64, verdict: &Verdict) {
        let mut state = self.state();
        let closed = match verdict.reason {
            Reason::BodyTooLarge => Some(Closed::From(body_length, verdict.clone())),
            _ if verdict.class == Class::OtherRoute && body_length == 0 => Some(Closed::Wholly(verdict.clone())),
            Reason::RouteUnreachable | Reason::TlsFailed | Reason::TlsOnPlainHttp | Reason::PlainHttpOnTls => {
                Some(Closed::Wholly(verdict.clone()))
            }
            _ => None,
        };
        if let (Some(closed), Some(slot)) = (closed, state.closed.get_mut(index)) {
            let narrower = matches!((&*slot, &closed), (Some(Closed::Wholly(_)), _))
                || matches!((&*slot, &closed), (Some(Closed::From(old, _)), Closed::From(new, _)) if old <= new);
            if !narrower {
                *slot = Some(closed);
            }
        }
        let attempt =
            FailedAttempt { route: way.strategy.route, address: way.address(), method: way.strategy.method, verdict: verdict.clone() };
        let is_new = !state.attempts.iter().any(|old| (old.route, old.verdict.reason) == (attempt.route, attempt.verdict.reason));
        if is_new && state.attempts.len() < 16 {
            state.attempts.push(attempt);
        }
    }
}
