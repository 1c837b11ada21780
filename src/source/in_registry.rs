//! An archive that an index names in a registry, as Bitnami's index does: `oci://HOST[:PORT]/REPOSITORY:TAG`, or `@DIGEST`.
//!
//! Helm takes it from there, too (helm.sh, "Registries"). What lies there is read as the source `oci` reads it, and published as what
//! comes from any other address of an index: the manifest of the registry is not copied.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::{FetchedChart, Oci, Promise, SourceError, index::IndexEntry, oci::named_by_index};
use crate::{
    model::{Digest, RepositoryName, Tag},
    registry::Reference,
};

const SCHEME: &str = "oci";
/// Places in registries, as `HOST/PATH` above the charts, that what is wanted of one index may lie in.
const MOST: usize = 64;

/// The registries that an index names archives in, by the place above them.
#[derive(Default)]
pub struct Registries(BTreeMap<String, Result<Oci, String>>);

/// Where an archive lies, as an index says it.
#[derive(Debug)]
struct Address {
    /// `HOST[:PORT]/PATH` above the chart.
    place: String,
    repository: RepositoryName,
    named: Named,
}

/// The digest goes before a tag.
#[derive(Debug)]
enum Named {
    Tag(Tag),
    Digest(Digest),
}

/// Whether an index names a registry by `address`.
pub(super) fn is_of_registry(address: &str) -> bool {
    of_registry(address).is_some()
}

fn of_registry(address: &str) -> Option<Url> {
    Url::parse(address).ok().filter(|url| url.scheme() == SCHEME)
}

/// `HOST[:PORT]`.
fn authority(url: &Url) -> Result<String, &'static str> {
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user information does not belong there: a login is given by `secretRef` and `passCredentials`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("a registry takes neither a query nor a fragment");
    }
    Ok(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

impl Address {
    /// The details say nothing of what stands there: it may hold a secret.
    fn parse(url: &Url, entry: &IndexEntry) -> Result<Self, &'static str> {
        let authority = authority(url)?;
        let path = url.path().trim_start_matches('/');
        let (path, digest) = match path.split_once('@') {
            None => (path, None),
            Some((path, digest)) => (path, Some(digest.parse().map_err(|_| "what stands behind `@` is no digest by SHA-256")?)),
        };
        let no_tag = "what stands behind `:` is no tag";
        let (path, tag) = match path.rsplit_once(':') {
            None | Some((_, "")) => (path.trim_end_matches(':'), None),
            Some((path, tag)) => (path, Some(tag.replace('+', "_").parse::<Tag>().map_err(|_| no_tag)?)),
        };
        let no_repository = "it names no repository that a registry can have: lower case letters, digits, `.`, `_`, `-` and `/`";
        let repository = path.parse::<RepositoryName>().map_err(|_| no_repository)?;
        let named = match (digest, tag) {
            (Some(digest), _) => Named::Digest(digest),
            (None, Some(tag)) => Named::Tag(tag),
            (None, None) => Named::Tag(Tag::of_version(&entry.version).map_err(|_| "its version can be no tag")?),
        };
        let above = path.rsplit_once('/').map_or(String::new(), |(above, _)| format!("/{above}"));
        Ok(Self { place: format!("{authority}{above}"), repository, named })
    }

    fn reference(&self) -> Reference<'_> {
        match &self.named {
            Named::Tag(tag) => Reference::Tag(tag),
            Named::Digest(digest) => Reference::Digest(*digest),
        }
    }
}

impl Registries {
    /// The places in registries that entries lie in, as `HOST[:PORT]/PATH`: each once, and no more of them than are asked.
    pub fn places<'a>(entries: impl Iterator<Item = &'a IndexEntry>) -> BTreeSet<String> {
        let mut places = BTreeSet::new();
        for (entry, url) in entries.flat_map(|entry| entry.urls.iter().filter_map(move |address| Some((entry, of_registry(address)?)))) {
            if places.len() == MOST {
                break;
            }
            places.extend(Address::parse(&url, entry).map(|at| at.place));
        }
        places
    }

    /// The same with one more, for all that lies in `place`; or with the sentence why there is none.
    #[must_use]
    pub fn with(mut self, place: String, registry: Result<Oci, String>) -> Self {
        self.0.insert(place, registry);
        self
    }

    /// The chart of an entry at one of its addresses, which errors name as `shown`; nothing where that is none of a registry.
    ///
    /// # Errors
    /// [`SourceError`], which says that the index names this address.
    pub(super) async fn chart(&self, entry: &IndexEntry, url: &Url, shown: &str) -> Option<Result<FetchedChart, SourceError>> {
        if url.scheme() == SCHEME { Some(self.chart_at(entry, url, shown).await) } else { None }
    }

    async fn chart_at(&self, entry: &IndexEntry, url: &Url, shown: &str) -> Result<FetchedChart, SourceError> {
        let invalid = |detail: String| SourceError::ArchiveAddress { url: shown.to_owned(), chart: entry.named(), detail };
        let at = Address::parse(url, entry).map_err(|detail| invalid(detail.to_owned()))?;
        let registry = self.0.get(&at.place).ok_or_else(|| SourceError::TooManyRegistries { url: shown.to_owned(), limit: MOST })?;
        let registry = registry.as_ref().map_err(|sentence| invalid(sentence.clone()))?;
        let fetched = registry.chart_at((&at.repository, shown), at.reference(), (entry, "the index says")).await;
        let fetched = fetched.map_err(|error| named_by_index(error, &entry.named()))?;
        // Indexes of archives in registries have the digest of the one or of the other.
        let manifest = fetched.copied.as_ref().map(|copied| copied.original.digest);
        let (found, promised) = (fetched.archive.digest(), entry.digest);
        match promised.filter(|promised| *promised != found && Some(*promised) != manifest) {
            Some(promised) => Err(SourceError::Digest { url: shown.to_owned(), found, promised, by: Promise::Index }),
            None => Ok(FetchedChart { copied: None, ..fetched }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn entry() -> IndexEntry {
        IndexEntry { name: "web".to_owned(), version: "1.2.0+b1".parse().unwrap(), urls: Vec::new(), digest: None, created: None }
    }

    #[test]
    fn an_address_leads_to_a_manifest() {
        let by_digest = format!("oci://r.example.com/charts/web:1@{DIGEST}");
        for (address, expected) in [
            ("oci://r.example.com/charts/web:1.2.0", "r.example.com/charts charts/web 1.2.0"),
            ("OCI://r.example.com:5000/web:1.2.0+b1", "r.example.com:5000 web 1.2.0_b1"),
            ("oci://[fd00::9]:5000/a/b/web", "[fd00::9]:5000/a/b a/b/web 1.2.0_b1"),
            ("oci://r.example.com/charts/web:", "r.example.com/charts charts/web 1.2.0_b1"),
            (&by_digest, &format!("r.example.com/charts charts/web {DIGEST}")),
        ] {
            let url = Url::parse(address).unwrap();
            let at = Address::parse(&url, &entry()).unwrap();
            assert_eq!(format!("{} {} {}", at.place, at.repository, at.reference()), expected, "{address}");
            assert!(is_of_registry(address));
        }
        assert!(!is_of_registry("https://r.example.com/web-1.tgz") && !is_of_registry("web-1.tgz"));
    }

    #[test]
    fn places_are_counted_and_no_more_are_asked_than_may_be() {
        let at = |host: usize| IndexEntry { urls: vec![format!("oci://r{host:02}/a/web:1"), "web-1.tgz".to_owned()], ..entry() };
        let entries: Vec<_> = (0..99).rev().chain(0..99).map(at).collect();
        let places = Registries::places(entries.iter());
        assert_eq!((places.len(), places.contains("r98/a"), places.contains("r00/a")), (MOST, true, false), "in the order of the index");
    }

    #[test]
    fn what_is_none_is_refused_without_showing_what_may_be_secret() {
        for (address, part) in [
            ("oci://r.example.com", "no repository"),
            ("oci://r.example.com/Web:1", "no repository"),
            ("oci://r.example.com/hunter2/Web%2Fa:1", "no repository"),
            ("oci://r.example.com/web:-hunter2", "no tag"),
            ("oci://r.example.com/web@sha256:12", "no digest"),
            ("oci://r.example.com/web@sha512:hunter2", "no digest"),
            ("oci:///web:1", "no host"),
            ("oci:web:1", "no host"),
            ("oci://me:hunter2@r.example.com/web:1", "user information"),
            ("oci://hunter2@r.example.com/web:1", "user information"),
            ("oci://r.example.com/web:1?key=hunter2", "neither a query"),
            ("oci://r.example.com/web:1#hunter2", "neither a query"),
        ] {
            let refused = Address::parse(&Url::parse(address).unwrap(), &entry()).unwrap_err();
            assert!(refused.contains(part) && !refused.contains("hunter2"), "{address}: {refused}");
        }
    }
}
