//! What was published and proven is proven again: read whole by the way that was used. What is missing or damaged is sent again;
//! what somebody has written over it is left as it is.

use super::{
    Content, Done, Failed, Known, TargetRun, Used, Way,
    attach::{Version, attach},
    job::{JobResult, Parcel, publish},
    read::read,
};
use crate::{
    api::Reason,
    model::{Digest, RepositoryName, Tag},
    plan::first,
    registry::{Failure, PulledManifest},
    remedy::{Class, Verdict},
    verify::{Again, Expected, pull_back},
};

/// Proves one version again.
pub(super) async fn prove(target: &TargetRun, parcel: &Parcel<'_>, repository: &RepositoryName, tag: &Tag, known: &Known) -> JobResult {
    let content = Content { repository: repository.clone(), tag: tag.clone(), manifest: known.manifest, layer: known.layer };
    let (way, again) = match by_used_first(target, &content).await {
        Ok(read) => read,
        Err(verdict) => return failed(verdict.into()),
    };
    let found = match again {
        Again::Holds(verified) => {
            if let Some(moved) = parcel.moved(known, &content.to_string()).await {
                return by(way, Err(moved));
            }
            let attached = attach(&target.ways, parcel, Version { repository, tag, manifest: known.manifest }).await;
            return by(way, attached.map(|()| Done::Found(verified)));
        }
        Again::Overwritten(manifest) if parcel.keeps_manifests() => return by(way, Err(drifted(&content, manifest.digest))),
        Again::Overwritten(manifest) => return by(way, overwritten(target, way, &content, &manifest).await),
        // Registries keep a manifest that they believe to have: sending it again would change nothing.
        Again::ManifestDamaged(failure) => return by(way, Err(damaged(target, way, &content, &failure))),
        Again::Damaged(failure) => {
            let found = damaged(target, way, &content, &failure);
            // It was sent again when it was found, and that changed nothing.
            if known.doubted {
                return by(way, Err(found));
            }
            found
        }
        Again::Gone => lost(target, way, &content, "the manifest", known.manifest),
        Again::Missing(digest, _) => lost(target, way, &content, "the blob", digest),
    };
    tracing::warn!(reference = %content, reason = %found.reason, "{}", found.sentence);
    let sent = publish(&target.ways, parcel, repository, tag).await;
    JobResult { result: mended(sent.result, found), way: sent.way }
}

fn by(way: &Way, result: Result<Done, Failed>) -> JobResult {
    JobResult { result, way: Some(Used::of(way, first(&way.strategy.bodies, 0))) }
}

fn failed(failed: Failed) -> JobResult {
    JobResult { result: Err(failed), way: None }
}

/// The way that was used before, then the others in their order.
async fn by_used_first<'t>(target: &'t TargetRun, content: &Content) -> Result<(&'t Way, Again), Verdict> {
    let was_used = |way: &&Way| target.known_by.as_deref() == Some(way.strategy.route.as_str());
    let was_dialled = |way: &&Way| target.known_at.as_deref().is_some_and(|address| address.split("; ").any(|part| part == way.address()));
    let mut ways: Vec<&Way> = target.ways.all().iter().collect();
    ways.sort_by_key(|way| !was_used(way) || !was_dialled(way));
    let mut first_verdict: Option<Verdict> = None;
    for way in ways {
        let verdict = match read(way, target.ways.subject(), target.ways.segment(way), content).await {
            Ok(again) => return Ok((way, again)),
            Err(verdict) => verdict,
        };
        target.ways.show(way, first(&way.strategy.bodies, 0), &verdict);
        if matches!(verdict.class, Class::Wait | Class::Final) {
            return Err(verdict);
        }
        first_verdict.get_or_insert(verdict);
    }
    Err(first_verdict.unwrap_or(Verdict::no_route()))
}

/// Somebody has written the tag. The same archive under another manifest is what is wanted all the same.
async fn overwritten(target: &TargetRun, way: &Way, content: &Content, manifest: &PulledManifest) -> Result<Done, Failed> {
    let Some(blobs) = manifest.blobs_from(content.layer) else { return Err(drifted(content, manifest.digest)) };
    let (repository, tag) = (content.repository.clone(), content.tag.clone());
    let expected = Expected { repository, tag, manifest: manifest.digest, blobs };
    match pull_back(&way.registry, expected).await {
        Ok(verified) => Ok(Done::Found(verified)),
        Err(failure) => Err(target.ways.subject().judged(way, &content.to_string(), 0, &failure).into()),
    }
}

/// What sending again came to.
fn mended(sent: Result<Done, Failed>, found: Failed) -> Result<Done, Failed> {
    match sent {
        Ok(Done::Published(pushed)) => Ok(Done::Mended { pushed, found }),
        Ok(other) => Ok(other),
        Err(failed) if failed.reason == found.reason => Err(found),
        Err(failed) => {
            let sentence = format!("{} It could not be sent again: {}", found.sentence, failed.sentence);
            Err(Failed { reason: found.reason, sentence, passing: failed.passing })
        }
    }
}

fn drifted(content: &Content, found: Digest) -> Failed {
    let sentence = format!(
        "`{content}` holds the manifest {found}: somebody has written it over {}, which was published and proven there. It is left as it \
         is. Delete the tag to have the source's chart published again, or publish under another path",
        content.manifest
    );
    Failed { reason: Reason::Drifted, sentence, passing: false }
}

fn damaged(target: &TargetRun, way: &Way, content: &Content, failure: &Failure) -> Failed {
    let verdict = target.ways.subject().judged(way, &content.to_string(), 0, failure);
    let sentence = format!("`{content}` was published and proven, and is damaged now: {}", verdict.sentence);
    Failed { reason: verdict.reason, sentence, passing: false }
}

fn lost(target: &TargetRun, way: &Way, content: &Content, what: &str, digest: Digest) -> Failed {
    let sentence = format!(
        "`{content}` was published and proven, and {} by {} ({}) does not have {what} {digest} of it any more. Look at its volume, and at \
         what deletes there: a garbage collection while charts are written deletes blobs that are in use.",
        target.ways.subject().registry,
        way.strategy.route.as_str(),
        way.address(),
    );
    Failed { reason: Reason::ProofFailed, sentence, passing: false }
}
