//! PURE: the tags of a repository become the versions of a chart, as Helm has it.
//!
//! A tag holds `_` where the version has `+`, which no tag may have. Of the tags of a registry Helm counts those that are versions
//! written in full (`1.2.3`); another spelling (`v1.2.3`, `1.2`) is taken where exactly it is asked for.

use std::collections::BTreeSet;

use super::{
    super::index::{IndexEntry, Skipped},
    Place,
};
use crate::model::{ChartVersion, Tag};

/// Stands for a tag of what belongs to a manifest.
const COPIED: &str = "the tag is of what belongs to a manifest, and is copied with the chart that it is of";
const LEFT_OUT: &str = "the tag is of what belongs to a manifest, and `referrers: false` leaves it out";

/// The versions of `chart`, newest first, and the tags that are passed over. `place` is where its repository lies.
pub(super) fn versions(chart: &str, tags: &BTreeSet<Tag>, spelt: &BTreeSet<String>, place: &Place) -> (Vec<IndexEntry>, Vec<Skipped>) {
    let (mut entries, mut skipped) = (Vec::new(), Vec::new());
    let attached = if place.referrers { COPIED } else { LEFT_OUT };
    for tag in tags {
        match version(tag, spelt, attached) {
            Ok(version) => entries.push(IndexEntry {
                name: chart.to_owned(),
                urls: vec![format!("{}/{chart}:{tag}", place.shown)],
                version,
                digest: None,
                created: None,
            }),
            Err((version, why)) => skipped.push(Skipped { chart: chart.to_owned(), version, why: why.to_owned() }),
        }
    }
    entries.sort_by(|one, other| other.version.cmp(&one.version));
    (entries, skipped)
}

fn version(tag: &Tag, spelt: &BTreeSet<String>, attached: &'static str) -> Result<ChartVersion, (String, &'static str)> {
    if tag.attached_to().is_some() {
        return Err((tag.to_string(), attached));
    }
    let text = tag.as_str().replace('_', "+");
    match text.parse::<ChartVersion>() {
        Ok(version) if version.is_strict() || spelt.contains(&text) => Ok(version),
        Ok(_) => Err((
            text,
            "of a registry's tags Helm counts those that are written in full, as `1.2.3` is; another counts where `versions` has exactly it",
        )),
        Err(_) => Err((tag.to_string(), "the tag is no version")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Reader, *};
    use crate::model::Digest;

    #[test]
    fn tags_are_versions_newest_first_and_what_is_none_is_passed_over() {
        let tags = ["1.0.0", "1.10.0", "1.2.0_build.5", "2.0.0-rc.1", "v3.0.0", "1.5", "latest", "1.0.0_a_b", "sha256-00.sig"];
        let mut tags: BTreeSet<Tag> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        let signature = Tag::of_cosign(Digest::of(b"1.0.0"))[0].clone();
        tags.insert(signature.clone());
        let place = Place {
            shown: "oci://r/charts".to_owned(),
            prefix: "charts".to_owned(),
            reader: Reader::Nobody(String::new()),
            tls: true,
            proxy: None,
            referrers: true,
        };
        let shown = |spelt: &[&str]| {
            let spelt = spelt.iter().map(|text| (*text).to_owned()).collect();
            let (entries, skipped) = versions("web", &tags, &spelt, &place);
            let entries: Vec<_> = entries.into_iter().map(|entry| (entry.version.to_string(), entry.urls.concat())).collect();
            let skipped: Vec<_> = skipped.into_iter().map(|skipped| format!("{}: {}", skipped.version, skipped.why)).collect();
            (entries, skipped)
        };
        let (entries, skipped) = shown(&[]);
        assert_eq!(
            entries.iter().map(|(version, _)| version.as_str()).collect::<Vec<_>>(),
            ["2.0.0-rc.1", "1.10.0", "1.2.0+build.5", "1.0.0"]
        );
        assert_eq!(entries[2].1, "oci://r/charts/web:1.2.0_build.5");
        assert_eq!(skipped.len(), 6);
        for (version, why) in [
            ("1.0.0_a_b", "no version"),
            ("1.5", "written in full"),
            ("latest", "no version"),
            ("sha256-00.sig", "no version"),
            (signature.as_str(), "copied with the chart"),
            ("v3.0.0", "written in full"),
        ] {
            assert!(skipped.iter().any(|one| one.starts_with(&format!("{version}: ")) && one.contains(why)), "{version}: {skipped:?}");
        }
        let (entries, skipped) = shown(&["v3.0.0", "latest"]);
        assert_eq!((entries[0].0.as_str(), skipped.len()), ("v3.0.0", 5));
    }
}
