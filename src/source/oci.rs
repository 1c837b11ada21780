//! Charts in a registry: the tags of each chart's repository are its versions, and what they hold is published as it is.
//!
//! In: a client for the registry, and the path below which the charts lie. Out: an [`Index`] of the tags, and for a version its
//! manifest, config, archive and signature, each of them compared with the digest that leads to it; and what belongs to it. Nothing is
//! written, and nothing of what the registry says is believed before it is read. Helm's rules for tags: helm.sh, "Registries".

mod attached;
mod attached_error;
mod by_index;
mod elsewhere;
mod error;
mod pinned;
mod tags;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::BodyExt;
use serde::Deserialize;

pub use attached::{Attached, Attachment};
pub use attached_error::AttachedError;
pub(super) use by_index::named_by_index;
pub use error::OciError;
pub use pinned::Pick;

use self::{
    error::{named, of_failure},
    pinned::Pinned,
};
use super::{
    FetchedChart, Provenance, SourceError, cure,
    helm_repository::{MOST_OF_A_PROVENANCE, SMALL_PROVENANCE, read},
    index::{Index, IndexEntry},
};
use crate::{
    chart::{ChartContent, Limits, Original},
    model::{Descriptor, Digest, DigestWriter, Origin, RepositoryName, Tag},
    net::OpenBody,
    registry::{Listing, OpenedBlob, Pull, Reference, Registry},
    spool::{Spool, SpoolWriter, Spooled},
    steps::{Step, enter},
};

/// Repositories that are listed at once.
const LISTS_AT_ONCE: usize = 8;
/// A repository with more tags is refused, and so is one that has more than those before it leave, of the charts that are asked for.
const MOST_TAGS: usize = 100_000;

/// Where charts lie in a registry.
#[derive(Debug, Clone)]
pub struct Place {
    /// As errors name it: `oci://HOST/PREFIX`, or `oci://HOST/REPOSITORY` of one chart.
    pub shown: String,
    /// The path below which the charts lie.
    pub prefix: String,
    /// Who reads there.
    pub reader: Reader,
    /// Whether it is asked by TLS.
    pub tls: bool,
    /// The proxy that plain HTTP is asked of, as sentences name it: what it answers itself cannot be told from what the registry does.
    pub proxy: Option<String>,
    /// Whether what belongs to a chart comes along.
    pub referrers: bool,
}

/// Who reads a registry, as failures have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// Somebody, whose login came from what sentences name so.
    LoggedIn(String),
    /// Nobody; this is how a login is given, as the end of a sentence.
    Nobody(String),
}

/// A registry that charts come from.
pub struct Oci {
    registry: Registry,
    place: Place,
    spool: Spool,
    limits: Limits,
    /// The tags of what belongs to manifests, by their charts.
    listed: BTreeMap<String, BTreeSet<Tag>>,
    /// Repositories of which the registry has said that it does not know the path of lists of what refers to a manifest.
    without_lists: Mutex<BTreeSet<RepositoryName>>,
    /// The one chart, where it is one.
    pinned: Option<Pinned>,
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

/// A repository, and what is read of it as errors name it.
pub(super) type At<'a> = (&'a RepositoryName, &'a str);

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
        Self { registry, place, spool, limits, listed: BTreeMap::new(), without_lists: Mutex::default(), pinned: None }
    }

    /// The tags of each chart, by one request for each. `asked` has for each chart the spellings of versions that are wanted as they
    /// stand.
    ///
    /// # Errors
    /// [`SourceError`], where the registry does not answer at all. What is wrong with one chart keeps nothing from the others.
    pub async fn offers(&mut self, asked: &BTreeMap<String, BTreeSet<String>>) -> Result<Offered, SourceError> {
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
        let rest: Vec<_> = charts.map(|(chart, spelt)| self.tags_of(chart, spelt)).collect();
        let first = futures::stream::once(std::future::ready((first, spelt, tags)));
        let mut answers = first.chain(futures::stream::iter(rest).buffered(LISTS_AT_ONCE));
        let (mut offered, mut revision) = (Offered::default(), DigestWriter::default());
        let (mut listed, mut left) = (BTreeMap::new(), MOST_TAGS);
        while let Some((chart, spelt, tags)) = answers.next().await {
            match tags {
                Ok(tags) if tags.len() > left => {
                    let place = format!("{}/{chart}", self.place.shown);
                    offered.refused.insert(chart.clone(), OciError::TooManyTogether { place, limit: MOST_TAGS }.into());
                }
                Ok(mut tags) => {
                    left -= tags.len();
                    for tag in &tags {
                        revision.update(format!("{chart}:{tag}\n").as_bytes());
                    }
                    let (versions, skipped) = tags::versions(chart, &tags, spelt, &self.place);
                    offered.index.charts.insert(chart.clone(), versions);
                    offered.index.skip(skipped);
                    tags.retain(|tag| tag.attached_to().is_some());
                    listed.insert(chart.clone(), tags);
                }
                Err(error) => drop(offered.refused.insert(chart.clone(), error)),
            }
        }
        drop(answers);
        self.listed = listed;
        offered.revision = Some(revision.finish().0);
        Ok(offered)
    }

    async fn tags_of<'a>(&self, chart: &'a String, spelt: &'a BTreeSet<String>) -> Listed<'a> {
        (chart, spelt, self.tags(chart).await)
    }

    async fn tags(&self, chart: &str) -> Result<BTreeSet<Tag>, SourceError> {
        self.listing(&format!("{}/{chart}", self.place.shown), &self.repository(chart)?).await
    }

    /// The tags of a repository; `place` names it in errors.
    async fn listing(&self, place: &str, repository: &RepositoryName) -> Result<BTreeSet<Tag>, SourceError> {
        let place = place.to_owned();
        match self.registry.listing(repository, MOST_TAGS).await {
            Ok(Listing::Tags(tags)) => Ok(tags),
            Ok(Listing::Unknown) => Err(OciError::NoRepository { place }.into()),
            Ok(Listing::TooMany) => Err(OciError::TooManyTags { place, limit: MOST_TAGS }.into()),
            Err(failure) => Err(of_failure(place, &self.place, failure)),
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
        // What is held fast does not move.
        if let Some(pinned) = &self.pinned {
            return Some(pinned.digest);
        }
        match self.registry.manifest_digest(&repository, (&tag).into()).await {
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
        let shown = named(&self.place.shown, entry);
        let (repository, _) = self.names(entry)?;
        let by = if self.pinned.is_some() { "its config says" } else { "its repository and tag say" };
        self.whole(&mut pull, (&repository, shown.as_str()), original, (entry, by)).await
    }

    /// The chart that something else says is `entry`, at a place that it names.
    pub(super) async fn chart_at(
        &self,
        at: At<'_>,
        reference: Reference<'_>,
        promised: (&IndexEntry, &'static str),
    ) -> Result<FetchedChart, SourceError> {
        let _step = enter(Step::AskSource);
        let (repository, shown) = at;
        let mut pull = self.registry.read();
        let original = self.pinned_manifest(&mut pull, repository, reference, shown).await?;
        self.whole(&mut pull, at, original, promised).await
    }

    /// All that a manifest names; `promised` is which chart that should be, and what says so.
    async fn whole(
        &self,
        pull: &mut Pull<'_>,
        at: At<'_>,
        original: Original,
        (entry, by): (&IndexEntry, &'static str),
    ) -> Result<FetchedChart, SourceError> {
        let shown = at.1;
        self.check_sizes(&original, shown)?;
        let archive = self.blob(pull, at, &original.archive, self.limits.compressed).await?;
        let content = read(&archive, &self.limits, shown).await?;
        if content.name != entry.name || content.version != entry.version {
            let found = format!("{} {}", content.name, content.version);
            return Err(OciError::Identity { found, place: shown.to_owned(), by }.into());
        }
        let config = self.config(pull, at, &original.config, &content).await?;
        let provenance = match &original.provenance {
            None => Provenance::Missing(format!("the manifest of `{shown}` has no layer with one")),
            Some(signature) => Provenance::Here(self.small_blob(pull, at, signature).await?),
        };
        Ok(FetchedChart { content, archive, provenance, copied: Some(Copied { original, config }) })
    }

    /// The config blob. Where it is what Helm makes of this archive, byte for byte, there is nothing to ask for.
    async fn config(&self, pull: &mut Pull<'_>, at: At<'_>, blob: &Descriptor, content: &ChartContent) -> Result<Bytes, SourceError> {
        let made = &content.config;
        if (made.len() as u64, Digest::of(made)) == (blob.size, blob.digest) {
            return Ok(made.clone());
        }
        let config = self.small_blob(pull, at, blob).await?;
        check_config(&config, content, at.1)?;
        Ok(config)
    }

    async fn manifest(&self, pull: &mut Pull<'_>, entry: &IndexEntry) -> Result<Original, SourceError> {
        let (repository, tag) = self.names(entry)?;
        let place = named(&self.place.shown, entry);
        if let Some(pinned) = &self.pinned {
            return self.pinned_manifest(pull, &repository, pinned.digest.into(), &place).await;
        }
        let Some(bytes) = self.pulled(pull, &repository, Reference::Tag(&tag), &place).await? else {
            return Err(OciError::NoManifest { place }.into());
        };
        Original::read(bytes).map_err(|cause| OciError::NoChart { place, cause }.into())
    }

    /// The bytes of a manifest, which are what they were asked for; nothing where there is none. `place` is where, as errors name it.
    async fn pulled(
        &self,
        pull: &mut Pull<'_>,
        repository: &RepositoryName,
        reference: Reference<'_>,
        place: &str,
    ) -> Result<Option<Bytes>, SourceError> {
        let pulled = pull.manifest(repository, reference).await;
        let pulled = pulled.map_err(|failure| of_failure(place.to_owned(), &self.place, failure))?;
        match pulled.as_ref().and_then(|pulled| Some((pulled, pulled.broken_promise(reference)?))) {
            Some((pulled, promised)) => {
                let (place, what) = (place.to_owned(), of_whom("the manifest", pulled.elsewhere.as_ref()));
                Err(OciError::Digest { place, what, found: pulled.digest.to_string(), promised: promised.to_string() }.into())
            }
            None => Ok(pulled.map(|pulled| pulled.bytes)),
        }
    }

    /// What is read into memory has a limit of its own each, which the sentence of an archive's would not name.
    fn check_sizes(&self, original: &Original, place: &str) -> Result<(), OciError> {
        let check = |what, blob: &Descriptor, limit, cure: String| match blob.size {
            size if size > limit => Err(OciError::BlobTooLarge { place: place.to_owned(), what, size, limit, cure }),
            _ => Ok(()),
        };
        check("its config", &original.config, self.limits.file, cure::raised("push the chart there again", cure::MOST_OF_A_FILE))?;
        let of_provenance = |signature| check("its provenance", signature, MOST_OF_A_PROVENANCE, SMALL_PROVENANCE.to_owned());
        original.provenance.as_ref().map_or(Ok(()), of_provenance)
    }

    /// A blob that is read into memory, of a size that was [checked](Self::check_sizes). No room is awaited: who waits while its archive
    /// lies in the spool keeps others waiting.
    async fn small_blob(&self, pull: &mut Pull<'_>, at: At<'_>, blob: &Descriptor) -> Result<Bytes, SourceError> {
        let full = |cause| SourceError::Spool { url: at.1.to_owned(), cause };
        let writer = self.spool.writer(None, blob.size).await.map_err(full)?;
        let spooled = self.spooled(writer, pull, at, blob).await?;
        Ok(spooled.open(0).collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default())
    }

    /// A blob whole, with the length and the digest that the manifest names.
    async fn blob(&self, pull: &mut Pull<'_>, at: At<'_>, blob: &Descriptor, limit: u64) -> Result<Spooled, SourceError> {
        let full = |cause| SourceError::Spool { url: at.1.to_owned(), cause };
        let writer = self.spool.writer(Some(blob.size), limit).await.map_err(full)?;
        self.spooled(writer, pull, at, blob).await
    }

    async fn spooled(&self, mut writer: SpoolWriter, pull: &mut Pull<'_>, at: At<'_>, blob: &Descriptor) -> Result<Spooled, SourceError> {
        let (repository, shown) = at;
        let place = || shown.to_owned();
        let failed = |failure| of_failure(place(), &self.place, failure);
        let full = |cause| SourceError::Spool { url: place(), cause };
        let differs = |opened: &OpenedBlob, found: String| {
            let what = of_whom(&format!("the blob {}", blob.digest), opened.elsewhere());
            OciError::Digest { place: place(), what, found, promised: format!("{} bytes of that digest", blob.size) }
        };
        let mut opened = pull.open(repository, blob.digest).await.map_err(failed)?;
        let mut length = 0;
        while let Some(piece) = opened.next().await.map_err(failed)? {
            length += piece.len() as u64;
            if length > blob.size {
                return Err(differs(&opened, "more bytes".to_owned()).into());
            }
            writer.write(&piece).await.map_err(full)?;
        }
        let spooled = writer.finish().await.map_err(full)?;
        if (spooled.length(), spooled.digest()) != (blob.size, blob.digest) {
            return Err(differs(&opened, format!("{length} bytes with {}", spooled.digest())).into());
        }
        pull.close(opened);
        Ok(spooled)
    }

    fn repository(&self, chart: &str) -> Result<RepositoryName, SourceError> {
        let invalid = |error: crate::model::InvalidName| OciError::Name { chart: chart.to_owned(), cause: error.to_string() };
        Ok(RepositoryName::below(&self.place.prefix, chart).map_err(invalid)?)
    }

    /// The repository of a chart, as errors name it.
    fn shown(&self, entry: &IndexEntry) -> String {
        if self.pinned.is_some() { self.place.shown.clone() } else { format!("{}/{}", self.place.shown, entry.name) }
    }

    fn names(&self, entry: &IndexEntry) -> Result<(RepositoryName, Tag), SourceError> {
        let repository = match &self.pinned {
            Some(pinned) => pinned.repository.clone(),
            None => self.repository(&entry.name)?,
        };
        let tag =
            Tag::of_version(&entry.version).map_err(|error| OciError::Name { chart: entry.name.clone(), cause: error.to_string() })?;
        Ok((repository, tag))
    }
}

/// What came, and from where, if not from the registry itself.
fn of_whom(what: &str, elsewhere: Option<&Origin>) -> String {
    elsewhere.map_or_else(|| what.to_owned(), |origin| format!("{what} from `{origin}`, where the registry leads,"))
}

/// What helm shows of a chart before it has the archive. Some tools leave names out of it.
fn check_config(config: &[u8], content: &ChartContent, place: &str) -> Result<(), OciError> {
    #[derive(Deserialize)]
    struct Named {
        name: Option<String>,
        version: Option<String>,
    }
    let place = place.to_owned();
    let named: Named = match serde_json::from_slice(config) {
        Ok(named) => named,
        Err(error) => return Err(OciError::NoIdentity { place, cause: format!("it is no JSON that Helm reads: {error}") }),
    };
    let has_name = named.name.is_none_or(|name| name == content.name);
    let has_version = named.version.is_none_or(|version| version == content.version.as_str());
    if has_name && has_version {
        return Ok(());
    }
    Err(OciError::Identity { place, found: format!("{} {}", content.name, content.version), by: "its config says" })
}
