//! One attempt by one way: what it is made with, what came of it, and what is told of it when it failed.

use crate::{
    plan::{Method, Route, Tactic},
    registry::{Failure, Registry, SeenOfChunks},
    remedy::Verdict,
};

/// One attempt by one way.
pub struct Attempt {
    /// The client that goes that way, with the tactic's TCP options.
    pub registry: Registry,
    /// The framing.
    pub tactic: Tactic,
}

/// What came of one attempt.
pub struct Tried<T> {
    /// What was hoped for, or why not.
    pub result: Result<T, Failure>,
    /// Bytes of bodies that went out.
    pub sent: u64,
    /// What was seen of chunks.
    pub seen: SeenOfChunks,
}

impl<T> From<Result<T, Failure>> for Tried<T> {
    fn from(result: Result<T, Failure>) -> Self {
        Self { result, sent: 0, seen: SeenOfChunks::default() }
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
    pub method: Method,
    /// What belongs to the framing: sizes of chunks, TCP options.
    pub tactic: String,
    /// What it means.
    pub verdict: Verdict,
}

impl FailedAttempt {
    /// As commands print it with `--output json`.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "route": self.route.as_str(),
            "address": self.address,
            "method": self.method.as_str(),
            "tactic": self.tactic,
            "reason": self.verdict.reason.as_str(),
            "message": self.verdict.sentence,
        })
    }
}
