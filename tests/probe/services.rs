//! A registry behind a Service: all routes in one run, planned as the controller plans them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::probed::{Probed, run};
use crate::support::{self, exposure::Exposure, registry::Version};

/// The routes of a report, each with how many of its cells passed.
fn routes(probed: &Probed) -> BTreeMap<&str, usize> {
    let route = |route: &'_ Value| {
        let cells = route["cells"].as_array().into_iter().flatten();
        cells.filter(|cell| cell["result"] == "pass").count()
    };
    let listed = probed.json["routes"].as_array().into_iter().flatten();
    listed.map(|one| (one["route"].as_str().expect("a name"), route(one))).collect()
}

fn left_out(probed: &Probed) -> BTreeMap<&str, &str> {
    let listed = probed.json["leftOut"].as_array().into_iter().flatten();
    listed.map(|one| (one["route"].as_str().expect("a name"), one["message"].as_str().expect("a reason"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_routes_of_a_service_are_tried_in_one_run() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let registry = bed.registry(Version::V3).start().await;
    let exposed = namespace.expose("registry", Exposure::LoadBalancer, &[registry.socket()]).await;
    let cluster_ip = exposed.service.spec.as_ref().and_then(|spec| spec.cluster_ip.clone()).expect("a ClusterIP");
    let inside = format!("{cluster_ip}:5000").parse().expect("an address");
    let _ingress = namespace.ingress("registry", "probe.example", "registry", inside).body_limit("1m").start().await;
    let service = format!("{}/registry:http", namespace.name());
    let words = ["--service", &service, "--repository", "team/charts", "--insecure", "--output", "json"];
    let within = [&words[..], &["--in-cluster", "--require", "ingress/chunked,nodeport/buffered,loadbalancer/download"]].concat();
    let probed = Probed::of(run(bed, bed.client_namespace(), &within).await);
    let all = 1 + (3 * 3 + 1) * 2;
    // Through the Ingress Buffered and Streamed fail with two sizes each, up, and so nothing comes down.
    let expected = [("ClusterIP", all), ("Endpoint", all), ("Ingress", all - 8), ("LoadBalancer", all), ("NodePort", all)];
    assert_eq!(routes(&probed), BTreeMap::from(expected), "{}", probed.lines().join("\n"));
    assert_eq!(probed.faults(), ["BodyTooLarge"]);
    let fault = &probed.json["faults"][0];
    assert_eq!(fault["routes"], json!(["Ingress"]));
    let sentence = fault["message"].as_str().expect("a sentence");
    assert!(sentence.contains("nginx.ingress.kubernetes.io/proxy-body-size"), "{sentence}");
    assert_eq!((&probed.json["auto"]["route"], &probed.json["auto"]["method"]), (&json!("LoadBalancer"), &json!("Buffered")));
    assert_eq!((probed.code, &probed.json["repository"]), (Some(0), &json!("team/charts/chart-publisher-probe")), "{}", probed.errors);
    assert!(left_out(&probed)["Relay"].contains("name no Pod"), "{:?}", left_out(&probed));
    assert_eq!(probed.json["unseen"], json!([]));
    for route in probed.json["routes"].as_array().expect("a list") {
        let why = route["message"].as_str().expect("a reason");
        assert!(!why.contains("`routes`"), "nobody has listed routes: {why}");
    }

    let outside = Probed::of(run(bed, bed.client_namespace(), &words).await);
    assert!(!routes(&outside).contains_key("ClusterIP"));
    assert!(left_out(&outside)["ClusterIP"].contains("outside of the cluster"), "{:?}", left_out(&outside));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_there_is_named() {
    let bed = support::shared();
    let namespace = bed.namespace().await;
    let service = format!("{}/registry", namespace.name());
    let ran = run(bed, bed.client_namespace(), &["--service", &service]).await;
    assert_eq!(ran.code, Some(1), "{}{}", ran.output, ran.errors);
    assert!(ran.errors.contains(&format!("Service \"{service}\" does not exist")), "{}", ran.errors);
}
