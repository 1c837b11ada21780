//! What refers to a manifest: signatures, attestations, bills of materials (distribution specification, "Listing Referrers").
//!
//! A registry that keeps no such lists answers 404; then an index of the same form lies under the tag that is made of the digest
//! ("Unavailable Referrers API"), and clients keep it.

use http::{Method, StatusCode};
use serde::Deserialize;

use super::{
    Cause, Failure, Stage, answer,
    exchange::{Call, Line},
    manifest::media_type,
    tags::next_page,
    trail::Trail,
};
use crate::model::{Digest, INDEX_TYPE, RepositoryName};

/// As of a manifest: the specification has no limit of its own for such a list.
const MOST_OF_A_PAGE: usize = 4 << 20;
const MOST_PAGES: usize = 16;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    media_type: Option<String>,
    manifests: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    digest: String,
}

/// What a registry answers that is asked for its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// These.
    These(Vec<Digest>),
    /// It keeps no list of this manifest.
    NoList,
    /// It does not know the path, so it keeps no lists of this repository at all.
    NoSuchPath,
}

impl Answered {
    /// What it lists.
    pub fn these(self) -> Vec<Digest> {
        match self {
            Self::These(all) => all,
            Self::NoList | Self::NoSuchPath => Vec::new(),
        }
    }
}

/// The manifests that the index lists which a tag of referrers holds, or a page of the registry's list; nothing where it is none, or names
/// one by no SHA-256 digest.
pub fn listed(bytes: &[u8]) -> Option<Vec<Digest>> {
    let Index { media_type, manifests } = serde_json::from_slice(bytes).ok()?;
    // Go writes an empty list as `null`, or leaves it out.
    let manifests = manifests.or_else(|| (media_type.as_deref() == Some(INDEX_TYPE)).then(Vec::new))?;
    manifests.iter().map(|entry| entry.digest.parse().ok().filter(|_| entry.digest.starts_with("sha256:"))).collect()
}

/// What the registry lists.
pub(super) async fn read_referrers(line: &mut Line<'_>, repository: &RepositoryName, subject: Digest) -> Result<Answered, Failure> {
    let mut all = Vec::new();
    let mut trail = Trail::new(format!("/v2/{repository}/referrers/{subject}"));
    let call = Call { accept: Some(INDEX_TYPE), ..Call::new(Stage::PullManifest, Method::GET, repository, "") };
    for _ in 0..MOST_PAGES {
        let mut answered = trail.ask(line, &call).await?;
        let status = answered.head.status;
        // Who does not know the path says so in one of these ways; a page of something else is no list either.
        let is_unknown = matches!(status.as_u16(), 400 | 404 | 405 | 406 | 501);
        let is_list = status == StatusCode::OK && media_type(&answered.head.headers).as_deref() == Some(INDEX_TYPE);
        if !is_list && !is_unknown && status != StatusCode::OK {
            return Err(trail.refused(line, &call, answered).await);
        }
        let next = next_page(&answered.head.headers);
        let (bytes, more) = answered.bounded(MOST_OF_A_PAGE).await.map_err(|error| trail.failed(Stage::PullManifest, error))?;
        if !is_list {
            // An error of the specification speaks of the manifest; another 404 of the registry itself, of the path.
            let headers = &answered.head.headers;
            let is_error = media_type(headers).is_some_and(|kind| kind.contains("json"));
            let is_of_path = status == StatusCode::NOT_FOUND && !is_error && answer::is_of_registry(headers);
            line.done(answered);
            return Ok(if is_of_path { Answered::NoSuchPath } else { Answered::NoList });
        }
        if more {
            let cause = Cause::TooLarge { what: "a page of the list of referrers", limit: MOST_OF_A_PAGE as u64 };
            return Err(Failure::new(Stage::PullManifest, cause));
        }
        line.done(answered);
        all.extend(listed(&bytes).ok_or_else(|| malformed("the list of referrers is no index of the specification"))?);
        let Some(next) = next else { return Ok(Answered::These(all)) };
        trail.turn(line, &next).map_err(|cause| Failure::new(Stage::PullManifest, cause))?;
    }
    Err(malformed("the list of referrers has more than 16 pages"))
}

fn malformed(detail: &str) -> Failure {
    Failure::new(Stage::PullManifest, Cause::Malformed { detail: detail.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_index_lists_manifests_and_anything_else_is_named() {
        let digest = Digest::of(b"a");
        let entry = json!({"mediaType": "m", "digest": digest.to_string(), "size": 1, "annotations": {"a": "b"}});
        for (bytes, expected) in [
            (json!({"manifests": []}), Some(Vec::new())),
            (json!({"manifests": [entry]}), Some(vec![digest])),
            (json!({"manifests": [entry, {"digest": "sha512:x"}]}), None),
            (json!({"manifests": [{"digest": digest.hex()}]}), None),
            (json!({"manifests": [{}]}), None),
            (json!({"mediaType": INDEX_TYPE, "manifests": null}), Some(Vec::new())),
            (json!({"mediaType": INDEX_TYPE}), Some(Vec::new())),
            (json!({"manifests": null}), None),
            (json!({"layers": []}), None),
            (json!([]), None),
        ] {
            assert_eq!(listed(bytes.to_string().as_bytes()), expected, "{bytes}");
        }
        assert_eq!(listed(b"<html>"), None);
    }
}
