//! Publications of a test: written as its user would, and watched until they say what they should.

use std::time::Duration;

use chart_publisher::api::{ChartInventory, ChartPublication, ChartPublicationStatus, FORCE_AT, REQUESTED_AT};
use k8s_openapi::{api::events::v1::Event, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
    runtime::wait::await_condition,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{eventually::SOON, namespace::Namespace, random_word};

/// A spec: charts of a Helm repository to targets.
pub fn spec(repository: &str, charts: &Value, targets: &Value) -> Value {
    json!({"interval": "1h", "source": {"helmRepository": {"url": repository}}, "charts": charts, "targets": targets})
}

/// A target by its URL, in plain HTTP.
pub fn url_target(registry: std::net::SocketAddr, prefix: &str) -> Value {
    json!({"name": "main", "url": format!("oci://{registry}/{prefix}"), "insecure": true})
}

/// The condition of this kind, where there is one.
pub fn condition<'a>(status: &'a ChartPublicationStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.type_ == kind)
}

/// `True Succeeded`: status and reason of `Ready`; empty without it.
pub fn ready(status: &ChartPublicationStatus) -> String {
    condition(status, "Ready").map(|ready| format!("{} {}", ready.status, ready.reason)).unwrap_or_default()
}

impl Namespace {
    /// Applies a publication; what is not in `spec` is as the schema fills it in.
    pub async fn publish(&self, name: &str, spec: &Value) -> ChartPublication {
        let object = json!({
            "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": name}, "spec": spec,
        });
        self.apply(object).await
    }

    /// Changes fields of the spec.
    pub async fn change(&self, name: &str, spec: &Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.api::<ChartPublication>().patch(name, &PatchParams::default(), &patch).await.expect("a publication");
    }

    /// A publication as it is now.
    pub async fn publication(&self, name: &str) -> ChartPublication {
        self.api::<ChartPublication>().get(name).await.unwrap_or_else(|problem| panic!("{name}: {problem}"))
    }

    /// The status of a publication as it is now.
    pub async fn status(&self, name: &str) -> ChartPublicationStatus {
        self.publication(name).await.status.unwrap_or_default()
    }

    /// Waits until the status of the present spec is as it should be.
    pub async fn becomes(&self, name: &str, what: &str, is_so: impl Fn(&ChartPublicationStatus) -> bool) -> ChartPublication {
        self.becomes_within(SOON, name, what, is_so).await
    }

    /// The same with another patience; panics with the status when it does not become so.
    pub async fn becomes_within(
        &self,
        limit: Duration,
        name: &str,
        what: &str,
        is_so: impl Fn(&ChartPublicationStatus) -> bool,
    ) -> ChartPublication {
        let publications: Api<ChartPublication> = self.api();
        let condition = |object: Option<&ChartPublication>| {
            object.is_some_and(|object| {
                let status = object.status.as_ref();
                status.is_some_and(|status| status.observed_generation == object.metadata.generation && is_so(status))
            })
        };
        if let Ok(found) = timeout(limit, await_condition(publications, name, condition)).await {
            return found.expect("a watch").expect("the publication that was waited for");
        }
        let status = serde_json::to_string_pretty(&self.status(name).await).expect("JSON");
        panic!("{}/{name}: not within {limit:?}: {what}; its status is {status}", self.name());
    }

    /// Waits until a publication is Ready.
    pub async fn becomes_ready(&self, name: &str) -> ChartPublication {
        self.becomes(name, "it is Ready", |status| ready(status) == "True Succeeded" && status.conditions.len() == 1).await
    }

    /// Asks for a run; gives what it was asked with.
    pub async fn request_run(&self, name: &str) -> String {
        let request = random_word();
        let patch = Patch::Merge(json!({"metadata": {"annotations": {REQUESTED_AT: request}}}));
        self.api::<ChartPublication>().patch(name, &PatchParams::default(), &patch).await.expect("a publication");
        request
    }

    /// Asks for a run and waits until it has ended.
    pub async fn run_again(&self, name: &str) -> ChartPublication {
        let request = self.request_run(name).await;
        self.becomes(name, "the run that was asked for ends", |status| status.last_handled_reconcile_at.as_ref() == Some(&request)).await
    }

    /// Asks for a run that passes over nothing, as `flux reconcile --force` does, and waits until it has ended.
    pub async fn force_a_run(&self, name: &str) -> ChartPublication {
        let request = random_word();
        let patch = Patch::Merge(json!({"metadata": {"annotations": {FORCE_AT: request, REQUESTED_AT: request}}}));
        self.api::<ChartPublication>().patch(name, &PatchParams::default(), &patch).await.expect("a publication");
        let is_handled = |status: &ChartPublicationStatus| status.last_handled_reconcile_at.as_ref() == Some(&request);
        self.becomes(name, "the forced run ends", is_handled).await
    }

    /// The inventory of a publication, where there is one.
    pub async fn inventory(&self, name: &str) -> Option<ChartInventory> {
        self.api::<ChartInventory>().get_opt(name).await.expect("an answer")
    }

    /// The Events of a publication, in the order of their time.
    pub async fn events_of(&self, name: &str) -> Vec<Event> {
        let events = self.api::<Event>().list(&ListParams::default()).await.expect("a list").items;
        let is_of = |event: &Event| event.regarding.as_ref().is_some_and(|object| object.name.as_deref() == Some(name));
        let mut events: Vec<Event> = events.into_iter().filter(is_of).collect();
        events.sort_by_key(|event| event.event_time.clone());
        events
    }
}
