//! Which charts of an index are wanted: by their names, or by patterns for names.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::NamePattern;

/// Patterns that are asked of each name for the sake of others.
const MOST_JOINED: usize = 32;

/// What is wanted of an index. The same wishes find the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// By name.
    pub names: BTreeSet<String>,
    /// By pattern, in the order of the spec.
    pub patterns: Vec<NamePattern>,
}

/// What was asked for and is not there.
pub(super) struct Missing<'a> {
    /// The name, or the pattern.
    pub(super) asked: &'a str,
    /// What names may be close to.
    pub(super) like: &'a str,
}

impl Wishes {
    /// Whether a chart is wanted.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name) || self.patterns.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether all of `other` is among these.
    pub(in crate::source) fn include(&self, other: &Self) -> bool {
        other.names.is_subset(&self.names) && other.patterns.iter().all(|pattern| self.patterns.contains(pattern))
    }

    /// With those of others; of their patterns as many as cost little.
    #[must_use]
    pub fn joined(mut self, others: Self) -> Self {
        self.names.extend(others.names);
        for pattern in others.patterns {
            if self.patterns.len() < MOST_JOINED && !self.patterns.contains(&pattern) {
                self.patterns.push(pattern);
            }
        }
        self
    }

    /// Names that are not there, and patterns that nothing matches.
    pub(super) fn missing<'a, T>(&'a self, there: &BTreeMap<String, T>) -> impl Iterator<Item = Missing<'a>> {
        let names = self.names.iter().filter(|name| !there.contains_key(*name)).map(|name| Missing { asked: name, like: name });
        let patterns = self.patterns.iter().filter(|pattern| !there.keys().any(|name| pattern.matches(name)));
        names.chain(patterns.map(|pattern| Missing { asked: pattern.as_str(), like: pattern.gist() }))
    }
}

impl<S: Into<String>> FromIterator<S> for Wishes {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), patterns: Vec::new() }
    }
}
