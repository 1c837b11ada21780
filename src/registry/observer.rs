//! Who is told how each request ended and how long it took. A client without an observer does the same and tells nobody.

use std::time::Duration;

use super::{Registry, Stage};

/// Is told of each request to a registry, or to its token service.
pub trait Observer: Send + Sync {
    /// A request ended with the head of an answer and its status, or without one. It `took` the time from the first packet, that of a new
    /// connection included, to there.
    fn asked(&self, stage: Stage, status: Option<u16>, took: Duration);
}

impl Registry {
    /// The same, seen by `observer`.
    #[must_use]
    pub fn observed_by(self, observer: Option<std::sync::Arc<dyn Observer>>) -> Self {
        Self { observer, ..self }
    }
}
