//! Doors for the targets of `fuzz/`, with the feature `fuzzing` alone: what reads the headers and errors of a registry.

use http::{HeaderMap, response};
use secrecy::SecretString;

use super::{
    AllowedHosts, Answer, Failure, Stage,
    auth::{
        challenge::{Bearer, Challenge, says_invalid_token},
        token,
    },
    location::{resolve, with_digest},
};
use crate::model::{Digest, Origin, RepositoryName};

/// Where a `Location` leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Whom the next request is sent to.
    pub origin: Origin,
    /// Whether a credential goes along.
    pub own: bool,
    /// Path and query.
    pub path_and_query: String,
    /// What is shown of it where it named another place.
    pub shown: Vec<String>,
    /// Path and query of the request that closes the upload.
    pub closing: String,
}

/// What a `Location` comes to that answers a request for `request_path` at `own`.
///
/// # Errors
/// The sentence that is shown where it is refused.
pub fn location(own: &Origin, request_path: &str, location: &str, allowed: &AllowedHosts, digest: &Digest) -> Result<Named, String> {
    let address = resolve(own, request_path, location, allowed)?;
    let closing = with_digest(&address.path_and_query, digest);
    let shown = address.foreign.into_iter().chain(address.misnamed).collect();
    Ok(Named { origin: address.origin, own: address.own, path_and_query: address.path_and_query, shown, closing })
}

/// What is asked for by `WWW-Authenticate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Name and password.
    Basic,
    /// A token.
    Token {
        /// The scopes that are asked for, those of a publication first.
        scopes: Vec<String>,
        /// The service, where it has a name.
        service: Option<String>,
        /// Where a token is asked for, with a credential and without: origin, and path with query.
        to: [Result<(Origin, String), Failure>; 2],
        /// Whether the token that was sent is called invalid.
        is_invalid: bool,
    },
}

/// What the challenges of a registry at `own` come to.
pub fn challenge(own: &Origin, headers: &HeaderMap, repository: &RepositoryName, allowed: &AllowedHosts) -> Option<Asked> {
    let bearer = match Challenge::of(headers)? {
        Challenge::Basic => return Some(Asked::Basic),
        Challenge::Bearer(bearer) => bearer.widened(repository, &["pull", "push"]),
    };
    let to = |bearer: &Bearer, with_credential| {
        token::named(own, bearer, with_credential, allowed).map_err(|cause| Failure::new(Stage::Token, cause))
    };
    let to = [to(&bearer, true), to(&bearer, false)];
    let Bearer { scopes, service, .. } = bearer.widened(repository, &[]);
    Some(Asked::Token { scopes, service, to, is_invalid: says_invalid_token(headers) })
}

/// The offset that `Range` names.
pub fn next_offset(headers: &HeaderMap) -> Option<u64> {
    super::upload::range::next_offset(headers)
}

/// What is kept of an answer that was not hoped for.
pub fn answer(head: &response::Parts, body: &[u8], secrets: &[SecretString]) -> Answer {
    super::answer::judged(head, body, 0, secrets)
}
