//! The version of a chart: the string as the source spells it, and the order among versions.
//!
//! Helm reads versions with Masterminds semver v3, which coerces: a leading `v` and missing parts are allowed
//! (`v1.2` is 1.2.0). The original string is what is shown, compared and made into a tag.

use std::{cmp::Ordering, fmt, str::FromStr};

/// A version that Helm would read.
#[derive(Clone, Debug)]
pub struct ChartVersion {
    original: String,
    parsed: semver::Version,
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
        !self.parsed.pre.is_empty()
    }

    /// Semantic precedence; build metadata counts for nothing (semver.org, section 11).
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.parsed.cmp_precedence(&other.parsed)
    }
}

/// Fills what is missing: `v1` and `1.2-rc.1` become `1.0.0` and `1.2.0-rc.1`.
fn coerced(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() > 3 || parts.iter().any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    parts.resize(3, "0");
    let numbers: Vec<&str> =
        parts.iter().map(|part| part.trim_start_matches('0')).map(|part| if part.is_empty() { "0" } else { part }).collect();
    Some(format!("{}{rest}", numbers.join(".")))
}

impl FromStr for ChartVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.chars().filter(|c| !c.is_control()).take(80).collect());
        if text.len() > 256 {
            return Err(invalid());
        }
        let parsed = coerced(text).and_then(|text| semver::Version::parse(&text).ok()).ok_or_else(invalid)?;
        Ok(Self { original: text.to_owned(), parsed })
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

    #[test]
    fn reads_what_helm_reads() {
        for good in ["1.2.3", "v1.2.3", "1", "1.2", "v1.2-rc.1", "1.2.3+build_5".replace('_', ".").as_str(), "01.2.3"] {
            assert!(good.parse::<ChartVersion>().is_ok(), "{good}");
        }
        for bad in ["", "v", "1.2.3.4", "latest", "1..2", "1.2.x", "1.2.3-", "1.2.3+", " 1.2.3", "1.2.3 "] {
            assert!(bad.parse::<ChartVersion>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn orders_by_precedence_and_keeps_the_spelling() {
        let sorted = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.1", "v1.0.0", "1.0.1", "1.10.0", "2"];
        let parsed: Vec<ChartVersion> = sorted.iter().filter_map(|text| text.parse().ok()).collect();
        assert!(parsed.is_sorted() && parsed.len() == sorted.len());
        assert_eq!(parsed[3].to_string(), "v1.0.0");
        assert!(parsed[0].is_prerelease() && !parsed[3].is_prerelease());
    }
}
