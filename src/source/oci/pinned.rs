//! One chart of one repository: which of its tags or digests it is, and what it is called.
//!
//! In: a repository, and what of it is asked for. Out: the one version, by the name and version that its config has, held fast by the
//! digest that was found: what is read later is the same. The order of what leads there is that of Flux's `OCIRepository`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Oci, OciError};
use crate::{
    chart::Original,
    model::{ChartVersion, Constraint, Digest, NamePattern, Prereleases, RepositoryName, Tag},
    registry::{Pull, Reference},
    source::{SourceError, index::IndexEntry},
    steps::{Step, enter},
};

/// Tags that a sentence names.
const NAMED: usize = 3;

/// What of a repository is the chart.
#[derive(Debug, Clone)]
pub enum Pick {
    /// This manifest.
    Digest(Digest),
    /// Of the tags that are versions and that `filter` matches, the newest that `range` admits.
    Newest {
        /// As it was written.
        range: Constraint,
        /// Which tags count.
        filter: Option<NamePattern>,
    },
    /// What this tag holds.
    Tag(Tag),
}

/// What holds a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pinned {
    pub(super) repository: RepositoryName,
    pub(super) digest: Digest,
}

/// What Helm writes into the config: the metadata of the chart.
#[derive(Deserialize)]
struct Config {
    name: String,
    version: String,
}

impl Oci {
    /// Finds the chart that `pick` means, and holds it fast. Asks for the tags, the manifest and its config.
    ///
    /// # Errors
    /// [`SourceError`]; [`OciError::NoChart`] where it is none.
    pub async fn pick(&mut self, repository: RepositoryName, pick: &Pick) -> Result<(IndexEntry, Digest), SourceError> {
        let _step = enter(Step::AskSource);
        let shown = self.place.shown.clone();
        let tags = self.listing(&shown, &repository).await?;
        let newest = match pick {
            Pick::Newest { range, filter } => Some(newest(&tags, range, filter.as_ref(), &shown)?),
            Pick::Digest(_) | Pick::Tag(_) => None,
        };
        let (reference, place) = match (pick, &newest) {
            (Pick::Digest(digest), _) => (Reference::Digest(*digest), format!("{shown}@{digest}")),
            (Pick::Tag(tag), _) | (Pick::Newest { .. }, Some(tag)) => (Reference::Tag(tag), format!("{shown}:{tag}")),
            (Pick::Newest { .. }, None) => return Err(OciError::NoReference { place: shown }.into()),
        };
        let mut pull = self.registry.read();
        let original = self.pinned_manifest(&mut pull, &repository, reference, &place).await?;
        self.check_sizes(&original, &place)?;
        let config = self.small_blob(&mut pull, (&repository, place.as_str()), &original.config).await?;
        let entry = entry(&config, &original, &place)?;
        self.listed.insert(entry.name.clone(), tags.into_iter().filter(|tag| tag.attached_to().is_some()).collect());
        self.pinned = Some(Pinned { repository, digest: original.digest });
        Ok((entry, original.digest))
    }

    pub(super) async fn pinned_manifest(
        &self,
        pull: &mut Pull<'_>,
        repository: &RepositoryName,
        reference: Reference<'_>,
        place: &str,
    ) -> Result<Original, SourceError> {
        let bytes = self.pulled(pull, repository, reference, place).await?;
        let place = place.to_owned();
        let Some(bytes) = bytes else { return Err(OciError::NoReference { place }.into()) };
        Original::read(bytes).map_err(|cause| OciError::NoChartPinned { place, cause }.into())
    }
}

/// As Flux chooses: a tag is a version written in full, also after a `v`, and has no `_` for `+`.
fn newest(tags: &BTreeSet<Tag>, range: &Constraint, filter: Option<&NamePattern>, shown: &str) -> Result<Tag, OciError> {
    let version = |tag: &Tag| {
        let text = tag.as_str();
        let version: ChartVersion = text.strip_prefix('v').unwrap_or(text).parse().ok()?;
        version.is_strict().then_some(version)
    };
    let counts = |tag: &&Tag| filter.is_none_or(|filter| filter.matches(tag.as_str()));
    let mut versions: Vec<_> = tags.iter().filter(counts).filter_map(|tag| Some((version(tag)?, tag))).collect();
    versions.sort_by(|(one, _), (other, _)| other.cmp(one));
    if let Some((_, tag)) = versions.iter().find(|(version, _)| range.admits(version, Prereleases::IfNamed)) {
        return Ok((*tag).clone());
    }
    let newest: Vec<_> = versions.iter().take(NAMED).map(|(_, tag)| format!("`{tag}`")).collect();
    let newest =
        if newest.is_empty() { "it has none that is a version".to_owned() } else { format!("the newest are {}", newest.join(", ")) };
    Err(OciError::NoTagFits { place: shown.to_owned(), range: range.as_str().to_owned(), newest })
}

fn entry(config: &[u8], original: &Original, place: &str) -> Result<IndexEntry, OciError> {
    let unnamed = |cause: String| OciError::NoIdentity { place: place.to_owned(), cause };
    let Config { name, version } = serde_json::from_slice(config).map_err(|_| unnamed("it has no `name` and `version`".to_owned()))?;
    let version: ChartVersion = version.parse().map_err(|error: crate::model::InvalidVersion| unnamed(error.to_string()))?;
    name.parse::<RepositoryName>().map_err(|error| unnamed(error.to_string()))?;
    Ok(IndexEntry { name, version, urls: vec![place.to_owned()], digest: Some(original.archive.digest), created: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_tag_that_fits_is_taken_as_flux_takes_it() {
        let tags = ["1.0.0", "1.10.0", "1.2.0_build.5", "v1.11.0", "2.0.0-rc.1", "1.5", "latest", "1.9.0-alpha"];
        let tags: BTreeSet<Tag> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        for (range, filter, expected) in [
            ("1.x", None, Ok("v1.11.0")),
            ("*", None, Ok("v1.11.0")),
            (">=1.0.0-0", None, Ok("2.0.0-rc.1")),
            ("1.x", Some("^[0-9]"), Ok("1.10.0")),
            ("1.2.x", None, Err("the newest are `2.0.0-rc.1`, `v1.11.0`, `1.10.0`")),
            (">=1.0.0-0", Some("-alpha$"), Ok("1.9.0-alpha")),
            ("1.x", Some("^latest$"), Err("it has none that is a version")),
        ] {
            let filter = filter.map(|filter: &str| filter.parse().unwrap());
            let found = newest(&tags, &range.parse().unwrap(), filter.as_ref(), "oci://r/x");
            match expected {
                Ok(tag) => assert_eq!(found.unwrap().as_str(), tag, "{range}"),
                Err(words) => assert!(found.unwrap_err().to_string().contains(words), "{range}"),
            }
        }
    }
}
