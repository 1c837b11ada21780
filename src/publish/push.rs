//! One chart into one repository by one way: blobs first, then the manifest, then the tag; then the proof.

use bytes::Bytes;

use crate::{
    chart::{self, ChartContent, Descriptor, Manifest},
    model::{RepositoryName, Tag},
    net::OpenBody,
    plan::Method,
    registry::{Blob, Failure, Registry},
    spool::Spooled,
    verify::{Expected, Verified, pull_back},
};

/// A chart as it is published: everything is here, complete and hashed, before the first byte is sent.
pub struct Package {
    config: Bytes,
    archive: Spooled,
    provenance: Option<Bytes>,
    manifest: Manifest,
    layers: Vec<Descriptor>,
}

impl Package {
    /// Makes config and manifest as `helm push` does; `created` is the time that the index names.
    pub fn new(content: &ChartContent, archive: Spooled, provenance: Option<Bytes>, created: Option<i64>) -> Self {
        let layer = Descriptor { digest: archive.digest(), size: archive.length() };
        let signature = provenance.as_ref().map(|bytes| Descriptor { digest: crate::model::Digest::of(bytes), size: bytes.len() as u64 });
        let manifest = chart::manifest(content, &layer, signature.as_ref(), created.or(content.packaged));
        let layers = std::iter::once(layer).chain(signature).collect();
        Self { config: content.config.clone(), archive, provenance, manifest, layers }
    }

    /// Bytes of its largest body: what limits on the way apply to.
    pub fn largest_body(&self) -> u64 {
        self.archive.length()
    }

    /// The digest of the archive.
    pub fn digest(&self) -> crate::model::Digest {
        self.archive.digest()
    }

    /// What a tag holds once this is published.
    pub fn expected(&self, repository: &RepositoryName, tag: &Tag) -> Expected {
        Expected { repository: repository.clone(), tag: tag.clone(), manifest: self.manifest.digest, layers: self.layers.clone() }
    }
}

/// Publishes `package` and pulls it back.
///
/// # Errors
/// A [`Failure`] at the step that failed. Nothing is visible under the tag unless all blobs were taken.
pub async fn push(
    registry: &Registry,
    method: Method,
    repository: &RepositoryName,
    tag: &Tag,
    package: &Package,
) -> Result<Verified, Failure> {
    upload(registry, method, repository, &package.archive, package.archive.digest()).await?;
    if let Some(provenance) = &package.provenance {
        upload(registry, method, repository, provenance, crate::model::Digest::of(provenance)).await?;
    }
    upload(registry, method, repository, &package.config, package.manifest.config_digest).await?;
    registry.write_manifest(repository, tag, &package.manifest.bytes).await?;
    pull_back(registry, package.expected(repository, tag)).await
}

async fn upload(
    registry: &Registry,
    method: Method,
    repository: &RepositoryName,
    body: &dyn OpenBody,
    digest: crate::model::Digest,
) -> Result<(), Failure> {
    match method {
        Method::Buffered => registry.upload_buffered(repository, Blob { body, digest }).await,
    }
}
