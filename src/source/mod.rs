//! Where charts come from, one file for each source. What comes from there is untrusted: read with limits, hashed, compared.

mod archive;
mod cure;
mod error;
mod fetch;
mod given;
mod helm_repository;
pub mod index;
mod indexes;

use bytes::Bytes;

pub use archive::{Archive, ArchiveSnapshot};
pub use error::{Promise, SourceError};
pub use fetch::{Access, Fetcher, Validators, shown};
pub use given::Given;
pub use helm_repository::{HelmRepository, IndexSnapshot};
pub use indexes::{Answer, Ask, Indexes, SharedIndex};

use crate::{
    chart::{ChartContent, Limits},
    plan::Wanted,
    spool::Spooled,
};

/// A chart that has arrived whole and is what was promised.
#[derive(Clone)]
pub struct FetchedChart {
    /// What is in it.
    pub content: ChartContent,
    /// Its bytes.
    pub archive: Spooled,
    /// The signature beside it.
    pub provenance: Option<Bytes>,
}

/// What the administrator allows a source to cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceLimits {
    /// Of one archive.
    pub chart: Limits,
    /// Of one index.
    pub index: index::IndexLimits,
}

/// A source of one publication.
pub enum Source {
    /// An HTTP Helm repository.
    HelmRepository(HelmRepository),
    /// One archive at a URL.
    Archive(Archive),
    /// A chart that is at hand.
    Given(Box<Given>),
}

impl Source {
    /// Fetches the chart of one version, and compares it with what was promised.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn fetch(&self, wanted: &Wanted) -> Result<FetchedChart, SourceError> {
        match self {
            Self::HelmRepository(repository) => repository.chart(&wanted.entry).await,
            Self::Archive(archive) => archive.chart(&wanted.entry).await,
            Self::Given(given) => Ok(given.chart()),
        }
    }
}
