//! The folder of one chart, and of the charts in its folder `charts`.
//!
//! In: the path and the text of each file, as they pass by. Out: the chart's metadata, or the first thing that Helm's loader
//! would refuse in it or below. A file below `charts/NAME/` is a file of the chart NAME; `charts/NAME.tgz` is an archive; names
//! that begin with `_` or `.`, and signatures, are passed over. Only `Chart.yaml` and `requirements.yaml` are kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChartError, lock, metadata::Metadata, parsed, validate::RuleError, value::Value, values};
use crate::model::ChartVersion;

/// Charts within each other, as folders and as archives.
pub(super) const LEVELS: u64 = 16;

/// What is known of a chart.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// `Chart.yaml` and the time of its entry.
    chart: Option<(Vec<u8>, Option<i64>)>,
    /// `requirements.yaml`, where charts of API version v1 name their dependencies.
    requirements: Option<Vec<u8>>,
    /// What must not come twice.
    seen: BTreeSet<String>,
    folders: BTreeMap<String, Folder>,
}

/// What is to be done with a file.
pub(super) enum Place<'a> {
    /// It is not looked at.
    Unread,
    /// It is read whole, and taken by [`Folder::take`] under this name.
    Text(&'a mut Folder, &'static str),
    /// It is another chart, at this level.
    Archive(u64),
}

impl Folder {
    /// Where the file at `path` belongs. `level` counts from 1.
    pub(super) fn place(&mut self, path: &str, level: u64) -> Result<Place<'_>, ChartError> {
        let (mut folder, mut rest, mut level) = (self, path, level);
        loop {
            if let Some(name) = READ.into_iter().find(|name| *name == rest) {
                folder.first(name, path)?;
                return Ok(Place::Text(folder, name));
            }
            let Some(below) = rest.strip_prefix("charts/").filter(|_| !has_extension(path, "prov")) else { return Ok(Place::Unread) };
            let (name, inner) = below.split_once('/').map_or((below, None), |(name, inner)| (name, Some(inner)));
            if name.starts_with(['_', '.']) {
                return Ok(Place::Unread);
            }
            if level >= LEVELS {
                return Err(ChartError::TooLarge { what: "charts within each other", limit: LEVELS, found: level + 1 });
            }
            if has_extension(name, "tgz") {
                return folder.archive(name, inner, path, level + 1);
            }
            folder = folder.folders.entry(name.to_owned()).or_default();
            level += 1;
            let Some(inner) = inner else { return Ok(Place::Unread) };
            rest = inner;
        }
    }

    fn archive(&mut self, name: &str, inner: Option<&str>, path: &str, level: u64) -> Result<Place<'static>, ChartError> {
        match inner {
            None => self.first(name, path).map(|()| Place::Archive(level)),
            Some(_) if self.seen.contains(name) => Ok(Place::Unread),
            Some(_) => Err(ChartError::Path { path: path.to_owned(), problem: "lies in a directory with the name of an archive" }),
        }
    }

    fn first(&mut self, name: &str, path: &str) -> Result<(), ChartError> {
        if self.seen.insert(name.to_owned()) {
            return Ok(());
        }
        Err(ChartError::Path { path: path.to_owned(), problem: "is in the archive twice" })
    }

    /// Takes the text of the file `name` of this chart; gives back how many bytes are kept of it.
    pub(super) fn take(&mut self, name: &str, path: &str, text: Vec<u8>, time: Option<i64>) -> Result<u64, ChartError> {
        let length = text.len() as u64;
        match name {
            "Chart.yaml" => self.chart = Some((text, time)),
            "requirements.yaml" => self.requirements = Some(text),
            "values.yaml" => return values::check(path, &text).map(|()| 0),
            _ => {
                let document = decoded(path, &text)?;
                lock::check(&document).map_err(|source| ChartError::Field { file: path.to_owned(), source })?;
                return Ok(0);
            }
        }
        Ok(length)
    }

    /// Checks this chart and those below, when all files have passed by. `at` is its own folder: empty, or with `/` at its end.
    pub(super) fn finish(self, at: &str) -> Result<(Metadata, ChartVersion, Option<i64>), ChartError> {
        let missing =
            || if at.is_empty() { ChartError::NoChartYaml } else { ChartError::NoSubchart { path: at.trim_end_matches('/').to_owned() } };
        let (text, time) = self.chart.ok_or_else(missing)?;
        let mut metadata = Metadata::default();
        fill(&mut metadata, &format!("{at}Chart.yaml"), &text)?;
        if metadata.api_version.is_empty() {
            "v1".clone_into(&mut metadata.api_version);
        }
        if let Some(text) = self.requirements {
            fill(&mut metadata, &format!("{at}requirements.yaml"), &text)?;
        }
        let rule = |source: RuleError| ChartError::Rule { file: format!("{at}Chart.yaml"), source };
        let version = metadata.validate().map_err(rule)?;
        for (name, folder) in self.folders {
            folder.finish(&format!("{at}charts/{name}/"))?;
        }
        Ok((metadata, version, time))
    }
}

/// Whether the name ends so, in these letters.
fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

/// What is read of a chart.
const READ: [&str; 5] = ["Chart.yaml", "requirements.yaml", "values.yaml", "Chart.lock", "requirements.lock"];

fn decoded(file: &str, text: &[u8]) -> Result<Value, ChartError> {
    parsed(text).map_err(|source| ChartError::Yaml { file: file.to_owned(), source })
}

/// Decodes a file onto what is known.
pub(super) fn fill(metadata: &mut Metadata, file: &str, text: &[u8]) -> Result<(), ChartError> {
    metadata.decode(&decoded(file, text)?).map_err(|source| ChartError::Field { file: file.to_owned(), source })
}
