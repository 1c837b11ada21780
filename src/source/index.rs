//! The index of a Helm repository: what it offers of the charts that are wanted.
//!
//! In: the bytes of an `index.yaml`, as YAML or JSON, and the names that are wanted. Out: their versions, newest first, and
//! which entries were passed over and why. Memory follows from what is wanted, not from the size of the index: everything
//! else passes by. No I/O but the reader that is given. Format: helm.sh, "The Chart Repository Guide".

mod abridged;
mod block;
mod entry;
mod json;
mod reader;
mod wishes;
mod yaml;

use std::{collections::BTreeMap, io::Read};

pub use self::wishes::Wishes;
use self::{abridged::Abridged, reader::Source, wishes::Missing};
use crate::{
    chart::{shown, value::Value},
    model::{ChartVersion, Digest, close},
};

/// What an index has too many of when it is too large as a whole.
pub(super) const BYTES: &str = "bytes";

/// What is remembered of entries that are passed over, and of names that are not wanted.
const REMEMBERED: usize = 1_000;
/// Versions of wanted charts: what is wanted is held in memory.
const MOST_WANTED: usize = 100_000;
/// What there are too many of, then.
pub(super) const WANTED: &str = "versions of the charts that are asked for";

/// What an index may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexLimits {
    /// Bytes of the index.
    pub bytes: u64,
}

impl Default for IndexLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024 * 1024 }
    }
}

/// What an index offers of the charts that are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// The versions of each wanted chart that is there, newest first, each version once.
    pub charts: BTreeMap<String, Vec<IndexEntry>>,
    /// Entries of wanted charts that cannot be used; at most 1,000 of them.
    pub skipped: Vec<Skipped>,
    /// For each wanted name that is not there, and each pattern that nothing matches, up to three names that are, the closest first.
    pub close: BTreeMap<String, Vec<String>>,
}

impl Index {
    /// Takes note of entries that are passed over.
    pub(super) fn skip(&mut self, skipped: impl IntoIterator<Item = Skipped>) {
        let room = REMEMBERED.saturating_sub(self.skipped.len());
        self.skipped.extend(skipped.into_iter().take(room));
    }
}

/// One version of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The chart.
    pub name: String,
    /// The version.
    pub version: ChartVersion,
    /// Where its archive lies: absolute, or relative to the index; never empty.
    pub urls: Vec<String>,
    /// What the index says that the archive has, or its manifest where it lies in a registry.
    pub digest: Option<Digest>,
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
}

impl IndexEntry {
    /// The digest that the archive must have; nothing where the index has that of a manifest, too: of an archive in a registry.
    pub fn archive_digest(&self) -> Option<Digest> {
        self.digest.filter(|_| !self.urls.iter().any(|address| super::in_registry::is_of_registry(address)))
    }

    /// As errors name it: `name version`.
    pub(super) fn named(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// An entry that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The chart.
    pub chart: String,
    /// The version as it stands there; empty when there is none.
    pub version: String,
    /// Why.
    pub why: String,
}

/// Why an index cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The bytes could not be read from where they lie.
    #[error("the index cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// Nothing.
    #[error("the index is empty")]
    Empty,
    /// A web page, as portals and login forms answer.
    #[error("the index is an HTML page: check that the URL is the repository's own, and that no login or portal stands before it")]
    Html,
    /// Compressed bytes, where none were asked for.
    #[error("the index is compressed by {0}, which was not asked for: have the server send it as it is (without `Content-Encoding`)")]
    Compressed(&'static str),
    /// Neither YAML nor JSON.
    #[error("the index is no YAML: line {line}: {}", shown(.problem))]
    NotYaml {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// It begins as JSON and is none.
    #[error("the index is no JSON: line {line}: {}", shown(.problem))]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// JSON of another kind.
    #[error("the index is JSON of another kind: line {line}: {}: check that the URL is that of a Helm repository", shown(.problem))]
    OtherJson {
        /// Counted from 1.
        line: usize,
        /// What is not as in an index.
        problem: String,
    },
    /// A limit.
    #[error("the index has more than {limit} {what}")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: u64,
    },
    /// A limit of one version.
    #[error("by line {line} the index has one version, or anchors, of more than {limit} {what}")]
    LargeVersion {
        /// Counted from 1.
        line: usize,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: u64,
    },
    /// YAML of another kind.
    #[error("the index has no `entries`: check that the URL is that of a Helm repository")]
    NoEntries,
    /// An index always says its version.
    #[error("the index has no `apiVersion`, and Helm refuses it without")]
    NoApiVersion,
    /// A part has the wrong type.
    #[error("`{part}` of the index must be {expected}, not {found}")]
    Structure {
        /// Which part.
        part: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A key that comes twice, of which tools read either.
    #[error("the index has `{}` twice, and Helm refuses that", shown(.0))]
    Duplicate(String),
}

impl IndexError {
    /// Whether a limit of the administrator was met.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::LargeVersion { .. })
    }
}

/// Reads an index.
///
/// # Errors
/// When the index as a whole is of no use. An entry that is of no use is passed over and stands in [`Index::skipped`].
pub fn parse(reader: impl Read, wanted: &Wishes, limits: &IndexLimits) -> Result<Index, IndexError> {
    parse_by(reader, wanted, limits, |source, picker| yaml::pick(Abridged::new(source, wanted), picker, limits))
}

/// The same, where the parser reads all of it: what [`parse`] says has to be what this does.
///
/// # Errors
/// As [`parse`].
#[cfg(any(test, feature = "fuzzing"))]
pub fn parse_whole(reader: impl Read, wanted: &Wishes, limits: &IndexLimits) -> Result<Index, IndexError> {
    parse_by(reader, wanted, limits, |source, picker| yaml::pick(source, picker, limits))
}

fn parse_by<R: Read>(
    reader: R,
    wanted: &Wishes,
    limits: &IndexLimits,
    yaml: impl FnOnce(Source<'_, R>, &mut Picker<'_>) -> Result<(), IndexError>,
) -> Result<Index, IndexError> {
    let notes = reader::Notes::default();
    let mut source = Source::new(reader, limits.bytes, &notes);
    let begin = source.begin();
    let mut picker = Picker::new(wanted);
    let outcome = match (source.compression(), begin) {
        (Some(by), _) => Err(IndexError::Compressed(by)),
        (None, None) => Err(IndexError::Empty),
        (None, Some(b'<')) => Err(IndexError::Html),
        (None, Some(b'{')) => json::pick(source, &mut picker),
        (None, Some(_)) => yaml(source, &mut picker),
    };
    if let Some(error) = notes.failure(limits.bytes) {
        return Err(error);
    }
    outcome.and_then(|()| picker.finish())
}

/// Collects what is wanted while an index passes by.
struct Picker<'a> {
    wanted: &'a Wishes,
    index: Index,
    kept: usize,
    others: Vec<String>,
    entries: bool,
    api_version: bool,
}

impl<'a> Picker<'a> {
    fn new(wanted: &'a Wishes) -> Self {
        Self { wanted, index: Index::default(), kept: 0, others: Vec::new(), entries: false, api_version: false }
    }

    /// Takes the version of the format.
    fn api_version(&mut self, value: &Value) {
        self.api_version = value.as_text().is_some_and(|text| !text.is_empty());
    }

    /// Begins the mapping of all charts.
    fn begin_entries(&mut self) -> Result<(), IndexError> {
        if std::mem::replace(&mut self.entries, true) { Err(IndexError::Duplicate("entries".to_owned())) } else { Ok(()) }
    }

    /// Begins the versions of a chart; false when it is not wanted.
    fn begin_chart(&mut self, name: &str) -> Result<bool, IndexError> {
        if !self.wanted.has(name) {
            if self.others.len() < REMEMBERED * 10 && name.len() <= close::LONGEST {
                self.others.push(name.to_owned());
            }
            return Ok(false);
        }
        match self.index.charts.insert(name.to_owned(), Vec::new()) {
            None => Ok(true),
            Some(_) => Err(IndexError::Duplicate(name.to_owned())),
        }
    }

    /// Takes a version of a wanted chart.
    fn version(&mut self, chart: &str, value: &Value) -> Result<(), IndexError> {
        match entry::read(chart, value) {
            Ok(_) if self.kept == MOST_WANTED => return Err(IndexError::TooLarge { what: WANTED, limit: MOST_WANTED as u64 }),
            Ok(entry) => {
                self.kept += 1;
                self.index.charts.entry(chart.to_owned()).or_default().push(entry);
            }
            Err(skipped) => self.skip(skipped),
        }
        Ok(())
    }

    /// Takes all versions of a wanted chart at once.
    fn versions(&mut self, chart: &str, value: &Value) -> Result<(), IndexError> {
        match value {
            Value::Null => {}
            Value::List(items) => items.iter().try_for_each(|item| self.version(chart, item))?,
            other => return Err(structure(format!("entries.{chart}"), "a list", other.kind())),
        }
        Ok(())
    }

    fn skip(&mut self, skipped: Skipped) {
        self.index.skip([skipped]);
    }

    /// Sorts; of one version that is listed twice the first counts.
    fn finish(mut self) -> Result<Index, IndexError> {
        if !self.entries {
            return Err(IndexError::NoEntries);
        }
        if !self.api_version {
            return Err(IndexError::NoApiVersion);
        }
        let mut twice = Vec::new();
        for versions in self.index.charts.values_mut() {
            versions.sort_by(|one, other| other.version.cmp(&one.version));
            versions.dedup_by(|later, first| {
                let same = later.version == first.version;
                if same {
                    twice.push(entry::skipped(&first.name, first.version.as_str(), "it is listed twice, and the first one counts"));
                }
                same
            });
        }
        for skipped in twice {
            self.skip(skipped);
        }
        // What is there for the sake of others may be what is meant here.
        self.others.extend(self.index.charts.keys().cloned());
        let missing = self.wanted.missing(&self.index.charts);
        let close = missing.map(|Missing { asked, like }| (asked.to_owned(), close::names(like, &self.others)));
        self.index.close = close.filter(|(_, names)| !names.is_empty()).collect();
        Ok(self.index)
    }
}

fn structure(part: impl Into<String>, expected: &'static str, found: &'static str) -> IndexError {
    IndexError::Structure { part: shown(&part.into()), expected, found }
}

#[cfg(test)]
mod tests;
