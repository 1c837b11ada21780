//! Which versions are wanted, in Helm's own language: `>=6.0.0 <7.0.0`, `^6.5`, `6.x || 7.1 - 7.4`.
//!
//! In: the text, and versions. Out: whether each is admitted, or why not. The language is that of Masterminds semver v3, which Helm
//! reads constraints with, down to its oddities; `tests/like_masterminds.rs` compares the two. Pure, and bounded: what is longer
//! than Helm allows is refused before it is read.

mod evaluate;
mod parse;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use self::evaluate::Comparator;
use super::ChartVersion;

/// Bytes that a constraint may have.
pub const LONGEST: usize = 512;
/// Alternatives (`||`) that a constraint may have.
pub const MOST_ALTERNATIVES: usize = 32;

/// A condition on versions.
///
/// # Guarantees
/// The verdict on each version is that of Masterminds semver v3.5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    text: String,
    alternatives: Vec<Alternative>,
}

/// What must hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Alternative {
    comparators: Vec<Comparator>,
    /// One of the versions in it is a prerelease: then all of its comparators speak of prereleases too.
    names_prerelease: bool,
}

/// When a prerelease can be admitted at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prereleases {
    /// Where a comparator beside it names one.
    IfNamed,
    /// Always: a prerelease is a version like others.
    Always,
}

/// Why a version is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// It is a prerelease, and is admitted only by [`Prereleases::Always`].
    Prerelease,
    /// It lies outside.
    Outside,
}

/// Why a text is no constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConstraint {
    /// Too many bytes.
    #[error("it has {0} bytes, and Helm takes at most {LONGEST}: split it over several entries")]
    TooLong(usize),
    /// Too many alternatives.
    #[error("it has {0} alternatives (`||`), and Helm takes at most {MOST_ALTERNATIVES}: split it over several entries")]
    TooManyAlternatives(usize),
    /// Not the language.
    #[error(
        "{}; Helm's constraints are written as `6.5.0`, `^6.5`, `6.x`, `>=6.0.0 <7.0.0`, `6.1 - 6.4` or `6.1.x || 6.3.x`",
        place(.0)
    )]
    Syntax(String),
    /// A word in it that looks like a version and is none.
    #[error("`{0}` in it is no semantic version (https://semver.org){hint}", hint = hint(.0))]
    Version(String),
}

/// What helps, where an alternative was written as in other languages.
fn hint(word: &str) -> &'static str {
    if word.contains('|') { ", and one or the other is written `||`" } else { "" }
}

impl Constraint {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a version is admitted.
    pub fn admits(&self, version: &ChartVersion, prereleases: Prereleases) -> bool {
        let always = prereleases == Prereleases::Always;
        self.alternatives.iter().any(|alternative| alternative.admits(version, always || alternative.names_prerelease))
    }

    /// Why a version is not admitted, where it is not.
    pub fn refusal(&self, version: &ChartVersion, prereleases: Prereleases) -> Option<NotAdmitted> {
        if self.admits(version, prereleases) {
            return None;
        }
        let but_for_that = self.admits(version, Prereleases::Always);
        Some(if but_for_that { NotAdmitted::Prerelease } else { NotAdmitted::Outside })
    }
}

impl Alternative {
    fn admits(&self, version: &ChartVersion, with_prereleases: bool) -> bool {
        (with_prereleases || !version.is_prerelease()) && self.comparators.iter().all(|comparator| comparator.holds(version))
    }
}

impl FromStr for Constraint {
    type Err = InvalidConstraint;

    fn from_str(text: &str) -> Result<Self, InvalidConstraint> {
        let alternatives = parse::alternatives(text)?.into_iter().map(|comparators| {
            let names_prerelease = comparators.iter().any(Comparator::names_prerelease);
            Alternative { comparators, names_prerelease }
        });
        Ok(Self { text: text.to_owned(), alternatives: alternatives.collect() })
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn place(rest: &str) -> String {
    if rest.is_empty() { "a version is missing in it".to_owned() } else { format!("it cannot be read from `{rest}` on") }
}
