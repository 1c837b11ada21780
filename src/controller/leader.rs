//! Who leads: one replica works, the others stand by.
//!
//! # Guarantees
//! * This process writes tags, records and statuses only within two thirds of a lease after it asked for it with success; the others
//!   wait a whole one. So it notices by its own clock that it may have lost it, also when the API server is away or it was itself
//!   stopped for a while; what is being sent goes on meanwhile, and waits before the tag.
//! * When another replica has it, all work is ended, and its uploads are left. So it is when the API server has refused the Lease for as
//!   long as it is given for: nothing says that it will be had again. Where the API server is away, work waits for it.
//! * At the end of the program it is given back, which takes a second at most.
//!
//! # Assumptions
//! * Clocks run at the same speed, give or take a third. They need not show the same time.

use std::time::Duration;

use kube::Client;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    lease::{Attempt, Held, LeaseError, LeaseObject},
    settings::LeaseTerms,
};
use crate::registry::Tenure;

/// What does not end is complained of again after this time.
const BETWEEN: Duration = Duration::from_mins(1);
/// The longest that giving it back may hold up the end of the program: without it, the next one waits for a Lease to end.
const LONGEST_RELEASE: Duration = Duration::from_secs(1);

/// One who would lead.
pub(super) struct Candidate {
    lease: LeaseObject,
    /// What was said last, and when.
    said: Option<(String, Instant)>,
}

/// One who leads.
pub(super) struct Leadership<'c> {
    candidate: &'c mut Candidate,
    held: Box<Held>,
    certain_until: watch::Sender<Instant>,
}

/// How a term ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lost {
    /// Another replica leads.
    To(String),
    /// The API server has refused the Lease for longer than it lasts.
    Refused,
}

impl Candidate {
    pub(super) fn new(client: Client, terms: LeaseTerms) -> Self {
        Self { lease: LeaseObject::new(client, terms), said: None }
    }

    /// Waits until it leads, and says when another one does; nothing when `stop` comes first.
    pub(super) async fn elected(&mut self, stop: &CancellationToken, stands_by: impl Fn()) -> Option<Leadership<'_>> {
        let held = loop {
            let attempt = tokio::select! {
                attempt = self.lease.take() => attempt,
                () = stop.cancelled() => return None,
            };
            match attempt {
                Ok(Attempt::Ours(held)) => break held,
                Ok(Attempt::Theirs(holder)) => {
                    self.say(&holder);
                    stands_by();
                }
                Err(error) => self.complain(&error),
            }
            tokio::select! {
                () = sleep(self.lease.terms().look()) => {}
                () = stop.cancelled() => return None,
            }
        };
        let terms = self.lease.terms();
        tracing::info!(lease = %terms, identity = terms.identity, "leading");
        self.said = None;
        let certain_until = watch::Sender::new(held.asked + terms.certain());
        Some(Leadership { candidate: self, held, certain_until })
    }

    /// Once for each holder.
    fn say(&mut self, holder: &str) {
        let text = format!("`{holder}` leads; standing by");
        if self.said.as_ref().is_none_or(|(said, _)| *said != text) {
            tracing::info!(lease = %self.lease.terms(), "{text}");
            self.said = Some((text, Instant::now()));
        }
    }

    fn complain(&mut self, error: &LeaseError) {
        let text = match error {
            LeaseError::Api(kube::Error::Api(status)) if status.code == 403 => {
                "the Lease may not be used: grant get, create and update for leases of coordination.k8s.io in its namespace".to_owned()
            }
            LeaseError::Api(kube::Error::Api(status)) if status.code == 404 => {
                "the Lease could not be created: the namespace of `--lease-namespace` does not exist".to_owned()
            }
            other => format!("the Lease could not be had; trying again: {other}"),
        };
        if self.is_due(&text) {
            tracing::warn!(lease = %self.lease.terms(), "{text}");
        }
    }

    /// Whether a complaint is to be made: it is another one than before, or was made a minute ago.
    fn is_due(&mut self, text: &str) -> bool {
        let is_due = self.said.as_ref().is_none_or(|(said, at)| said != text || at.elapsed() >= BETWEEN);
        if is_due {
            self.said = Some((text.to_owned(), Instant::now()));
        }
        is_due
    }
}

impl Leadership<'_> {
    /// Until when it is certain that nobody else leads.
    pub(super) fn tenure(&self) -> Tenure {
        Tenure::until(self.certain_until.subscribe())
    }

    /// Renews until the term is over.
    pub(super) async fn kept(&mut self) -> Lost {
        loop {
            let candidate = &mut *self.candidate;
            sleep(candidate.lease.terms().renewal()).await;
            match candidate.lease.renew(&self.held).await {
                Ok(Attempt::Ours(held)) => {
                    if candidate.said.take().is_some() {
                        tracing::info!(lease = %candidate.lease.terms(), "the Lease is renewed again");
                    }
                    self.certain_until.send_replace(held.asked + candidate.lease.terms().certain());
                    self.held = held;
                }
                Ok(Attempt::Theirs(holder)) => {
                    self.certain_until.send_replace(Instant::now());
                    return Lost::To(holder);
                }
                Err(error) => {
                    candidate.complain(&error);
                    if error.is_refusal() && self.held.asked.elapsed() >= candidate.lease.terms().duration {
                        return Lost::Refused;
                    }
                }
            }
        }
    }

    /// Gives it back; nothing is written from here on.
    pub(super) async fn release(self) {
        self.certain_until.send_replace(Instant::now());
        let terms = self.candidate.lease.terms();
        let released = timeout(LONGEST_RELEASE, self.candidate.lease.release(&self.held)).await;
        match released.unwrap_or(Err(LeaseError::TimedOut)) {
            Ok(()) => tracing::info!(lease = %terms, "no longer leading"),
            Err(error) => tracing::warn!(lease = %terms, %error, "the Lease could not be given back; it ends by itself"),
        }
    }
}

impl LeaseTerms {
    /// How often it is renewed.
    fn renewal(&self) -> Duration {
        self.duration / 5
    }

    /// How long after a request it is certain that nobody else has it.
    fn certain(&self) -> Duration {
        self.duration * 2 / 3
    }

    /// The longest wait for one answer: a second request fits in before it is uncertain.
    pub(super) fn longest_request(&self) -> Duration {
        self.duration / 4
    }

    /// How often who stands by looks.
    fn look(&self) -> Duration {
        (self.duration / 15).clamp(Duration::from_millis(100), Duration::from_secs(1))
    }
}

impl std::fmt::Display for LeaseTerms {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
#[path = "leader_tests.rs"]
mod tests;
