//! The plan of a target that is given by its URL: one way, the one that the URL says.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use super::{
    Plan, PlanError, Route, Strategy,
    facts::{check_hostname, credential_hosts, named_origin},
    routes::{bodies, pull_address},
};
use crate::{
    api::Target,
    model::{Origin, Scheme},
    net::Address,
};

/// Docker Hub is written by one name, reached by another, and logged in to by a third.
const DOCKER_HUB_NAMES: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
const DOCKER_HUB: &str = "registry-1.docker.io";

/// Plans the way to the `url` of `target`.
///
/// # Errors
/// When the URL or the `hostname` cannot be read.
pub fn url(target: &Target) -> Result<Plan, PlanError> {
    let given = target.url.as_deref().ok_or(PlanError::NoTarget)?;
    check_hostname(target)?;
    let scheme = if target.insecure { Scheme::Http } else { Scheme::Https };
    let (written, prefix) = parse(given, scheme).ok_or_else(|| PlanError::InvalidUrl { url: without_secrets(given) })?;
    let is_hub = DOCKER_HUB_NAMES.contains(&written.host.as_str());
    let dialled = if is_hub { Origin::new(scheme, DOCKER_HUB, written.port) } else { written.clone() };
    let addresses = vec![address(&dialled)];
    let origin = named_origin(target, scheme).unwrap_or(dialled);
    let aliases = DOCKER_HUB_NAMES.iter().filter(|_| is_hub).map(|name| (*name).to_owned());
    let strategy = Strategy {
        route: Route::Url,
        credential_hosts: credential_hosts(&origin, &addresses, aliases, &prefix),
        addresses,
        origin,
        reason: "the target is given by its URL".to_owned(),
        bodies: bodies(target),
        via: None,
    };
    let pull = Some(pull_address(&written.authority(), &prefix));
    Ok(Plan {
        strategies: vec![strategy],
        left_out: Vec::new(),
        prefix,
        pull,
        reader: Route::Url,
        endpoints: BTreeSet::new(),
        replicas: Vec::new(),
    })
}

fn parse(given: &str, scheme: Scheme) -> Option<(Origin, String)> {
    let rest = given.strip_prefix("oci://")?;
    if rest.contains(['?', '#', '@']) {
        return None;
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    Some((Origin::parse(scheme, authority).ok()?, path.trim_matches('/').to_owned()))
}

fn address(origin: &Origin) -> Address {
    origin.host.parse::<IpAddr>().map_or_else(|_| Address::of(origin), |ip| Address::Socket(SocketAddr::new(ip, origin.port)))
}

/// Neither user name nor password nor query.
fn without_secrets(given: &str) -> String {
    let given = given.split(['?', '#']).next().unwrap_or_default();
    match given.rsplit_once('@') {
        Some((before, after)) => format!("{}…@{after}", before.find("://").and_then(|at| before.get(..at + 3)).unwrap_or_default()),
        None => given.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::testing::{merge, object, shown},
        *,
    };
    use crate::api::Reason;

    fn plan(url: &str, change: Value) -> Result<Plan, PlanError> {
        let mut target = json!({"name": "main", "url": url});
        merge(&mut target, change);
        super::url(&object(target))
    }

    #[test]
    fn a_url_is_its_own_route() {
        for (given, change, expected, prefix, pull) in [
            (
                "oci://r.example.com/charts",
                json!({}),
                "URL https://r.example.com → r.example.com:443",
                "charts",
                "oci://r.example.com/charts",
            ),
            (
                "oci://r.example.com:5000/a/b/",
                json!({}),
                "URL https://r.example.com:5000 → r.example.com:5000",
                "a/b",
                "oci://r.example.com:5000/a/b",
            ),
            ("oci://r.example.com", json!({"insecure": true}), "URL http://r.example.com → r.example.com:80", "", "oci://r.example.com"),
            ("oci://10.0.0.9:5000/x", json!({"insecure": true}), "URL http://10.0.0.9:5000 → 10.0.0.9:5000", "x", "oci://10.0.0.9:5000/x"),
            ("oci://[fd00::9]:5000/x", json!({}), "URL https://[fd00::9]:5000 → [fd00::9]:5000", "x", "oci://[fd00::9]:5000/x"),
            ("oci://10.0.0.9/x", json!({"hostname": "r.example.com"}), "URL https://r.example.com → 10.0.0.9:443", "x", "oci://10.0.0.9/x"),
            ("oci://docker.io/me", json!({}), "URL https://registry-1.docker.io → registry-1.docker.io:443", "me", "oci://docker.io/me"),
        ] {
            let plan = plan(given, change).unwrap();
            assert_eq!(plan.strategies.iter().map(shown).collect::<Vec<_>>(), [expected]);
            assert_eq!((plan.prefix.as_str(), plan.pull.as_deref(), plan.reader), (prefix, Some(pull), Route::Url));
        }
        let hub = plan("oci://docker.io/me", json!({})).unwrap();
        assert!(hub.strategies[0].credential_hosts.contains(&"index.docker.io".to_owned()));
    }

    #[test]
    fn what_is_no_url_is_refused_without_showing_secrets() {
        for bad in
            ["https://r.example.com/x", "oci://", "oci://user:hunter2@r.example.com/x", "oci://r.example.com/x?hunter2", "oci://r:99999/x"]
        {
            let error = plan(bad, json!({})).unwrap_err();
            assert_eq!(error.reason(), Reason::NoRoute);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
