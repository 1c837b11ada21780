//! The routes of readers, and the replicas behind a Service, case by case.

use serde_json::{Value, json};

use super::testing::{World, ingress, ingress_nginx, merge, node, shown, slice};
use crate::api::RouteKind;

/// Compares ways, in-cluster views and words of what is missing, one line for each route.
fn check(world: &World, kinds: &[RouteKind], expected: &[&str]) {
    let mut lines = Vec::new();
    for reader in world.readers(kinds) {
        let view = if reader.in_cluster { " (in-cluster view)" } else { "" };
        match reader.ways.as_slice() {
            [] => lines.push(format!("{}: {}", reader.route.as_str(), reader.missing)),
            ways => lines.extend(ways.iter().map(|way| format!("{}{view}", shown(way)))),
        }
    }
    assert_eq!(lines, expected);
}

#[test]
fn readers_take_the_routes_that_are_asked_for_whatever_uploads_may_take() {
    let (class, services) = ingress_nginx("LoadBalancer");
    let fronts = vec![ingress("front", Some("charts.example.com"), ("/", "Prefix"))];
    let world = World::new("ClusterIP").target(json!({"routes": ["Endpoint"]})).ingresses(fronts).controller((class, services));
    check(
        &world,
        &[RouteKind::Ingress, RouteKind::ClusterIp, RouteKind::NodePort],
        &[
            "Ingress http://charts.example.com → 192.0.2.80:80",
            "ClusterIP http://registry.platform.svc:5000 → 10.96.0.10:5000",
            "NodePort: the Service is of type ClusterIP and has no node port",
        ],
    );
    let none = "Ingress: no Ingress of namespace \"platform\" and no HTTPRoute leads to the Service";
    check(&World::new("ClusterIP"), &[RouteKind::Ingress], &[none]);
    check(&World::new("ClusterIP"), &[], &[]);
    assert!(World::new("ClusterIP").slices(Vec::new()).readers(&[RouteKind::ClusterIp]).is_empty(), "nothing is ready: the plan says so");
}

#[test]
fn what_kube_proxy_may_answer_for_is_an_in_cluster_view() {
    let nodes = || vec![node("node-a", &["10.0.0.1"]), node("node-b", &["10.0.0.2"])];
    let (one, other) = ("10.0.0.1:30500", "10.0.0.2:30500");
    for (own, first, second, view) in
        [(None, other, one, " (in-cluster view)"), (Some("node-b"), one, other, " (in-cluster view)"), (Some("node-c"), other, one, "")]
    {
        let expected = format!("NodePort http://{first} → {first}, {second}{view}");
        let world = World::new("NodePort").nodes(nodes());
        check(&own.into_iter().fold(world, World::own_node), &[RouteKind::NodePort], &[&expected]);
    }
    for (entry, view) in [
        (json!({"ip": "192.0.2.1"}), " (in-cluster view)"),
        (json!({"ip": "192.0.2.1", "ipMode": "VIP"}), " (in-cluster view)"),
        (json!({"ip": "192.0.2.1", "ipMode": "Proxy"}), ""),
    ] {
        let world = World::new("LoadBalancer").service(json!({"status": {"loadBalancer": {"ingress": [entry]}}}));
        check(&world, &[RouteKind::LoadBalancer], &[&format!("LoadBalancer http://192.0.2.1:5000 → 192.0.2.1:5000{view}")]);
    }
}

/// The ways to each replica, with the Pod that it is.
fn replicas(world: &World) -> Vec<String> {
    let shown = |way: &super::Strategy| {
        let pod = way.via.as_ref().map(|via| format!(" ({} {})", via.kind, via.name)).unwrap_or_default();
        format!("{}{pod}", shown(way))
    };
    world.plan().unwrap().replicas.iter().map(shown).collect()
}

fn of_pods(mut slice: Value, pods: &[&str]) -> Value {
    for (endpoint, pod) in slice["endpoints"].as_array_mut().unwrap().iter_mut().zip(pods) {
        merge(endpoint, json!({"targetRef": {"kind": "Pod", "namespace": "platform", "name": pod, "uid": "1"}}));
    }
    slice
}

#[test]
fn each_replica_is_known_by_itself_where_there_are_several() {
    let two = || slice("IPv4", &[("10.244.1.5", "node-a", true), ("10.244.2.5", "node-b", true), ("10.244.3.5", "node-c", false)]);
    let both =
        ["Endpoint http://registry.platform.svc:5000 → 10.244.1.5:5000", "Endpoint http://registry.platform.svc:5000 → 10.244.2.5:5000"];
    assert_eq!(replicas(&World::new("ClusterIP")), [""; 0], "one is no replica of another");
    assert_eq!(replicas(&World::new("ClusterIP").slices(vec![two()])), both);
    let listed = World::new("ClusterIP").slices(vec![two()]).target(json!({"routes": ["ClusterIP"]}));
    assert_eq!(replicas(&listed), both, "whatever `routes` says of uploads");
    let pods = ["registry-0", "registry-1"];
    let dual = vec![of_pods(two(), &pods), of_pods(slice("IPv6", &[("fd00::1:5", "node-a", true), ("fd00::2:5", "node-b", true)]), &pods)];
    let named = [format!("{} (Pod registry-0)", both[0]), format!("{} (Pod registry-1)", both[1])];
    assert_eq!(replicas(&World::new("ClusterIP").slices(dual)), named, "a Pod of two families is asked once");
}
