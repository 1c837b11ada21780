//! The version of a chart: the string as the source spells it, and the order among versions.
//!
//! Helm reads versions with Masterminds semver v3, which coerces: a leading `v`, missing parts and leading zeros are allowed
//! (`v1.02` is 1.2.0). The original string is what is shown, compared and made into a tag.

use std::{cmp::Ordering, fmt, str::FromStr};

/// Bytes that a version may have.
const LONGEST: usize = 256;

/// A version that Helm would read.
#[derive(Clone, Debug)]
pub struct ChartVersion {
    original: String,
    numbers: [u64; 3],
    prerelease: Box<str>,
}

/// What is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no semantic version (https://semver.org)")]
pub struct InvalidVersion(String);

impl ChartVersion {
    /// As the source spells it.
    pub fn as_str(&self) -> &str {
        &self.original
    }

    /// Whether it is a prerelease (`1.0.0-rc.1`).
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// Whether it is written in full, as semver.org has it: three numbers without leading zeros, and no `v` before them. Of the tags
    /// of a registry, Helm counts these alone.
    pub fn is_strict(&self) -> bool {
        let numbers = self.original.split(['-', '+']).next().unwrap_or_default();
        numbers.split('.').count() == 3 && numbers.split('.').all(|part| is_number(part) && !has_leading_zero(part))
    }

    /// Semantic precedence; build metadata counts for nothing (semver.org, section 11).
    ///
    /// A number in a prerelease that is larger than 64 bits is compared as text, which is Helm's way and not semver's.
    pub fn precedence(&self, other: &Self) -> Ordering {
        // A release comes after all of its prereleases.
        let releases = || other.is_prerelease().cmp(&self.is_prerelease());
        let prereleases = || identifiers(&self.prerelease).cmp(identifiers(&other.prerelease));
        self.numbers.cmp(&other.numbers).then_with(releases).then_with(prereleases)
    }

    /// Major, minor and patch.
    pub(super) fn numbers(&self) -> [u64; 3] {
        self.numbers
    }

    /// What stands after the `-`; empty where there is none.
    pub(super) fn prerelease(&self) -> &str {
        &self.prerelease
    }
}

/// A part of a prerelease, in the order of precedence.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(u64),
    Text(&'a str),
}

fn identifiers(prerelease: &str) -> impl Iterator<Item = Identifier<'_>> {
    prerelease.split('.').map(|part| part.parse().map_or(Identifier::Text(part), Identifier::Number))
}

/// Numbers and prerelease.
fn read(text: &str) -> Option<([u64; 3], &str)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, metadata) = split(text, '+');
    let (text, prerelease) = split(text, '-');
    let mut numbers = [0; 3];
    let mut places = numbers.iter_mut();
    for part in text.split('.') {
        *places.next()? = if is_number(part) { part.parse().ok()? } else { return None };
    }
    let is_good = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_good_prerelease = |part: &str| is_good(part) && !(is_number(part) && has_leading_zero(part));
    let good =
        prerelease.is_none_or(|text| text.split('.').all(is_good_prerelease)) && metadata.is_none_or(|text| text.split('.').all(is_good));
    good.then_some((numbers, prerelease.unwrap_or_default()))
}

fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_leading_zero(number: &str) -> bool {
    number.len() > 1 && number.starts_with('0')
}

impl FromStr for ChartVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let read = if text.len() > LONGEST { None } else { read(text) };
        let invalid = || InvalidVersion(text.chars().filter(|c| !c.is_control()).take(80).collect());
        let (numbers, prerelease) = read.ok_or_else(invalid)?;
        Ok(Self { original: text.to_owned(), numbers, prerelease: prerelease.into() })
    }
}

impl fmt::Display for ChartVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.original)
    }
}

impl PartialEq for ChartVersion {
    fn eq(&self, other: &Self) -> bool {
        self.original == other.original
    }
}
impl Eq for ChartVersion {}
impl std::hash::Hash for ChartVersion {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.original.hash(state);
    }
}

/// By precedence; versions that differ only in build metadata or spelling are ordered by their strings, so that
/// the order is total and stable.
impl Ord for ChartVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence(other).then_with(|| self.original.cmp(&other.original))
    }
}
impl PartialOrd for ChartVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ChartVersion {
        text.parse().unwrap()
    }

    #[test]
    fn reads_what_helm_reads() {
        for good in ["1.2.3", "v1.2.3", "1", "1.2", "v1.2-rc.1", "1.2.3+build.5", "01.2.3", "1-2.3+4-5", "1.0.0-0a", "18446744073709551615"]
        {
            assert!(good.parse::<ChartVersion>().is_ok(), "{good}");
        }
        for bad in
            ["", "v", "vv1", "V1", "1.2.3.4", "latest", "1..2", "1.2.x", "1.2.3-", "1.2.3+", "1.2.3-+a", " 1.2.3", "1.2.3 ", "1.2.3-01"]
        {
            assert!(bad.parse::<ChartVersion>().is_err(), "{bad:?}");
        }
        assert!("18446744073709551616".parse::<ChartVersion>().is_err(), "more than 64 bits");
        assert!(format!("1.0.0-{}", "a".repeat(250)).parse::<ChartVersion>().is_ok());
        assert!(format!("1.0.0-{}", "a".repeat(251)).parse::<ChartVersion>().is_err(), "257 bytes");
    }

    #[test]
    fn only_a_version_that_is_written_in_full_is_strict() {
        for (text, expected) in [
            ("1.2.3", true),
            ("1.2.3-rc.1+b.01", true),
            ("0.0.0", true),
            ("v1.2.3", false),
            ("1.2", false),
            ("1.2-5.3.4", false),
            ("1.02.3", false),
        ] {
            assert_eq!(version(text).is_strict(), expected, "{text}");
        }
    }

    #[test]
    fn orders_by_precedence_and_keeps_the_spelling() {
        let sorted = [
            "1.0.0-0",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-100000000000000000000",
            "1.0.0-99999999999999999999",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-rc.1",
            "v1.0.0",
            "1.0.1",
            "1.10.0",
            "2",
        ];
        let parsed = sorted.map(version);
        assert!(parsed.is_sorted_by(|one, other| one.precedence(other).is_lt()));
        assert_eq!(parsed[8].to_string(), "v1.0.0");
        assert!(parsed[0].is_prerelease() && !parsed[8].is_prerelease());
    }

    #[test]
    fn build_metadata_counts_only_where_nothing_else_differs() {
        let (one, other) = (version("1.0.0+a"), version("v1.0+b"));
        assert!(one.precedence(&other).is_eq() && one != other && one < other);
    }
}
