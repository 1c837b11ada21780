//! What a scripted registry does before it looks at what is asked: overload, rights, writes that are refused as a whole.

use std::time::{Duration, SystemTime};

use http::{Method, Response};

use super::{
    super::{
        Close,
        quirk::{Quirk, RetryAfter, Unlengthed},
    },
    Shared,
    answer::{self, Body, Outcome},
    blobs, manifests,
    path::Place,
    serve::Question,
    tokens, uploads,
};

/// Answers a request, or says how its connection ends.
pub fn answer(shared: &Shared, mut question: Question) -> Outcome {
    if question.place == Place::Token {
        return Ok(tokens::issue(shared, &question));
    }
    if let Some(refusal) = overload(shared) {
        return Ok(refusal);
    }
    if let Some(refusal) = unlengthed(shared, &mut question) {
        return Ok(refusal);
    }
    if let Some(refusal) = tokens::refuse(shared, &question) {
        return Ok(refusal);
    }
    if question.writes()
        && let Some(refusal) = write(shared, &question)
    {
        return Ok(refusal);
    }
    route(shared, &question)
}

fn overload(shared: &Shared) -> Option<Response<Body>> {
    let (status, code, wait) = shared.switches.show(|quirk| match quirk {
        Quirk::RateLimited(wait) => Some((429, "TOOMANYREQUESTS", *wait)),
        Quirk::Unavailable(wait) => Some((503, "UNAVAILABLE", *wait)),
        _ => None,
    })?;
    let value = match wait {
        RetryAfter::Unsaid => None,
        RetryAfter::Seconds(seconds) => Some(seconds.to_string()),
        RetryAfter::Date(ahead) => Some(httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(ahead))),
    };
    let fields: Vec<_> = value.iter().map(|value| ("retry-after", value.as_str())).collect();
    Some(answer::error_with(status, code, "come again later", &fields))
}

fn unlengthed(shared: &Shared, question: &mut Question) -> Option<Response<Body>> {
    question.field("transfer-encoding")?;
    match shared.switches.show(|quirk| if let Quirk::Unlengthed(how) = quirk { Some(*how) } else { None })? {
        Unlengthed::Refused(status) => Some(answer::page(status, "Length Required")),
        Unlengthed::Swallowed => {
            question.body.clear();
            None
        }
    }
}

fn write(shared: &Shared, question: &Question) -> Option<Response<Body>> {
    let is_patch = question.method == Method::PATCH;
    let moves_bytes = question.method != Method::DELETE;
    shared.switches.show(|quirk| match quirk {
        Quirk::Denied => Some(answer::error(403, "DENIED", "requested access to the resource is denied")),
        Quirk::DeniedByProxy => Some(answer::page(403, "Forbidden")),
        Quirk::ReadOnly => Some(answer::error(405, "UNSUPPORTED", "The operation is unsupported.")),
        Quirk::Broken => Some(answer::error(500, "UNKNOWN", "unknown error")),
        Quirk::PatchRefused(status) if is_patch => Some(answer::page(*status, "Not Allowed")),
        Quirk::RedirectWrites(status, host) if moves_bytes => {
            let there = format!("http://{host}{}", question.uri);
            Some(answer::with(*status, &[("location", &there)], ""))
        }
        _ => None,
    })
}

fn route(shared: &Shared, question: &Question) -> Outcome {
    match &question.place {
        Place::Base => Ok(answer::with(200, &[("content-type", "application/json")], "{}")),
        Place::Uploads(repository) if question.method == Method::POST => Ok(uploads::begin(shared, question, repository)),
        Place::Upload(repository, id) => uploads::go_on(shared, question, repository, id),
        Place::Blob(repository, digest) => Ok(blobs::answer(shared, question, repository, digest)),
        Place::Storage(repository, digest) => Ok(blobs::storage(shared, question, repository, digest)),
        Place::Manifest(repository, reference) => manifests::answer(shared, question, repository, reference),
        Place::Tags(repository) if question.method == Method::GET => Ok(manifests::tags(shared, question, repository)),
        Place::Uploads(_) | Place::Tags(_) => Ok(answer::error(405, "UNSUPPORTED", "the operation is unsupported")),
        Place::Token | Place::Elsewhere => Ok(answer::with(404, &[("content-type", "text/plain")], "404 page not found\n")),
    }
}

/// The connection ends in place of an answer, when a quirk wants it.
pub fn lost(shared: &Shared, wanted: impl Fn(&Quirk) -> Option<Close>) -> Option<Close> {
    shared.switches.show(wanted)
}
