//! Manifests and tags of a scripted registry.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};

use super::{
    super::quirk::Quirk,
    Shared,
    answer::{self, Body, Outcome},
    blobs, gate,
    serve::Question,
    store::{self, Manifest, Store},
};

/// What is asked about a manifest, by tag or digest.
pub fn answer(shared: &Shared, question: &Question, repository: &str, reference: &str) -> Outcome {
    match question.method {
        Method::PUT => put(shared, question, repository, reference),
        Method::DELETE => Ok(delete(&mut shared.store.lock().expect("the store"), repository, reference)),
        Method::GET | Method::HEAD => Ok(get(shared, question, repository, reference)),
        _ => Ok(answer::error(405, "UNSUPPORTED", "the operation is unsupported")),
    }
}

fn get(shared: &Shared, question: &Question, repository: &str, reference: &str) -> Response<Body> {
    let is_head = question.method == Method::HEAD;
    if is_head && let Some(status) = blobs::refused(shared) {
        return answer::bare(status);
    }
    let found = shared.store.lock().expect("the store").manifest(repository, reference);
    let Some((digest, manifest)) = found else { return answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown") };
    let length = manifest.bytes.len() + usize::from(is_head && shared.switches.shows(&Quirk::HeadWrongLength));
    let length = length.to_string();
    let fields = [("content-type", manifest.media_type.as_str()), ("content-length", &length), ("docker-content-digest", &digest)];
    answer::with(200, &fields, if is_head { Bytes::new() } else { manifest.bytes })
}

fn put(shared: &Shared, question: &Question, repository: &str, reference: &str) -> Outcome {
    if shared.switches.shows(&Quirk::ManifestTooLarge) {
        return Ok(answer::page(413, "Request Entity Too Large"));
    }
    let Ok(content) = serde_json::from_slice::<Value>(&question.body) else {
        return Ok(answer::error(400, "MANIFEST_INVALID", "manifest invalid"));
    };
    let digest = store::digest(&question.body);
    if reference.contains(':') && reference != digest {
        return Ok(answer::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content"));
    }
    let mut store = shared.store.lock().expect("the store");
    let tag = (repository.to_owned(), reference.to_owned());
    if store.tags.contains_key(&tag)
        && let Some(refusal) = immutable(shared)
    {
        return Ok(refusal);
    }
    if let Some(refusal) = unknown_blob(shared, &mut store, repository, &content) {
        return Ok(refusal);
    }
    let media_type = question.field("content-type").unwrap_or("application/vnd.oci.image.manifest.v1+json").to_owned();
    store.manifests.insert((repository.to_owned(), digest.clone()), Manifest { media_type, bytes: question.body.clone().into() });
    if reference != digest {
        store.tags.insert(tag, digest.clone());
    }
    if let Some(how) = gate::lost(shared, |quirk| if let Quirk::ManifestAnswerLost(how) = quirk { Some(*how) } else { None }) {
        return Err(how);
    }
    let there = format!("/v2/{repository}/manifests/{digest}");
    Ok(answer::with(201, &[("location", &there), ("docker-content-digest", &digest)], ""))
}

/// Harbor refuses the same content too.
fn immutable(shared: &Shared) -> Option<Response<Body>> {
    let status = shared.switches.show(|quirk| if let Quirk::TagImmutable(status) = quirk { Some(*status) } else { None })?;
    let code = match status {
        412 => "PRECONDITION",
        403 => "DENIED",
        405 => "UNSUPPORTED",
        409 => "CONFLICT",
        _ => "TAG_INVALID",
    };
    Some(answer::error(status, code, "the tag is immutable"))
}

fn unknown_blob(shared: &Shared, store: &mut Store, repository: &str, content: &Value) -> Option<Response<Body>> {
    let layers = content["layers"].as_array().into_iter().flatten();
    let digests: Vec<_> = layers.chain([&content["config"]]).filter_map(|blob| blob["digest"].as_str()).collect();
    let named = |digest: &&str| (repository.to_owned(), (*digest).to_owned());
    let made = shared.switches.show(|quirk| if let Quirk::ManifestBlobUnknown(status) = quirk { Some(*status) } else { None });
    if let (Some(status), Some(digest)) = (made, digests.first()) {
        store.blobs.remove(&named(digest));
        store.hollow.push(named(digest));
        return Some(blob_unknown(status, digest));
    }
    let missing = digests.iter().find(|digest| !store.blobs.contains_key(&named(digest)))?;
    Some(blob_unknown(404, missing))
}

fn blob_unknown(status: u16, digest: &str) -> Response<Body> {
    answer::error(status, "MANIFEST_BLOB_UNKNOWN", &format!("blob {digest} unknown to registry"))
}

fn delete(store: &mut Store, repository: &str, reference: &str) -> Response<Body> {
    let tag = (repository.to_owned(), reference.to_owned());
    let there = if reference.contains(':') {
        store.tags.retain(|(of, _), digest| of != repository || digest != reference);
        store.manifests.remove(&tag).is_some()
    } else {
        store.tags.remove(&tag).is_some()
    };
    if there { answer::bare(202) } else { answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown") }
}

/// `tags/list` with `n` and `last`.
pub fn tags(shared: &Shared, question: &Question, repository: &str) -> Response<Body> {
    let all = shared.store.lock().expect("the store").tags_of(repository);
    if all.is_empty() {
        return answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
    }
    let last = question.parameter("last").unwrap_or_default();
    let rest: Vec<_> = all.into_iter().filter(|tag| *tag > last).collect();
    let number = question.parameter("n").and_then(|number| number.parse().ok()).unwrap_or(rest.len());
    let (shown, left) = rest.split_at(number.min(rest.len()));
    let body = json!({"name": repository, "tags": shown}).to_string();
    let next = shown.last().filter(|_| !left.is_empty());
    let link = next.map(|last| format!("</v2/{repository}/tags/list?n={number}&last={last}>; rel=\"next\""));
    let fields: Vec<_> = link.iter().map(|link| ("link", link.as_str())).chain([("content-type", "application/json")]).collect();
    answer::with(200, &fields, body)
}
