//! What belongs to a chart in a registry: what refers to its manifest, and the tags that cosign makes of its digest.
//!
//! In: the digest of a manifest, and the tags of its repository. Out: the manifests of all artifacts that are signatures, attestations or
//! anything else of it, and of these in turn, within limits; their blobs are fetched when a target needs them. Nothing is written.
//! Shapes: distribution specification, "Listing Referrers" and "Referrers Tag Schema"; sigstore/cosign, `specs/SIGNATURE_SPEC.md`.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{
    AttachedError, Oci, OciError,
    error::{named, of_failure},
};
use crate::{
    chart::Artifact,
    model::{Descriptor, Digest, RepositoryName, Tag},
    registry::{ListedReferrers, Pull, Reference, listed},
    source::{SourceError, index::IndexEntry},
    spool::Spooled,
    steps::{Step, enter},
};

/// Artifacts of one version.
const MOST_ARTIFACTS: usize = 256;
/// Bytes of all of them.
const MOST_BYTES: u64 = 256 << 20;
/// From the chart to the last of them: a signature of a bill of materials is two steps away.
const MOST_STEPS: usize = 4;

/// An artifact that belongs to a chart.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its manifest.
    pub artifact: Artifact,
    /// Its tag, where it is found by one.
    pub tag: Option<Tag>,
    /// As errors name it.
    pub shown: String,
}

impl Attachment {
    /// What it is read and written by.
    pub fn reference(&self) -> Reference<'_> {
        self.tag.as_ref().map_or(Reference::Digest(self.artifact.digest), Reference::Tag)
    }
}

/// All that belongs to a chart.
#[derive(Debug, Clone, Default)]
pub struct Attached {
    /// In the order in which they can be written: what an index lists comes before it.
    pub artifacts: Vec<Attachment>,
    /// The indexes that lie under the referrers tags of manifests, by the digests of these.
    pub lists: BTreeMap<Digest, Bytes>,
}

impl Oci {
    /// The tags that belong to the manifest `chart`, as far as the list of its repository's tags tells. Asks nobody.
    pub fn attached_tags(&self, entry: &IndexEntry, chart: Digest) -> Vec<Tag> {
        let Some(listed) = self.listed.get(&entry.name).filter(|_| self.place.referrers) else { return Vec::new() };
        let all = Tag::of_cosign(chart).into_iter().chain([Tag::of_referrers(chart)]);
        all.filter(|tag| listed.contains(tag)).collect()
    }

    /// What belongs to the manifest `chart` now; nothing where it is not wanted.
    ///
    /// # Errors
    /// [`OciError::Attached`].
    pub async fn attached(&self, entry: &IndexEntry, chart: Digest) -> Result<Attached, SourceError> {
        let _step = enter(Step::AskSource);
        if !self.place.referrers {
            return Ok(Attached::default());
        }
        let (repository, _) = self.names(entry)?;
        let mut search = Search {
            oci: self,
            entry,
            at: named(&self.place.shown, entry),
            shown: self.shown(entry),
            repository,
            pull: self.registry.read(),
            found: Attached::default(),
            seen: BTreeSet::from([chart]),
            bytes: 0,
        };
        match Box::pin(search.all(chart)).await {
            Ok(()) => Ok(search.found),
            Err(cause) => Err(self.refused(entry, cause)),
        }
    }

    /// A blob of an artifact, whole.
    ///
    /// # Errors
    /// [`OciError::Attached`].
    pub async fn attached_blob(&self, entry: &IndexEntry, of: &Attachment, blob: &Descriptor) -> Result<Spooled, SourceError> {
        let _step = enter(Step::AskSource);
        let (repository, _) = self.names(entry)?;
        let refused = |error| self.refused(entry, AttachedError::of(&of.shown, error));
        let full = |cause| refused(SourceError::Spool { url: of.shown.clone(), cause });
        // No room is awaited: who waits while its chart lies in the spool keeps others waiting, who may do the same.
        let writer = self.spool.writer(None, self.limits.compressed).await.map_err(full)?;
        self.spooled(writer, &mut self.registry.read(), (&repository, of.shown.as_str()), blob).await.map_err(refused)
    }

    fn without_lists(&self) -> MutexGuard<'_, BTreeSet<RepositoryName>> {
        self.without_lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, entry: &IndexEntry, cause: AttachedError) -> SourceError {
        OciError::Attached { place: named(&self.place.shown, entry), cause: Box::new(cause) }.into()
    }
}

/// One search, from a chart on.
struct Search<'a> {
    oci: &'a Oci,
    entry: &'a IndexEntry,
    /// The chart, as errors name it.
    at: String,
    /// Its repository, as errors name it.
    shown: String,
    repository: RepositoryName,
    pull: Pull<'a>,
    found: Attached,
    seen: BTreeSet<Digest>,
    bytes: u64,
}

/// What is said to belong to a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// By a tag of cosign.
    Tag(Tag),
    /// By the registry's list.
    Listed(Digest),
    /// By an index that clients keep, which may name what is gone by now.
    Noted(Digest),
}

impl Search<'_> {
    async fn all(&mut self, chart: Digest) -> Result<(), AttachedError> {
        let mut open = VecDeque::from([(chart, 0)]);
        while let Some((subject, steps)) = open.pop_front() {
            for named in self.named(subject).await? {
                let Some((artifact, shown)) = self.read(&named, subject).await? else { continue };
                if steps == MOST_STEPS {
                    return Err(AttachedError::TooFar { artifact: shown, limit: MOST_STEPS });
                }
                let (digest, tag) = (artifact.digest, tag_of(named));
                if self.add(artifact, tag, shown, 0).await? {
                    open.push_back((digest, steps + 1));
                }
            }
        }
        Ok(())
    }

    /// What is said to belong to `subject`, tags first.
    async fn named(&mut self, subject: Digest) -> Result<Vec<Named>, AttachedError> {
        let listed = self.oci.listed.get(&self.entry.name);
        let is_listed = |tag: &Tag| listed.is_some_and(|listed| listed.contains(tag));
        let mut all: Vec<_> = Tag::of_cosign(subject).into_iter().filter(is_listed).map(Named::Tag).collect();
        let tag = Tag::of_referrers(subject);
        let has_list = is_listed(&tag);
        all.extend(self.referrers(subject).await?.into_iter().map(Named::Listed));
        if has_list {
            all.extend(self.noted(subject, &tag).await?);
        }
        all.retain(|named| !matches!(named, Named::Listed(digest) | Named::Noted(digest) if self.seen.contains(digest)));
        if self.found.artifacts.len() + all.len() > MOST_ARTIFACTS {
            return Err(AttachedError::TooMany { limit: MOST_ARTIFACTS });
        }
        Ok(all)
    }

    /// What the registry lists. One that has said that it does not know the path is not asked again for this repository.
    async fn referrers(&mut self, subject: Digest) -> Result<Vec<Digest>, AttachedError> {
        if self.oci.without_lists().contains(&self.repository) {
            return Ok(Vec::new());
        }
        let answered = self.pull.referrers(&self.repository, subject).await;
        let answered = answered.map_err(|failure| self.failed(&self.at.clone(), failure))?;
        if answered == ListedReferrers::NoSuchPath {
            self.oci.without_lists().insert(self.repository.clone());
        }
        Ok(answered.these())
    }

    /// What clients have noted under the tag.
    async fn noted(&mut self, subject: Digest, tag: &Tag) -> Result<Vec<Named>, AttachedError> {
        let shown = format!("{}:{tag}", self.shown);
        let pulled = self.pull.manifest(&self.repository, tag).await.map_err(|failure| self.failed(&shown, failure))?;
        let Some(pulled) = pulled else { return Ok(Vec::new()) };
        let Some(referrers) = listed(&pulled.bytes) else { return Err(AttachedError::NoList { artifact: shown }) };
        self.found.lists.insert(subject, pulled.bytes);
        Ok(referrers.into_iter().map(Named::Noted).collect())
    }

    /// What is named so; nothing where it is gone, or refers to something else.
    async fn read(&mut self, named: &Named, subject: Digest) -> Result<Option<(Artifact, String)>, AttachedError> {
        let (reference, shown) = match named {
            Named::Tag(tag) => (Reference::Tag(tag), format!("{}:{tag}", self.shown)),
            Named::Listed(digest) | Named::Noted(digest) if self.seen.contains(digest) => return Ok(None),
            Named::Listed(digest) | Named::Noted(digest) => (Reference::Digest(*digest), format!("{}@{digest}", self.shown)),
        };
        let artifact = match (self.artifact(reference, &shown).await?, named) {
            (None, Named::Noted(_)) => return Ok(None),
            (None, Named::Tag(_) | Named::Listed(_)) => return Err(AttachedError::Gone { artifact: shown }),
            (Some(artifact), _) => artifact,
        };
        let is_of_it = matches!(named, Named::Tag(_)) || artifact.subject == Some(subject);
        Ok(is_of_it.then_some((artifact, shown)))
    }

    async fn artifact(&mut self, reference: Reference<'_>, shown: &str) -> Result<Option<Artifact>, AttachedError> {
        let pulled = self.pull.manifest(&self.repository, reference).await.map_err(|failure| self.failed(shown, failure))?;
        let Some(pulled) = pulled else { return Ok(None) };
        if let Some(promised) = pulled.broken_promise(reference) {
            let (what, found, promised) = ("the manifest".to_owned(), pulled.digest.to_string(), promised.to_string());
            return Err(AttachedError::Digest { artifact: shown.to_owned(), what, found, promised });
        }
        let read = Artifact::read(pulled.bytes, pulled.media_type.as_deref());
        read.map(Some).map_err(|cause| AttachedError::NoArtifact { artifact: shown.to_owned(), cause })
    }

    /// Takes an artifact, and before it what it lists; whether it was not there yet.
    async fn add(&mut self, artifact: Artifact, tag: Option<Tag>, shown: String, within: usize) -> Result<bool, AttachedError> {
        if !self.seen.insert(artifact.digest) {
            return Ok(false);
        }
        let most = self.oci.limits.compressed;
        if let Some(blob) = artifact.blobs.iter().find(|blob| blob.size > most) {
            return Err(AttachedError::BlobTooLarge { artifact: shown, size: blob.size, limit: most });
        }
        self.bytes = self.bytes.saturating_add(artifact.size());
        if self.bytes > MOST_BYTES {
            return Err(AttachedError::TooLarge { limit: MOST_BYTES });
        }
        if self.found.artifacts.len() + artifact.manifests.len() >= MOST_ARTIFACTS {
            return Err(AttachedError::TooMany { limit: MOST_ARTIFACTS });
        }
        if within == MOST_STEPS {
            return Err(AttachedError::TooFar { artifact: shown, limit: MOST_STEPS });
        }
        for part in &artifact.manifests {
            let shown = format!("{}@{}", self.shown, part.digest);
            let Some(part) = self.artifact(part.digest.into(), &shown).await? else { return Err(AttachedError::Gone { artifact: shown }) };
            Box::pin(self.add(part, None, shown, within + 1)).await?;
        }
        self.found.artifacts.push(Attachment { artifact, tag, shown });
        Ok(true)
    }

    fn failed(&self, shown: &str, failure: crate::registry::Failure) -> AttachedError {
        AttachedError::of(shown, of_failure(shown.to_owned(), &self.oci.place, failure))
    }
}

fn tag_of(named: Named) -> Option<Tag> {
    match named {
        Named::Tag(tag) => Some(tag),
        Named::Listed(_) | Named::Noted(_) => None,
    }
}
