//! What a provenance says: the text of Chart.yaml, a line `...`, and the digest of each file.

use std::collections::BTreeMap;

use crate::chart::{
    FieldError, YamlError,
    metadata::Metadata,
    value::Value,
    yaml::{Bounds, document},
};

/// What stands between the two parts.
const BETWEEN: &str = "\n...\n";
const BOUNDS: Bounds = Bounds { bytes: super::MOST as u64, built: 8 << 20, depth: 64 };

/// What is said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// The chart's name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// `sha256:HEX` of each file.
    pub(super) files: BTreeMap<String, String>,
}

/// Why a text says nothing of a chart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not Chart.yaml, `...`, and digests.
    #[error("it is not made of two parts with a line `...` between them")]
    Parts,
    /// A part that cannot be read.
    #[error("its {part} cannot be read: {cause}")]
    Yaml {
        /// Which.
        part: &'static str,
        /// Why.
        cause: YamlError,
    },
    /// No Chart.yaml that Helm reads.
    #[error("its Chart.yaml cannot be read: {0}")]
    Metadata(#[from] FieldError),
    /// No digests.
    #[error("it has no `files` that name the digest of each file")]
    Files,
}

impl Statement {
    /// Reads it.
    pub(super) fn read(text: &str) -> Result<Self, StatementError> {
        let mut parts = text.split(BETWEEN);
        let (Some(chart), Some(sums), None) = (parts.next(), parts.next(), parts.next()) else { return Err(StatementError::Parts) };
        let read = |part, text: &str| document(text.as_bytes(), BOUNDS).map_err(|cause| StatementError::Yaml { part, cause });
        let mut metadata = Metadata::default();
        metadata.decode(&read("Chart.yaml", chart)?)?;
        let Value::Map(mut sums) = read("list of digests", sums)? else { return Err(StatementError::Files) };
        // Nothing is asked of these, but that they are such a list, too.
        sums.remove("images").filter(|images| *images != Value::Null).map(digests).transpose()?;
        let files = digests(sums.remove("files").unwrap_or_default())?;
        Ok(Self { name: metadata.name, version: metadata.version, files })
    }
}

fn digests(value: Value) -> Result<BTreeMap<String, String>, StatementError> {
    let Value::Map(members) = value else { return Err(StatementError::Files) };
    let text = |(name, digest): (String, Value)| match digest {
        Value::Text(digest) => Ok((name, digest)),
        _ => Err(StatementError::Files),
    };
    members.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_version_and_digests_are_read() {
        let read = Statement::read("apiVersion: v2\nname: web\nversion: 1.2.3\n\n...\nfiles:\n  web-1.2.3.tgz: sha256:abc\n").unwrap();
        assert_eq!((read.name.as_str(), read.version.as_str()), ("web", "1.2.3"));
        assert_eq!(read.files, BTreeMap::from([("web-1.2.3.tgz".to_owned(), "sha256:abc".to_owned())]));
        assert!(Statement::read("name: web\n...\nfiles: {a: b}\nimages: {c: d}").is_ok());
    }

    #[test]
    fn a_text_of_another_form_is_refused() {
        for (text, words) in [
            ("name: web\nfiles: {a: b}", "two parts"),
            ("name: web\n...\nfiles: {a: b}\n...\nfiles: {a: c}", "two parts"),
            ("name: [web]\n...\nfiles: {a: b}", "`name` must be text"),
            ("[\n...\nfiles: {a: b}", "its Chart.yaml cannot be read: line"),
            ("name: web\n...\n[", "its list of digests cannot be read: line"),
            ("name: web\n...\n", "it has no `files`"),
            ("name: web\n...\nfiles:", "it has no `files`"),
            ("name: web\n...\nFiles: {a: b}", "it has no `files`"),
            ("name: web\n...\nfiles: {a: [b]}", "it has no `files`"),
            ("name: web\n...\nfiles: [a]", "it has no `files`"),
            ("name: web\n...\nfiles: {a: b}\nimages: [a]", "it has no `files`"),
        ] {
            let error = Statement::read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
