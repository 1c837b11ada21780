//! One version at one target: look, fetch, publish, prove.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{Mutex, OnceCell};

use super::{
    Attempt, Content, Done, Failed, Known, Need, Package, Taken, TargetRun, Tried, Used, Ways,
    attach::{Version, attach},
    pace::Stay,
    proof::prove,
    push,
    seal::{self, Seal},
    send,
};
use crate::{
    api::Reason,
    model::{Descriptor, Digest, RepositoryName, Tag},
    plan::Wanted,
    provenance::Demand,
    registry::PulledManifest,
    remedy::Audience,
    source::{Attached, Attachment, Source},
    spool::Spooled,
    verify::{Expected, is_missing, pull_back},
};

/// Bytes of a chart, with what belongs to it, that may wait for others to be pulled back with.
const SMALL: u64 = 1 << 20;

/// What is to be done for one version at one target.
pub(super) enum Job {
    /// Something.
    To {
        /// What.
        need: Need,
        /// Where.
        repository: RepositoryName,
        /// Under which name.
        tag: Tag,
        /// What is known of its signature.
        seal: Seal,
    },
    /// Nothing can be done.
    Refused {
        /// Where it would have been.
        place: Option<(RepositoryName, Tag)>,
        /// Why.
        failed: Failed,
    },
}

/// What came of a job, and by which way.
pub(super) struct JobResult {
    pub(super) result: Result<Done, Failed>,
    pub(super) way: Option<Used>,
}

/// The chart of a version, fetched when the first target needs it, for all of them.
pub(super) struct Parcel<'a> {
    source: &'a Source,
    pub(super) wanted: &'a Wanted,
    demand: &'a Demand,
    pub(super) stay: &'a Stay<'a>,
    package: OnceCell<Result<Package, Failed>>,
    /// What belongs to a manifest, by its digest.
    attached: Mutex<BTreeMap<Digest, Arc<Attached>>>,
    /// Blobs of it, each fetched once for all targets.
    bodies: Mutex<BTreeMap<Digest, Spooled>>,
    /// Whether no other chart is on its way.
    is_alone: bool,
}

impl<'a> Parcel<'a> {
    /// Of a chart that is on its way.
    pub(super) fn new(source: &'a Source, wanted: &'a Wanted, demand: &'a Demand, stay: &'a Stay<'a>) -> Self {
        Self {
            source,
            wanted,
            demand,
            stay,
            package: OnceCell::new(),
            attached: Mutex::default(),
            bodies: Mutex::default(),
            is_alone: false,
        }
    }

    /// The same, with no other chart on its way.
    pub(super) fn alone(self) -> Self {
        Self { is_alone: true, ..self }
    }

    /// Waits until it is to be pulled back: a large chart at once, for it lies in the spool until it is proven.
    async fn burst(&self, package: &Package) {
        let beside: u64 = self.bodies.lock().await.values().map(Spooled::length).sum();
        if !self.is_alone && package.largest_body().saturating_add(beside) <= SMALL {
            self.stay.burst().await;
        }
    }

    pub(super) async fn package(&self) -> Result<&Package, Failed> {
        self.package.get_or_init(|| self.fetch()).await.as_ref().map_err(Failed::clone)
    }

    async fn fetch(&self) -> Result<Package, Failed> {
        let fetched = self.source.fetch(self.wanted).await.map_err(|error| Failed::from(&error))?;
        let vetted = seal::vetted(self.demand, fetched).await?;
        Ok(Package::of(vetted, self.wanted.entry.created))
    }

    /// What belongs to a manifest of this version at the source.
    pub(super) async fn attached(&self, manifest: Digest) -> Result<Arc<Attached>, Failed> {
        let mut known = self.attached.lock().await;
        if let Some(attached) = known.get(&manifest) {
            return Ok(Arc::clone(attached));
        }
        let attached = self.source.attached(self.wanted, manifest).await.map_err(|error| Failed::from(&error))?;
        let attached = Arc::new(attached);
        known.insert(manifest, Arc::clone(&attached));
        Ok(attached)
    }

    /// The blobs of what belongs to it.
    pub(super) async fn bodies(&self, of: &Attachment) -> Result<Vec<Spooled>, Failed> {
        let mut known = self.bodies.lock().await;
        let mut bodies = Vec::new();
        for blob in &of.artifact.blobs {
            if let Some(body) = known.get(&blob.digest) {
                bodies.push(body.clone());
                continue;
            }
            let fetched = self.source.attached_blob(self.wanted, of, blob).await.map_err(|error| Failed::from(&error))?;
            if let Some(body) = fetched {
                known.insert(blob.digest, body.clone());
                bodies.push(body);
            }
        }
        Ok(bodies)
    }

    /// What a tag has to hold, to be what is wanted.
    async fn sought(&self) -> Result<Sought, Failed> {
        if self.keeps_manifests() {
            if let Some(Ok(package)) = self.package.get() {
                return Ok(Sought::Manifest(package.manifest(), package.held().to_vec()));
            }
            let original = self.source.original(self.wanted).await.map_err(|error| Failed::from(&error))?;
            if let Some(original) = original {
                return Ok(Sought::Manifest(original.digest, original.blobs()));
            }
        }
        match self.wanted.entry.archive_digest() {
            Some(promised) => Ok(Sought::Archive(promised)),
            None => Ok(Sought::Archive(self.package().await?.digest())),
        }
    }

    /// Whether it is published with this manifest.
    async fn would_be(&self, manifest: Digest) -> bool {
        self.package().await.is_ok_and(|package| package.manifest() == manifest)
    }

    /// Whether the manifest is published as the source has it: another one with the same archive is not what is wanted.
    pub(super) fn keeps_manifests(&self) -> bool {
        self.source.has_manifests()
    }

    /// What was published and proven, and is something else at the source by now.
    pub(super) async fn moved(&self, known: &Known, reference: &str) -> Option<Failed> {
        let now = self.source.manifest_digest(self.wanted).await.filter(|now| *now != known.manifest)?;
        Some(self.moved_to(now, known, reference))
    }

    pub(super) fn moved_to(&self, now: Digest, known: &Known, reference: &str) -> Failed {
        let sentence = format!(
            "the source has the manifest {now} under the tag of `{} {}` now, but {} was published of it before; what is published stays. \
             Ask the source's owner for a new version, or delete the tag `{reference}` to publish the new content",
            self.wanted.name, self.wanted.version, known.manifest
        );
        Failed { reason: Reason::SourceMutated, sentence, passing: false }
    }
}

/// What a tag has to hold, to be what is wanted.
enum Sought {
    /// This archive.
    Archive(Digest),
    /// This manifest, with these blobs.
    Manifest(Digest, Vec<Descriptor>),
}

impl Sought {
    /// The blobs to read, where `manifest` is what is sought.
    fn found_in(&self, manifest: &PulledManifest) -> Option<Vec<Descriptor>> {
        match self {
            Self::Manifest(digest, blobs) => (*digest == manifest.digest).then(|| blobs.clone()),
            Self::Archive(archive) => manifest.blobs_from(*archive),
        }
    }
}

impl Job {
    /// Whether something is to be sent or read.
    pub(super) fn is_open(&self) -> bool {
        matches!(
            self,
            Self::To { need: Need::Look | Need::Prove(_) | Need::Attach { .. } | Need::Publish, .. }
                | Self::To { seal: Seal::Open { .. }, .. }
        )
    }

    /// Whether it is not known yet that it is there.
    pub(super) fn is_new(&self) -> bool {
        matches!(self, Self::To { need: Need::Look | Need::Publish, .. })
    }

    /// Whether it is proven again.
    pub(super) fn is_proof(&self) -> bool {
        matches!(self, Self::To { need: Need::Prove(_), .. })
    }

    pub(super) fn place(self) -> Option<(RepositoryName, Tag)> {
        match self {
            Self::To { repository, tag, .. } => Some((repository, tag)),
            Self::Refused { place, .. } => place,
        }
    }

    /// Does it, whoever has signed it.
    pub(super) async fn carried_out(&self, target: &TargetRun, parcel: &Parcel<'_>) -> JobResult {
        let without = |result| JobResult { result, way: None };
        let ways = &target.ways;
        let (need, repository, tag) = match self {
            Self::Refused { failed, .. } => return without(Err(failed.clone())),
            Self::To { need, repository, tag, .. } => (need, repository, tag),
        };
        let result = match need {
            Need::Nothing(known) => return without(Ok(Done::Unchanged(known.clone()))),
            Need::Mutated { known, promised } => {
                return without(Err(mutated(&format!("{repository}:{tag}"), parcel.wanted, known, *promised)));
            }
            Need::Publish => publish(ways, parcel, repository, tag).await,
            Need::Prove(known) => prove(target, parcel, repository, tag, known).await,
            Need::Attach { known, .. } => {
                let version = Version { repository, tag, manifest: known.manifest };
                return without(attach(ways, parcel, version).await.map(|()| Done::Unchanged(known.clone())));
            }
            Need::Look => match look(ways, parcel, repository, tag).await {
                Some(result) => result,
                None => publish(ways, parcel, repository, tag).await,
            },
        };
        confirmed(target, result, parcel, repository, tag).await
    }
}

/// What was proven by one way, each replica of the registry must have; and where the proof failed, they may be why.
async fn confirmed(target: &TargetRun, done: JobResult, parcel: &Parcel<'_>, repository: &RepositoryName, tag: &Tag) -> JobResult {
    let registry = &target.ways.subject().registry;
    let content = |manifest, layer| Content { repository: repository.clone(), tag: tag.clone(), manifest, layer };
    let failed = match &done.result {
        Ok(proven) => match proven.known() {
            Some(known) => target.replicas.confirm(&content(known.manifest, known.layer), registry).await.err(),
            None => None,
        },
        Err(failed) if failed.reason == Reason::RegistryInconsistent => match parcel.package.get() {
            Some(Ok(package)) => {
                let manifest = package.expected(repository, tag).manifest;
                target.replicas.difference(&content(manifest, package.digest()), registry).await
            }
            _ => None,
        },
        Err(_) => None,
    };
    match failed {
        Some(failed) => JobResult { result: Err(failed), way: done.way },
        None => done,
    }
}

pub(super) async fn publish(ways: &Ways, parcel: &Parcel<'_>, repository: &RepositoryName, tag: &Tag) -> JobResult {
    let package = match parcel.package().await {
        Ok(package) => package,
        Err(failed) => return JobResult { result: Err(failed), way: None },
    };
    let reference = format!("{repository}:{tag}");
    // Another publication may write the same tag: the second one finds what the first one wrote, and does not write over it.
    let (_claim, is_written) = ways.claim(repository, tag).await;
    if is_written && let Some(found) = look(ways, parcel, repository, tag).await {
        return found;
    }
    let taken = &Taken::default();
    if let Err(failed) = beside(ways, parcel, (repository, tag), package, taken).await {
        return JobResult { result: Err(failed), way: None };
    }
    let pushed = ways
        .through(&reference, package.largest_body(), |attempt| async move {
            let turn = parcel.stay.turn().await;
            let sent_all = async {
                drop(turn);
                parcel.burst(package).await;
            };
            push(&attempt.registry, attempt.tactic.framing, repository, tag, package, taken, sent_all).await
        })
        .await;
    match pushed {
        Ok((way, tactic, pushed)) => {
            let digest = pushed.verified.proven().manifest;
            ways.published(package.largest_body());
            tracing::info!(%reference, route = way.strategy.route.as_str(), method = tactic.method().as_str(), %digest, "published and pulled back");
            JobResult { result: Ok(Done::Published(pushed)), way: Some(Used::of(way, tactic)) }
        }
        // Somebody may have published the same in the meantime, or the registry's list may lag behind.
        Err(verdict) if verdict.reason == Reason::TagImmutable => match look(ways, parcel, repository, tag).await {
            Some(found) if found.result.is_ok() => found,
            _ => JobResult { result: Err(verdict.into()), way: None },
        },
        Err(verdict) => JobResult { result: Err(verdict.into()), way: None },
    }
}

/// What belongs to a chart is there before its tag: who sees the tag can verify what it holds. The manifest itself comes first, by its
/// digest: a registry takes what refers to a manifest that is not there, but Harbor does not take cosign's tags then
/// (goharbor/harbor, `src/server/middleware/cosign`).
async fn beside(
    ways: &Ways,
    parcel: &Parcel<'_>,
    (repository, tag): (&RepositoryName, &Tag),
    package: &Package,
    taken: &Taken,
) -> Result<(), Failed> {
    let attached = parcel.attached(package.manifest()).await?;
    if attached.artifacts.is_empty() && attached.lists.is_empty() {
        return Ok(());
    }
    let reference = format!("{repository}:{tag}");
    let sent = ways.through(&reference, package.largest_body(), |attempt| async move {
        let untagged = package.manifest().into();
        let _turn = parcel.stay.turn().await;
        send(&attempt.registry, attempt.tactic.framing, repository, untagged, package, taken).await
    });
    sent.await?;
    attach(ways, parcel, Version { repository, tag, manifest: package.manifest() }).await
}

/// Reads what the tag holds: proves it where it is what is wanted; nothing when the tag is gone after all, or holds what would be
/// published and lacks a blob of it.
async fn look<'w>(ways: &'w Ways, parcel: &Parcel<'_>, repository: &'w RepositoryName, tag: &'w Tag) -> Option<JobResult> {
    let reference = format!("{repository}:{tag}");
    let failed = |result| Some(JobResult { result: Err(result), way: None });
    let read = |attempt: Attempt| async move { Tried::from(attempt.registry.manifest(repository, tag).await) };
    let manifest = match ways.through(&reference, 0, read).await {
        Ok((_, _, Some(manifest))) => manifest,
        Ok((_, _, None)) => return None,
        Err(verdict) => return failed(verdict.into()),
    };
    let sought = match parcel.sought().await {
        Ok(sought) => sought,
        Err(error) => return failed(error),
    };
    let Some(blobs) = sought.found_in(&manifest) else {
        return failed(drifted(&ways.subject().audience, &reference, &manifest, &sought));
    };
    let prove = |attempt: Attempt| {
        let (repository, tag, blobs) = (repository.clone(), tag.clone(), blobs.clone());
        let expected = Expected { repository, tag, manifest: manifest.digest, blobs };
        async move {
            Tried::from(match pull_back(&attempt.registry, expected).await {
                Err(failure) if is_missing(&failure) && parcel.would_be(manifest.digest).await => Ok(None),
                pulled => pulled.map(Some),
            })
        }
    };
    match ways.through(&reference, 0, prove).await {
        Ok((_, _, None)) => {
            tracing::warn!(%reference, "a blob of what the tag holds is missing: it is published again");
            None
        }
        Ok((way, tactic, Some(verified))) => {
            let attached = attach(ways, parcel, Version { repository, tag, manifest: manifest.digest }).await;
            Some(JobResult { result: attached.map(|()| Done::Found(verified)), way: Some(Used::of(way, tactic)) })
        }
        Err(verdict) => failed(verdict.into()),
    }
}

pub(super) fn mutated(reference: &str, wanted: &Wanted, known: &Known, promised: Digest) -> Failed {
    let sentence = format!(
        "the source now promises {promised} for `{} {}`, but {} was published under this version before; what is published stays. \
         Ask the source's owner for a new version, or delete the tag `{reference}` to publish the new content",
        wanted.name, wanted.version, known.layer
    );
    Failed { reason: Reason::SourceMutated, sentence, passing: false }
}

fn drifted(audience: &Audience, reference: &str, manifest: &PulledManifest, sought: &Sought) -> Failed {
    let (whose, cure) = match audience {
        Audience::Resource | Audience::File(_) => {
            ("the source's archive", "Delete the tag to publish the source's chart there, or publish under another path")
        }
        Audience::CommandLine(_) => ("the file", "Delete the tag to push the file there, or push to another path"),
    };
    let not = match sought {
        Sought::Archive(archive) => format!("not of {whose} {archive}"),
        Sought::Manifest(wanted, _) => format!("not the source's {wanted}"),
    };
    let found = manifest.digest;
    let sentence = format!("`{reference}` holds the manifest {found}, which is {not}; it is left as it is. {cure}");
    Failed { reason: Reason::Drifted, sentence, passing: false }
}
