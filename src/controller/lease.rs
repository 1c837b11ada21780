//! The Lease in the API server (`coordination.k8s.io/v1`) as one candidate sees it: who has it, and what is written to have it.
//!
//! A replica is not believed by its clock: a Lease that another one holds is free when this process has not seen it change for as
//! long as it is given for, by its own clock.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio::time::{Instant, timeout};

use super::settings::LeaseTerms;

/// More than the name of a Pod with what follows it.
const MOST_OF_A_HOLDER: usize = 300;

/// Why the Lease could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeaseError {
    /// The API server said no, or could not be reached.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// It did not say anything in time.
    #[error("the API server did not answer in time")]
    TimedOut,
}

impl LeaseError {
    /// Whether the API server has answered and does not let us have it, which time alone does not change.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if matches!(status.code, 400..500) && !matches!(status.code, 408 | 409 | 429))
    }
}

/// The Lease by which the replicas agree who leads.
pub(super) struct LeaseObject {
    api: Api<Lease>,
    terms: LeaseTerms,
    seen: Option<Seen>,
}

/// What was seen of a Lease that another replica has.
struct Seen {
    version: Option<String>,
    since: Instant,
}

/// A Lease that this process has.
pub(super) struct Held {
    lease: Lease,
    /// When the request for it was sent, by which it was had or renewed.
    pub(super) asked: Instant,
}

/// What came of an attempt to have it.
pub(super) enum Attempt {
    /// It is ours.
    Ours(Box<Held>),
    /// Another replica has it, or was faster.
    Theirs(String),
}

impl LeaseObject {
    pub(super) fn new(client: Client, terms: LeaseTerms) -> Self {
        Self { api: Api::namespaced(client, &terms.namespace), terms, seen: None }
    }

    pub(super) fn terms(&self) -> &LeaseTerms {
        &self.terms
    }

    /// Takes it where nobody has it.
    pub(super) async fn take(&mut self) -> Result<Attempt, LeaseError> {
        let Some(lease) = self.asked(self.api.get_opt(&self.terms.name)).await? else {
            return self.create().await;
        };
        let holder = holder(&lease).to_owned();
        if !holder.is_empty() && holder != self.terms.identity && !self.is_over(&lease) {
            return Ok(Attempt::Theirs(shown(&holder)));
        }
        self.replace(lease).await
    }

    /// Renews it. Where it has changed meanwhile, its holder decides.
    pub(super) async fn renew(&mut self, held: &Held) -> Result<Attempt, LeaseError> {
        match self.replace(held.lease.clone()).await {
            // An answer may have been lost after it was written.
            Ok(Attempt::Theirs(_)) => {}
            Err(LeaseError::Api(kube::Error::Api(status))) if status.code == 404 => return self.create().await,
            other => return other,
        }
        match self.asked(self.api.get_opt(&self.terms.name)).await? {
            Some(lease) if holder(&lease) == self.terms.identity => self.replace(lease).await,
            Some(lease) => Ok(Attempt::Theirs(shown(holder(&lease)))),
            None => self.create().await,
        }
    }

    /// Gives it back, so that the next one need not wait.
    pub(super) async fn release(&self, held: &Held) -> Result<(), LeaseError> {
        match self.emptied(held.lease.clone()).await {
            // A renewal was under way, and what it wrote is not known here.
            Err(LeaseError::Api(kube::Error::Api(status))) if status.code == 409 => {}
            other => return other,
        }
        match self.asked(self.api.get_opt(&self.terms.name)).await? {
            Some(lease) if holder(&lease) == self.terms.identity => self.emptied(lease).await,
            _ => Ok(()),
        }
    }

    async fn emptied(&self, mut lease: Lease) -> Result<(), LeaseError> {
        let now = MicroTime(Timestamp::now());
        let transitions = lease.spec.as_ref().and_then(|spec| spec.lease_transitions);
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            renew_time: Some(now.clone()),
            acquire_time: Some(now),
            lease_transitions: transitions,
            ..LeaseSpec::default()
        });
        self.asked(self.api.replace(&self.terms.name, &PostParams::default(), &lease)).await.map(drop)
    }

    async fn create(&self) -> Result<Attempt, LeaseError> {
        let asked = Instant::now();
        let metadata = ObjectMeta { name: Some(self.terms.name.clone()), ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(self.spec(None)) };
        written(asked, self.asked(self.api.create(&PostParams::default(), &lease)).await)
    }

    /// Writes ourselves over what was read; nobody else can have written between.
    async fn replace(&self, lease: Lease) -> Result<Attempt, LeaseError> {
        let asked = Instant::now();
        let spec = self.spec(lease.spec.as_ref());
        let lease = Lease { spec: Some(spec), ..lease };
        written(asked, self.asked(self.api.replace(&self.terms.name, &PostParams::default(), &lease)).await)
    }

    fn spec(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let is_ours = before.is_some_and(|spec| spec.holder_identity.as_deref() == Some(&self.terms.identity));
        let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.terms.identity.clone()),
            lease_duration_seconds: i32::try_from(self.terms.duration.as_secs()).ok(),
            acquire_time: before.filter(|_| is_ours).and_then(|spec| spec.acquire_time.clone()).or_else(|| Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(if is_ours || before.is_none() { transitions } else { transitions.saturating_add(1) }),
            ..LeaseSpec::default()
        }
    }

    /// Whether it was seen unchanged for as long as it is given for.
    fn is_over(&mut self, lease: &Lease) -> bool {
        let version = lease.metadata.resource_version.clone();
        let seconds = lease.spec.as_ref().and_then(|spec| u64::try_from(spec.lease_duration_seconds?).ok());
        let lasts = seconds.map_or(self.terms.duration, Duration::from_secs);
        match &self.seen {
            Some(seen) if seen.version == version => seen.since.elapsed() >= lasts,
            _ => {
                self.seen = Some(Seen { version, since: Instant::now() });
                false
            }
        }
    }

    async fn asked<T>(&self, request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, LeaseError> {
        timeout(self.terms.longest_request(), request).await.map_err(|_| LeaseError::TimedOut)?.map_err(LeaseError::Api)
    }
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

/// As it is told: whoever may write the Lease may write anything there.
fn shown(holder: &str) -> String {
    holder.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).take(MOST_OF_A_HOLDER).collect()
}

/// 409: somebody was faster.
fn written(asked: Instant, result: Result<Lease, LeaseError>) -> Result<Attempt, LeaseError> {
    match result {
        Ok(lease) => Ok(Attempt::Ours(Box::new(Held { lease, asked }))),
        Err(LeaseError::Api(kube::Error::Api(status))) if status.code == 409 => Ok(Attempt::Theirs("another replica".to_owned())),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "lease_tests.rs"]
pub(super) mod tests;
