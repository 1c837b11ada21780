//! HTTPRoutes change the plan of a publication: where the cluster has the Gateway API, and as soon as it gets or loses it.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::time::Duration;

use chart_publisher::api::ChartPublicationStatus;
use serde_json::{Value, json};
use support::{
    authority::Authority,
    exposure::Exposure,
    gateway::{Backend, ServedGateway},
    namespace::Namespace,
    publication::{ready, spec},
    random_word,
    registry::Version,
};
use tokio::sync::Mutex;

/// The CRDs are of the whole cluster: one test at a time has them, or has them not.
static CLUSTER: Mutex<()> = Mutex::const_new(());
const LONG: Duration = Duration::from_mins(1);

fn target(change: &Value) -> Value {
    let mut target = json!({"name": "main", "insecure": true, "service": {"name": "registry", "port": "http", "repository": "charts"}});
    for (field, value) in change.as_object().expect("an object") {
        target[field] = value.clone();
    }
    target
}

async fn goes_by(namespace: &Namespace, route: &str) -> ChartPublicationStatus {
    let is_so = |status: &ChartPublicationStatus| ready(status) == "True Succeeded" && status.route.as_deref() == Some(route);
    let publication = namespace.becomes_within(LONG, "small", &format!("it is Ready by {route}"), is_so).await;
    publication.status.expect("a status")
}

/// Whether anything of ours came to it: the bed looks whether it listens.
fn asked(gateway: &ServedGateway) -> bool {
    gateway.requests().iter().any(|request| request.target.starts_with("/v2/"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_route_is_taken_once_the_cluster_has_the_gateway_api_and_for_as_long() {
    let _cluster = CLUSTER.lock().await;
    let Some(bed) = support::own_with_node() else { return };
    let (namespace, edge) = (bed.namespace().await, bed.namespace().await);
    let registry = bed.registry(Version::V3).start().await;
    namespace.expose("registry", Exposure::ClusterIp, &[registry.socket()]).await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let controller = namespace.controller(&[]).await;
    namespace.publish("small", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([target(&json!({}))]))).await;
    goes_by(&namespace, "ClusterIP").await;

    let api = bed.install_gateway_api();
    let host = format!("{}.example", random_word());
    let gateway = edge.gateway("public", &host, registry.socket(), None).await;
    let backend = Backend { namespace: namespace.name(), service: "registry" };
    namespace.http_route("web", &host, &gateway, backend).await;
    let status = goes_by(&namespace, "Ingress").await;
    let reason = status.targets[0].reason.clone().unwrap_or_default();
    let words = format!(
        "an HTTPRoute leads to the Service: HTTPRoute \"{}/web\" of Gateway \"{}/public\" with host {host}, over plain HTTP",
        namespace.name(),
        edge.name()
    );
    assert_eq!(reason, words);
    assert_eq!(status.targets[0].address.as_deref(), Some(&*gateway.socket().to_string()));
    assert_eq!(status.targets[0].pull.as_deref(), Some(&*format!("oci://{host}/charts/small")));
    let requests = gateway.requests();
    assert!(asked(&gateway), "{requests:?}");
    let mut own = requests.iter().filter(|request| request.target.starts_with("/v2/"));
    assert!(own.all(|request| request.host.as_deref() == Some(&*host)), "{requests:?}");

    namespace.accept_http_route("web", &gateway, false).await;
    goes_by(&namespace, "ClusterIP").await;
    namespace.accept_http_route("web", &gateway, true).await;
    goes_by(&namespace, "Ingress").await;
    edge.set_gateway_address("public", None).await;
    goes_by(&namespace, "ClusterIP").await;
    edge.set_gateway_address("public", Some(gateway.socket())).await;
    goes_by(&namespace, "Ingress").await;

    drop(api);
    goes_by(&namespace, "ClusterIP").await;
    let (status, _, log) = controller.stop();
    assert!(status.is_some_and(|status| status.success()), "{log}");
    let of_gateways = |line: &&str| ["HTTPRoute", "Gateway", "ReferenceGrant"].iter().any(|kind| line.contains(kind));
    let warned: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).filter(of_gateways).collect();
    assert!(warned.is_empty(), "{warned:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_route_of_another_namespace_is_taken_when_a_grant_lets_it() {
    let _cluster = CLUSTER.lock().await;
    let Some(bed) = support::own_with_node() else { return };
    let _api = bed.install_gateway_api();
    let (namespace, edge) = (bed.namespace().await, bed.namespace().await);
    let registry = bed.registry(Version::V3).start().await;
    namespace.expose("registry", Exposure::ClusterIp, &[registry.socket()]).await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let authority = Authority::new("test").expect("an authority");
    namespace.secret("ca", &[("ca.crt", &authority.pem())]).await;
    let host = format!("{}.example", random_word());
    let gateway = edge.gateway("public", &host, registry.socket(), Some(&authority)).await;
    edge.http_route("web", &host, &gateway, Backend { namespace: namespace.name(), service: "registry" }).await;

    let watched = format!("watchNamespaces={{{},{}}}", namespace.name(), edge.name());
    let rights = namespace.rights(&[&watched]);
    let kubeconfig = namespace.kubeconfig_of(&rights.account).await;
    let mut controller = bed.controller(&kubeconfig, &["--namespace", namespace.name(), "--namespace", edge.name()]).start();
    controller.wait_until_ready().await;
    let only = target(&json!({"routes": ["Ingress"], "insecure": false, "certSecretRef": {"name": "ca"}}));
    namespace.publish("small", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([only]))).await;
    let refused = namespace.becomes("small", "it has no route", |status| ready(status) == "False NoRoute").await;
    let status = refused.status.unwrap_or_default();
    let message = &support::publication::condition(&status, "Ready").expect("Ready").message;
    let words = format!(
        "HTTPRoute \"{}/web\": it lies in another namespace, and no ReferenceGrant of namespace \"{}\"",
        edge.name(),
        namespace.name()
    );
    assert!(message.contains(&words), "{message}");
    assert!(!asked(&gateway), "{:?}", gateway.requests());

    namespace.grant_http_routes_of(edge.name()).await;
    let status = goes_by(&namespace, "Ingress").await;
    assert_eq!(status.targets[0].address.as_deref(), Some(&*gateway.socket().to_string()));
    assert!(asked(&gateway), "{:?}", gateway.requests());
    assert!(gateway.requests().iter().any(|request| request.method == "PUT" && request.status == 201), "{:?}", gateway.requests());
}
