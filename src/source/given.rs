//! A chart that is at hand: a file on this machine.

use bytes::Bytes;

use super::{FetchedChart, Provenance, SourceError, helm_repository::read};
use crate::{chart::Limits, plan::Wanted, source::index::IndexEntry, spool::Spooled};

/// One chart, with the signature beside it.
pub struct Given {
    chart: FetchedChart,
}

impl Given {
    /// Reads what `archive` holds; `name` stands in errors.
    ///
    /// # Errors
    /// [`SourceError::Chart`].
    pub async fn new(name: &str, archive: Spooled, provenance: Option<Bytes>, limits: &Limits) -> Result<Self, SourceError> {
        let content = read(&archive, limits, name).await?;
        let provenance = provenance.map_or_else(|| Provenance::Missing(format!("`{name}.prov` does not exist")), Provenance::Here);
        Ok(Self { chart: FetchedChart { content, archive, provenance, copied: None } })
    }

    /// What is to be published.
    pub fn wanted(&self) -> Wanted {
        let content = &self.chart.content;
        let entry = IndexEntry {
            name: content.name.clone(),
            version: content.version.clone(),
            urls: Vec::new(),
            digest: Some(self.chart.archive.digest()),
            created: None,
        };
        Wanted { name: entry.name.clone(), version: entry.version.clone(), entry }
    }

    /// The chart.
    pub fn chart(&self) -> FetchedChart {
        self.chart.clone()
    }
}
