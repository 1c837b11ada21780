//! What is kept from run to run, and can be had again where it is not: one value for each key, within bounds.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

/// Beyond this number all are forgotten: each is learnt anew, with a request or so.
const MOST: usize = 10_000;

/// One value for each key; copies of a value share what it holds.
pub(super) struct Kept<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// The value of `key`, made when there is none.
    pub(super) fn of(&self, key: K, make: impl FnOnce() -> V) -> V {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(key).or_insert_with(make).clone()
    }
}
