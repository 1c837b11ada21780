//! One token from a token service ("Docker Registry v2 authentication via central service", GET with Basic authentication).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use super::{Token, TokenService, challenge::Bearer};
use crate::{
    model::{Credential, Origin, Scheme},
    net::{Address, Endpoint, Reuse},
    registry::{AllowedHosts, Cause, Failure, Shown, Stage, answer::evidence},
    steps::{Step, enter},
};

const MOST_OF_AN_ANSWER: usize = 64 * 1024;
/// The specification's default.
const DEFAULT_LIFE: u64 = 60;
const LONGEST_LIFE: u64 = 24 * 3600;
/// Registries whose token service is known to be on another host of the same operator.
const BUILT_IN: &[(&str, &str)] = &[
    ("registry-1.docker.io", "auth.docker.io"),
    ("index.docker.io", "auth.docker.io"),
    ("docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
];

#[derive(Deserialize)]
struct Body {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
    /// Seconds. Anything else says nothing of the token itself: then it lives as long as the specification has it.
    expires_in: Option<serde_json::Value>,
}

/// Asks for a token. The credential goes along only to the registry's own host and to hosts that are listed.
pub(super) async fn fetch(
    service: &TokenService<'_>,
    bearer: &Bearer,
    credential: Option<&Credential>,
    allowed: &AllowedHosts,
) -> Result<Token, Failure> {
    let (endpoint, path) = place(service, bearer, credential.is_some(), allowed).map_err(|cause| Failure::new(Stage::Token, cause))?;
    let failed = |cause: Cause| Failure::new(Stage::Token, cause);
    let mut builder = Request::get(path).header(header::HOST, endpoint.origin.authority()).header(header::USER_AGENT, crate::USER_AGENT);
    if let Some(credential) = credential {
        builder = builder.header(header::AUTHORIZATION, credential.basic_header().expose_secret());
    }
    let malformed = |detail: String| failed(Cause::Malformed { detail });
    let (head, ()) = builder.body(()).map_err(|_| malformed("the realm is no URL".to_owned()))?.into_parts();
    let transport = service.transport.beside();
    let _step = enter(Step::AskToken);
    let begin = Instant::now();
    let answered = transport.send(&endpoint, None, Reuse::Idle, head, &Bytes::new(), service.patience).await;
    if let Some(observer) = service.observer {
        observer.asked(Stage::Token, answered.as_ref().ok().map(|answered| answered.head.status.as_u16()), begin.elapsed());
    }
    let mut answered = answered.map_err(|error| failed(error.into()))?;
    if answered.head.status.as_u16() != 200 {
        let status = answered.head.status.as_u16();
        let answer = evidence(&mut answered, &credential.map(|credential| credential.secrets().to_vec()).unwrap_or_default()).await;
        let cause = match status {
            400 | 401 | 403 => Cause::Unauthorized { shown: if credential.is_some() { Shown::Credential } else { Shown::Nothing }, answer },
            _ => answer.into(),
        };
        return Err(failed(cause));
    }
    let (body, _) = answered.bounded(MOST_OF_AN_ANSWER).await.map_err(|error| failed(error.into()))?;
    read(&body).map_err(malformed)
}

fn read(body: &[u8]) -> Result<Token, String> {
    let body: Body = serde_json::from_slice(body).map_err(|_| "the token service sent no JSON object with a token".to_owned())?;
    let value = body.token.or(body.access_token).filter(|token| !token.expose_secret().is_empty());
    let value = value.ok_or("the token service sent no token")?;
    if !value.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the token service sent a token that cannot stand in a header".to_owned());
    }
    let life = body.expires_in.and_then(|life| life.as_u64()).unwrap_or(DEFAULT_LIFE).clamp(1, LONGEST_LIFE);
    // Renewed before its end: after nine tenths of its life.
    Ok(Token { value, until: Instant::now() + Duration::from_millis(life * 900) })
}

/// Where the realm is dialled, and the path with its query.
fn place(service: &TokenService<'_>, bearer: &Bearer, with_credential: bool, allowed: &AllowedHosts) -> Result<(Endpoint, String), Cause> {
    let registry = service.registry;
    let (origin, path) = named(&registry.origin, bearer, with_credential, allowed)?;
    let addresses = if origin == registry.origin { registry.addresses.clone() } else { vec![Address::of(&origin)] };
    let (tls, policy, proxy) = (registry.tls.clone(), registry.policy.clone(), registry.proxy.clone());
    Ok((Endpoint { addresses, origin, tls, policy, segment: registry.segment, proxy }, path))
}

/// The origin of the realm, where a registry at `own` may name it, and the path with its query.
pub(in crate::registry) fn named(
    own: &Origin,
    bearer: &Bearer,
    with_credential: bool,
    allowed: &AllowedHosts,
) -> Result<(Origin, String), Cause> {
    let malformed = || Cause::Malformed { detail: "the realm of the challenge is no http or https URL".to_owned() };
    let mut url = url::Url::parse(&bearer.realm).map_err(|_| malformed())?;
    let origin = Origin::try_from(&url).map_err(|_| malformed())?;
    // A name of DNS has 253 characters at most; one without end is nothing to be shown whole.
    let refused = Cause::Realm { origin: origin.to_string().chars().take(300).collect() };
    if own.scheme == Scheme::Https && origin.scheme == Scheme::Http {
        return Err(refused);
    }
    let is_built_in = BUILT_IN.iter().any(|(registry, realm)| *registry == own.host && *realm == origin.host);
    if with_credential && origin != *own && !is_built_in && !allowed.contains(&origin) {
        return Err(refused);
    }
    {
        let mut query = url.query_pairs_mut();
        if let Some(name) = &bearer.service {
            query.append_pair("service", name);
        }
        for scope in &bearer.scopes {
            query.append_pair("scope", scope);
        }
    }
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    Ok((origin, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For how long the token of this answer is used, in milliseconds.
    fn used_for(answer: &str) -> u128 {
        let begin = Instant::now();
        read(answer.as_bytes()).map(|token| (token.until - begin).as_millis()).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn a_life_that_is_no_number_of_seconds_is_that_of_the_specification() {
        for (fields, seconds) in [
            (r#""expires_in":300"#, 300),
            (r#""expires_in":0"#, 1),
            (r#""expires_in":99999999"#, LONGEST_LIFE),
            (r#""expires_in":-5"#, DEFAULT_LIFE),
            (r#""expires_in":1e300"#, DEFAULT_LIFE),
            (r#""expires_in":"garbage""#, DEFAULT_LIFE),
            (r#""expires_in":null"#, DEFAULT_LIFE),
            (r#""expires_in":{"a":1}"#, DEFAULT_LIFE),
            (r#""issued_at":"garbage""#, DEFAULT_LIFE),
            (r#""issued_at":-5"#, DEFAULT_LIFE),
        ] {
            let answer = format!(r#"{{"token":"abc",{fields}}}"#);
            assert_eq!(used_for(&answer), u128::from(seconds) * 900, "{answer}");
        }
    }

    #[test]
    fn what_has_no_token_is_refused() {
        for answer in ["", "[]", r#"{"token":5}"#, "{}", r#"{"token":""}"#, r#"{"token":"a b"}"#] {
            assert!(read(answer.as_bytes()).is_err(), "{answer}");
        }
    }
}
