//! Several registries behind one Service: with one storage, and each with its own.

use chart_publisher::api::ChartPublicationStatus;
use serde_json::json;

use super::support::{
    self, Bed,
    exposure::Exposure,
    helm_repository::HelmRepository,
    namespace::Namespace,
    publication::{condition, ready, spec},
    registry::{Registry, Version},
};

async fn publish(namespace: &Namespace, charts: &HelmRepository, service: &str) {
    let target = json!({"name": "main", "service": {"name": service, "repository": "charts"}, "insecure": true});
    namespace.publish(service, &spec(&charts.url(), &json!([{"name": "small", "versions": "1.2.2"}]), &json!([target]))).await;
}

fn manifests_read(registry: &Registry) -> usize {
    registry.requests().iter().filter(|request| request.line() == "GET /v2/charts/small/manifests/1.2.2 200").count()
}

/// Two registries behind one Service that sends all of one client to the same one.
async fn pair(bed: &'static Bed, namespace: &Namespace, service: &str, one: &Registry, two: &Registry) {
    let pinned = json!({"sessionAffinity": "ClientIP"});
    namespace.expose_with(service, Exposure::ClusterIp, &[one.socket(), two.socket()], pinned).await;
    assert!(bed.has_nodes());
}

#[tokio::test]
async fn replicas_that_do_not_share_their_storage_are_found_and_those_that_do_are_left_in_peace() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let _controller = namespace.controller(&[]).await;
    let one = bed.registry(Version::V3).start().await;
    let (apart, shares) = (
        bed.registry(Version::V3).start().await,
        bed.registry(Version::V3).setting("/storage", json!({"filesystem": {"rootdirectory": one.storage()}})).start().await,
    );
    pair(bed, &namespace, "together", &one, &shares).await;
    publish(&namespace, &charts, "together").await;
    namespace.becomes_ready("together").await;
    // The pull-back by the Service goes to one of them, and each is asked by its own address.
    let read = (manifests_read(&one), manifests_read(&shares));
    assert!(read == (2, 1) || read == (1, 2), "{read:?}");

    let two = bed.registry(Version::V3).start().await;
    pair(bed, &namespace, "apart", &two, &apart).await;
    publish(&namespace, &charts, "apart").await;
    let is_so = |status: &ChartPublicationStatus| ready(status) == "False ReplicasNotShared";
    let status = namespace.becomes("apart", "they are found", is_so).await.status.expect("a status");
    let message = &condition(&status, "Ready").expect("Ready").message;
    let (has, lacks) = if manifests_read(&two) > 0 { (&two, &apart) } else { (&apart, &two) };
    for word in
        ["`charts/small:1.2.2`", &lacks.socket().to_string(), "does not have the manifest sha256:", "ReadWriteMany", "run one replica"]
    {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
    assert!(!message.contains(&has.socket().to_string()), "{message}");
    assert!(condition(&status, "Stalled").is_none(), "it is tried again by itself: {status:?}");

    // The cure: one replica.
    namespace.set_endpoints("apart", &[has.socket()]).await;
    namespace.becomes_ready("apart").await;
}
