//! The bed whose node runs Pods: what it promises to the tests that use it.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::net::SocketAddr;

use ::http::{Request, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::{
    Bed,
    eventually::{SOON, eventually},
    exposure::Exposure,
    http, publication,
    registry::Version,
    registry_pods::RegistryPods,
};

#[tokio::test]
async fn registry_pods_of_both_versions_answer_behind_every_exposure() {
    let Some(bed) = support::pods() else { return };
    let namespace = bed.namespace().await;
    for version in Version::ALL {
        let registry = namespace.registry_pods(version.program(), version).start().await;
        for (number, exposure) in Exposure::ALL.into_iter().enumerate() {
            let exposed = registry.expose(&format!("{}-{number}", version.program()), exposure, json!({})).await;
            let answer = http::get(bed.client_namespace(), exposed.socket, "registry", "/v2/").await.expect("an answer");
            assert_eq!(answer.status, 200, "{version:?} {exposure:?}");
        }
        let pods = registry.pods().await;
        assert_eq!(pods.len(), 1);
        let logged = registry.requests(&pods[0]);
        assert_eq!(logged.iter().map(support::access_log::Request::line).collect::<Vec<_>>(), ["GET /v2/ 200"; 4], "{version:?}");
    }
}

#[tokio::test]
async fn a_port_forward_moves_a_chart_both_ways_to_the_loopback_of_a_pod() {
    let Some(bed) = support::pods() else { return };
    let namespace = bed.namespace().await;
    let registry = namespace.registry_pods("registry", Version::V3).on_loopback().start().await;
    let exposed = registry.expose("registry", Exposure::ClusterIp, json!({})).await;
    let refused = http::get(bed.client_namespace(), exposed.socket, "registry", "/v2/").await;
    assert!(refused.is_err(), "{refused:?}");
    let forward = namespace.port_forward("service/registry", 5000).await;
    let reference = format!("oci://{}/charts", forward.socket());
    let chart = bed.chart("large-3.0.0");
    let pulled = bed.folder("pulled");
    bed.run_on_host(&["helm", "push", "--plain-http", &chart.display().to_string(), &reference]).expect_success();
    let (large, destination) = (format!("{reference}/large"), pulled.display().to_string());
    bed.run_on_host(&["helm", "pull", "--plain-http", &large, "--version", "3.0.0", "--destination", &destination]).expect_success();
    assert_eq!(std::fs::read(pulled.join("large-3.0.0.tgz")).expect("pulled"), std::fs::read(chart).expect("packaged"));
}

#[tokio::test]
async fn a_pod_reaches_itself_through_its_service() {
    let Some(bed) = support::pods() else { return };
    let namespace = bed.namespace().await;
    let registry = namespace.registry_pods("registry", Version::V3).start().await;
    let pod = registry.pods().await.remove(0);
    for exposure in [Exposure::ClusterIp, Exposure::NodePort, Exposure::LoadBalancer] {
        let exposed = registry.expose(&format!("{exposure:?}").to_lowercase(), exposure, json!({})).await;
        let before = registry.requests(&pod).len();
        let url = format!("http://{}/v2/", exposed.socket);
        let words = ["kubectl", "exec", "--namespace", namespace.name(), &pod.name, "--", "busybox", "timeout", "5"];
        bed.run_on_host(&[&words[..], &["busybox", "wget", "-q", "-O", "-", &url]].concat()).expect_success();
        assert_eq!(registry.requests(&pod).len(), before + 1, "{exposure:?}");
    }
}

#[tokio::test]
async fn a_service_leads_to_every_replica_and_to_those_that_come_later() {
    let Some(bed) = support::pods() else { return };
    let namespace = bed.namespace().await;
    let mut registry = namespace.registry_pods("registry", Version::V3).replicas(2).start().await;
    let exposed = registry.expose("registry", Exposure::NodePort, json!({})).await;
    every_pod_is_reached(bed, &registry, exposed.socket).await;
    let gone = registry.pods().await.remove(0);
    registry.delete(&gone).await;
    registry.scale(3).await;
    let pods = registry.pods().await;
    assert!(pods.len() == 3 && !pods.contains(&gone), "{pods:?} without {gone:?}");
    every_pod_is_reached(bed, &registry, exposed.socket).await;
}

async fn every_pod_is_reached(bed: &Bed, registry: &RegistryPods<'_>, through: SocketAddr) {
    let pods = registry.pods().await;
    eventually(SOON, "every Pod is reached", async || {
        http::get(bed.client_namespace(), through, "registry", "/v2/").await?;
        let silent = pods.iter().find(|pod| registry.requests(pod).is_empty());
        silent.map_or(Ok(()), |pod| Err(format!("{pod:?} has heard nothing")))
    })
    .await;
}

#[tokio::test]
async fn replicas_know_each_others_uploads_only_with_one_secret_and_one_storage() {
    let Some(bed) = support::pods() else { return };
    let namespace = bed.namespace().await;
    let one = namespace.registry_pods("one", Version::V3).replicas(2).shared_storage().start().await;
    assert_eq!(continued_elsewhere(bed, &one).await, None);
    let mut many = namespace.registry_pods("many", Version::V3).replicas(2).shared_storage().without_secret().start().await;
    assert_eq!(continued_elsewhere(bed, &many).await.as_deref(), Some("BLOB_UPLOAD_INVALID"));
    many.set("/http/secret", json!("from now on")).await;
    assert_eq!(continued_elsewhere(bed, &many).await, None);
    let apart = namespace.registry_pods("apart", Version::V3).replicas(2).start().await;
    assert_eq!(continued_elsewhere(bed, &apart).await.as_deref(), Some("BLOB_UPLOAD_UNKNOWN"));
}

/// The error with which the second Pod refuses a PATCH of an upload that the first one began.
async fn continued_elsewhere(bed: &Bed, registry: &RegistryPods<'_>) -> Option<String> {
    let pods = registry.pods().await;
    let request = |method: &str, target: &str, body: &'static str| {
        Request::builder().method(method).uri(target).header("host", "registry").body(Full::new(Bytes::from(body))).expect("a request")
    };
    let begun = http::send(bed.client_namespace(), pods[0].socket, request("POST", "/v2/charts/blobs/uploads/", "")).await;
    let begun = begun.expect("an upload");
    assert_eq!(begun.status, StatusCode::ACCEPTED);
    let location: Uri = begun.headers["location"].to_str().expect("text").parse().expect("a URL");
    let target = location.path_and_query().expect("a path").as_str();
    let answer = http::send(bed.client_namespace(), pods[1].socket, request("PATCH", target, "a chart")).await.expect("an answer");
    if answer.status == StatusCode::ACCEPTED {
        return None;
    }
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    Some(body["errors"][0]["code"].as_str().expect("a code").to_owned())
}

#[tokio::test]
async fn what_a_pod_stored_goes_with_it_unless_it_is_shared() {
    let Some(bed) = support::pods() else { return };
    let namespace = bed.namespace().await;
    let own = namespace.registry_pods("own", Version::V2).start().await;
    let shared = namespace.registry_pods("shared", Version::V2).shared_storage().start().await;
    let chart = bed.chart("small-1.2.2").display().to_string();
    for (registry, after) in [(&own, 404), (&shared, 200)] {
        let pod = registry.pods().await.remove(0);
        bed.run_in_pod(&["helm", "push", "--plain-http", &chart, &format!("oci://{}/charts", pod.socket)]).expect_success();
        assert!(registry.storage(&pod).join("docker/registry/v2/repositories/charts/small").is_dir());
        registry.delete(&pod).await;
        registry.wait_until_ready().await;
        let pod = registry.pods().await.remove(0);
        let tags = http::get(bed.client_namespace(), pod.socket, "registry", "/v2/charts/small/tags/list").await.expect("an answer");
        assert_eq!(tags.status, after);
    }
}

#[tokio::test]
async fn the_controller_runs_in_a_pod_and_publishes_into_a_registry_pod() {
    let Some(bed) = support::pods() else { return };
    let namespace = bed.namespace().await;
    let registry = namespace.registry_pods("registry", Version::V3).start().await;
    registry.expose("registry", Exposure::NodePort, json!({})).await;
    let source = bed.helm_repository(&["small-1.2.3+4"]).start().await;
    let controller = namespace.controller_pod(&[]).await;
    let target = json!({"name": "main", "insecure": true, "service": {"name": "registry", "port": "http", "repository": "charts"}});
    namespace.publish("small", &publication::spec(&source.url(), &json!([{"name": "small"}]), &json!([target]))).await;
    namespace.becomes_ready("small").await;
    let pod = registry.pods().await.remove(0);
    let requests = registry.requests(&pod);
    let puts = requests.iter().filter(|request| request.method == "PUT" && request.status == 201);
    let manifest = puts.filter(|request| request.path() == "/v2/charts/small/manifests/1.2.3_4");
    assert!(
        manifest.clone().count() == 1 && manifest.into_iter().all(|put| put.user_agent.starts_with("chart-publisher/")),
        "{requests:?}"
    );
    let before = controller.log().await;
    assert!(before.contains("the watches have read what is there"), "{before}");
    controller.restart().await;
    assert_ne!(controller.log().await.lines().next(), before.lines().next(), "another Pod begins another log");
}
