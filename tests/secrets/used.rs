//! That the secrets were used: somebody was given each of them, and wrote it down.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    planted::Planted,
    servers::{Servers, TYPIST, USER},
    support::{access_log::Request, recorder::Recorder},
};

/// All that was used, also what came with answers; panics where something was not.
pub fn all(servers: &Servers) -> Vec<Planted> {
    let words = &servers.words;
    let basic = |user: &str, password: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
    let mut planted = Vec::new();
    for (name, recorder, user, password) in [
        ("the password of a source", &servers.charts.recorder, USER, &words.source),
        ("a password that goes to other hosts, at its own", &servers.links.recorder, USER, &words.passed),
        ("a password that goes to other hosts, at another", &servers.store, USER, &words.passed),
        ("the password of a registry", &servers.basic.recorder, USER, &words.basic),
        ("a wrong password", &servers.basic.recorder, USER, &words.wrong),
        ("the password in a Docker configuration", &servers.docker.recorder, USER, &words.docker),
        ("the password at the token service", &servers.tokens.recorder, USER, &words.tokens),
        ("the password that was typed", &servers.tokens.recorder, TYPIST, &words.typed),
        ("the password that a registry repeats", &servers.echo.recorder, USER, &words.echoed),
    ] {
        assert!(authorizations(recorder).contains(&basic(user, password)), "{name} was not used");
        planted.push(Planted::new(name, password));
    }
    assert!(authorizations(&servers.links.recorder).contains(&format!("Bearer {}", words.source_token)), "the token was not used");
    // What redirects lead there brings nothing along.
    assert_eq!(authorizations(&servers.store), [basic(USER, &words.passed)]);
    planted.push(Planted::new("the token of a source", &words.source_token));
    for (name, recorder, query, value) in [
        ("the query of an index", &servers.links.recorder, "token", &words.index),
        ("the query of a chart", &servers.links.recorder, "sig", &words.chart),
        ("the query of a redirect", &servers.store, "X-Amz-Signature", &words.redirect),
        ("the query of an upload that is refused", &servers.half.recorder, "_state", &words.state),
    ] {
        assert!(queries(recorder, query).contains(value), "{name} was not used");
        planted.push(Planted::new(name, value));
    }
    let ours = |request: &Request| request.user_agent.starts_with("chart-publisher/") && matches!(request.status, 200 | 201);
    let was_read = servers.known_charts.requests().iter().any(ours);
    assert!(was_read && servers.known.requests().iter().any(ours), "a key was not used");
    planted.push(Planted::key("the key for a source", &servers.source_client.key));
    planted.push(Planted::key("the key for a registry", &servers.registry_client.key));
    let tokens: Vec<_> =
        authorizations(&servers.bearer.recorder).into_iter().filter_map(|value| Some(value.strip_prefix("Bearer ")?.to_owned())).collect();
    let states = queries(&servers.basic.recorder, "_state");
    assert!(tokens.len() >= 2 && states.len() >= 2, "{} tokens, {} uploads", tokens.len(), states.len());
    planted.extend(tokens.iter().map(|token| Planted::new("a token of the token service", token)));
    planted.extend(states.iter().map(|state| Planted::new("the query of an upload", state)));
    planted
}

/// What was shown, each once.
fn authorizations(recorder: &Recorder) -> Vec<String> {
    let mut all: Vec<_> = recorder.heads().iter().filter_map(|head| Some(head.field("authorization")?.to_owned())).collect();
    all.sort();
    all.dedup();
    all
}

/// The values of one part of the queries.
fn queries(recorder: &Recorder, name: &str) -> Vec<String> {
    let heads = recorder.heads();
    let queries = heads.iter().filter_map(|head| Some(head.target.split_once('?')?.1));
    let values = queries.flat_map(|query| url::form_urlencoded::parse(query.as_bytes()).into_owned());
    values.filter(|(part, _)| part == name).map(|(_, value)| value).collect()
}
