//! One request and its answer: with what proves who we are, once more when an idle connection was stale, once more after a 401.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header, request};
use tokio::time::Instant;

use super::{
    Cause, Failure, Registry, Stage,
    answer::{evidence, retry_after},
    auth::{Refusal, TokenService},
    permit::Withdrawn,
};
use crate::{
    model::RepositoryName,
    net::{Answered, Endpoint, Lease, NetError, OpenBody, Reuse},
    steps::enter,
};

static NOTHING: Bytes = Bytes::new();

/// A request with a body up to this size is sent again after a passing trouble.
const SMALL: u64 = 64 * 1024;
/// How often.
const AGAIN: usize = 2;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Whether the same may be answered otherwise in a moment, and the registry does not ask to be left alone for longer than we wait.
fn is_passing(answered: &Answered, most: Duration) -> bool {
    matches!(answered.head.status.as_u16(), 429 | 503) && retry_after(&answered.head.headers).is_none_or(|pause| pause <= most)
}

/// The answer was lost on its way, or the connection before it.
fn is_lost(failure: &Failure) -> bool {
    matches!(&failure.cause, Cause::Net(NetError::Cut { .. } | NetError::AnswerCut { .. } | NetError::StaleConnection))
}

/// A request, before it is known who asks.
pub(super) struct Call<'a> {
    pub(super) stage: Stage,
    pub(super) method: Method,
    pub(super) repository: &'a RepositoryName,
    pub(super) path: &'a str,
    pub(super) accept: Option<&'static str>,
    pub(super) content_type: Option<&'a str>,
    /// `Content-Range` as distribution's specification has it: first and last byte.
    pub(super) range: Option<(u64, u64)>,
    /// Whether the length stands in the head: always, but for [`crate::net::Untold`].
    pub(super) tells_length: bool,
    pub(super) body: &'a dyn OpenBody,
}

impl<'a> Call<'a> {
    /// A request without a body.
    pub(super) fn new(stage: Stage, method: Method, repository: &'a RepositoryName, path: &'a str) -> Self {
        Self { stage, method, repository, path, accept: None, content_type: None, range: None, tells_length: true, body: &NOTHING }
    }

    fn head(&self, endpoint: &Endpoint, authorization: Option<&HeaderValue>) -> Result<request::Parts, Failure> {
        let mut builder = Request::builder().method(self.method.clone()).uri(self.path);
        builder = builder.header(header::HOST, endpoint.origin.authority()).header(header::USER_AGENT, crate::USER_AGENT);
        if self.tells_length && !matches!(self.method, Method::GET | Method::HEAD) {
            builder = builder.header(header::CONTENT_LENGTH, self.body.length());
        }
        if let Some((first, last)) = self.range {
            builder = builder.header(header::CONTENT_RANGE, format!("{first}-{last}"));
        }
        if let Some(accept) = self.accept {
            builder = builder.header(header::ACCEPT, accept);
        }
        if let Some(kind) = self.content_type {
            builder = builder.header(header::CONTENT_TYPE, kind);
        }
        if let Some(authorization) = authorization {
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        let malformed = || Cause::Malformed { detail: "the registry named a path that cannot stand in a request".to_owned() };
        Ok(builder.body(()).map_err(|_| Failure::new(self.stage, malformed()))?.into_parts().0)
    }
}

/// The connection of one exchange after another: made when it is needed, made anew when it is spent.
///
/// Held from the opening of an upload to its end, it keeps the session on one replica of the registry.
pub(super) struct Line<'r> {
    registry: &'r Registry,
    endpoint: &'r Endpoint,
    /// Whether who we are is told at this endpoint.
    own: bool,
    reuse: Reuse,
    lease: Option<Lease>,
    /// Bytes of bodies that went out.
    sent: u64,
    /// Whether a request was sent again because its answer was lost: it may have been done twice.
    lost: bool,
}

impl<'r> Line<'r> {
    pub(super) fn new(registry: &'r Registry, reuse: Reuse) -> Self {
        Self { registry, endpoint: &registry.endpoint, own: true, reuse, lease: None, sent: 0, lost: false }
    }

    /// To another place that the registry named and that is allowed; nobody learns there who we are.
    pub(super) fn elsewhere(registry: &'r Registry, endpoint: &'r Endpoint) -> Self {
        Self { registry, endpoint, own: false, reuse: Reuse::Idle, lease: None, sent: 0, lost: false }
    }

    /// Sends `call`. The answer is whatever came, except a 401. A small request that a passing trouble met is sent again: what this
    /// program sends without a large body may be done twice, but for a `PATCH`.
    pub(super) async fn ask(&mut self, call: &Call<'_>) -> Result<Answered, Failure> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..AGAIN {
            let result = Box::pin(self.ask_once(call)).await;
            let wait = match &result {
                _ if call.body.length() > SMALL => None,
                Ok(answered) => is_passing(answered, self.registry.patience.stall).then_some(pause),
                Err(failure) => (is_lost(failure) && call.method != Method::PATCH).then_some(pause),
            };
            let Some(wait) = wait else { return result };
            tracing::debug!(stage = ?call.stage, wait = ?wait, "a passing trouble; the request is sent again");
            if let Ok(answered) = result {
                let failure = self.refused(call, answered).await;
                self.registry.overcame(|| failure);
            } else {
                self.registry.overcame(|| Failure::new(call.stage, NetError::AnswerCut { received: 0 }));
                self.lost = true;
                self.renew();
            }
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        Box::pin(self.ask_once(call)).await
    }

    async fn ask_once(&mut self, call: &Call<'_>) -> Result<Answered, Failure> {
        let _step = enter(call.stage.step());
        let registry = self.registry;
        let service = TokenService {
            transport: &registry.transport,
            registry: &registry.endpoint,
            patience: registry.patience,
            stage: call.stage,
            observer: registry.observer.as_deref(),
        };
        let authorization = if self.own { registry.authorizer.known(&service, call.repository).await? } else { None };
        let mut answered = self.send(call, authorization.as_ref()).await?;
        if answered.head.status != StatusCode::UNAUTHORIZED || !self.own {
            return Ok(answered);
        }
        let refusal = Refusal::read(&mut answered, &registry.authorizer).await;
        self.lease = answered.into_lease();
        let authorization = registry.authorizer.challenged(&service, call.repository, refusal, authorization.as_ref()).await?;
        let mut answered = self.send(call, Some(&authorization)).await?;
        if answered.head.status == StatusCode::UNAUTHORIZED {
            let refusal = Refusal::read(&mut answered, &registry.authorizer).await;
            return Err(registry.authorizer.unauthorized(call.stage, refusal, Some(&authorization)));
        }
        Ok(answered)
    }

    pub(super) fn registry(&self) -> &'r Registry {
        self.registry
    }

    /// The next request goes over a new connection.
    pub(super) fn renew(&mut self) {
        self.lease = None;
        self.reuse = Reuse::Never;
    }

    /// Something was wrong, and is tried again.
    pub(super) fn overcame(&self, failure: Failure) {
        self.registry.overcame(|| failure);
    }

    /// Whether an answer was lost, and its request sent again.
    pub(super) fn has_lost(&self) -> bool {
        self.lost
    }

    /// Bytes of bodies that went out so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Gives the connection of an answer that was read to its end back for the next request.
    pub(super) fn done(&mut self, answered: Answered) {
        match answered.into_lease() {
            Some(lease) if lease.leads_to(&self.endpoint.origin) => self.lease = Some(lease),
            // That of another host that was led to goes back to where it came from.
            Some(_) => {}
            // What is kept from before this exchange may lead to another replica; new ones lead to each in turn.
            None => self.reuse = Reuse::Never,
        }
    }

    /// The answer was not the one hoped for.
    pub(super) async fn refused(&mut self, call: &Call<'_>, mut answered: Answered) -> Failure {
        let answer = evidence(&mut answered, &self.registry.authorizer.secrets()).await;
        self.registry.pause.explain(&answer);
        self.done(answered);
        Failure::new(call.stage, answer)
    }

    /// Waits until a tag may be written over a connection that is there: nothing but the request itself is left to do then.
    async fn permitted(&mut self) -> Result<(), Cause> {
        let registry = self.registry;
        loop {
            registry.permit.to_write().await.map_err(|Withdrawn| Cause::Withdrawn)?;
            if self.lease.is_none() {
                self.lease = Some(registry.transport.lease(self.endpoint, registry.patience, self.reuse).await?);
            }
            if registry.permit.may_write() {
                return Ok(());
            }
            // Whoever answers after a long wait may have closed it.
            self.renew();
        }
    }

    async fn send(&mut self, call: &Call<'_>, authorization: Option<&HeaderValue>) -> Result<Answered, Failure> {
        let registry = self.registry;
        registry.pause.wait(registry.patience.stall).await.map_err(|answer| Failure::new(call.stage, answer))?;
        let head = call.head(self.endpoint, authorization)?;
        let is_seen = call.stage == Stage::WriteManifest;
        if is_seen {
            self.permitted().await.map_err(|cause| Failure::new(call.stage, cause))?;
        }
        let transport = &registry.transport;
        let (lease, body, patience) = (self.lease.take(), call.body, registry.patience);
        let begin = Instant::now();
        // A registry that had a part of a chunk refuses the whole of it: how much it had is asked before. Before a tag is written once
        // more, it is asked again whether it may be.
        let result = if call.range.is_some() || is_seen {
            transport.send_once(self.endpoint, lease, self.reuse, head, body, patience).await
        } else {
            transport.send(self.endpoint, lease, self.reuse, head, body, patience).await
        };
        if let Some(observer) = &registry.observer {
            observer.asked(call.stage, result.as_ref().ok().map(|answered| answered.head.status.as_u16()), begin.elapsed());
        }
        self.sent += match &result {
            Ok(answered) => answered.sent,
            Err(NetError::Cut { sent } | NetError::WriteStalled { sent, .. }) => *sent,
            Err(NetError::NoAnswer { .. } | NetError::NotHttp { .. }) => call.body.length(),
            Err(_) => 0,
        };
        // A session is left after a refusal, and who refuses a body early hangs up: that is one fault, not two.
        if call.method != Method::DELETE && result.as_ref().is_ok_and(|answered| answered.was_stale) {
            self.lost = true;
            registry.overcame(|| Failure::new(call.stage, NetError::StaleConnection));
        }
        let answered = result.map_err(|error| Failure::new(call.stage, error))?;
        registry.pause.heed(&answered.head);
        Ok(answered)
    }
}
