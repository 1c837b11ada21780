//! Charts in a registry: the tags of each chart's repository are its versions, and what they hold is published as it is.
//!
//! In: a client for the registry, and the path below which the charts lie. Out: an [`Index`] of the tags, and for a version its
//! manifest, config, archive and signature, each of them compared with the digest that leads to it. Nothing is written, and nothing of
//! what the registry says is believed before it is read. Helm's rules for tags: helm.sh, "Registries".

mod error;
mod tags;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::BodyExt;

pub use error::OciError;

use self::error::{named, of_failure};
use super::{
    FetchedChart, Provenance, SourceError,
    helm_repository::{MOST_OF_A_PROVENANCE, read},
    index::{Index, IndexEntry},
};
use crate::{
    chart::{Descriptor, Limits, Original},
    model::{Digest, DigestWriter, RepositoryName, Tag},
    net::OpenBody,
    registry::{Listing, Pull, Registry},
    spool::{Spool, Spooled},
    steps::{Step, enter},
};

/// Repositories that are listed at once.
const LISTS_AT_ONCE: usize = 8;
/// A repository with more tags is refused.
const MOST_TAGS: usize = 100_000;

/// Where charts lie in a registry.
#[derive(Debug, Clone)]
pub struct Place {
    /// As errors name it: `oci://HOST/PREFIX`.
    pub shown: String,
    /// The path below which the charts lie.
    pub prefix: String,
    /// The Secret that the login came from, to be named in a failure.
    pub secret: Option<String>,
}

/// A registry that charts come from.
pub struct Oci {
    registry: Registry,
    place: Place,
    spool: Spool,
    limits: Limits,
}

/// What a registry offers of the charts that are asked for.
#[derive(Debug, Default)]
pub struct Offered {
    /// The versions of each chart that is there.
    pub index: Index,
    /// The charts whose tags could not be had, and why.
    pub refused: BTreeMap<String, SourceError>,
    /// Another one when a tag comes or goes.
    pub revision: Option<Digest>,
}

/// A chart, the spellings that are wanted of it, and its tags.
type Listed<'a> = (&'a String, &'a BTreeSet<String>, Result<BTreeSet<Tag>, SourceError>);

/// What a tag holds, with its config blob: published as both are.
#[derive(Debug, Clone)]
pub struct Copied {
    /// The manifest.
    pub original: Original,
    /// The config blob.
    pub config: Bytes,
}

impl Oci {
    /// Asked through `registry`, which says who we are and what may be dialled.
    pub fn new(registry: Registry, place: Place, spool: Spool, limits: Limits) -> Self {
        Self { registry, place, spool, limits }
    }

    /// The tags of each chart, by one request for each. `asked` has for each chart the spellings of versions that are wanted as they
    /// stand.
    ///
    /// # Errors
    /// [`SourceError`], where the registry does not answer at all. What is wrong with one chart keeps nothing from the others.
    pub async fn offers(&self, asked: &BTreeMap<String, BTreeSet<String>>) -> Result<Offered, SourceError> {
        let _step = enter(Step::AskSource);
        let mut charts = asked.iter();
        let Some((first, spelt)) = charts.next() else { return Ok(Offered::default()) };
        // Alone: where nobody answers, one request finds out.
        let tags = self.tags(first).await;
        if let Err(error) = tags.as_ref()
            && (error.is_passing() || matches!(error, SourceError::Net { .. }))
        {
            return tags.map(|_| Offered::default());
        }
        let rest: Vec<_> = charts.map(|(chart, spelt)| self.listed(chart, spelt)).collect();
        let rest: Vec<_> = futures::stream::iter(rest).buffered(LISTS_AT_ONCE).collect().await;
        let answers = std::iter::once((first, spelt, tags)).chain(rest);
        let (mut offered, mut revision) = (Offered::default(), DigestWriter::default());
        for (chart, spelt, tags) in answers {
            match tags {
                Ok(tags) => {
                    for tag in &tags {
                        revision.update(format!("{chart}:{tag}\n").as_bytes());
                    }
                    let (versions, skipped) = tags::versions(chart, &tags, spelt, &self.place.shown);
                    offered.index.charts.insert(chart.clone(), versions);
                    offered.index.skip(skipped);
                }
                Err(error) => drop(offered.refused.insert(chart.clone(), error)),
            }
        }
        offered.revision = Some(revision.finish().0);
        Ok(offered)
    }

    async fn listed<'a>(&self, chart: &'a String, spelt: &'a BTreeSet<String>) -> Listed<'a> {
        (chart, spelt, self.tags(chart).await)
    }

    async fn tags(&self, chart: &str) -> Result<BTreeSet<Tag>, SourceError> {
        let place = format!("{}/{chart}", self.place.shown);
        let repository = self.repository(chart)?;
        match self.registry.listing(&repository, MOST_TAGS).await {
            Ok(Listing::Tags(tags)) => Ok(tags),
            Ok(Listing::Unknown) => Err(OciError::NoRepository { place }.into()),
            Ok(Listing::TooMany) => Err(OciError::TooManyTags { place, limit: MOST_TAGS }.into()),
            Err(failure) => Err(of_failure(place, self.place.secret.as_deref(), failure)),
        }
    }

    /// What the tag of a version holds now.
    ///
    /// # Errors
    /// [`SourceError`]; [`OciError::NoChart`] where it is none.
    pub async fn original(&self, entry: &IndexEntry) -> Result<Original, SourceError> {
        let _step = enter(Step::AskSource);
        self.manifest(&mut self.registry.read(), entry).await
    }

    /// The digest of what the tag of a version holds now; nothing where that is not known.
    pub async fn digest(&self, entry: &IndexEntry) -> Option<Digest> {
        let _step = enter(Step::AskSource);
        let (repository, tag) = self.names(entry).ok()?;
        match self.registry.manifest_digest(&repository, &tag).await {
            Ok(digest) => digest,
            Err(failure) => {
                tracing::debug!(%repository, %tag, %failure, "the source did not say what its tag holds");
                None
            }
        }
    }

    /// The chart of a version: its manifest, and all that belongs to it.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn chart(&self, entry: &IndexEntry) -> Result<FetchedChart, SourceError> {
        let _step = enter(Step::AskSource);
        let mut pull = self.registry.read();
        let original = self.manifest(&mut pull, entry).await?;
        let archive = self.blob(&mut pull, entry, &original.archive, self.limits.compressed).await?;
        let shown = named(&self.place.shown, entry);
        let content = read(&archive, &self.limits, &shown).await?;
        if content.name != entry.name || content.version != entry.version {
            return Err(OciError::Identity { place: shown.clone(), found: format!("{} {}", content.name, content.version) }.into());
        }
        let config = self.small_blob(&mut pull, entry, &original.config, self.limits.file).await?;
        let provenance = match &original.provenance {
            None => Provenance::Missing(format!("the manifest of `{shown}` has no layer with one")),
            Some(signature) => Provenance::Here(self.small_blob(&mut pull, entry, signature, MOST_OF_A_PROVENANCE).await?),
        };
        Ok(FetchedChart { content, archive, provenance, copied: Some(Copied { original, config }) })
    }

    async fn manifest(&self, pull: &mut Pull<'_>, entry: &IndexEntry) -> Result<Original, SourceError> {
        let (repository, tag) = self.names(entry)?;
        let place = named(&self.place.shown, entry);
        let pulled = pull.manifest(&repository, &tag).await;
        let pulled = pulled.map_err(|failure| of_failure(place.clone(), self.place.secret.as_deref(), failure))?;
        let Some(pulled) = pulled else { return Err(OciError::NoManifest { place }.into()) };
        if let Some(promised) = pulled.named.filter(|named| *named != pulled.digest) {
            let what = "the manifest".to_owned();
            return Err(OciError::Digest { place, what, found: pulled.digest.to_string(), promised: promised.to_string() }.into());
        }
        Original::read(pulled.bytes).map_err(|cause| OciError::NoChart { place, cause }.into())
    }

    /// A blob that is read into memory.
    async fn small_blob(&self, pull: &mut Pull<'_>, entry: &IndexEntry, blob: &Descriptor, limit: u64) -> Result<Bytes, SourceError> {
        let spooled = self.blob(pull, entry, blob, limit).await?;
        Ok(spooled.open(0).collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default())
    }

    /// A blob whole, with the length and the digest that the manifest names.
    async fn blob(&self, pull: &mut Pull<'_>, entry: &IndexEntry, blob: &Descriptor, limit: u64) -> Result<Spooled, SourceError> {
        let (repository, _) = self.names(entry)?;
        let place = || named(&self.place.shown, entry);
        let failed = |failure| of_failure(place(), self.place.secret.as_deref(), failure);
        let full = |cause| SourceError::Spool { url: place(), cause };
        let differs = |found: String| {
            let (what, promised) = (format!("the blob {}", blob.digest), format!("{} bytes of that digest", blob.size));
            OciError::Digest { place: place(), what, found, promised }
        };
        let mut writer = self.spool.writer(Some(blob.size), limit).await.map_err(full)?;
        let mut opened = pull.open(&repository, blob.digest).await.map_err(failed)?;
        let mut length = 0;
        while let Some(piece) = opened.next().await.map_err(failed)? {
            length += piece.len() as u64;
            if length > blob.size {
                return Err(differs("more bytes".to_owned()).into());
            }
            writer.write(&piece).await.map_err(full)?;
        }
        pull.close(opened);
        let spooled = writer.finish().await.map_err(full)?;
        if (spooled.length(), spooled.digest()) != (blob.size, blob.digest) {
            return Err(differs(format!("{length} bytes with {}", spooled.digest())).into());
        }
        Ok(spooled)
    }

    fn repository(&self, chart: &str) -> Result<RepositoryName, SourceError> {
        let invalid = |error: crate::model::InvalidName| OciError::Name { chart: chart.to_owned(), cause: error.to_string() };
        Ok(RepositoryName::below(&self.place.prefix, chart).map_err(invalid)?)
    }

    fn names(&self, entry: &IndexEntry) -> Result<(RepositoryName, Tag), SourceError> {
        let repository = self.repository(&entry.name)?;
        let tag =
            Tag::of_version(&entry.version).map_err(|error| OciError::Name { chart: entry.name.clone(), cause: error.to_string() })?;
        Ok((repository, tag))
    }
}
