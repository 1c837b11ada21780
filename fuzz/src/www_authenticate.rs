//! `WWW-Authenticate`, a header in each line: what is asked for, and whom a credential is told.

use chart_publisher::{
    model::{Origin, RepositoryName, Scheme},
    registry::{
        AllowedHosts,
        doors::{Asked, challenge},
    },
};
use http::{HeaderMap, HeaderValue, header};

use super::sentence;

/// Reads them.
pub fn run(input: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n').take(8) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(header::WWW_AUTHENTICATE, value);
        }
    }
    let repository: RepositoryName = "charts/web".parse().expect("a name");
    let allowed = AllowedHosts::new(["auth.example".to_owned()]);
    for own in [
        Origin::new(Scheme::Https, "registry.example", 443),
        Origin::new(Scheme::Http, "registry.example", 30500),
        Origin::new(Scheme::Https, "registry-1.docker.io", 443),
    ] {
        match challenge(&own, &headers, &repository, &allowed) {
            Some(asked) => check(&own, &headers, &asked, &allowed),
            None => assert_eq!(challenge(&own, &headers, &repository, &AllowedHosts::default()), None),
        }
    }
}

fn check(own: &Origin, headers: &HeaderMap, asked: &Asked, allowed: &AllowedHosts) {
    // Each character of a quoted string may have a backslash before it.
    let plain = |text: &str| text.to_ascii_lowercase().replace('\\', "");
    let says = |word: &str| headers.values().any(|value| value.to_str().is_ok_and(|text| plain(text).contains(word)));
    let Asked::Token { scopes, service, to: [with_credential, without], is_invalid } = asked else { return assert!(says("basic")) };
    assert!(says("bearer") && says("realm") && (!is_invalid || says("invalid_token")));
    let first = scopes.first().and_then(|scope| scope.strip_prefix("repository:charts/web:")).expect("a scope for the publication");
    let mut actions: Vec<&str> = first.split(',').collect();
    assert!(actions.contains(&"pull") && actions.contains(&"push"), "{first}");
    actions.dedup();
    assert!(actions.is_sorted() && actions.join(",") == first, "each action once: {first}");
    if let Ok((origin, _)) = with_credential {
        let is_built_in = own.host == "registry-1.docker.io" && origin.host == "auth.docker.io";
        assert!(origin == own || allowed.contains(origin) || is_built_in, "a credential goes to `{origin}`");
        assert_eq!(with_credential, without);
    }
    for destination in [with_credential, without] {
        match destination {
            Ok((origin, path)) => told(own, origin, path, service.as_deref(), scopes),
            Err(failure) => sentence::check(&failure.to_string()),
        }
    }
}

/// The token service hears what was asked for.
fn told(own: &Origin, origin: &Origin, path: &str, service: Option<&str>, scopes: &[String]) {
    assert!(own.scheme == Scheme::Http || origin.scheme == Scheme::Https, "TLS is left");
    let url: url::Url = format!("{origin}{path}").parse().expect("a URL");
    assert!(url.username().is_empty() && url.password().is_none() && Origin::try_from(&url).as_ref() == Ok(origin), "{url}");
    let all = |wanted: &str| -> Vec<String> {
        url.query_pairs().filter(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).collect()
    };
    assert!(all("scope").ends_with(scopes), "{url}");
    assert!(service.is_none_or(|service| all("service").last().is_some_and(|last| last == service)), "{url}");
    assert!(path.parse::<http::uri::PathAndQuery>().is_ok(), "{path:?} can stand in a request");
}
