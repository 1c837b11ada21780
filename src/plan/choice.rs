//! Which versions of a chart one request takes, and why not the others.
//!
//! In: the request, and the versions that an index has, newest first. Out: a verdict on each, in the same order. A version that is
//! asked for is found as Helm finds it: where the index has this very spelling that one alone, else what the constraint admits.

use std::fmt;

use crate::{
    api::ChartSelection,
    model::{ChartVersion, Constraint, InvalidConstraint, NotAdmitted, Prereleases},
    source::index::IndexEntry,
};

/// A request that can be carried out.
pub(super) struct Rule<'a> {
    versions: Option<Wish<'a>>,
    exclude: Vec<Wish<'a>>,
    prereleases: Prereleases,
    /// How many of the newest; 0 for all.
    latest: usize,
}

/// What becomes of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    /// It is published.
    Taken,
    /// Nothing asks for prereleases.
    Prerelease,
    /// `versions` speaks of releases.
    PrereleaseUnnamed(&'a str),
    /// `versions` does not admit it.
    Outside(&'a str),
    /// An item of `exclude` has it.
    Excluded(&'a str),
    /// So many newer ones are taken.
    Older(usize),
}

/// A field that holds no constraint.
pub(super) struct Unreadable<'a> {
    pub(super) field: &'static str,
    pub(super) text: &'a str,
    pub(super) cause: InvalidConstraint,
}

/// A version or constraint, as it is written in a spec.
struct Wish<'a> {
    text: &'a str,
    constraint: Constraint,
}

impl<'a> Rule<'a> {
    /// Reads a request.
    pub(super) fn of(chart: &'a ChartSelection) -> Result<Self, Unreadable<'a>> {
        let versions = chart.versions.as_deref().map(|text| Wish::read("versions", text)).transpose()?;
        let exclude = chart.exclude.iter().map(|text| Wish::read("exclude", text)).collect::<Result<_, _>>()?;
        let prereleases = if chart.prereleases { Prereleases::Always } else { Prereleases::IfNamed };
        Ok(Self { versions, exclude, prereleases, latest: usize::try_from(chart.latest).unwrap_or(usize::MAX) })
    }

    /// What becomes of each entry.
    pub(super) fn verdicts(&self, entries: &[IndexEntry]) -> Vec<Verdict<'a>> {
        let mut verdicts = self.matching(entries);
        for wish in &self.exclude {
            // Who excludes a series means its prereleases too.
            let found = wish.among(entries, Prereleases::Always);
            for (verdict, not_found) in verdicts.iter_mut().zip(found) {
                if not_found.is_none() && *verdict == Verdict::Taken {
                    *verdict = Verdict::Excluded(wish.text);
                }
            }
        }
        if self.latest > 0 {
            let taken = verdicts.iter_mut().filter(|verdict| **verdict == Verdict::Taken);
            taken.skip(self.latest).for_each(|verdict| *verdict = Verdict::Older(self.latest));
        }
        verdicts
    }

    /// Whether `versions` would admit a version, prerelease or not.
    pub(super) fn would_admit(&self, version: &ChartVersion) -> bool {
        self.versions.as_ref().is_none_or(|wish| wish.constraint.admits(version, Prereleases::Always))
    }

    /// By `versions` and `prereleases` alone.
    fn matching(&self, entries: &[IndexEntry]) -> Vec<Verdict<'a>> {
        let Some(wish) = &self.versions else {
            let passes = |entry: &IndexEntry| self.prereleases == Prereleases::Always || !entry.version.is_prerelease();
            return entries.iter().map(|entry| if passes(entry) { Verdict::Taken } else { Verdict::Prerelease }).collect();
        };
        let verdict = |refusal| match refusal {
            None => Verdict::Taken,
            Some(NotAdmitted::Prerelease) => Verdict::PrereleaseUnnamed(wish.text),
            Some(NotAdmitted::Outside) => Verdict::Outside(wish.text),
        };
        wish.among(entries, self.prereleases).into_iter().map(verdict).collect()
    }
}

impl<'a> Wish<'a> {
    fn read(field: &'static str, text: &'a str) -> Result<Self, Unreadable<'a>> {
        text.parse().map(|constraint| Self { text, constraint }).map_err(|cause| Unreadable { field, text, cause })
    }

    /// Why each entry is not meant; nothing where it is.
    fn among(&self, entries: &[IndexEntry], prereleases: Prereleases) -> Vec<Option<NotAdmitted>> {
        let is_spelt_so = |entry: &IndexEntry| entry.version.as_str() == self.text;
        if entries.iter().any(is_spelt_so) {
            return entries.iter().map(|entry| (!is_spelt_so(entry)).then_some(NotAdmitted::Outside)).collect();
        }
        entries.iter().map(|entry| self.constraint.refusal(&entry.version, prereleases)).collect()
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => write!(formatter, "it is published"),
            Self::Prerelease => write!(formatter, "it is a prerelease: `prereleases: true` takes it"),
            Self::PrereleaseUnnamed(text) => {
                write!(formatter, "it is a prerelease, and `versions: {text}` names none: `prereleases: true` takes it")
            }
            Self::Outside(text) => write!(formatter, "it is not what `versions: {text}` asks for"),
            Self::Excluded(text) => write!(formatter, "`exclude` has `{text}`"),
            Self::Older(latest) => write!(formatter, "`latest` is {latest}, and newer ones are taken"),
        }
    }
}
