//! Where charts come from, one file for each source. What comes from there is untrusted: read with limits, hashed, compared.

mod archive;
mod assembled;
mod cure;
mod error;
mod fetch;
mod given;
mod giver;
mod helm_repository;
mod in_registry;
pub mod index;
mod indexes;
mod oci;
mod parts;
mod pauses;
mod proxied;

use bytes::Bytes;

pub use archive::{Archive, ArchiveSnapshot};
pub use assembled::{Assembled, AssemblyError, Held, Holder};
pub use error::{Promise, SourceError, StatusAnswer};
pub use fetch::{Access, Fetcher, Validators, shown};
pub use given::Given;
pub use giver::Giver;
pub use helm_repository::{HelmRepository, IndexSnapshot};
pub use in_registry::Registries;
pub use indexes::{Answer, Ask, Indexes, SharedIndex};
pub use oci::{Attached, AttachedError, Attachment, Copied, Oci, OciError, Offered, Pick, Place, Reader};

use crate::{
    chart::{ChartContent, Limits, Original},
    model::{Descriptor, Digest, Tag},
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
    pub provenance: Provenance,
    /// The manifest that it has already, where it comes from a registry.
    pub copied: Option<Copied>,
}

/// The signature beside a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// It has one; nothing is said yet of whose it is.
    Here(Bytes),
    /// It has none: what was seen in its place, as a part of a sentence.
    Missing(String),
}

impl Provenance {
    /// Its bytes, where there is one.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Here(bytes) => Some(bytes),
            Self::Missing(_) => None,
        }
    }
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
    /// A registry.
    Oci(Box<Oci>),
    /// One archive in objects of the cluster, or in the spec.
    Assembled(Assembled),
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
            Self::Oci(oci) => oci.chart(&wanted.entry).await,
            Self::Assembled(assembled) => assembled.chart(&wanted.entry).await,
            Self::Given(given) => Ok(given.chart()),
        }
    }

    /// The manifest of a version, where the source has it and it is published as it is.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn original(&self, wanted: &Wanted) -> Result<Option<Original>, SourceError> {
        match self {
            Self::Oci(oci) => oci.original(&wanted.entry).await.map(Some),
            Self::HelmRepository(_) | Self::Archive(_) | Self::Assembled(_) | Self::Given(_) => Ok(None),
        }
    }

    /// Whether manifests are published as the source has them.
    pub fn has_manifests(&self) -> bool {
        matches!(self, Self::Oci(_))
    }

    /// The digest of the manifest that a version has at the source now; nothing where that is not known.
    pub async fn manifest_digest(&self, wanted: &Wanted) -> Option<Digest> {
        match self {
            Self::Oci(oci) => oci.digest(&wanted.entry).await,
            Self::HelmRepository(_) | Self::Archive(_) | Self::Assembled(_) | Self::Given(_) => None,
        }
    }

    /// The tags beside a version's own that belong to its manifest, as the source lists them. Asks nobody.
    pub fn attached_tags(&self, wanted: &Wanted, manifest: Digest) -> Vec<Tag> {
        match self {
            Self::Oci(oci) => oci.attached_tags(&wanted.entry, manifest),
            Self::HelmRepository(_) | Self::Archive(_) | Self::Assembled(_) | Self::Given(_) => Vec::new(),
        }
    }

    /// What belongs to the manifest of a version: signatures, attestations, and what else refers to it.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn attached(&self, wanted: &Wanted, manifest: Digest) -> Result<Attached, SourceError> {
        match self {
            Self::Oci(oci) => oci.attached(&wanted.entry, manifest).await,
            Self::HelmRepository(_) | Self::Archive(_) | Self::Assembled(_) | Self::Given(_) => Ok(Attached::default()),
        }
    }

    /// A blob of what belongs to a version; nothing where nothing does.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn attached_blob(&self, wanted: &Wanted, of: &Attachment, blob: &Descriptor) -> Result<Option<Spooled>, SourceError> {
        match self {
            Self::Oci(oci) => oci.attached_blob(&wanted.entry, of, blob).await.map(Some),
            Self::HelmRepository(_) | Self::Archive(_) | Self::Assembled(_) | Self::Given(_) => Ok(None),
        }
    }
}
