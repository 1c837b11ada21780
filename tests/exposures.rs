//! Publications into real registries behind every exposure: the route is the one that docs/routes.md promises, seen on the wire, the
//! readers get the bytes of the source, and the status follows when the cluster changes.
#![cfg(test)]

#[path = "exposures/body_limit.rs"]
mod body_limit;
#[path = "exposures/changes.rs"]
mod changes;
#[path = "exposures/chosen.rs"]
mod chosen;
#[path = "exposures/detour.rs"]
mod detour;
#[path = "exposures/doors.rs"]
mod doors;
#[path = "exposures/front.rs"]
mod front;
#[path = "exposures/outputs.rs"]
mod outputs;
#[path = "exposures/readers.rs"]
mod readers;
#[path = "exposures/scene.rs"]
mod scene;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use front::{
    Access::{Basic, Bearer, Open, Tls, TlsAtIngress},
    Case,
    Front::{ClusterIp, Ingress, LoadBalancer, NodePort},
};
use futures::future::join_all;
use readers::Reader;
use scene::Scene;
use support::{
    eventually::{SOON, eventually},
    namespace::Namespace,
    registry::Version::{V2, V3},
};

const CASES: [Case; 13] = [
    Case::new("node-port-2", NodePort, V2, Open),
    Case::new("node-port-3", NodePort, V3, Open),
    Case::new("load-balancer-2", LoadBalancer, V2, Open),
    Case::new("load-balancer-3", LoadBalancer, V3, Open),
    Case::new("ingress-2", Ingress, V2, Open),
    Case::new("ingress-3", Ingress, V3, Open),
    Case::new("cluster-ip-2", ClusterIp, V2, Open),
    Case::new("cluster-ip-3", ClusterIp, V3, Open),
    Case::new("private-ca", NodePort, V3, Tls),
    Case::new("tls-at-ingress", Ingress, V2, TlsAtIngress),
    Case::new("basic", LoadBalancer, V2, Basic),
    Case::new("bearer", ClusterIp, V3, Bearer),
    Case { only: true, ..Case::new("one-route", NodePort, V3, Open) },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn charts_take_the_route_of_each_exposure_and_follow_its_changes() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let charts = bed.helm_repository(&["small-1.2.3+4", "large-3.0.0"]).start().await;
    let _controller = namespace.controller(&[]).await;
    join_all(CASES.map(|case| check(&namespace, charts.url(), case))).await;
}

async fn check(namespace: &Namespace, charts: String, case: Case) {
    let mut scene = Scene::set_up(namespace, case).await;
    let route = case.front.route();
    let traffic = doors::Traffic::watch(namespace.bed, &scene.doors().await);
    scene.publish(&charts);
    let status = scene.stands_at(route).await;
    traffic.went_only_by(route).unwrap_or_else(|problem| panic!("{}: {problem}", case.name));
    scene.was_asked_as_it_should();
    scene.is_read(&status, Reader::pull_by_all).await;
    for (change, route) in changes::of(case) {
        scene.make(change).await;
        scene.stands_at(route).await;
        scene.goes_only_by(route).await;
    }
    scene.move_endpoint().await;
    eventually(SOON, &format!("{}: the charts appear where the endpoint moved to", case.name), async || scene.has_both_charts()).await;
    let status = scene.stands_at(route).await;
    scene.goes_only_by(route).await;
    scene.is_read(&status, Reader::pull_by_helm).await;
    assert!(scene.was_read_by_helm(), "{}: helm reads from where the endpoint moved to", case.name);
}
