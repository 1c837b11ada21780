//! PURE: a chart's archive, with limits, becomes config, manifest and digests. No I/O but the reader that is given, no clock.
//!
//! ```text
//! bytes ──header, archive──▶ Folder ──yaml, value──▶ Value ──metadata──▶ Metadata ──validate──▶ ChartContent ──manifest──▶ Manifest
//!                               └──▶ values, lock, and the charts within: checked, and not kept
//! ```
//!
//! *Invariant:* config and manifest are byte for byte what `helm push` of Helm v4 makes of the same archive, the time of
//! creation apart; `tests/chart_like_helm.rs` holds this against the real one.

mod archive;
mod artifact;
mod characters;
#[cfg(feature = "fuzzing")]
pub mod doors;
mod error;
mod folder;
mod header;
mod json;
mod lock;
mod manifest;
pub(crate) mod metadata;
mod meter;
mod older;
mod original;
mod validate;
pub(crate) mod value;
mod values;
pub(crate) mod yaml;

use std::{collections::BTreeMap, io::Read};

use bytes::Bytes;

pub use self::{
    artifact::{Artifact, NoArtifact, with_referrers},
    error::ChartError,
    manifest::{CONFIG, LAYER, MANIFEST, Manifest, PROVENANCE, manifest},
    metadata::FieldError,
    original::{NoChartManifest, Original},
    validate::RuleError,
    yaml::YamlError,
};
pub(crate) use self::{
    error::{ENTRIES, IN_HEADER, UNPACKED, shown},
    yaml::NESTED,
};
use self::{value::Value, yaml::Bounds};
use crate::model::ChartVersion;

const MIB: u64 = 1024 * 1024;

/// What an archive may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive.
    pub compressed: u64,
    /// Bytes of all files, those of archives within it too; an archive that reaches it is refused, as in Helm.
    pub unpacked: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Files, directories and other entries, those of archives within it too.
    pub entries: u32,
    /// Bytes unpacked for each byte read.
    pub ratio: u64,
    /// Bytes unpacked before `ratio` counts.
    pub ratio_from: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { compressed: 100 * MIB, unpacked: 100 * MIB, file: 5 * MIB, entries: 10_000, ratio: 200, ratio_from: MIB }
    }
}

/// A chart that Helm would push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartContent {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: ChartVersion,
    /// The config blob: its metadata as JSON.
    pub config: Bytes,
    /// The annotations of its manifest, without the time of creation unless the chart itself sets one.
    pub annotations: BTreeMap<String, String>,
    /// The time of `Chart.yaml` in the archive, in seconds since 1970.
    pub packaged: Option<i64>,
    /// The paths of its files below the directory at the top.
    pub files: Vec<String>,
}

/// Reads an archive to its end.
///
/// # Errors
/// What Helm's loader refuses, what tools read in different ways, and what exceeds `limits`.
pub fn read(mut archive: impl Read, limits: &Limits) -> Result<ChartContent, ChartError> {
    content(archive::open(&mut archive, limits)?)
}

fn content(contents: archive::Contents) -> Result<ChartContent, ChartError> {
    let (metadata, version, packaged) = contents.root.finish("")?;
    Ok(ChartContent {
        version,
        config: Bytes::from(metadata.to_json()),
        annotations: manifest::annotations(&metadata),
        packaged,
        files: contents.files,
        name: metadata.name,
    })
}

/// The first document of a file.
fn parsed(text: &[u8]) -> Result<Value, YamlError> {
    let bounds = Bounds { bytes: text.len() as u64, built: 32 * MIB, depth: 100 };
    older::check(text, bounds.depth)?;
    yaml::document(text, bounds)
}

#[cfg(test)]
mod tests;
