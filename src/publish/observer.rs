//! Who is told of each attempt and each success. Ways without an observer do the same and tell nobody.

use std::sync::Arc;

use super::{Way, Ways};
use crate::{
    plan::{Method, Route, Tactic},
    registry,
    remedy::Class,
};

/// One attempt by one way, once it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The way.
    pub route: Route,
    /// The framing; nothing where there was no body to send.
    pub method: Option<Method>,
    /// What is done next; nothing where it worked.
    pub class: Option<Class>,
    /// Bytes of bodies that went out.
    pub sent: u64,
}

/// Is told what the engine does.
pub trait Observer: registry::Observer {
    /// An attempt has ended.
    fn tried(&self, ended: Ended);

    /// A chart was published and pulled back; so many bytes has its archive.
    fn published(&self, bytes: u64);
}

impl Ways {
    /// The same, seen by `observer`.
    #[must_use]
    pub fn observed_by(mut self, observer: Option<Arc<dyn Observer>>) -> Self {
        self.observer = observer;
        self
    }

    /// An attempt has ended: `class` is nothing where it worked.
    pub(super) fn tried(&self, way: &Way, tactic: Tactic, body_length: u64, sent: u64, class: Option<Class>) {
        if let Some(observer) = &self.observer {
            observer.tried(Ended { route: way.strategy.route, method: (body_length > 0).then(|| tactic.method()), class, sent });
        }
    }

    /// A chart was published and pulled back.
    pub(super) fn published(&self, bytes: u64) {
        if let Some(observer) = &self.observer {
            observer.published(bytes);
        }
    }
}
