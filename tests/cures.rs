//! What the status says is done, word for word, and the publication becomes Ready by the route that its Service shows. What kubectl
//! prints before and after stands in docs/cures.md.
#![cfg(test)]

#[path = "cures/body_limit.rs"]
mod body_limit;
#[path = "cures/location.rs"]
mod location;
#[path = "cures/replicas.rs"]
mod replicas;
#[path = "cures/sentence.rs"]
mod sentence;
#[path = "cures/stalled.rs"]
mod stalled;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use chart_publisher::api::{ChartPublication, ChartPublicationStatus};
use serde_json::{Value, json};
use support::{
    namespace::Namespace,
    printed::compare,
    publication::{condition, ready},
    registry::Registry,
};

/// A day between runs: only what the cure changes makes it run again, or what failed is tried again by itself.
fn spec(source: &str, charts: &[&str], target: &Value) -> Value {
    let charts: Vec<_> = charts.iter().map(|name| json!({"name": name})).collect();
    json!({"interval": "24h", "source": {"helmRepository": {"url": source}}, "charts": charts, "targets": [target]})
}

/// The Service `name` by plain HTTP, with further fields.
fn target(name: &str, more: &Value) -> Value {
    let mut target = json!({"name": "main", "service": {"name": name, "port": "http", "repository": "charts"}, "insecure": true});
    for (field, value) in more.as_object().expect("an object") {
        target[field] = value.clone();
    }
    target
}

/// Waits until the publication has failed for `reason`, and the next attempt is awaited; gives the message.
async fn fails(namespace: &Namespace, name: &str, reason: &str) -> (ChartPublication, String) {
    let wanted = format!("False {reason}");
    let is_so = |status: &ChartPublicationStatus| {
        let waits = condition(status, "Reconciling").is_none_or(|condition| condition.reason == "ProgressingWithRetry");
        // Nothing that is learnt means that the search went through all there is: a run that had to stop is followed by one that goes on.
        ready(status) == wanted && waits && status.targets.iter().all(|target| target.learnt.is_empty())
    };
    let publication = namespace.becomes(name, &format!("it is {wanted}"), is_so).await;
    let message = publication.status.as_ref().and_then(|status| condition(status, "Ready")).expect("a condition").message.clone();
    (publication, message)
}

/// Waits until it is Ready by this route, in one piece and without a detour.
async fn is_cured(namespace: &Namespace, name: &str, route: &str) -> ChartPublication {
    let is_so = |status: &ChartPublicationStatus| {
        let target = &status.targets[0];
        ready(status) == "True Succeeded"
            && status.conditions.len() == 1
            && (target.route.as_deref(), target.method.as_deref()) == (Some(route), Some("Buffered"))
            && target.attempts.is_empty()
    };
    namespace.becomes(name, &format!("it is Ready by {route}, without a detour"), is_so).await
}

/// Whether the registry took this chart from us.
fn has(registry: &Registry, chart: &str) -> bool {
    let line = format!("PUT /v2/charts/{chart} 201");
    registry.requests().iter().any(|request| request.user_agent.starts_with("chart-publisher/") && request.line() == line)
}

/// Compares `output` of docs/cures.md; each of `names` stands there for what was found here.
fn documented(namespace: &Namespace, output: &str, names: &[(String, &str)]) {
    let mut names: Vec<_> = names.iter().map(|(from, to)| (from.clone(), (*to).to_owned())).collect();
    names.push((namespace.name().to_owned(), "platform".to_owned()));
    compare("docs/cures.md", |other| other == output, namespace, &names);
}
