//! Servers that ask to be left alone (`Retry-After`, RFC 9110, section 10.2.3): each is, by all publications.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{model::Origin, registry::Pause};

/// Servers of which something is kept. Beyond this number those that ask for nothing any more are forgotten.
const MOST: usize = 64;

/// How long each server wants to be left alone. Copies share it.
#[derive(Clone, Default)]
pub(super) struct Pauses(Arc<Mutex<HashMap<Origin, Pause>>>);

impl Pauses {
    /// That of one server.
    pub(super) fn of(&self, origin: &Origin) -> Pause {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, pause| !pause.is_over());
        }
        known.entry(origin.clone()).or_default().clone()
    }
}
