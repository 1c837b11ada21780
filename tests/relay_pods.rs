//! The route Relay through a real API server and kubelet to a registry in a Pod, where no other route leads to it. Also what it is not
//! granted, and what it survives.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{fs, path::Path, time::Duration};

use chart_publisher::api::{Attempt, ChartPublicationStatus};
use serde_json::{Value, json};
use support::{
    api_server,
    eventually::eventually,
    exposure::Exposure,
    namespace::Namespace,
    publication::{condition, ready, spec},
    registry::Version,
};
use tokio::sync::RwLock;

/// Enough for 90 MiB in a program that was not optimised, on a machine that does other things beside.
const LONG: Duration = Duration::from_mins(3);

/// Who restarts the API server is alone with it.
static API_SERVER: RwLock<()> = RwLock::const_new(());

fn granted(namespace: &Namespace) -> [String; 2] {
    ["relay.enabled=true".to_owned(), format!("relay.namespaces={{{}}}", namespace.name())]
}

fn to(service: &str, change: &Value) -> Value {
    let mut target = json!({"name": "main", "insecure": true, "service": {"name": service, "port": "http", "repository": "charts"}});
    for (field, value) in change.as_object().expect("an object") {
        target[field] = value.clone();
    }
    target
}

async fn is_ready_by_relay(namespace: &Namespace, name: &str) -> ChartPublicationStatus {
    let is_so = |status: &ChartPublicationStatus| ready(status) == "True Succeeded" && status.route.as_deref() == Some("Relay");
    namespace.becomes_within(LONG, name, "it is Ready by Relay", is_so).await.status.expect("a status")
}

/// `ClusterIP RouteUnreachable`, in the order of trying.
fn failed(status: &ChartPublicationStatus) -> Vec<String> {
    let of = |attempt: &Attempt| format!("{} {}", attempt.route, attempt.reason);
    status.targets.iter().flat_map(|target| target.attempts.iter().map(of)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_on_the_loopback_of_its_pod_is_reached_by_relay_alone() {
    let Some(bed) = support::pods() else { return };
    let _api_server = API_SERVER.read().await;
    let namespace = bed.namespace().await;
    let registry = namespace.registry_pods("registry", Version::V3).on_loopback().start().await;
    registry.expose("registry", Exposure::ClusterIp, json!({})).await;
    let charts = bed.helm_repository(&["small-1.2.2", "large-3.0.0"]).start().await;
    let values = granted(&namespace);
    let _controller = namespace.controller_pod(&[&values[0], &values[1]]).await;
    let both = json!([{"name": "small"}, {"name": "large"}]);
    namespace.publish("plain", &spec(&charts.url(), &both, &json!([to("registry", &json!({}))]))).await;
    let status = is_ready_by_relay(&namespace, "plain").await;
    assert_eq!(failed(&status), ["ClusterIP RouteUnreachable", "Endpoint RouteUnreachable"]);
    let pod = registry.pods().await.remove(0);
    let target = &status.targets[0];
    assert_eq!(target.address, Some(format!("{}/{}:5000", namespace.name(), pod.name)));
    assert_eq!(target.published.as_deref(), Some("2/2"));
    let requests = registry.requests(&pod);
    assert!(requests.iter().all(|request| request.client == "127.0.0.1"), "{requests:?}");
    assert!(requests.iter().filter(|request| request.method == "PUT" && request.status == 201).count() >= 6, "{requests:?}");

    let secure = to("registry", &json!({"insecure": false, "routes": ["Relay"], "service": {"name": "registry", "repository": "again"}}));
    namespace.publish("by-tls-first", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([secure]))).await;
    let status = is_ready_by_relay(&namespace, "by-tls-first").await;
    assert_eq!(failed(&status), ["Relay TlsOnPlainHttp"]);
    let reason = status.targets[0].reason.clone().unwrap_or_default();
    assert!(reason.ends_with("forwarded by the API server, in plain HTTP inside of the tunnel"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_relay_from_a_pod_is_told_with_its_cure() {
    let Some(bed) = support::pods() else { return };
    let _api_server = API_SERVER.read().await;
    let namespace = bed.namespace().await;
    let registry = namespace.registry_pods("registry", Version::V3).start().await;
    registry.expose("registry", Exposure::ClusterIp, json!({})).await;
    let nobody = json!({"ports": [{"name": "http", "port": 5000, "targetPort": 5999}]});
    namespace.declare_selected("nobody", Exposure::ClusterIp, &json!({"app": "registry"}), &[], nobody).await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let relay = json!({"routes": ["Relay"]});
    bed.install_crds();
    for name in ["registry", "nobody"] {
        namespace.publish(name, &spec(&charts.url(), &json!([{"name": "small"}]), &json!([to(name, &relay)]))).await;
    }
    let says = async |name: &str, reason: &str, words: &[&str]| {
        let is_so = |status: &ChartPublicationStatus| {
            let message = condition(status, "Ready").map(|ready| ready.message.as_str()).unwrap_or_default();
            ready(status) == format!("False {reason}") && words.iter().all(|word| message.contains(word))
        };
        namespace.becomes_within(LONG, name, &format!("{reason} with {words:?}"), is_so).await;
    };
    {
        // The flag without the right.
        let controller = namespace.controller(&["--relay-namespace", namespace.name()]).await;
        let cure = "Grant the controller `get` and `create` on `pods/portforward` in the Pod's namespace";
        says("registry", "RouteUnreachable", &["is forbidden", cure]).await;
        controller.stop();
    }
    let values = granted(&namespace);
    let rights = namespace.rights(&[&values[0], &values[1]]);
    let kubeconfig = namespace.kubeconfig_of(&rights.account).await;
    let arguments = ["--namespace", namespace.name(), "--relay-namespace", namespace.name()];
    let mut controller = bed.controller(&kubeconfig, &arguments).start();
    controller.wait_until_ready().await;
    says("nobody", "RouteUnreachable", &["connection refused", "let the registry listen there, or on all addresses"]).await;
    is_ready_by_relay(&namespace, "registry").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ninety_mebibytes_arrive_though_the_api_server_restarts_in_the_middle() {
    let Some(bed) = support::pods() else { return };
    let _alone = API_SERVER.write().await;
    let namespace = bed.namespace().await;
    let registry = namespace.registry_pods("registry", Version::V3).on_loopback().start().await;
    registry.expose("registry", Exposure::ClusterIp, json!({})).await;
    let pod = registry.pods().await.remove(0);
    let chart = bed.noisy_package("heavy", 90);
    let charts = bed.helm_repository(&[]).archive(&chart).start().await;
    let values = granted(&namespace);
    let _controller = namespace.controller_pod(&[&values[0], &values[1]]).await;
    namespace.publish("heavy", &spec(&charts.url(), &json!([{"name": "heavy"}]), &json!([to("registry", &json!({}))]))).await;
    let storage = registry.storage(&pod);
    eventually(LONG, "the upload is in its middle", async || match largest_file(&storage) {
        size if size > 16 << 20 => Ok(()),
        size => Err(format!("{size} bytes")),
    })
    .await;
    api_server::restart(&bed.information).await;
    is_ready_by_relay(&namespace, "heavy").await;
    let requests = registry.requests(&pod);
    let cut = requests.iter().filter(|request| matches!(request.method.as_str(), "PUT" | "PATCH") && !matches!(request.status, 201 | 202));
    assert!(cut.count() > 0, "it was not cut: {requests:#?}");
    let length = fs::metadata(&chart).expect("the chart").len();
    assert!(length > 90 << 20);
    assert_eq!(largest_file(&storage), length, "the blob is there, whole");
}

/// In bytes; 0 where nothing is.
fn largest_file(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => largest_file(&entry.path()),
        _ => entry.metadata().map_or(0, |metadata| metadata.len()),
    });
    sizes.max().unwrap_or(0)
}
