//! The Relay route, case by case.

use serde_json::{Value, json};

use super::{
    Families, Route,
    testing::{World, check, merge, node, refused, slice},
};
use crate::api::{Reason, RouteKind};

const CLUSTER_IP: &str = "ClusterIP http://registry.platform.svc:5000 → 10.96.0.10:5000";
const ENDPOINT: &str = "Endpoint http://registry.platform.svc:5000 → 10.244.1.5:5000";
const RELAY: &str = "Relay http://registry.platform.svc:5000 → platform/registry-0:5000";
const INSIDE: &str = "oci://registry.platform.svc:5000/charts";

/// The endpoints of a slice, each with the Pod that it is.
fn of_pods(mut slice: Value, pods: &[&str]) -> Value {
    for (endpoint, pod) in slice["endpoints"].as_array_mut().unwrap().iter_mut().zip(pods) {
        merge(endpoint, json!({"targetRef": {"kind": "Pod", "namespace": "platform", "name": pod, "uid": "1"}}));
    }
    slice
}

fn one_pod() -> Vec<Value> {
    vec![of_pods(slice("IPv4", &[("10.244.1.5", "node-a", true)]), &["registry-0"])]
}

fn world(type_: &str) -> World {
    World::new(type_).slices(one_pod()).relay()
}

#[test]
fn relay_is_the_last_route_of_every_exposure() {
    let balanced = json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}});
    let by_address = "LoadBalancer http://192.0.2.1:5000 → 192.0.2.1:5000";
    check(&world("LoadBalancer").service(balanced), &[by_address, CLUSTER_IP, ENDPOINT, RELAY], "oci://192.0.2.1:5000/charts", &[]);
    let nodes = || vec![node("node-a", &["10.0.0.1"])];
    let node_port = "NodePort http://10.0.0.1:30500 → 10.0.0.1:30500";
    let pull = "oci://10.0.0.1:30500/charts";
    check(&world("LoadBalancer").nodes(nodes()), &[node_port, CLUSTER_IP, ENDPOINT, RELAY], pull, &["no load balancer address yet"]);
    check(&world("NodePort").nodes(nodes()), &[node_port, CLUSTER_IP, ENDPOINT, RELAY], pull, &[]);
    check(&world("ClusterIP"), &[CLUSTER_IP, ENDPOINT, RELAY], INSIDE, &[]);
    let headless = json!({"spec": {"clusterIP": "None", "clusterIPs": ["None"]}});
    check(&world("ClusterIP").service(headless), &[ENDPOINT, RELAY], INSIDE, &[]);
    let local = json!({"spec": {"internalTrafficPolicy": "Local"}});
    check(&world("ClusterIP").service(local), &[ENDPOINT, RELAY], INSIDE, &[]);
}

#[test]
fn relay_says_which_pod_and_who_forwards() {
    let plan = world("ClusterIP").plan().unwrap();
    let relay = plan.strategies.last().unwrap();
    assert_eq!(relay.route, Route::Service(RouteKind::Relay));
    assert_eq!(
        relay.reason,
        "after Endpoint: port 5000 of its ready Pod \"platform/registry-0\", forwarded by the API server, in plain HTTP inside of the tunnel"
    );
    assert_eq!(relay.credential_hosts, ["registry.platform.svc:5000/charts", "registry.platform.svc:5000"]);
}

#[test]
fn without_insecure_relay_speaks_tls_and_then_plain_http_inside_of_the_tunnel() {
    let expected = [
        "ClusterIP https://registry.platform.svc:5000 → 10.96.0.10:5000",
        "Endpoint https://registry.platform.svc:5000 → 10.244.1.5:5000",
        "Relay https://registry.platform.svc:5000 → platform/registry-0:5000",
        RELAY,
    ];
    check(&world("ClusterIP").target(json!({"insecure": false})), &expected, INSIDE, &[]);
}

#[test]
fn without_the_right_relay_is_left_out_and_it_is_said_what_grants_it() {
    let without = World::new("ClusterIP").slices(one_pod());
    check(&without, &[CLUSTER_IP, ENDPOINT], INSIDE, &[]);
    let listed = without.target(json!({"routes": ["Relay"]}));
    refused(
        &listed,
        Reason::NoRoute,
        &["none of the target's `routes`", "Relay: it needs the right", "`relay.namespaces`", "\"platform\""],
    );
    check(&listed.relay(), &[RELAY], INSIDE, &[]);
}

#[test]
fn at_most_three_pods_are_forwarded_to_each_of_them_once() {
    let addresses: Vec<String> = (1..=5).map(|n| format!("10.244.1.{n}")).collect();
    let endpoints: Vec<_> = addresses.iter().map(|address| (address.as_str(), "node-a", true)).collect();
    let names = ["registry-1", "registry-2", "registry-3", "registry-4", "registry-5"];
    let v6 = slice("IPv6", &[("fd00:1::5", "node-a", true), ("fd00:1::6", "node-a", false)]);
    let dual = vec![of_pods(slice("IPv4", &endpoints), &names), of_pods(v6, &["registry-1", "registry-2"])];
    let listed = json!({"routes": ["Relay"]});
    let expected = "Relay http://registry.platform.svc:5000 → platform/registry-1:5000, platform/registry-2:5000, platform/registry-3:5000";
    check(&World::new("ClusterIP").slices(dual).relay().target(listed), &[expected], INSIDE, &[]);
}

#[test]
fn a_pod_of_a_family_that_this_program_has_not_is_forwarded_to_all_the_same() {
    let v6 = || vec![of_pods(slice("IPv6", &[("fd00:1::5", "node-a", true)]), &["registry-0"])];
    let v6_service = json!({"spec": {"ipFamilies": ["IPv6"], "clusterIP": "fd00::10", "clusterIPs": ["fd00::10"]}});
    let world = World::new("ClusterIP").service(v6_service).slices(v6()).relay().families(Families { v4: true, v6: false });
    check(&world, &[RELAY], INSIDE, &["ClusterIP: ", "Endpoint: "]);
    let reason = world.plan().unwrap().strategies[0].reason.clone();
    assert!(reason.starts_with("the Service is of type ClusterIP, and that route is left out: port 5000 of its ready Pod"), "{reason}");
}

#[test]
fn endpoints_that_are_no_pods_of_the_services_namespace_are_not_forwarded_to() {
    for target in [
        Value::Null,
        json!({"kind": "Node", "name": "registry-0"}),
        json!({"kind": "Pod", "name": "registry-0", "namespace": "other"}),
        json!({"kind": "Pod", "name": ""}),
        json!({"kind": "Pod"}),
    ] {
        let mut slice = slice("IPv4", &[("10.244.1.5", "node-a", true)]);
        slice["endpoints"][0]["targetRef"] = target;
        check(&World::new("ClusterIP").slices(vec![slice]).relay(), &[CLUSTER_IP, ENDPOINT], INSIDE, &["Relay: the EndpointSlices"]);
    }
}
