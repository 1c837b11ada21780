//! Which versions of which charts are published.
//!
//! In: the index of a repository and what the publication asks of it. Out: the entries to fetch, in the order of the
//! publication and newest first, and for each request that cannot be met why; and, for who asks, why the others are not fetched.
//! No I/O, no clock.

use std::collections::HashSet;

use super::{
    choice::{Rule, Unreadable, Verdict},
    selection_failure::SelectionFailure,
};
use crate::{
    api::ChartSelection,
    model::{ChartVersion, NamePattern},
    source::index::{Index, IndexEntry, Skipped, Wishes},
};

/// What one item of the spec asks for.
enum Asked<'a> {
    Chart(&'a str),
    Matching(NamePattern),
}

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

/// Which charts of an index are looked at: those that have an item of their own, and those that a pattern matches.
pub fn wishes(charts: &[ChartSelection]) -> Wishes {
    let patterns = charts.iter().filter_map(|chart| chart.pattern.as_deref());
    Wishes {
        names: charts.iter().filter_map(|chart| chart.name.clone()).collect(),
        patterns: patterns.filter_map(|pattern| pattern.parse().ok()).collect(),
    }
}

/// Chooses what is published.
pub fn select(index: &Index, charts: &[ChartSelection]) -> Selection {
    let mut selection = Selection::default();
    let mut taken = HashSet::new();
    for chart in charts {
        match chosen(index, chart, charts) {
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
    let mut meant_by_any = HashSet::new();
    for chart in charts {
        let Ok(asked) = asked(chart) else { continue };
        let meant = meant(index, &asked, charts);
        meant_by_any.extend(meant.iter().map(|(name, _)| *name));
        let Ok(rule) = Rule::of(chart) else { continue };
        for (name, entries) in meant {
            for (entry, verdict) in entries.iter().zip(rule.verdicts(entries)) {
                if !published.contains(&(entry.name.as_str(), entry.version.as_str())) {
                    groups.add(name, entry.version.as_str(), &verdict.to_string());
                }
            }
        }
    }
    for skipped in index.skipped.iter().filter(|skipped| meant_by_any.contains(skipped.chart.as_str())) {
        groups.add(&skipped.chart, &skipped.version, &format!("it cannot be used: {}", skipped.why));
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

fn asked(chart: &ChartSelection) -> Result<Asked<'_>, SelectionFailure> {
    match (&chart.name, &chart.pattern) {
        (Some(name), None) => Ok(Asked::Chart(name)),
        (None, Some(pattern)) => match pattern.parse() {
            Ok(pattern) => Ok(Asked::Matching(pattern)),
            Err(cause) => Err(SelectionFailure::NoPattern { pattern: pattern.clone(), cause }),
        },
        (name, _) => Err(SelectionFailure::NotOne { name: name.clone() }),
    }
}

/// The charts of the index that an item means, by name. One that has an item of its own is meant by no pattern.
fn meant<'a>(index: &'a Index, asked: &Asked<'_>, charts: &[ChartSelection]) -> Vec<(&'a str, &'a [IndexEntry])> {
    let has_its_own = |name: &str| charts.iter().any(|chart| chart.name.as_deref() == Some(name));
    let is_meant = |name: &str| match asked {
        Asked::Chart(asked) => name == *asked,
        Asked::Matching(pattern) => pattern.matches(name) && !has_its_own(name),
    };
    let all = index.charts.iter().filter(|(name, _)| is_meant(name));
    all.map(|(name, entries)| (name.as_str(), entries.as_slice())).collect()
}

/// The entries that one item stands for: of each chart newest first.
fn chosen<'a>(index: &'a Index, chart: &ChartSelection, charts: &[ChartSelection]) -> Result<Vec<&'a IndexEntry>, SelectionFailure> {
    let asked = asked(chart)?;
    let meant = meant(index, &asked, charts);
    match asked {
        Asked::Chart(name) => match meant.first() {
            Some((_, entries)) => of_chart(index, chart, name, entries),
            None => Err(SelectionFailure::ChartNotFound { name: name.to_owned(), close: close(index, name) }),
        },
        Asked::Matching(pattern) if !index.charts.keys().any(|name| pattern.matches(name)) => {
            let pattern = pattern.as_str();
            Err(SelectionFailure::NothingMatches { pattern: pattern.to_owned(), close: close(index, pattern) })
        }
        Asked::Matching(pattern) => matching(index, chart, pattern.as_str(), &meant),
    }
}

fn close(index: &Index, asked: &str) -> Vec<String> {
    index.close.get(asked).cloned().unwrap_or_default()
}

/// Charts that have nothing of what is wanted do not matter beside others that have it.
fn matching<'a>(
    index: &'a Index,
    chart: &ChartSelection,
    pattern: &str,
    meant: &[(&'a str, &'a [IndexEntry])],
) -> Result<Vec<&'a IndexEntry>, SelectionFailure> {
    let (mut taken, mut failure) = (Vec::new(), None);
    for (name, entries) in meant {
        match of_chart(index, chart, name, entries) {
            Ok(entries) => taken.extend(entries),
            Err(SelectionFailure::NoConstraint { field, text, cause, .. }) => {
                return Err(SelectionFailure::NoConstraint { name: pattern.to_owned(), field, text, cause });
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        Some(first) if taken.is_empty() => {
            Err(SelectionFailure::NoneFits { pattern: pattern.to_owned(), count: meant.len(), first: Box::new(first) })
        }
        _ => Ok(taken),
    }
}

/// The entries of one chart, newest first.
fn of_chart<'a>(
    index: &Index,
    chart: &ChartSelection,
    name: &str,
    entries: &'a [IndexEntry],
) -> Result<Vec<&'a IndexEntry>, SelectionFailure> {
    let rule = Rule::of(chart).map_err(|Unreadable { field, text, cause }| match entry_of(index, name, text) {
        // An index can name what is no version; that is said of the index, then.
        Some(_) if field == "versions" => version_not_found(index, name, text, entries),
        _ => SelectionFailure::NoConstraint { name: name.to_owned(), field, text: text.to_owned(), cause },
    })?;
    let verdicts = rule.verdicts(entries);
    let taken: Vec<_> = entries.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Taken).map(|(entry, _)| entry).collect();
    if taken.is_empty() { Err(nothing(index, chart, name, &rule, entries, &verdicts)) } else { Ok(taken) }
}

/// Why a request takes no entry at all.
fn nothing(
    index: &Index,
    chart: &ChartSelection,
    name: &str,
    rule: &Rule<'_>,
    entries: &[IndexEntry],
    verdicts: &[Verdict<'_>],
) -> SelectionFailure {
    let with = |is_so: fn(&Verdict<'_>) -> bool| {
        let found = entries.iter().zip(verdicts).filter(move |(_, verdict)| is_so(verdict));
        shown(found.map(|(entry, _)| entry))
    };
    let versions = with(|verdict| matches!(verdict, Verdict::Excluded(_)));
    if !versions.is_empty() {
        return SelectionFailure::AllExcluded { name: name.to_owned(), versions };
    }
    let mut unusable = index.skipped.iter().filter(|skipped| skipped.chart == name);
    let Some(constraint) = &chart.versions else {
        return SelectionFailure::NoRelease { name: name.to_owned(), newest: shown(entries.iter()), unusable: unusable.next().cloned() };
    };
    if constraint.parse::<ChartVersion>().is_ok() {
        return version_not_found(index, name, constraint, entries);
    }
    let prereleases = with(|verdict| matches!(verdict, Verdict::PrereleaseUnnamed(_)));
    let newest = if prereleases.is_empty() { shown(entries.iter()) } else { Vec::new() };
    let unusable = unusable.find(|skipped| skipped.version.parse().is_ok_and(|version| rule.would_admit(&version))).cloned();
    SelectionFailure::NothingFits { name: name.to_owned(), constraint: constraint.clone(), prereleases, newest, unusable }
}

fn version_not_found(index: &Index, name: &str, version: &str, entries: &[IndexEntry]) -> SelectionFailure {
    let unusable = entry_of(index, name, version).cloned();
    SelectionFailure::VersionNotFound { name: name.to_owned(), version: version.to_owned(), newest: shown(entries.iter()), unusable }
}

/// The entry of this version, when it cannot be used.
fn entry_of<'a>(index: &'a Index, name: &str, version: &str) -> Option<&'a Skipped> {
    index.skipped.iter().find(|skipped| skipped.chart == name && skipped.version == version)
}

/// Up to five.
fn shown<'a>(entries: impl Iterator<Item = &'a IndexEntry>) -> Vec<String> {
    entries.take(5).map(|entry| entry.version.to_string()).collect()
}
