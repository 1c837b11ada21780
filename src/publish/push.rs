//! One chart into one repository by one way: blobs first, then the manifest, then the tag; then the proof.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{Tried, Vetted};
use crate::{
    chart::{self, ChartContent, Manifest},
    model::{Descriptor, Digest, Framing, MANIFEST_TYPE, RepositoryName, Tag},
    net::OpenBody,
    provenance::Signer,
    registry::{Blob, Cause, Failure, Reference, Registry, SeenOfChunks, Stage, Writing},
    source::{Copied, FetchedChart},
    spool::Spooled,
    verify::{Expected, Verified, pull_back},
};

/// A chart as it is published: everything is here, complete and hashed, before the first byte is sent.
pub struct Package {
    config: Bytes,
    archive: Spooled,
    provenance: Option<Bytes>,
    manifest: Manifest,
    /// What the manifest names, the archive first.
    held: Vec<Descriptor>,
    signer: Option<Signer>,
}

impl Package {
    /// Makes config and manifest as `helm push` does; `created` is the time that the index names.
    pub fn new(content: &ChartContent, archive: Spooled, provenance: Option<Bytes>, created: Option<i64>) -> Self {
        let layer = Descriptor { digest: archive.digest(), size: archive.length() };
        let signature = provenance.as_ref().map(|bytes| Descriptor { digest: Digest::of(bytes), size: bytes.len() as u64 });
        let manifest = chart::manifest(content, &layer, signature.as_ref(), created.or(content.packaged));
        let config = Descriptor { digest: manifest.config_digest, size: content.config.len() as u64 };
        let held = std::iter::once(layer).chain(signature).chain([config]).collect();
        Self { config: content.config.clone(), archive, provenance, manifest, held, signer: None }
    }

    /// What a source has given, and may be published: with the manifest that it has already, where it has one.
    pub fn of(vetted: Vetted, created: Option<i64>) -> Self {
        let (FetchedChart { content, archive, provenance, copied }, signer) = vetted.into_parts();
        let provenance = provenance.bytes().cloned();
        let Some(Copied { original, config }) = copied else {
            return Self { signer, ..Self::new(&content, archive, provenance, created) };
        };
        let held = original.blobs();
        let manifest = Manifest { digest: original.digest, config_digest: original.config.digest, bytes: original.bytes };
        Self { config, archive, provenance, manifest, held, signer }
    }

    /// Whose signature it has; nobody where none is demanded.
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// Bytes of its largest body: what limits on the way apply to.
    pub fn largest_body(&self) -> u64 {
        self.archive.length()
    }

    /// What is sent before the manifest, the largest first.
    fn blobs(&self) -> impl Iterator<Item = (&dyn OpenBody, Digest)> {
        let archive: (&dyn OpenBody, Digest) = (&self.archive, self.archive.digest());
        let provenance = self.provenance.as_ref().map(|bytes| (bytes as &dyn OpenBody, Digest::of(bytes)));
        let config: (&dyn OpenBody, Digest) = (&self.config, self.manifest.config_digest);
        std::iter::once(archive).chain(provenance).chain(std::iter::once(config))
    }

    /// The digest of the archive.
    pub fn digest(&self) -> Digest {
        self.archive.digest()
    }

    /// The digest of the manifest.
    pub fn manifest(&self) -> Digest {
        self.manifest.digest
    }

    /// All that its manifest names: the archive, its provenance where it has one, and the config.
    pub fn held(&self) -> &[Descriptor] {
        &self.held
    }

    /// What a tag holds once this is published.
    pub fn expected(&self, repository: &RepositoryName, tag: &Tag) -> Expected {
        Expected { repository: repository.clone(), tag: tag.clone(), manifest: self.manifest.digest, blobs: self.held.clone() }
    }
}

/// A package that is published and proven, and how long both took.
#[derive(Debug)]
pub struct Pushed {
    /// The proof.
    pub verified: Verified,
    /// From the first request of the attempt that worked to the answer to the manifest.
    pub pushing: Duration,
    /// The pull-back.
    pub pulling: Duration,
}

/// Which blobs of a package a registry has taken already: another way or method does not send them again.
#[derive(Default)]
pub struct Taken(Mutex<BTreeSet<Digest>>);

impl Taken {
    pub(super) fn has(&self, digest: Digest) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest)
    }

    pub(super) fn add(&self, digest: Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
    }

    /// After a failure at the end: a blob that the registry took and does not know, or that comes back as something else, has to be
    /// sent again.
    pub(super) fn after(&self, failure: Failure) -> Failure {
        if is_of_content(&failure) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        failure
    }
}

/// Publishes `package` and pulls it back, once `sent_all` has ended, which is begun when all is sent. Nothing is visible under the tag unless all
/// blobs were taken.
pub async fn push(
    registry: &Registry,
    framing: Framing,
    repository: &RepositoryName,
    tag: &Tag,
    package: &Package,
    taken: &Taken,
    sent_all: impl Future<Output = ()>,
) -> Tried<Pushed> {
    let begin = Instant::now();
    let Tried { result, sent, seen } = send(registry, framing, repository, tag.into(), package, taken).await;
    let pushing = begin.elapsed();
    // A manifest may have been written although no answer came: the pull-back tells.
    let is_open = |failure: &Failure| failure.stage == Stage::WriteManifest && failure.is_unanswered();
    if let Some(failure) = result.as_ref().err().filter(|failure| !is_open(failure)) {
        return Tried { result: Err(failure.clone()), sent, seen };
    }
    sent_all.await;
    let begin = Instant::now();
    let result = match (result, pull_back(registry, package.expected(repository, tag)).await) {
        (_, Ok(verified)) => Ok(Pushed { verified, pushing, pulling: begin.elapsed() }),
        (Err(unanswered), Err(_)) => Err(unanswered),
        (Ok(()), Err(failure)) => Err(taken.after(failure)),
    };
    Tried { result, sent, seen }
}

/// Sends the blobs, then the manifest: with its tag, or by its digest alone, so that what belongs to it can refer to it and nobody sees it
/// yet. That it arrived is not proven yet.
pub async fn send(
    registry: &Registry,
    framing: Framing,
    repository: &RepositoryName,
    reference: Reference<'_>,
    package: &Package,
    taken: &Taken,
) -> Tried<()> {
    let Tried { result, sent, seen } = send_blobs(registry, framing, repository, package.blobs(), taken).await;
    let writing = Writing { bytes: &package.manifest.bytes, media_type: MANIFEST_TYPE };
    let result = match result {
        Ok(()) => registry.write(repository, reference, writing).await.map(drop).map_err(|failure| taken.after(failure)),
        Err(failure) => Err(failure),
    };
    Tried { result, sent, seen }
}

/// Sends the blobs that were not taken yet.
pub(super) async fn send_blobs<'b>(
    registry: &Registry,
    framing: Framing,
    repository: &RepositoryName,
    blobs: impl Iterator<Item = (&'b dyn OpenBody, Digest)>,
    taken: &Taken,
) -> Tried<()> {
    let (mut sent, mut seen) = (0, SeenOfChunks::default());
    for (body, digest) in blobs {
        if taken.has(digest) {
            continue;
        }
        let uploaded = registry.upload(repository, Blob { body, digest }, framing).await;
        sent += uploaded.sent;
        seen = seen.and(uploaded.seen);
        if let Err(failure) = uploaded.result {
            return Tried { result: Err(failure), sent, seen };
        }
        taken.add(digest);
    }
    Tried { result: Ok(()), sent, seen }
}

fn is_of_content(failure: &Failure) -> bool {
    let is_unknown = |code: &String| code.contains("BLOB_UNKNOWN") || code == "MANIFEST_INVALID";
    matches!(failure.cause, Cause::Content { .. })
        || failure.answer().is_some_and(|answer| answer.status == 404 || answer.codes.iter().any(is_unknown))
}
