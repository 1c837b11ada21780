//! Why an archive is no chart that could be published.

use super::{metadata::FieldError, validate::RuleError, yaml::YamlError};

/// What has a limit of its own and is never a chart's content.
pub(crate) const IN_HEADER: &str = "bytes in the header of a file";
/// Of all files together.
pub(crate) const UNPACKED: &str = "bytes unpacked";
/// Files, directories and what else an archive lists.
pub(crate) const ENTRIES: &str = "entries";

/// What stands in an archive or an index, as a sentence shows it: without control characters, and no more than somebody reads.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(200).collect()
}

/// Why an archive is no chart that could be published.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The bytes could not be read from where they lie.
    #[error("the archive cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// Something else came in place of an archive.
    #[error("the archive is no gzip file but {0}")]
    NotGzip(&'static str),
    /// The archive ends early.
    #[error("the archive is cut: it ends within the data")]
    Cut,
    /// The compressed data is damaged.
    #[error("the archive is damaged: {}", shown(.0))]
    Gzip(String),
    /// Bytes follow the end of the archive, which some tools would read.
    #[error("the archive has data after its end: package it again with `helm package`")]
    TrailingData,
    /// What is inside is no tar file.
    #[error("the archive holds no tar file: {}", shown(.0))]
    Tar(String),
    /// The archive has no files.
    #[error("the archive holds no files")]
    NoFiles,
    /// A limit.
    #[error("the archive has more than {limit} {what} (found {found})")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: u64,
        /// How many there are, as far as it was read.
        found: u64,
    },
    /// A file over the limit.
    #[error("`{}` has {found} bytes, and a file in a chart may have {limit}", shown(.path))]
    FileTooLarge {
        /// The file.
        path: String,
        /// Bytes that it may have.
        limit: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// A decompression bomb.
    #[error("the archive unpacks to more than {limit} times its size ({unpacked} bytes from {compressed})")]
    Ratio {
        /// The limit.
        limit: u64,
        /// Bytes unpacked.
        unpacked: u64,
        /// Bytes read.
        compressed: u64,
    },
    /// A path that leads out of the chart, or that some tools would read so.
    #[error("`{}` {problem}: package the chart again with `helm package`", shown(.path))]
    Path {
        /// The path as the archive has it.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is no `Chart.yaml` in the one directory at the top.
    #[error("`Chart.yaml` is missing from the directory at the top of the archive")]
    NoChartYaml,
    /// There is no `Chart.yaml` in what lies in `charts/`.
    #[error("`{}` is no chart, for it has no `Chart.yaml`: complete it, or take it out of `charts`", shown(.path))]
    NoSubchart {
        /// The path, for example `charts/common`.
        path: String,
    },
    /// The archive of a chart within the chart.
    #[error("`{}`: {cause}", shown(.archive))]
    Within {
        /// Its path.
        archive: String,
        /// Why it is no chart.
        #[source]
        cause: Box<ChartError>,
    },
    /// A file that is read is no YAML.
    #[error("`{}` is no YAML that Helm reads: {source}", shown(.file))]
    Yaml {
        /// Its path, for example `Chart.yaml` or `charts/common/values.yaml`.
        file: String,
        /// Where and why.
        source: YamlError,
    },
    /// A field of a file has the wrong type.
    #[error("`{}`: {source}", shown(.file))]
    Field {
        /// Its path.
        file: String,
        /// Which field and why.
        source: FieldError,
    },
    /// The metadata breaks a rule of Helm's.
    #[error("`{}`: {source}", shown(.file))]
    Rule {
        /// The path of `Chart.yaml`.
        file: String,
        /// Which rule.
        source: RuleError,
    },
}

impl ChartError {
    /// Whether a limit of the administrator was met.
    pub fn is_limit(&self) -> bool {
        match self {
            Self::Within { cause, .. } => cause.is_limit(),
            Self::TooLarge { .. } | Self::FileTooLarge { .. } | Self::Ratio { .. } => true,
            Self::Yaml { source, .. } => matches!(source, YamlError::Limit { .. }),
            _ => false,
        }
    }
}
