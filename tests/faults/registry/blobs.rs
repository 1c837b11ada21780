//! Blobs of a scripted registry: GET, HEAD, DELETE, and the storage host that blobs are redirected to.

use bytes::Bytes;
use http::{Method, Response};

use super::{
    super::quirk::Quirk,
    Shared,
    answer::{self, Body},
    serve::Question,
};

/// What is asked about a blob.
pub fn answer(shared: &Shared, question: &Question, repository: &str, digest: &str) -> Response<Body> {
    let named = (repository.to_owned(), digest.to_owned());
    let mut store = shared.store.lock().expect("the store");
    let blob = store.blobs.get(&named).cloned();
    match question.method {
        Method::DELETE => {
            let there = store.blobs.remove(&named).is_some();
            if there { answer::bare(202) } else { unknown() }
        }
        Method::HEAD => {
            if let Some(status) = refused(shared) {
                return answer::bare(status);
            }
            let hollow = store.hollow.contains(&named);
            match blob {
                Some(blob) => head(shared, digest, blob.len()),
                None if hollow || shared.switches.shows(&Quirk::HeadSaysYes) => head(shared, digest, 1024),
                None => unknown(),
            }
        }
        Method::GET => {
            let Some(blob) = blob else { return unknown() };
            if let Some(host) = shared.switches.show(|quirk| if let Quirk::RedirectBlobs(host) = quirk { Some(host.clone()) } else { None })
            {
                let there = format!("http://{host}/storage/{repository}/blobs/{digest}?signature=a%2Fb");
                return answer::with(307, &[("location", &there)], "");
            }
            content(shared, digest, &blob)
        }
        _ => answer::error(405, "UNSUPPORTED", "the operation is unsupported"),
    }
}

/// What object stores do: they take a signature in the query and refuse a second way of authentication.
pub fn storage(shared: &Shared, question: &Question, repository: &str, digest: &str) -> Response<Body> {
    if question.field("authorization").is_some() {
        let body = "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>";
        return answer::with(400, &[("content-type", "application/xml")], body);
    }
    let blob = shared.store.lock().expect("the store").blobs.get(&(repository.to_owned(), digest.to_owned())).cloned();
    blob.map_or_else(unknown, |blob| content(shared, digest, &blob))
}

/// The status that a quirk answers `HEAD` with.
pub fn refused(shared: &Shared) -> Option<u16> {
    shared.switches.show(|quirk| if let Quirk::HeadRefused(status) = quirk { Some(*status) } else { None })
}

fn head(shared: &Shared, digest: &str, length: usize) -> Response<Body> {
    let length = length + usize::from(shared.switches.shows(&Quirk::HeadWrongLength));
    answer::with(200, &[("content-length", &length.to_string()), ("docker-content-digest", digest)], "")
}

fn content(shared: &Shared, digest: &str, blob: &Bytes) -> Response<Body> {
    let length = blob.len().to_string();
    let mut response = answer::with(200, &[("content-length", &length), ("docker-content-digest", digest)], "");
    *response.body_mut() = if shared.switches.shows(&Quirk::BlobTruncated) {
        answer::broken_off(blob)
    } else if shared.switches.shows(&Quirk::BlobCorrupt) {
        let mut bytes = blob.to_vec();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        answer::whole(bytes)
    } else {
        answer::whole(blob.clone())
    };
    response
}

fn unknown() -> Response<Body> {
    answer::error(404, "BLOB_UNKNOWN", "blob unknown to registry")
}
