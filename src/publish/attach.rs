//! What belongs to a chart arrives beside it: signatures, attestations, and what else refers to its manifest.
//!
//! In: the manifest of a version at a target, and what belongs to it at the source. What is there already is read, and not sent again; what
//! is lacking is sent and pulled back. Where the registry keeps no list of what refers to a manifest, the index under its referrers tag gets
//! what it lacks (distribution specification, "Pushing Manifests with Subject"). Nothing of others is taken away: a tag that holds
//! something else is left, and reported.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use serde_json::Value;

use super::{Failed, Taken, Tried, Ways, job::Parcel, push::send_blobs};
use crate::{
    api::Reason,
    chart::{Artifact, with_referrers},
    model::{Descriptor, Digest, Framing, INDEX_TYPE, RepositoryName, Tag},
    net::OpenBody,
    registry::{Cause, Failure, ListedReferrers, Reference, Registry, Stage, Writing, listed},
    remedy::Verdict,
    source::{Attached, Attachment},
    spool::Spooled,
};

/// How often a list of referrers is written, where somebody else writes it at the same time.
const WRITES: usize = 3;
/// How often a registry is asked for its own list, after what refers to a manifest was sent.
const LISTINGS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// A version at a target.
#[derive(Clone, Copy)]
pub(super) struct Version<'a> {
    pub(super) repository: &'a RepositoryName,
    pub(super) tag: &'a Tag,
    /// What its tag holds, or will hold.
    pub(super) manifest: Digest,
}

/// What a registry has of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Has {
    /// All of it.
    Whole,
    /// Under its tag an artifact with all that it has, and more.
    More,
    /// Not all of it; or under its tag one with less.
    Less,
    /// Under its tag something else.
    Other(Digest),
}

/// Brings what belongs to a version to where it is, and proves it.
pub(super) async fn attach(ways: &Ways, parcel: &Parcel<'_>, version: Version<'_>) -> Result<(), Failed> {
    let attached = parcel.attached(version.manifest).await?;
    let attaching = Attaching { ways, parcel, version, taken: Taken::default() };
    attaching.all(&attached).await
}

struct Attaching<'a> {
    ways: &'a Ways,
    parcel: &'a Parcel<'a>,
    version: Version<'a>,
    taken: Taken,
}

impl Attaching<'_> {
    async fn all(&self, attached: &Attached) -> Result<(), Failed> {
        let mut unlisted = BTreeSet::new();
        for attachment in &attached.artifacts {
            if let Some(subject) = self.one(attachment).await? {
                unlisted.insert(subject);
            }
        }
        for (subject, entries) in entries(attached, self.version.manifest) {
            let written = attached.lists.get(&subject);
            self.listed(subject, &entries, unlisted.contains(&subject), written).await?;
        }
        if !attached.artifacts.is_empty() {
            let Version { repository, tag, .. } = self.version;
            tracing::info!(%repository, %tag, artifacts = attached.artifacts.len(), "what belongs to the chart is there, and was pulled back");
        }
        Ok(())
    }

    /// Brings one artifact; what it refers to, where the registry took it and did not say that it lists it.
    async fn one(&self, attachment: &Attachment) -> Result<Option<Digest>, Failed> {
        let repository = self.version.repository;
        let artifact = &attachment.artifact;
        let name = match attachment.reference() {
            Reference::Tag(tag) => format!("{repository}:{tag}"),
            Reference::Digest(digest) => format!("{repository}@{digest}"),
        };
        let _claim = match &attachment.tag {
            Some(tag) => Some(self.ways.claim(repository, tag).await),
            None => None,
        };
        let look = |registry: Registry| async move { Tried::from(has(&registry, repository, attachment).await) };
        let (_, _, found) =
            self.ways.through(&name, 0, |attempt| look(attempt.registry)).await.map_err(|verdict| self.failed(&name, verdict))?;
        match found {
            Has::Whole | Has::More => return Ok(None),
            Has::Other(found) => return Err(self.differs(&name, artifact.digest, found)),
            Has::Less => {}
        }
        let bodies = self.parcel.bodies(attachment).await?;
        let largest = artifact.blobs.iter().map(|blob| blob.size).max().unwrap_or_default().max(1);
        let bodies = &bodies;
        let sent = self.ways.through(&name, largest, |attempt| async move {
            let _turn = self.parcel.stay.turn().await;
            send(&attempt.registry, attempt.tactic.framing, repository, attachment, bodies, &self.taken).await
        });
        let (_, _, subject) = sent.await.map_err(|verdict| self.failed(&name, verdict))?;
        Ok(if subject.is_none() { artifact.subject } else { None })
    }

    /// Sees to it that whoever asks for what refers to `subject` is told of `entries`.
    async fn listed(&self, subject: Digest, entries: &[Value], unlisted: bool, written: Option<&Bytes>) -> Result<(), Failed> {
        let repository = self.version.repository;
        let name = format!("{repository}@{subject}");
        let wanted: BTreeSet<_> = entries.iter().filter_map(|entry| entry.get("digest")?.as_str()?.parse::<Digest>().ok()).collect();
        let mut pause = FIRST_PAUSE;
        let mut keeps_lists = true;
        for asked in 1..=LISTINGS {
            let ask = |registry: Registry| async move { Tried::from(registry.pull().referrers(repository, subject).await) };
            let answered = self.ways.through(&name, 0, |attempt| ask(attempt.registry)).await;
            let (_, _, answered) = answered.map_err(|verdict| self.failed(&name, verdict))?;
            let ListedReferrers::These(answered) = answered else {
                keeps_lists = false;
                break;
            };
            let found: BTreeSet<_> = answered.into_iter().collect();
            if wanted.is_subset(&found) {
                break;
            }
            if asked == LISTINGS {
                return Err(self.unlisted(&name));
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        if keeps_lists && !unlisted && written.is_none() { Ok(()) } else { self.write_list(subject, entries, written).await }
    }

    /// Adds what is lacking to the index under the referrers tag.
    async fn write_list(&self, subject: Digest, entries: &[Value], written: Option<&Bytes>) -> Result<(), Failed> {
        let repository = self.version.repository;
        let tag = &Tag::of_referrers(subject);
        let name = format!("{repository}:{tag}");
        let _claim = self.ways.claim(repository, tag).await;
        for _ in 0..=WRITES {
            let read = |registry: Registry| async move { Tried::from(registry.pull().manifest(repository, tag).await) };
            let before = self.ways.through(&name, 0, |attempt| read(attempt.registry)).await;
            let (_, _, before) = before.map_err(|verdict| self.failed(&name, verdict))?;
            let before = before.as_ref().map(|manifest| manifest.bytes.as_ref());
            let index = match before {
                // As it is at the source, where nothing else is to be said.
                None if written.is_some_and(|written| lists_the_same(written, entries)) => written.cloned(),
                before => with_referrers(before, entries).map_err(|_| self.no_list(&name))?,
            };
            let Some(index) = &index else { return Ok(()) };
            let write = |registry: Registry| async move {
                let writing = Writing { bytes: index, media_type: INDEX_TYPE };
                Tried::from(registry.write(repository, tag.into(), writing).await)
            };
            self.ways.through(&name, 0, |attempt| write(attempt.registry)).await.map_err(|verdict| self.failed(&name, verdict))?;
        }
        Err(self.unlisted(&name))
    }

    fn of(&self, reason: Reason, passing: bool, what: &str) -> Failed {
        let Version { repository, tag, .. } = self.version;
        let sentence = format!(
            "what belongs to `{repository}:{tag}` is not published: {what}. `referrers: false` at the source leaves all such artifacts out"
        );
        Failed { reason, sentence, passing }
    }

    fn failed(&self, name: &str, verdict: Verdict) -> Failed {
        let failed = Failed::from(verdict);
        // It was ended, and nothing is wrong.
        if failed.reason == Reason::Progressing {
            return failed;
        }
        self.of(failed.reason, failed.passing, &format!("`{name}`: {}", failed.sentence.trim_end_matches('.')))
    }

    fn differs(&self, name: &str, wanted: Digest, found: Digest) -> Failed {
        let what = format!(
            "`{name}` holds the manifest {found}, which has something that the source's {wanted} has not; it is left as it is. Delete the \
             tag to have the source's published there"
        );
        self.of(Reason::Drifted, false, &what)
    }

    fn no_list(&self, name: &str) -> Failed {
        let what =
            format!("`{name}` holds no index of what refers to a manifest, as tags of this form do; it is left as it is. Delete the tag");
        self.of(Reason::Drifted, false, &what)
    }

    fn unlisted(&self, name: &str) -> Failed {
        let what = format!(
            "the registry took what refers to `{name}`, and does not list it. Look whether its replicas share their storage, and whether \
             somebody else writes the same list; the next run asks again"
        );
        self.of(Reason::RegistryInconsistent, true, &what)
    }
}

/// What refers to each manifest, as lists name it.
fn entries(attached: &Attached, chart: Digest) -> BTreeMap<Digest, Vec<Value>> {
    let known: BTreeSet<Digest> = attached.artifacts.iter().map(|one| one.artifact.digest).chain([chart]).collect();
    let mut entries: BTreeMap<Digest, Vec<Value>> = attached.lists.keys().map(|subject| (*subject, Vec::new())).collect();
    for artifact in attached.artifacts.iter().map(|one| &one.artifact) {
        if let Some(subject) = artifact.subject.filter(|subject| known.contains(subject)) {
            entries.entry(subject).or_default().push(artifact.entry());
        }
    }
    entries
}

fn lists_the_same(index: &[u8], entries: &[Value]) -> bool {
    let Some(referrers) = listed(index) else { return false };
    let listed: BTreeSet<_> = referrers.iter().map(Digest::to_string).collect();
    listed == entries.iter().filter_map(|entry| Some(entry.get("digest")?.as_str()?.to_owned())).collect()
}

/// Reads what the registry has of an artifact, whole, on a new connection.
async fn has(registry: &Registry, repository: &RepositoryName, attachment: &Attachment) -> Result<Has, Failure> {
    let artifact = &attachment.artifact;
    let mut pull = registry.pull();
    let Some(pulled) = pull.manifest(repository, attachment.reference()).await? else { return Ok(Has::Less) };
    if pulled.digest != artifact.digest {
        let found = Artifact::read(pulled.bytes, pulled.media_type.as_deref());
        return Ok(match (attachment.tag.is_some(), found) {
            (true, Ok(found)) if found.has_all_of(artifact) => Has::More,
            (true, Ok(found)) if !artifact.has_all_of(&found) => Has::Other(pulled.digest),
            (true, Err(_)) => Has::Other(pulled.digest),
            (true, Ok(_)) | (false, _) => Has::Less,
        });
    }
    for Descriptor { digest, size } in &artifact.blobs {
        match pull.blob(repository, *digest, *size).await {
            Ok(()) => {}
            Err(failure) if is_lacking(&failure) => return Ok(Has::Less),
            Err(failure) => return Err(failure),
        }
    }
    Ok(Has::Whole)
}

fn is_lacking(failure: &Failure) -> bool {
    matches!(failure.cause, Cause::Content { .. }) || failure.answer().is_some_and(|answer| answer.status == 404 && answer.from_registry)
}

/// Sends an artifact and pulls it back; what the registry says that it refers to.
async fn send(
    registry: &Registry,
    framing: Framing,
    repository: &RepositoryName,
    attachment: &Attachment,
    bodies: &[Spooled],
    taken: &Taken,
) -> Tried<Option<Digest>> {
    let artifact = &attachment.artifact;
    let blobs = bodies.iter().map(|body| (body as &dyn OpenBody, body.digest()));
    let Tried { result, sent, seen } = send_blobs(registry, framing, repository, blobs, taken).await;
    if let Err(failure) = result {
        return Tried { result: Err(failure), sent, seen };
    }
    let writing = Writing { bytes: &artifact.bytes, media_type: &artifact.media_type };
    let written = registry.write(repository, attachment.reference(), writing).await;
    // It may have been written although no answer came: the pull-back tells.
    if let Some(failure) = written.as_ref().err().filter(|failure| !failure.is_unanswered()) {
        return Tried { result: Err(taken.after(failure.clone())), sent, seen };
    }
    let result = match (written, has(registry, repository, attachment).await) {
        (written, Ok(Has::Whole | Has::More)) => Ok(written.unwrap_or_default()),
        (Err(unanswered), _) => Err(unanswered),
        (Ok(_), Err(failure)) => Err(taken.after(failure)),
        (Ok(_), Ok(_)) => Err(taken.after(lost(artifact.digest))),
    };
    Tried { result, sent, seen }
}

fn lost(digest: Digest) -> Failure {
    let (expected, found) = (format!("the manifest {digest}, whole"), "something else".to_owned());
    Failure::new(Stage::PullManifest, Cause::Content { expected, found })
}
