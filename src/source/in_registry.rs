//! An archive that an index names in a registry, as Bitnami's index does: `oci://HOST[:PORT]/REPOSITORY:TAG`, or `@DIGEST`.
//!
//! Helm takes it from there, too (helm.sh, "Registries"). What lies there is read as the source `oci` reads it, and published as what
//! comes from any other address of an index: the manifest of the registry is not copied.

use std::collections::{BTreeMap, BTreeSet};

use super::{FetchedChart, Oci, Promise, SourceError, fetch::shown_text, index::IndexEntry, oci::named_by_index};
use crate::{
    model::{Digest, RepositoryName, Tag},
    registry::Reference,
};

const SCHEME: &str = "oci://";
/// Registries that what is wanted of one index may lie in.
const MOST: usize = 16;

/// The registries that an index names archives in, by what stands for them in its addresses.
#[derive(Default)]
pub struct Registries(BTreeMap<String, Result<Oci, String>>);

/// Where an archive lies, as an index says it.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    host: String,
    repository: RepositoryName,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Address {
    fn parse(text: &str, entry: &IndexEntry) -> Result<Self, String> {
        let rest = text.strip_prefix(SCHEME).unwrap_or(text);
        let (host, path) = rest.split_once('/').ok_or("it names no repository")?;
        let (path, digest) = match path.split_once('@') {
            None => (path, None),
            Some((path, digest)) => (path, Some(digest.parse().map_err(|_| "what stands behind `@` is no digest")?)),
        };
        let (path, tag) = match path.rsplit_once(':') {
            None => (path, None),
            Some((path, tag)) => (path, Some(tag.replace('+', "_").parse::<Tag>().map_err(|error| error.to_string())?)),
        };
        let repository = path.parse::<RepositoryName>().map_err(|error| error.to_string())?;
        let of_version = || Tag::of_version(&entry.version).map_err(|error| error.to_string());
        let tag = if digest.is_some() { tag } else { Some(tag.map_or_else(of_version, Ok)?) };
        Ok(Self { host: host.to_owned(), repository, tag, digest })
    }

    fn reference(&self) -> Option<Reference<'_>> {
        self.digest.map(Reference::Digest).or_else(|| self.tag.as_ref().map(Reference::Tag))
    }
}

impl Registries {
    /// What stands for a registry in an address; nothing where that is none of a registry.
    fn host(address: &str) -> Option<&str> {
        let rest = address.strip_prefix(SCHEME)?;
        Some(rest.split(['/', '?', '#']).next().unwrap_or_default()).filter(|host| !host.is_empty() && !host.contains('@'))
    }

    /// What stands for the registries that entries lie in, each once, and no more of them than are asked.
    pub fn hosts<'a>(entries: impl Iterator<Item = &'a IndexEntry>) -> BTreeSet<&'a str> {
        let named = entries.flat_map(|entry| &entry.urls).filter_map(|address| Self::host(address));
        let hosts: BTreeSet<&str> = named.collect();
        hosts.into_iter().take(MOST).collect()
    }

    /// The same with one more, for all addresses of `host`; or with the sentence why there is none.
    #[must_use]
    pub fn with(mut self, host: String, registry: Result<Oci, String>) -> Self {
        self.0.insert(host, registry);
        self
    }

    /// The chart of an entry at one of its addresses; nothing where that is none of a registry.
    ///
    /// # Errors
    /// [`SourceError`], which says that the index names this address.
    pub(super) async fn chart(&self, entry: &IndexEntry, address: &str) -> Option<Result<FetchedChart, SourceError>> {
        if address.starts_with(SCHEME) { Some(self.chart_at(entry, address).await) } else { None }
    }

    async fn chart_at(&self, entry: &IndexEntry, address: &str) -> Result<FetchedChart, SourceError> {
        let shown = shown(address);
        let invalid = |detail: String| SourceError::ArchiveAddress { url: shown.clone(), chart: entry.named(), detail };
        let at = Address::parse(address, entry).map_err(&invalid)?;
        let registry = self.0.get(&at.host).ok_or_else(|| invalid(format!("what is asked for lies in more than {MOST} registries")))?;
        let registry = registry.as_ref().map_err(|sentence| invalid(sentence.clone()))?;
        let reference = at.reference().ok_or_else(|| invalid("it has neither tag nor digest".to_owned()))?;
        let by = "the index says";
        let fetched = registry.chart_at((&at.repository, &shown), reference, (entry, by)).await;
        let fetched = fetched.map_err(|error| named_by_index(error, &entry.named()))?;
        // Indexes of archives in registries have the digest of the one or of the other.
        let manifest = fetched.copied.as_ref().map(|copied| copied.original.digest);
        let (found, promised) = (fetched.archive.digest(), entry.digest);
        match promised.filter(|promised| *promised != found && Some(*promised) != manifest) {
            Some(promised) => Err(SourceError::Digest { url: shown, found, promised, by: Promise::Index }),
            None => Ok(FetchedChart { copied: None, ..fetched }),
        }
    }
}

/// Without what may be secret; a digest is not.
fn shown(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((before, digest)) if digest.parse::<Digest>().is_ok() => format!("{}@{digest}", shown_text(before)),
        _ => shown_text(address),
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
            ("oci://r.example.com/charts/web:1.2.0", "r.example.com charts/web 1.2.0"),
            ("oci://r.example.com:5000/web:1.2.0+b1", "r.example.com:5000 web 1.2.0_b1"),
            ("oci://[fd00::9]:5000/web", "[fd00::9]:5000 web 1.2.0_b1"),
            (&by_digest, &format!("r.example.com charts/web {DIGEST}")),
        ] {
            let at = Address::parse(address, &entry()).unwrap();
            assert_eq!(format!("{} {} {}", at.host, at.repository, at.reference().unwrap()), expected, "{address}");
            assert_eq!(Registries::host(address), Some(at.host.as_str()));
        }
    }

    #[test]
    fn registries_are_counted_and_no_more_are_asked_than_may_be() {
        let at = |host: usize| IndexEntry { urls: vec![format!("oci://r{host:02}/web:1"), "web-1.tgz".to_owned()], ..entry() };
        let entries: Vec<_> = (0..20).chain(0..20).map(at).collect();
        let hosts = Registries::hosts(entries.iter());
        assert_eq!((hosts.len(), hosts.contains("r15"), hosts.contains("r16")), (MOST, true, false));
    }

    #[test]
    fn what_is_none_is_refused_without_showing_secrets() {
        for (address, part) in [
            ("oci://r.example.com", "no repository"),
            ("oci://r.example.com/Web:1", "no OCI repository name"),
            ("oci://r.example.com/web:-1", "no OCI tag"),
            ("oci://r.example.com/web@sha256:12", "no digest"),
            ("oci://me:hunter2@r.example.com/web:1", ""),
            ("oci://r.example.com/web:1?key=hunter2", "no OCI tag"),
        ] {
            let refused = Address::parse(address, &entry()).err().unwrap_or_default();
            assert!(refused.contains(part) && !shown(address).contains("hunter2"), "{address}: {refused}");
        }
        assert_eq!(Registries::host("oci://me:hunter2@r.example.com/web:1"), None);
        assert_eq!(Registries::host("https://r.example.com/web-1.tgz"), None);
        assert_eq!(shown(&format!("oci://r.example.com/web@{DIGEST}")), format!("oci://r.example.com/web@{DIGEST}"));
    }
}
