//! A ChartPublication as a user writes it, and what its status comes to say.

use std::time::Duration;

use chart_publisher::api::{ChartPublication, ChartPublicationStatus, REQUESTED_AT};
use kube::{
    Api,
    api::{Patch, PatchParams},
    runtime::wait::await_condition,
};
use serde_json::json;
use tokio::time::timeout;

use super::support::{namespace::Namespace, random_word};

/// A change that the watches see is in the status by then.
const FOLLOWED: Duration = Duration::from_secs(30);

/// Applies YAML as a user does.
pub fn apply(namespace: &Namespace, yaml: &str) {
    let folder = namespace.bed.folder("applied");
    let file = folder.join("publication.yaml");
    std::fs::write(&file, yaml).expect("a file in the bed's folder");
    let words = ["kubectl", "apply", "--namespace", namespace.name(), "--filename", &file.display().to_string()];
    namespace.bed.run_on_host(&words).expect_success();
}

/// Waits until the status of the present spec is as it should be; panics with the status when it does not become so.
pub async fn becomes(
    namespace: &Namespace,
    name: &str,
    what: &str,
    is_so: impl Fn(&ChartPublicationStatus) -> bool,
) -> ChartPublicationStatus {
    let publications: Api<ChartPublication> = namespace.api();
    let condition = |object: Option<&ChartPublication>| {
        object.is_some_and(|object| {
            let status = object.status.as_ref();
            status.is_some_and(|status| status.observed_generation == object.metadata.generation && is_so(status))
        })
    };
    if let Ok(found) = timeout(FOLLOWED, await_condition(publications.clone(), name, condition)).await {
        return found.expect("a watch").and_then(|object| object.status).expect("the status that was waited for");
    }
    let status = publications.get(name).await.expect("the publication").status;
    panic!("{name}: not within {FOLLOWED:?}: {what}; its status is {}", serde_json::to_string_pretty(&status).expect("JSON"));
}

/// Asks for a run now and waits until it has ended.
pub async fn run_again(namespace: &Namespace, name: &str) -> ChartPublicationStatus {
    let request = random_word();
    let patch = json!({"metadata": {"annotations": {REQUESTED_AT: request}}});
    let publications: Api<ChartPublication> = namespace.api();
    publications.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("a publication");
    becomes(namespace, name, "the run that was asked for ends", |status| status.last_handled_reconcile_at.as_ref() == Some(&request)).await
}

/// Whether a condition of this kind is True.
pub fn is_true(status: &ChartPublicationStatus, kind: &str) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
}
