//! Which versions of which charts are published.
//!
//! In: the index of a repository and what the publication asks of it. Out: the entries to fetch, in the order of the
//! publication and newest first, and for each request that cannot be met why; and, for who asks, why the others are not fetched.
//! No I/O, no clock.

use std::collections::HashSet;

use super::choice::{Rule, Unreadable, Verdict};
use crate::{
    api::{ChartSelection, Reason},
    model::{ChartVersion, InvalidConstraint},
    source::index::{Index, IndexEntry, Skipped},
};

/// What is published, and what cannot be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// What is fetched; no version of a chart twice.
    pub wanted: Vec<Wanted>,
    /// What was asked for and is not there.
    pub failures: Vec<SelectionFailure>,
}

/// One version of one chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The chart.
    pub name: String,
    /// The version, as the index spells it.
    pub version: ChartVersion,
    /// Where it is fetched from, and what it must have.
    pub entry: IndexEntry,
}

/// Versions of a chart that are there and are not published, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The chart.
    pub chart: String,
    /// As the index spells them, newest first.
    pub versions: Vec<String>,
    /// Why.
    pub reason: String,
}

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
            Self::ChartNotFound { .. } => Reason::ChartNotFound,
            Self::VersionNotFound { .. } | Self::NothingFits { .. } | Self::AllExcluded { .. } | Self::NoRelease { .. } => {
                Reason::VersionNotFound
            }
            Self::NoConstraint { .. } => Reason::ConstraintInvalid,
        }
    }

    /// The chart that was asked for.
    pub fn chart(&self) -> &str {
        match self {
            Self::ChartNotFound { name, .. }
            | Self::VersionNotFound { name, .. }
            | Self::NothingFits { name, .. }
            | Self::AllExcluded { name, .. }
            | Self::NoConstraint { name, .. }
            | Self::NoRelease { name, .. } => name,
        }
    }
}

/// Chooses what is published.
pub fn select(index: &Index, charts: &[ChartSelection]) -> Selection {
    let mut selection = Selection::default();
    let mut taken = HashSet::new();
    for chart in charts {
        match chosen(index, chart) {
            Ok(entries) => {
                let new = entries.into_iter().filter(|entry| taken.insert((entry.name.as_str(), entry.version.as_str())));
                selection.wanted.extend(new.map(|entry| Wanted {
                    name: entry.name.clone(),
                    version: entry.version.clone(),
                    entry: entry.clone(),
                }));
            }
            Err(failure) if selection.failures.contains(&failure) => {}
            Err(failure) => selection.failures.push(failure),
        }
    }
    selection
}

/// What is there of the charts that are asked for and is not published, and why; what another request takes is published.
pub fn passed_over(index: &Index, charts: &[ChartSelection]) -> Vec<PassedOver> {
    let selection = select(index, charts);
    let published: HashSet<_> = selection.wanted.iter().map(|wanted| (wanted.name.as_str(), wanted.version.as_str())).collect();
    let mut groups = Groups::default();
    for chart in charts {
        let (Some(entries), Ok(rule)) = (index.charts.get(&chart.name), Rule::of(chart)) else { continue };
        for (entry, verdict) in entries.iter().zip(rule.verdicts(entries)) {
            if !published.contains(&(entry.name.as_str(), entry.version.as_str())) {
                groups.add(&chart.name, entry.version.as_str(), &verdict.to_string());
            }
        }
    }
    for skipped in index.skipped.iter().filter(|skipped| charts.iter().any(|chart| chart.name == skipped.chart)) {
        groups.add(&skipped.chart, &skipped.version, &format!("its entry cannot be used: {}", skipped.why));
    }
    groups.all
}

/// Versions together that have chart and reason in common, each once.
#[derive(Default)]
struct Groups<'a> {
    all: Vec<PassedOver>,
    seen: HashSet<(usize, &'a str)>,
}

impl<'a> Groups<'a> {
    fn add(&mut self, chart: &str, version: &'a str, reason: &str) {
        let found = self.all.iter().position(|group| group.chart == chart && group.reason == reason);
        let at = found.unwrap_or(self.all.len());
        if found.is_none() {
            self.all.push(PassedOver { chart: chart.to_owned(), versions: Vec::new(), reason: reason.to_owned() });
        }
        if let Some(group) = self.all.get_mut(at).filter(|_| self.seen.insert((at, version))) {
            group.versions.push(version.to_owned());
        }
    }
}

/// The entries that one request stands for, newest first.
fn chosen<'a>(index: &'a Index, chart: &ChartSelection) -> Result<Vec<&'a IndexEntry>, SelectionFailure> {
    let name = || chart.name.clone();
    let Some(entries) = index.charts.get(&chart.name) else {
        let close = index.close.get(&chart.name).cloned().unwrap_or_default();
        return Err(SelectionFailure::ChartNotFound { name: name(), close });
    };
    let rule = Rule::of(chart).map_err(|Unreadable { field, text, cause }| match entry_of(index, chart, text) {
        // An index can name what is no version; that is said of the index, then.
        Some(_) if field == "versions" => version_not_found(index, chart, text, entries),
        _ => SelectionFailure::NoConstraint { name: name(), field, text: text.to_owned(), cause },
    })?;
    let verdicts = rule.verdicts(entries);
    let taken: Vec<_> = entries.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Taken).map(|(entry, _)| entry).collect();
    if taken.is_empty() { Err(nothing(index, chart, &rule, entries, &verdicts)) } else { Ok(taken) }
}

/// Why a request takes no entry at all.
fn nothing(index: &Index, chart: &ChartSelection, rule: &Rule<'_>, entries: &[IndexEntry], verdicts: &[Verdict<'_>]) -> SelectionFailure {
    let name = chart.name.clone();
    let with = |is_so: fn(&Verdict<'_>) -> bool| {
        let found = entries.iter().zip(verdicts).filter(move |(_, verdict)| is_so(verdict));
        shown(found.map(|(entry, _)| entry))
    };
    let versions = with(|verdict| matches!(verdict, Verdict::Excluded(_)));
    if !versions.is_empty() {
        return SelectionFailure::AllExcluded { name, versions };
    }
    let mut unusable = index.skipped.iter().filter(|skipped| skipped.chart == chart.name);
    let Some(constraint) = &chart.versions else {
        return SelectionFailure::NoRelease { name, newest: shown(entries.iter()), unusable: unusable.next().cloned() };
    };
    if constraint.parse::<ChartVersion>().is_ok() {
        return version_not_found(index, chart, constraint, entries);
    }
    let prereleases = with(|verdict| matches!(verdict, Verdict::PrereleaseUnnamed(_)));
    let newest = if prereleases.is_empty() { shown(entries.iter()) } else { Vec::new() };
    let unusable = unusable.find(|skipped| skipped.version.parse().is_ok_and(|version| rule.would_admit(&version))).cloned();
    SelectionFailure::NothingFits { name, constraint: constraint.clone(), prereleases, newest, unusable }
}

fn version_not_found(index: &Index, chart: &ChartSelection, version: &str, entries: &[IndexEntry]) -> SelectionFailure {
    let unusable = entry_of(index, chart, version).cloned();
    SelectionFailure::VersionNotFound { name: chart.name.clone(), version: version.to_owned(), newest: shown(entries.iter()), unusable }
}

/// The entry of this version, when it cannot be used.
fn entry_of<'a>(index: &'a Index, chart: &ChartSelection, version: &str) -> Option<&'a Skipped> {
    index.skipped.iter().find(|skipped| skipped.chart == chart.name && skipped.version == version)
}

/// Up to five.
fn shown<'a>(entries: impl Iterator<Item = &'a IndexEntry>) -> Vec<String> {
    entries.take(5).map(|entry| entry.version.to_string()).collect()
}

/// Why an entry that is there does not count.
fn passed_over_entry(entry: Option<&Skipped>) -> String {
    let Some(Skipped { version, why, .. }) = entry else { return String::new() };
    let which = if version.is_empty() { "an entry".to_owned() } else { format!("the entry `{version}`") };
    format!("; {which} of the index cannot be used: {why}")
}

/// `before` and the items in backticks; nothing without items.
fn hint(before: &str, items: &[String]) -> String {
    if items.is_empty() { String::new() } else { format!("{before}`{}`", items.join("`, `")) }
}
