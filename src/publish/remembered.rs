//! What was learnt of a way, in the form in which it outlives the process: shown in the status, and read back from there.

use crate::{
    model::{Method, Origin},
    plan::{Route, Strategy},
    remedy::Verdict,
};

/// What was learnt of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The way.
    pub route: String,
    /// Scheme, host and port.
    pub origin: String,
    /// What stands between: `Ingress platform/registry`.
    pub via: Option<String>,
    /// What was refused.
    pub refused: Vec<Refused>,
    /// What was seen of the sizes of chunks.
    pub chunks: Option<RememberedChunks>,
}

/// What was seen of the sizes of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RememberedChunks {
    /// The largest that was taken, in bytes; 0 for none.
    pub taken: u64,
    /// The smallest that was refused, in bytes.
    pub refused: Option<u64>,
    /// Whether each needs a connection of its own.
    pub renew: bool,
    /// Until when that counts, in seconds since 1970.
    pub until: i64,
}

/// A tactic that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The method, whether each chunk had a connection of its own, and the length of TCP segments.
    pub key: (Method, bool, Option<u32>),
    /// For bodies of this size and larger.
    pub from: u64,
    /// Why.
    pub verdict: Verdict,
    /// Until when that counts, in seconds since 1970.
    pub until: i64,
}

impl Remembered {
    /// Of this way, nothing yet.
    pub(super) fn nothing_of(strategy: &Strategy) -> Self {
        Self {
            route: shown_route(strategy.route),
            origin: shown_origin(&strategy.origin),
            via: shown_via(strategy),
            refused: Vec::new(),
            chunks: None,
        }
    }

    /// Whether it speaks of this way.
    pub(super) fn is_of(&self, strategy: &Strategy) -> bool {
        let of = Self::nothing_of(strategy);
        (&self.route, &self.origin, &self.via) == (&of.route, &of.origin, &of.via)
    }
}

fn shown_route(route: Route) -> String {
    route.as_str().to_owned()
}

fn shown_origin(origin: &Origin) -> String {
    format!("{}://{}", origin.scheme.as_str(), origin.host_and_port())
}

fn shown_via(strategy: &Strategy) -> Option<String> {
    strategy.via.as_ref().map(|via| format!("{} {}/{}", via.kind, via.namespace, via.name))
}
