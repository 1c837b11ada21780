//! Which versions of which charts are published.
//!
//! In: the index of a repository and what the publication asks of it. Out: the entries to fetch, in the order of the
//! publication and newest first, and for each request that cannot be met why. No I/O, no clock.

use std::collections::HashSet;

use crate::{
    api::{ChartSelection, Reason},
    model::ChartVersion,
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
    #[error("chart `{name}` has no version `{version}`{}{}", hint(". The newest are ", newest), passed_over(.unusable.as_ref()))]
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
    /// What was asked for is no version.
    #[error(
        "chart `{name}`: `{asked}` is no version: `versions` takes one exact version so far and no range; for the newest ones use `latest: N`"
    )]
    NoVersion {
        /// The chart.
        name: String,
        /// What was asked for.
        asked: String,
    },
    /// There is no version that is no prerelease.
    #[error("chart `{name}` has no release{}{}", hint(", only prereleases, which `versions` has to name: ", newest), passed_over(.unusable.as_ref()))]
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
            Self::VersionNotFound { .. } | Self::NoRelease { .. } => Reason::VersionNotFound,
            Self::NoVersion { .. } => Reason::ConstraintInvalid,
        }
    }

    /// The chart that was asked for.
    pub fn chart(&self) -> &str {
        match self {
            Self::ChartNotFound { name, .. }
            | Self::VersionNotFound { name, .. }
            | Self::NoVersion { name, .. }
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

/// The entries that one request stands for, newest first.
fn chosen<'a>(index: &'a Index, chart: &ChartSelection) -> Result<Vec<&'a IndexEntry>, SelectionFailure> {
    let name = || chart.name.clone();
    let Some(entries) = index.charts.get(&chart.name) else {
        let close = index.close.get(&chart.name).cloned().unwrap_or_default();
        return Err(SelectionFailure::ChartNotFound { name: name(), close });
    };
    let rule = Rule::of(chart);
    let chosen = rule.choose(entries);
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let newest = entries.iter().take(5).map(|entry| entry.version.to_string()).collect();
    let skipped = || index.skipped.iter().filter(|skipped| skipped.chart == chart.name);
    Err(match rule {
        Rule::Exact(version) => {
            let unusable = skipped().find(|skipped| skipped.version == version).cloned();
            if unusable.is_none() && version.parse::<ChartVersion>().is_err() {
                return Err(SelectionFailure::NoVersion { name: name(), asked: version.to_owned() });
            }
            SelectionFailure::VersionNotFound { name: name(), version: version.to_owned(), newest, unusable }
        }
        Rule::Newest(_) | Rule::All => SelectionFailure::NoRelease { name: name(), newest, unusable: skipped().next().cloned() },
    })
}

/// How versions are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule<'a> {
    /// The one that is spelt so, else one that is equal to it.
    Exact(&'a str),
    /// The newest that are no prereleases.
    Newest(usize),
    /// All that are no prereleases.
    All,
}

impl<'a> Rule<'a> {
    fn of(chart: &'a ChartSelection) -> Self {
        match (&chart.versions, chart.latest) {
            (Some(version), _) => Self::Exact(version),
            (None, Some(0)) => Self::All,
            (None, latest) => Self::Newest(latest.map_or(1, |latest| usize::try_from(latest).unwrap_or(usize::MAX))),
        }
    }

    /// `entries` are newest first, and so is what is chosen.
    fn choose(self, entries: &[IndexEntry]) -> Vec<&IndexEntry> {
        let releases = || entries.iter().filter(|entry| !entry.version.is_prerelease());
        match self {
            Self::Exact(version) => exact(version, entries).into_iter().collect(),
            Self::Newest(count) => releases().take(count).collect(),
            Self::All => releases().collect(),
        }
    }
}

/// As Helm looks for a version: first the same spelling, then (`1.2` for `1.2.0`, `v1.2.0` for `1.2.0`) an equal one.
fn exact<'a>(version: &str, entries: &'a [IndexEntry]) -> Option<&'a IndexEntry> {
    let same = entries.iter().find(|entry| entry.version.as_str() == version);
    let equal = || {
        let version: ChartVersion = version.parse().ok()?;
        entries.iter().find(|entry| entry.version.precedence(&version).is_eq())
    };
    same.or_else(equal)
}

/// Why an entry that is there does not count.
fn passed_over(entry: Option<&Skipped>) -> String {
    let Some(Skipped { version, why, .. }) = entry else { return String::new() };
    let which = if version.is_empty() { "an entry".to_owned() } else { format!("the entry `{version}`") };
    format!("; {which} of the index cannot be used: {why}")
}

/// `before` and the items in backticks; nothing without items.
fn hint(before: &str, items: &[String]) -> String {
    if items.is_empty() { String::new() } else { format!("{before}`{}`", items.join("`, `")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(versions: &[&str]) -> Index {
        let entry = |version: &&str| IndexEntry {
            name: "web".into(),
            version: version.parse().unwrap(),
            urls: vec![format!("web-{version}.tgz")],
            digest: None,
            created: None,
        };
        let mut index = Index::default();
        index.charts.insert("web".into(), versions.iter().map(entry).collect());
        index.close.insert("wep".into(), vec!["web".into()]);
        index
    }

    fn ask(name: &str, versions: Option<&str>, latest: Option<u32>) -> ChartSelection {
        ChartSelection { name: name.into(), versions: versions.map(Into::into), latest }
    }

    fn check(charts: &[ChartSelection], wanted: &[&str], failures: &[&str]) {
        let index = index(&["2.0.0-rc.1", "1.10.0", "1.9.0+b", "1.9.0", "v1.2.0", "1.0.0", "0.1.0-dev"]);
        let selection = select(&index, charts);
        let found: Vec<&str> = selection.wanted.iter().map(|wanted| wanted.version.as_str()).collect();
        let failed: Vec<String> = selection.failures.iter().map(ToString::to_string).collect();
        assert_eq!((found.as_slice(), failed), (wanted, failures.iter().map(ToString::to_string).collect()), "{charts:?}");
        assert!(selection.wanted.iter().all(|wanted| wanted.entry.version == wanted.version && wanted.name == "web"));
    }

    #[test]
    fn an_exact_version_is_found_by_spelling_and_then_by_value() {
        for (asked, found) in [
            ("1.10.0", "1.10.0"),
            ("v1.10", "1.10.0"),
            ("1.2.0", "v1.2.0"),
            ("1.9.0", "1.9.0"),
            ("1.9.0+b", "1.9.0+b"),
            ("2.0.0-rc.1", "2.0.0-rc.1"),
            ("1", "1.0.0"),
        ] {
            check(&[ask("web", Some(asked), None)], &[found], &[]);
        }
    }

    #[test]
    fn a_range_is_no_version() {
        for asked in ["^1.0", "~1.2.0", ">=1.0.0", ">= 1.0, < 2.0", "1.x", "1.*", "*", "latest"] {
            let said = format!(
                "chart `web`: `{asked}` is no version: `versions` takes one exact version so far and no range; for the newest ones use `latest: N`"
            );
            check(&[ask("web", Some(asked), None)], &[], &[&said]);
            let failures = select(&index(&["1.0.0"]), &[ask("web", Some(asked), None)]).failures;
            assert_eq!(failures.iter().map(SelectionFailure::reason).collect::<Vec<_>>(), [Reason::ConstraintInvalid]);
        }
    }

    #[test]
    fn the_newest_are_counted_without_prereleases() {
        check(&[ask("web", None, None)], &["1.10.0"], &[]);
        check(&[ask("web", None, Some(2))], &["1.10.0", "1.9.0+b"], &[]);
        check(&[ask("web", None, Some(0))], &["1.10.0", "1.9.0+b", "1.9.0", "v1.2.0", "1.0.0"], &[]);
        check(&[ask("web", None, Some(100))], &["1.10.0", "1.9.0+b", "1.9.0", "v1.2.0", "1.0.0"], &[]);
    }

    #[test]
    fn nothing_is_taken_twice() {
        check(
            &[ask("web", Some("1.9.0"), None), ask("web", None, Some(3)), ask("web", Some("1.10"), None)],
            &["1.9.0", "1.10.0", "1.9.0+b"],
            &[],
        );
        check(&[ask("x", None, None), ask("x", None, None)], &[], &["chart `x` is not in the index"]);
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_there() {
        check(&[ask("wep", None, None)], &[], &["chart `wep` is not in the index. Close to it: `web`"]);
        check(
            &[ask("web", Some("3.0.0"), None), ask("web", None, None)],
            &["1.10.0"],
            &["chart `web` has no version `3.0.0`. The newest are `2.0.0-rc.1`, `1.10.0`, `1.9.0+b`, `1.9.0`, `v1.2.0`"],
        );
    }

    #[test]
    fn an_entry_that_cannot_be_used_says_why() {
        let mut index = index(&["1.0.0-rc.1"]);
        let skipped = |version: &str| Skipped { chart: "web".into(), version: version.into(), why: "it has no `urls`".into() };
        index.skipped = vec![skipped("1.0.0"), skipped("")];
        for (asked, expected) in [
            (
                Some("1.0.0"),
                "chart `web` has no version `1.0.0`. The newest are `1.0.0-rc.1`; the entry `1.0.0` of the index cannot be used: it has no `urls`",
            ),
            (Some("2.0.0"), "chart `web` has no version `2.0.0`. The newest are `1.0.0-rc.1`"),
            (
                None,
                "chart `web` has no release, only prereleases, which `versions` has to name: `1.0.0-rc.1`; the entry `1.0.0` of the index cannot be used: it has no `urls`",
            ),
        ] {
            assert_eq!(select(&index, &[ask("web", asked, None)]).failures[0].to_string(), expected);
        }
    }

    #[test]
    fn prereleases_alone_are_no_release() {
        let selection = select(&index(&["1.0.0-rc.2", "1.0.0-rc.1"]), &[ask("web", None, None)]);
        assert_eq!(
            selection.failures[0].to_string(),
            "chart `web` has no release, only prereleases, which `versions` has to name: `1.0.0-rc.2`, `1.0.0-rc.1`"
        );
        assert_eq!(select(&index(&[]), &[ask("web", None, None)]).failures[0].to_string(), "chart `web` has no release");
    }
}
