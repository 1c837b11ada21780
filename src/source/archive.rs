//! One chart archive at a URL, asked for only when it has changed.

use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::{
    Access, FetchedChart, Fetcher, Promise, SourceError, Validators,
    fetch::{Fetched, parsed, shown},
    helm_repository::{beside, download, most_of_an_archive, read},
    index::IndexEntry,
};
use crate::{
    chart::{ChartContent, Limits},
    model::{Digest, Origin},
    spool::Spooled,
};

/// What was read of an archive, and by what it is known whether it is still so.
#[derive(Debug)]
pub struct ArchiveSnapshot {
    /// The chart that it is, as an index would name it.
    pub entry: IndexEntry,
    /// The digest of the archive.
    pub revision: Digest,
    validators: Validators,
}

/// One archive at a URL.
pub struct Archive {
    url: Url,
    home: Origin,
    promised: Option<Digest>,
    access: Access,
    fetcher: Fetcher,
    limits: Limits,
    /// What [`Archive::look`] has brought, until it is published.
    arrived: Mutex<Option<(ChartContent, Spooled)>>,
}

impl Archive {
    /// At `url`, with the digest that the spec promises.
    ///
    /// # Errors
    /// [`SourceError::Address`].
    pub fn new(url: &str, promised: Option<Digest>, access: Access, fetcher: Fetcher, limits: Limits) -> Result<Self, SourceError> {
        let url = parsed(url)?;
        let home = Origin::try_from(&url).map_err(|error| SourceError::Address { url: shown(&url), detail: error.to_string() })?;
        Ok(Self { url, home, promised, access, fetcher, limits, arrived: Mutex::new(None) })
    }

    /// Which chart it is; what is `known` when the server says that it has not changed.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn look(&self, known: Option<Arc<ArchiveSnapshot>>) -> Result<Arc<ArchiveSnapshot>, SourceError> {
        let known = known.filter(|known| self.promised.is_none_or(|promised| promised == known.revision));
        let validators = known.as_ref().map(|known| &known.validators);
        let fetched = self.fetcher.get(&self.access, &self.home, &self.url, validators, &most_of_an_archive(&self.limits)).await?;
        let (body, validators) = match (fetched, known) {
            (Fetched::Unchanged, Some(known)) => return Ok(known),
            (Fetched::Unchanged, None) => return Err(SourceError::unasked_304(self.access.shown(&self.url))),
            (Fetched::New(body, validators), _) => (body, validators),
        };
        let content = self.checked(&body).await?;
        let entry = IndexEntry {
            name: content.name.clone(),
            version: content.version.clone(),
            urls: vec![self.url.to_string()],
            digest: Some(body.digest()),
            created: None,
        };
        let revision = body.digest();
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner) = Some((content, body));
        Ok(Arc::new(ArchiveSnapshot { entry, revision, validators }))
    }

    /// The chart that [`Archive::look`] found.
    ///
    /// # Errors
    /// [`SourceError`]; [`SourceError::Digest`] when it has changed since.
    pub async fn chart(&self, entry: &IndexEntry) -> Result<FetchedChart, SourceError> {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (content, archive) = if let Some(arrived) = arrived {
            arrived
        } else {
            let body = download(&self.fetcher, &self.access, &self.home, &self.url, &most_of_an_archive(&self.limits)).await?;
            (self.checked(&body).await?, body)
        };
        if let Some(promised) = entry.digest.filter(|promised| *promised != archive.digest()) {
            return Err(SourceError::Digest {
                url: self.access.shown(&self.url),
                found: archive.digest(),
                promised,
                by: Promise::EarlierRead,
            });
        }
        let provenance = beside(&self.fetcher, &self.access, &self.home, &self.url).await?;
        Ok(FetchedChart { content, archive, provenance, copied: None })
    }

    async fn checked(&self, body: &Spooled) -> Result<ChartContent, SourceError> {
        if let Some(promised) = self.promised.filter(|promised| *promised != body.digest()) {
            let by = Promise::Spec;
            return Err(SourceError::Digest { url: self.access.shown(&self.url), found: body.digest(), promised, by });
        }
        read(body, &self.limits, &self.access.shown(&self.url)).await
    }
}
