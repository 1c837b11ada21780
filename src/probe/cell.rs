//! What one cell of the matrix is, and what came of it.

use std::time::Duration;

use crate::{
    api::Reason,
    model::{Method, Origin},
    net::Address,
    plan::Route,
    publish::{Way, Ways},
    registry::{Cause, Failure},
    remedy::{Class, fingerprint},
};

/// What a cell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `GET /v2/`
    Greet,
    /// Sends a blob.
    Upload(Method),
    /// Pulls back, and hashes, the blob that this method sent.
    Download(Method),
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, as everything that is published goes.
    Http1,
    /// HTTP/2, to compare.
    Http2,
}

impl Protocol {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// One method on one route in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What was done.
    pub action: Action,
    /// What was spoken.
    pub protocol: Protocol,
    /// Of the body.
    pub bytes: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// What was wrong and was overcome on the spot.
    pub notes: Vec<Finding>,
}

/// What came of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Passed {
        /// A small request on a connection of its own; nothing where it was not answered.
        latency: Option<Duration>,
        /// From the first request to the last answer.
        took: Duration,
    },
    /// It does not.
    Failed(Box<Finding>),
    /// It was not tried, or came to no end, and why.
    NotApplicable(String),
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name of the cause.
    pub reason: Reason,
    /// Names the row of the remedies.
    pub remedy: &'static str,
    /// What was seen, and what cures it.
    pub sentence: String,
    /// Whether nothing helps before somebody changes something.
    pub is_final: bool,
    /// What was seen.
    pub failure: Failure,
}

impl Finding {
    /// Judged by the same table as everything else.
    pub(super) fn of(ways: &Ways, way: &Way, reference: &str, bytes: u64, failure: Failure) -> Self {
        let verdict = ways.judged(way, reference, bytes, &failure);
        let remedy = fingerprint(&failure, way.strategy.origin.scheme);
        Self { reason: verdict.reason, remedy, sentence: verdict.sentence, is_final: verdict.class == Class::Final, failure }
    }

    /// Whether the bytes stopped, so that a larger body would only cost the same time again.
    pub(super) fn is_stall(&self) -> bool {
        use crate::net::NetError::{AnswerSlow, NoAnswer, ReadStalled, WriteStalled};
        matches!(self.failure.cause, Cause::Net(NoAnswer { .. } | AnswerSlow { .. } | ReadStalled { .. } | WriteStalled { .. }))
    }
}

impl Cell {
    /// Whether it works.
    pub fn has_passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed { .. })
    }

    /// What came to no end because the bytes stopped, and was tried again and again, has failed by that.
    pub(super) fn end_by_stall(&mut self) {
        let stall = self.notes.iter().position(Finding::is_stall);
        if let (Outcome::NotApplicable(_), Some(at)) = (&self.outcome, stall) {
            self.outcome = Outcome::Failed(Box::new(self.notes.remove(at)));
        }
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<&Finding> {
        if let Outcome::Failed(finding) = &self.outcome { Some(finding) } else { None }
    }

    /// All that is wrong, what was overcome included.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.failure().into_iter().chain(&self.notes)
    }

    /// Bytes in a second.
    pub fn rate(&self) -> Option<f64> {
        let Outcome::Passed { took, .. } = self.outcome else { return None };
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
        (self.bytes > 0).then(|| self.bytes as f64 / took.as_secs_f64().max(1e-6))
    }
}

/// All cells of one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteReport {
    /// Which.
    pub route: Route,
    /// What was dialled.
    pub addresses: Vec<Address>,
    /// Under which name.
    pub origin: Origin,
    /// The Ingress or `HTTPRoute` between.
    pub via: Option<String>,
    /// Why it is a route.
    pub why: String,
    /// In the order in which they were run.
    pub cells: Vec<Cell>,
}

impl RouteReport {
    /// The cells that speak HTTP/1.1.
    pub fn of(&self, action: Action) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(move |cell| cell.action == action && cell.protocol == Protocol::Http1)
    }

    /// Whether all bodies went, or came, so.
    pub fn all_passed(&self, action: Action) -> bool {
        self.of(action).next().is_some() && self.of(action).all(Cell::has_passed)
    }

    /// `10.0.0.1:30500, 10.0.0.2:30500`
    pub fn address(&self) -> String {
        self.addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// All methods, in the order of the matrix.
pub(super) const METHODS: [Method; 4] = [Method::Buffered, Method::Chunked, Method::SinglePost, Method::Streamed];
