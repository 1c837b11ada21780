//! Manifests: read and written by tag or digest (distribution specification, "Pulling manifests", "Pushing manifests").

use std::{fmt, sync::LazyLock};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use oci_client::manifest::{OciDescriptor, OciImageManifest};

use super::{
    Cause, Failure, Registry, Stage,
    exchange::{Call, Line},
    trail::Trail,
};
use crate::{
    model::{Descriptor, Digest, MANIFEST_TYPES, Origin, RepositoryName, Tag},
    net::Reuse,
};

/// All that a tag may hold: without it, distribution answers 404 for a manifest that is there.
static ACCEPTED: LazyLock<String> = LazyLock::new(|| MANIFEST_TYPES.join(", "));
/// Distribution specification: a registry should take at least 4 MB.
const MOST_OF_A_MANIFEST: usize = 4 << 20;

/// What a manifest is read or written by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// Its name.
    Tag(&'a Tag),
    /// Its content.
    Digest(Digest),
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(formatter),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

impl<'a> From<&'a Tag> for Reference<'a> {
    fn from(tag: &'a Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Reference<'_> {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

/// A manifest that is to be written as it is.
#[derive(Debug, Clone, Copy)]
pub struct Writing<'a> {
    /// Its bytes.
    pub bytes: &'a Bytes,
    /// What they are.
    pub media_type: &'a str,
}

/// A manifest as it came: the digest is that of its bytes, whatever a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledManifest {
    /// Its bytes.
    pub bytes: Bytes,
    /// Of its bytes.
    pub digest: Digest,
    /// What the registry calls it (`Docker-Content-Digest`).
    pub named: Option<Digest>,
    /// What the registry says that it is (`Content-Type`, without parameters).
    pub media_type: Option<String>,
    /// Who gave it, where the registry led to another server.
    pub elsewhere: Option<Origin>,
}

impl PulledManifest {
    /// What it should be where it is something else: by the digest that it was asked for, or else by what the registry calls it.
    pub fn broken_promise(&self, asked: Reference<'_>) -> Option<Digest> {
        let promised = match asked {
            Reference::Digest(digest) => Some(digest),
            Reference::Tag(_) => self.named,
        };
        promised.filter(|promised| *promised != self.digest)
    }

    /// The layer `archive`, then the other layers and the config; nothing when it is no image manifest that has this layer, or names a
    /// blob that cannot be read.
    pub fn blobs_from(&self, archive: Digest) -> Option<Vec<Descriptor>> {
        let manifest: OciImageManifest = serde_json::from_slice(&self.bytes).ok()?;
        let mut blobs = manifest.layers.iter().map(described).collect::<Option<Vec<_>>>()?;
        blobs.sort_by_key(|layer| layer.digest != archive);
        blobs.first().filter(|layer| layer.digest == archive)?;
        blobs.push(described(&manifest.config)?);
        Some(blobs)
    }
}

fn described(blob: &OciDescriptor) -> Option<Descriptor> {
    Some(Descriptor { digest: blob.digest.parse().ok()?, size: u64::try_from(blob.size).ok()? })
}

impl Registry {
    /// What `reference` holds, as a look before a push; nothing when it does not exist. [`super::Pull`] reads it as proof.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::ReadManifest`].
    pub async fn manifest<'a>(
        &self,
        repository: &RepositoryName,
        reference: impl Into<Reference<'a>>,
    ) -> Result<Option<PulledManifest>, Failure> {
        read_manifest(&mut Line::new(self, Reuse::Idle), repository, reference.into(), Stage::ReadManifest).await
    }

    /// The digest of what `reference` holds, as the registry names it, asked by `HEAD`: some count a `GET` against a limit. Of one that names
    /// none it is read; nothing when it does not exist.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::ReadManifest`].
    pub async fn manifest_digest(&self, repository: &RepositoryName, reference: Reference<'_>) -> Result<Option<Digest>, Failure> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let mut line = Line::new(self, Reuse::Idle);
        let call = Call { accept: Some(&*ACCEPTED), ..Call::new(Stage::ReadManifest, Method::HEAD, repository, &path) };
        let mut answered = line.ask(&call).await?;
        let status = answered.head.status;
        let named = named(&answered.head.headers);
        let read = answered.bounded(0).await;
        read.map_err(|error| Failure::new(Stage::ReadManifest, error))?;
        line.done(answered);
        match (status, named) {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (StatusCode::OK, Some(named)) => Ok(Some(named)),
            _ => Ok(self.manifest(repository, reference).await?.map(|manifest| manifest.digest)),
        }
    }

    /// Writes a manifest as it is; under a tag, that is the moment at which something becomes visible. Of one that refers to another: what the registry says that it refers to (`OCI-Subject`); nothing where
    /// it keeps no list of such manifests by itself (distribution specification, "Pushing Manifests with Subject").
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::WriteManifest`].
    pub async fn write(
        &self,
        repository: &RepositoryName,
        reference: Reference<'_>,
        manifest: Writing<'_>,
    ) -> Result<Option<Digest>, Failure> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let mut line = Line::new(self, Reuse::Idle);
        let call = Call {
            content_type: Some(manifest.media_type),
            body: manifest.bytes,
            ..Call::new(Stage::WriteManifest, Method::PUT, repository, &path)
        };
        let mut answered = line.ask(&call).await?;
        if !matches!(answered.head.status.as_u16(), 200..=204) {
            return Err(line.refused(&call, answered).await);
        }
        let subject = digest_in(&answered.head.headers, "oci-subject");
        let read = answered.bounded(MOST_OF_A_MANIFEST).await;
        read.map_err(|error| Failure::new(Stage::WriteManifest, error))?;
        line.done(answered);
        Ok(subject)
    }
}

/// What `reference` holds; nothing when it does not exist.
pub(super) async fn read_manifest(
    line: &mut Line<'_>,
    repository: &RepositoryName,
    reference: Reference<'_>,
    stage: Stage,
) -> Result<Option<PulledManifest>, Failure> {
    let mut trail = Trail::new(format!("/v2/{repository}/manifests/{reference}"));
    let call = Call { accept: Some(&*ACCEPTED), ..Call::new(stage, Method::GET, repository, "") };
    let mut answered = trail.ask(line, &call).await?;
    if answered.head.status != StatusCode::OK {
        let failure = trail.refused(line, &call, answered).await;
        return if is_absent(&failure) { Ok(None) } else { Err(failure) };
    }
    let (bytes, more) = answered.bounded(MOST_OF_A_MANIFEST).await.map_err(|error| trail.failed(stage, error))?;
    if more {
        return Err(Failure::new(stage, Cause::TooLarge { what: "the manifest", limit: MOST_OF_A_MANIFEST as u64 }));
    }
    let (named, media_type) = (named(&answered.head.headers), media_type(&answered.head.headers));
    line.done(answered);
    let elsewhere = trail.elsewhere().cloned();
    Ok(Some(PulledManifest { digest: Digest::of(&bytes), bytes: bytes.into(), named, media_type, elsewhere }))
}

fn named(headers: &HeaderMap) -> Option<Digest> {
    digest_in(headers, "docker-content-digest")
}

fn digest_in(headers: &HeaderMap, field: &str) -> Option<Digest> {
    headers.get(field).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// `Content-Type` without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

pub(super) fn is_absent(failure: &Failure) -> bool {
    failure.answer().is_some_and(|answer| {
        let named = answer.codes.iter().any(|code| matches!(code.as_str(), "MANIFEST_UNKNOWN" | "NAME_UNKNOWN" | "NOT_FOUND"));
        answer.status == 404 && (answer.from_registry || named)
    })
}
