//! Why a request takes nothing of an index, in sentences with the cure.

use crate::{
    api::Reason,
    model::{InvalidConstraint, InvalidPattern},
    source::index::Skipped,
};

/// A request that the index cannot meet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionFailure {
    /// There is no such chart.
    #[error("chart `{name}` is not in the index{}", hint(". Close to it: ", close))]
    ChartNotFound {
        /// The name that was asked for.
        name: String,
        /// Up to three names that are there.
        close: Vec<String>,
    },
    /// No chart has a name that is meant.
    #[error("no chart of the index has a name that `pattern: {pattern}` matches{}", hint(". Close to it: ", close))]
    NothingMatches {
        /// The pattern.
        pattern: String,
        /// Up to three names that are there.
        close: Vec<String>,
    },
    /// None of the charts that are meant has a version that is wanted.
    #[error("of the {count} charts that `pattern: {pattern}` matches none has a version that fits; of the first: {first}")]
    NoneFits {
        /// The pattern.
        pattern: String,
        /// How many charts it matches.
        count: usize,
        /// Why not of the first.
        first: Box<SelectionFailure>,
    },
    /// No pattern.
    #[error("`pattern: {pattern}`: {cause}")]
    NoPattern {
        /// What stands in the field.
        pattern: String,
        /// What is wrong with it.
        cause: InvalidPattern,
    },
    /// An item that says not which charts, or says it twice.
    #[error("an item of `charts` must have exactly one of `name` and `pattern`{}", hint(": ", name.as_slice()))]
    NotOne {
        /// What it has.
        name: Option<String>,
    },
    /// There is no such version.
    #[error("chart `{name}` has no version `{version}`{}{}", hint(". The newest are ", newest), passed_over_entry(.unusable.as_ref()))]
    VersionNotFound {
        /// The chart.
        name: String,
        /// What was asked for.
        version: String,
        /// Up to five versions that are there, newest first.
        newest: Vec<String>,
        /// The entry of this version, when it is there and cannot be used.
        unusable: Option<Skipped>,
    },
    /// No version fits a constraint.
    #[error(
        "chart `{name}` has no version that `versions: {constraint}` asks for{}{}{}",
        hint(". With `prereleases: true` it has ", prereleases),
        hint(". The newest are ", newest),
        passed_over_entry(.unusable.as_ref())
    )]
    NothingFits {
        /// The chart.
        name: String,
        /// What was asked for.
        constraint: String,
        /// Up to five prereleases that fit, newest first.
        prereleases: Vec<String>,
        /// Up to five versions that are there, newest first; none where prereleases fit.
        newest: Vec<String>,
        /// The first entry that would fit and cannot be used.
        unusable: Option<Skipped>,
    },
    /// All that fits is excluded.
    #[error("chart `{name}`: `exclude` leaves nothing of what fits{}", hint(": ", versions))]
    AllExcluded {
        /// The chart.
        name: String,
        /// Up to five of them, newest first.
        versions: Vec<String>,
    },
    /// What was asked for cannot be read.
    #[error("chart `{name}`: `{field}: {text}` is no constraint: {cause}")]
    NoConstraint {
        /// The chart.
        name: String,
        /// The field.
        field: &'static str,
        /// What stands in it.
        text: String,
        /// Where it cannot be read.
        cause: InvalidConstraint,
    },
    /// There is no version that is no prerelease.
    #[error("chart `{name}` has no release{}{}", hint(", only prereleases, which `prereleases: true` takes: ", newest), passed_over_entry(.unusable.as_ref()))]
    NoRelease {
        /// The chart.
        name: String,
        /// Up to five versions that are there, newest first.
        newest: Vec<String>,
        /// The first entry of the chart that cannot be used.
        unusable: Option<Skipped>,
    },
}

impl SelectionFailure {
    /// The name of the cause.
    pub fn reason(&self) -> Reason {
        match self {
            Self::ChartNotFound { .. } | Self::NothingMatches { .. } => Reason::ChartNotFound,
            Self::VersionNotFound { .. }
            | Self::NothingFits { .. }
            | Self::AllExcluded { .. }
            | Self::NoRelease { .. }
            | Self::NoneFits { .. } => Reason::VersionNotFound,
            Self::NoConstraint { .. } | Self::NoPattern { .. } | Self::NotOne { .. } => Reason::ConstraintInvalid,
        }
    }
}

/// Why an entry or a tag that is there does not count.
fn passed_over_entry(entry: Option<&Skipped>) -> String {
    let Some(Skipped { version, why, .. }) = entry else { return String::new() };
    let which = if version.is_empty() { "one without a version".to_owned() } else { format!("`{version}`") };
    format!("; {which} is there and cannot be used: {why}")
}

/// `before` and the items in backticks; nothing without items.
fn hint(before: &str, items: &[String]) -> String {
    if items.is_empty() { String::new() } else { format!("{before}`{}`", items.join("`, `")) }
}
