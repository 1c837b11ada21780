//! An HTTP Helm repository: its index, asked for only when it has changed, and the archives that it names.

use http_body_util::BodyExt;
use url::Url;

use super::{
    Access, FetchedChart, Fetcher, Promise, Provenance, Registries, SourceError, Validators, cure,
    fetch::{Fetched, Most, shown, shown_text},
    index::{self, Index, IndexEntry, Wishes},
};
use crate::{
    chart::{self, Limits},
    model::{Digest, DigestWriter, Origin},
    net::OpenBody,
    provenance,
    spool::Spooled,
};

/// A signature is a few KiB.
pub(super) const MOST_OF_A_PROVENANCE: u64 = provenance::MOST as u64;
pub(super) const SMALL_PROVENANCE: &str = "`helm package --sign` makes one of a few KiB";

/// What was read of an index.
#[derive(Debug)]
pub struct IndexSnapshot {
    /// The digest of the whole index.
    pub revision: Digest,
    /// The charts that were asked for, by one or by several.
    pub index: Index,
    wishes: Wishes,
}

impl IndexSnapshot {
    /// Whether it says of all that is wished for what the index says.
    pub(super) fn covers(&self, wishes: &Wishes) -> bool {
        self.wishes.include(wishes)
    }
}

/// An HTTP Helm repository.
pub struct HelmRepository {
    url: Url,
    home: Origin,
    passes_credentials: bool,
    access: Access,
    fetcher: Fetcher,
    limits: Limits,
    index_limits: index::IndexLimits,
    registries: Registries,
}

impl HelmRepository {
    /// At `url`.
    ///
    /// # Errors
    /// [`SourceError::Address`].
    pub fn new(url: &str, access: Access, fetcher: Fetcher, limits: Limits, index_limits: index::IndexLimits) -> Result<Self, SourceError> {
        let mut url = super::fetch::parsed(url)?;
        // A base without a slash at its end would lose its last part when an address is resolved against it.
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let home = Origin::try_from(&url).map_err(|error| SourceError::Address { url: shown(&url), detail: error.to_string() })?;
        let registries = Registries::default();
        Ok(Self { url, home, passes_credentials: false, access, fetcher, limits, index_limits, registries })
    }

    /// With the registries that its index names archives in.
    #[must_use]
    pub fn with_registries(self, registries: Registries) -> Self {
        Self { registries, ..self }
    }

    /// Where the source's own login goes.
    pub fn home(&self) -> &Origin {
        &self.home
    }

    /// Whether the credential also goes to other hosts that the index names, as with Helm's `--pass-credentials`.
    #[must_use]
    pub fn passing_credentials(self, passes_credentials: bool) -> Self {
        Self { passes_credentials, ..self }
    }

    /// Where the credential goes for `url`: never out of TLS into plain HTTP.
    fn home_of(&self, url: &Url) -> Origin {
        let other = Origin::try_from(url).ok().filter(|origin| self.passes_credentials && origin.scheme >= self.home.scheme);
        other.unwrap_or_else(|| self.home.clone())
    }

    /// What two must have in common to share what was read of an index: its address, who asks, whom they trust, by which proxy, and how
    /// long they wait: nobody waits longer for what another one asks than he would himself.
    pub(super) fn key(&self) -> Digest {
        let mut writer = DigestWriter::default();
        writer.update(self.index_url().as_str().as_bytes());
        writer.update(&self.access.patience.stall.as_nanos().to_be_bytes());
        writer.update(self.access.tls.fingerprint().to_string().as_bytes());
        if let Some(credential) = &self.access.credential {
            writer.update(credential.fingerprint().to_string().as_bytes());
        }
        if let Some(proxy) = &self.access.proxy {
            writer.update(proxy.fingerprint().to_string().as_bytes());
        }
        writer.finish().0
    }

    fn index_url(&self) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}index.yaml", self.url.path()));
        url
    }

    /// The bytes of the index; with `known` only when they are others.
    pub(super) async fn fetch_index(&self, known: Option<&Validators>) -> Result<Fetched, SourceError> {
        let most = most_of_an_index(&self.index_limits);
        self.fetcher.get(&self.access, &self.home, &self.index_url(), known, &most).await
    }

    /// What `body` says of what is wished for.
    pub(super) async fn parse_index(&self, body: &Spooled, wishes: Wishes) -> Result<IndexSnapshot, SourceError> {
        let (reader, limits, revision) = (body.reader(), self.index_limits.clone(), body.digest());
        let parse = move || index::parse(reader, &wishes, &limits).map(|index| IndexSnapshot { revision, index, wishes });
        blocking(parse).await.map_err(|cause| SourceError::Index { url: self.access.shown(&self.index_url()), cause })
    }

    /// The server says that nothing has changed, of which it was not asked.
    pub(super) fn unchanged_without_reason(&self) -> SourceError {
        SourceError::unasked_304(self.access.shown(&self.index_url()))
    }

    /// The chart of an entry: from the first of its addresses that works, with the digest that the index promises.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn chart(&self, entry: &IndexEntry) -> Result<FetchedChart, SourceError> {
        let mut failure = None;
        for address in &entry.urls {
            match self.chart_at(entry, address).await {
                Ok(chart) => return Ok(chart),
                Err(error) => failure = Some(failure.unwrap_or(error)),
            }
        }
        let none = || SourceError::Address { url: shown(&self.url), detail: format!("`{}` has no address", entry.named()) };
        Err(failure.unwrap_or_else(none))
    }

    async fn chart_at(&self, entry: &IndexEntry, address: &str) -> Result<FetchedChart, SourceError> {
        let invalid = |detail: String| SourceError::ArchiveAddress { url: shown_text(address), chart: entry.named(), detail };
        let mut url = self.url.join(address).map_err(|error| invalid(error.to_string()))?;
        if let Some(fetched) = self.registries.chart(entry, &url, &self.access.shown(&url)).await {
            return fetched;
        }
        // As Helm does: what the repository's own address carries (a signature, say) goes to the archives of the same host too.
        if url.query().is_none() && Origin::try_from(&url).is_ok_and(|origin| origin == self.home) {
            url.set_query(self.url.query());
        }
        let home = self.home_of(&url);
        let archive = download(&self.fetcher, &self.access, &home, &url, &most_of_an_archive(&self.limits)).await;
        let elsewhere = Origin::try_from(&url).is_ok_and(|origin| origin != home).then_some(self.passes_credentials);
        let archive = archive.map_err(|error| named_by_index(error, entry, elsewhere))?;
        if let Some(promised) = entry.digest.filter(|promised| *promised != archive.digest()) {
            return Err(SourceError::Digest { url: self.access.shown(&url), found: archive.digest(), promised, by: Promise::Index });
        }
        let content = read(&archive, &self.limits, &self.access.shown(&url)).await?;
        if content.name != entry.name || content.version != entry.version {
            let found = format!("{} {}", content.name, content.version);
            return Err(SourceError::Identity { url: self.access.shown(&url), found, promised: entry.named() });
        }
        let provenance = beside(&self.fetcher, &self.access, &home, &url).await?;
        Ok(FetchedChart { content, archive, provenance, copied: None })
    }
}

/// Who reads the spec has not named the address of an archive: the index has. Where it is one that the login does not go to, whether it would
/// be passed to another host.
fn named_by_index(error: SourceError, entry: &IndexEntry, elsewhere: Option<bool>) -> SourceError {
    match (error, elsewhere) {
        (SourceError::Unauthorized { url, answer, giver }, Some(passes_credentials)) => match giver.named() {
            Some(giver) => SourceError::Withheld { url, answer, giver, cure: cure::of_withheld(passes_credentials) },
            None if passes_credentials => SourceError::Unauthorized { url, answer, giver },
            None => SourceError::Unauthorized { url, answer, giver: giver.passed() },
        },
        (SourceError::NotFound { url, status }, _) => SourceError::ArchiveMissing { url, chart: entry.named(), status },
        (SourceError::Address { url, detail }, _) => SourceError::ArchiveAddress { url, chart: entry.named(), detail },
        (other, _) => other,
    }
}

fn most_of_an_index(limits: &index::IndexLimits) -> Most {
    Most { bytes: limits.bytes, cure: cure::raised(cure::SMALLER_INDEX, cure::MOST_OF_AN_INDEX) }
}

pub(super) fn most_of_an_archive(limits: &Limits) -> Most {
    Most { bytes: limits.compressed, cure: cure::raised(cure::SMALLER_CHART, cure::MOST_OF_AN_ARCHIVE) }
}

pub(super) async fn download(fetcher: &Fetcher, access: &Access, home: &Origin, url: &Url, most: &Most) -> Result<Spooled, SourceError> {
    match fetcher.get(access, home, url, None, most).await? {
        Fetched::New(body, _) => Ok(body),
        Fetched::Unchanged => Err(SourceError::unasked_304(access.shown(url))),
    }
}

/// The `.prov` beside an archive: the archive's address with `.prov` at its end. Most charts have none. A server that does not say whether
/// there is one has failed.
pub(super) async fn beside(fetcher: &Fetcher, access: &Access, home: &Origin, url: &Url) -> Result<Provenance, SourceError> {
    let mut url = url.clone();
    url.set_path(&format!("{}.prov", url.path()));
    let most = Most { bytes: MOST_OF_A_PROVENANCE, cure: SMALL_PROVENANCE.to_owned() };
    let body = match download(fetcher, access, home, &url, &most).await {
        Ok(body) => body,
        Err(error) => {
            let place = access.shown(&url);
            return match (error.absence(), error.excess()) {
                (Some(status), _) => Ok(Provenance::Missing(format!("the server answers {status} for `{place}`"))),
                (_, Some(limit)) => Ok(Provenance::Missing(format!("what the server has at `{place}` is larger than {limit} bytes"))),
                (None, None) => Err(error),
            };
        }
    };
    let bytes = body.open(0).collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    // Servers that answer every address with a page do not have a signature there.
    if is_provenance(&bytes) {
        Ok(Provenance::Here(bytes))
    } else {
        Ok(Provenance::Missing(format!("what the server has at `{}` is something else", access.shown(&url))))
    }
}

/// Whether it begins as what `helm package --sign` makes.
pub(super) fn is_provenance(bytes: &[u8]) -> bool {
    bytes.starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----")
}

pub(super) async fn read(archive: &Spooled, limits: &Limits, name: &str) -> Result<chart::ChartContent, SourceError> {
    content(archive, limits).await.map_err(|cause| SourceError::Chart { url: name.to_owned(), cause })
}

pub(super) async fn content(archive: &Spooled, limits: &Limits) -> Result<chart::ChartContent, chart::ChartError> {
    let (reader, limits) = (archive.reader(), limits.clone());
    blocking(move || chart::read(reader, &limits)).await
}

/// Inflating and parsing take milliseconds to seconds: not on the threads that drive connections.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
