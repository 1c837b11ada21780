//! What was learnt of registries, kept from run to run and shared by all publications.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::publish::Learnt;

/// Beyond this number all is forgotten: it is learnt anew.
const MOST: usize = 10_000;

/// By the registry as the spec names it.
#[derive(Default)]
pub(super) struct Learning(Mutex<HashMap<String, Learnt>>);

impl Learning {
    pub(super) fn of(&self, registry: &str) -> Learnt {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(registry.to_owned()).or_default().clone()
    }
}
