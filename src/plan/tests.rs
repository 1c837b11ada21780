//! The table of the design, case by case: what the cluster looks like, and the routes that come out.

use serde_json::json;

use super::{
    Families, Route,
    testing::{World, check, merge, node, refused, shown, slice},
};
use crate::api::{Reason, RouteKind};

const CLUSTER_IP: &str = "ClusterIP http://registry.platform.svc:5000 → 10.96.0.10:5000";
const ENDPOINT: &str = "Endpoint http://registry.platform.svc:5000 → 10.244.1.5:5000";
const NODE_A: &str = "NodePort http://10.0.0.1:30500 → 10.0.0.1:30500";
const V4: Families = Families { v4: true, v6: false };
const V6: Families = Families { v4: false, v6: true };

fn balanced(entries: &serde_json::Value) -> serde_json::Value {
    json!({"status": {"loadBalancer": {"ingress": entries}}})
}

#[test]
fn a_cluster_ip_service_is_reached_by_its_address_then_by_its_pods() {
    let world = World::new("ClusterIP");
    check(&world, &[CLUSTER_IP, ENDPOINT], "oci://registry.platform.svc:5000/charts", &[]);
    let plan = world.plan().unwrap();
    assert_eq!(plan.reader, Route::Service(RouteKind::ClusterIp));
    assert_eq!(plan.prefix, "charts");
    let reasons: Vec<&str> = plan.strategies.iter().map(|strategy| strategy.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "the Service is of type ClusterIP: the Service's own address inside the cluster with port 5000",
            "after ClusterIP: the addresses of its ready Pods with port 5000",
        ]
    );
}

#[test]
fn a_repository_at_the_root_has_no_slash_in_its_pull_address() {
    let world = World::new("ClusterIP").target(json!({"service": {"repository": "/"}}));
    check(&world, &[CLUSTER_IP, ENDPOINT], "oci://registry.platform.svc:5000", &[]);
}

#[test]
fn a_node_port_service_is_reached_by_nodes_first() {
    let world = World::new("NodePort").nodes(vec![node("node-a", &["10.0.0.1"])]);
    check(&world, &[NODE_A, CLUSTER_IP, ENDPOINT], "oci://10.0.0.1:30500/charts", &[]);
    let plan = world.plan().unwrap();
    assert_eq!(plan.strategies[0].reason, "the Service is of type NodePort: node addresses with port 30500");
    assert_eq!(plan.strategies[1].reason, "after NodePort: the Service's own address inside the cluster with port 5000");
    assert_eq!(
        plan.strategies[0].credential_hosts,
        ["10.0.0.1:30500/charts", "10.0.0.1:30500", "registry.platform.svc:5000/charts", "registry.platform.svc:5000"]
    );
}

#[test]
fn another_registry_behind_the_service_is_another_plan_also_by_the_same_routes() {
    let world = || World::new("NodePort").nodes(vec![node("node-a", &["10.0.0.1"])]).target(json!({"routes": ["NodePort"]}));
    let moved = World { slices: vec![slice("IPv4", &[("10.244.1.6", "node-a", true)])], ..world() };
    let (before, after) = (world().plan().unwrap(), moved.plan().unwrap());
    assert_eq!(before.strategies, after.strategies);
    assert_ne!(before, after);
    assert_eq!(before, world().plan().unwrap(), "the same cluster is the same plan");
}

#[test]
fn of_many_nodes_three_are_taken_always_the_same_and_the_own_one_last() {
    let nodes: Vec<_> = (1..=20).map(|n| node(&format!("node-{n}"), &[&format!("10.0.0.{n}")])).collect();
    let plan = World::new("NodePort").nodes(nodes.clone()).own_node("node-7").plan().unwrap();
    assert_eq!(plan.strategies[0].addresses.len(), 3);
    assert!(!shown(&plan.strategies[0]).contains("10.0.0.7:"));
    let backwards = nodes.iter().rev().cloned().collect();
    assert_eq!(World::new("NodePort").nodes(backwards).own_node("node-7").plan().unwrap(), plan);
    let few = World::new("NodePort").nodes(vec![node("node-a", &["10.0.0.1"]), node("node-b", &["10.0.0.2"])]);
    check(
        &few.own_node("node-a"),
        &["NodePort http://10.0.0.2:30500 → 10.0.0.2:30500, 10.0.0.1:30500", CLUSTER_IP, ENDPOINT],
        "oci://10.0.0.2:30500/charts",
        &[],
    );
}

#[test]
fn nodes_that_are_not_ready_or_run_no_kube_proxy_are_passed_over() {
    for change in [
        json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}),
        json!({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}),
        json!({"status": {"conditions": []}}),
        json!({"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "NetworkUnavailable", "status": "True"}]}}),
        json!({"metadata": {"labels": {"type": "virtual-kubelet"}}}),
        json!({"metadata": {"labels": {"eks.amazonaws.com/compute-type": "fargate"}}}),
        json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
        json!({"spec": {"taints": [{"key": "virtual-kubelet.io/provider", "effect": "NoSchedule", "value": "azure"}]}}),
    ] {
        let mut other = node("node-b", &["10.0.0.2"]);
        merge(&mut other, change);
        let world = World::new("NodePort").nodes(vec![other.clone(), node("node-a", &["10.0.0.1"])]);
        check(&world, &[NODE_A, CLUSTER_IP, ENDPOINT], "oci://10.0.0.1:30500/charts", &[]);
        let left = &["NodePort: none of 1 nodes is Ready and runs kube-proxy"];
        let alone = World::new("NodePort").nodes(vec![other]);
        check(&alone, &[CLUSTER_IP, ENDPOINT], "oci://registry.platform.svc:5000/charts", left);
        let reason = alone.plan().unwrap().strategies[0].reason.clone();
        assert!(reason.starts_with("the Service is of type NodePort, and that route is left out: "), "{reason}");
    }
}

#[test]
fn external_traffic_policy_local_leaves_only_nodes_with_a_ready_pod() {
    let nodes = || vec![node("node-a", &["10.0.0.1"]), node("node-b", &["10.0.0.2"]), node("node-c", &["10.0.0.3"])];
    let local = || World::new("NodePort").service(json!({"spec": {"externalTrafficPolicy": "Local"}})).nodes(nodes());
    check(&local(), &[NODE_A, CLUSTER_IP, ENDPOINT], "oci://10.0.0.1:30500/charts", &[]);
    check(&local().own_node("node-a"), &[NODE_A, CLUSTER_IP, ENDPOINT], "oci://10.0.0.1:30500/charts", &[]);
    let moved = local().slices(vec![slice("IPv4", &[("10.244.1.5", "node-z", true), ("10.244.1.6", "node-a", false)])]);
    check(&moved, &[CLUSTER_IP, ENDPOINT], "oci://registry.platform.svc:5000/charts", &["externalTrafficPolicy is Local"]);
}

#[test]
fn a_load_balancer_is_reached_by_what_its_status_says() {
    let of = |entries| World::new("LoadBalancer").service(balanced(&entries)).nodes(vec![node("node-a", &["10.0.0.1"])]);
    let by_ip = of(json!([{"ip": "192.0.2.1", "ipMode": "VIP"}]));
    let first = "LoadBalancer http://192.0.2.1:5000 → 192.0.2.1:5000";
    check(&by_ip, &[first, CLUSTER_IP, ENDPOINT], "oci://192.0.2.1:5000/charts", &[]);
    let reason = |world: &World| world.plan().unwrap().strategies[0].reason.clone();
    assert!(reason(&by_ip).contains("as seen from inside the cluster"), "{}", reason(&by_ip));
    let by_proxy = of(json!([{"ip": "192.0.2.1", "ipMode": "Proxy"}]));
    assert_eq!(reason(&by_proxy), "the Service is of type LoadBalancer: the address of its load balancer with port 5000");
    let by_name = of(json!([{"hostname": "lb.example.com"}]));
    let first = "LoadBalancer http://lb.example.com:5000 → lb.example.com:5000";
    check(&by_name, &[first, CLUSTER_IP, ENDPOINT], "oci://lb.example.com:5000/charts", &[]);
    let with_error =
        of(json!([{"ip": "192.0.2.1", "ports": [{"port": 5000, "protocol": "TCP", "error": "PortTaken"}]}, {"ip": "192.0.2.2"}]));
    let first = "LoadBalancer http://192.0.2.2:5000 → 192.0.2.2:5000";
    check(&with_error, &[first, CLUSTER_IP, ENDPOINT], "oci://192.0.2.2:5000/charts", &[]);
    let ranged = by_proxy.service(json!({"spec": {"loadBalancerSourceRanges": ["198.51.100.0/24"]}}));
    assert!(reason(&ranged).ends_with("; loadBalancerSourceRanges may refuse this program"));
}

#[test]
fn a_pending_load_balancer_is_reached_as_a_node_port() {
    let world = World::new("LoadBalancer").nodes(vec![node("node-a", &["10.0.0.1"])]);
    check(&world, &[NODE_A, CLUSTER_IP, ENDPOINT], "oci://10.0.0.1:30500/charts", &["has no load balancer address yet"]);
    let plan = world.plan().unwrap();
    assert_eq!(plan.reader, Route::Service(RouteKind::NodePort));
    assert_eq!(plan.strategies[0].reason, "the Service is of type LoadBalancer and has no address yet: node addresses with port 30500");
    let without = world.service(json!({"spec": {"allocateLoadBalancerNodePorts": false, "ports": [{"name": "http", "port": 5000}]}}));
    let left = &["no load balancer address yet", "has no node port"];
    check(&without, &[CLUSTER_IP, ENDPOINT], "oci://registry.platform.svc:5000/charts", left);
}

#[test]
fn a_headless_service_is_reached_by_its_pods() {
    let headless = || World::new("ClusterIP").service(json!({"spec": {"clusterIP": "None", "clusterIPs": ["None"]}}));
    check(&headless(), &[ENDPOINT], "oci://registry.platform.svc:5000/charts", &[]);
    assert!(headless().plan().unwrap().strategies[0].reason.starts_with("the Service is headless: "));
    let listed = headless().target(json!({"routes": ["ClusterIP", "Endpoint"]}));
    check(&listed, &[ENDPOINT], "oci://registry.platform.svc:5000/charts", &["ClusterIP: the Service is headless"]);
}

#[test]
fn internal_traffic_policy_local_takes_the_service_address_away() {
    let local = |type_| World::new(type_).service(json!({"spec": {"internalTrafficPolicy": "Local"}}));
    check(&local("ClusterIP"), &[ENDPOINT], "oci://registry.platform.svc:5000/charts", &[]);
    let nodes = vec![node("node-a", &["10.0.0.1"])];
    check(&local("NodePort").nodes(nodes), &[NODE_A, ENDPOINT], "oci://10.0.0.1:30500/charts", &["internalTrafficPolicy Local"]);
    let listed = local("ClusterIP").target(json!({"routes": ["ClusterIP"]}));
    refused(&listed, Reason::NoRoute, &["none of the target's `routes`", "ClusterIP: the Service has internalTrafficPolicy Local"]);
    check(&listed.own_node("node-a"), &[CLUSTER_IP], "oci://registry.platform.svc:5000/charts", &[]);
}

#[test]
fn all_families_that_both_sides_have_are_dialled() {
    let dual = || {
        World::new("NodePort")
            .service(json!({"spec": {"ipFamilies": ["IPv6", "IPv4"], "clusterIP": "fd00::10", "clusterIPs": ["fd00::10", "10.96.0.10"]}}))
            .slices(vec![slice("IPv4", &[("10.244.1.5", "node-a", true)]), slice("IPv6", &[("fd00:1::5", "node-a", true)])])
            .nodes(vec![node("node-a", &["10.0.0.1", "fd00:2::1"])])
    };
    let expected = [
        "NodePort http://[fd00:2::1]:30500 → [fd00:2::1]:30500, 10.0.0.1:30500",
        "ClusterIP http://registry.platform.svc:5000 → [fd00::10]:5000, 10.96.0.10:5000",
        "Endpoint http://registry.platform.svc:5000 → [fd00:1::5]:5000, 10.244.1.5:5000",
    ];
    check(&dual(), &expected, "oci://[fd00:2::1]:30500/charts", &[]);
    check(&dual().families(V4), &[NODE_A, CLUSTER_IP, ENDPOINT], "oci://10.0.0.1:30500/charts", &[]);
    let only_v6 = [
        "NodePort http://[fd00:2::1]:30500 → [fd00:2::1]:30500",
        "ClusterIP http://registry.platform.svc:5000 → [fd00::10]:5000",
        "Endpoint http://registry.platform.svc:5000 → [fd00:1::5]:5000",
    ];
    check(&dual().families(V6), &only_v6, "oci://[fd00:2::1]:30500/charts", &[]);
    let single = World::new("NodePort").nodes(vec![node("node-a", &["fd00:2::1", "10.0.0.1"])]);
    check(&single, &[NODE_A, CLUSTER_IP, ENDPOINT], "oci://10.0.0.1:30500/charts", &[]);
    refused(&single.families(V6), Reason::NoRoute, &["NodePort: no node has an InternalIP", "ClusterIP: ", "Endpoint: ", "(IPv6)"]);
}

#[test]
fn a_port_is_found_by_number_or_by_name() {
    let two = |port: Option<&str>| {
        let mut slice = slice("IPv4", &[("10.244.1.5", "node-a", true)]);
        merge(&mut slice, json!({"ports": [{"name": "http", "port": 5001}, {"name": "metrics", "port": 9091}]}));
        let ports = json!([
            {"name": "http", "port": 5000, "targetPort": "registry"}, {"name": "metrics", "port": 9090},
            {"name": "gossip", "port": 7946, "protocol": "UDP"},
        ]);
        World::new("ClusterIP").service(json!({"spec": {"ports": ports}})).slices(vec![slice]).target(json!({"service": {"port": port}}))
    };
    let pods = "Endpoint http://registry.platform.svc:5000 → 10.244.1.5:5001";
    for port in ["http", "5000"] {
        check(&two(Some(port)), &[CLUSTER_IP, pods], "oci://registry.platform.svc:5000/charts", &[]);
    }
    refused(&two(None), Reason::ServiceNotFound, &["\"platform/registry\" has several TCP ports: http (5000), metrics (9090)"]);
    for port in ["web", "80", "gossip", "5001", "99999"] {
        let words = format!("Service \"platform/registry\" has no TCP port \"{port}\": it has http (5000), metrics (9090)");
        refused(&two(Some(port)), Reason::ServiceNotFound, &[&words]);
    }
}

#[test]
fn a_port_without_a_name_finds_slices_without_one() {
    let mut slice = slice("IPv4", &[("10.244.1.5", "node-a", true)]);
    merge(&mut slice, json!({"ports": [{"name": "", "port": 5000}]}));
    let world = World::new("ClusterIP").service(json!({"spec": {"ports": [{"port": 5000}]}})).slices(vec![slice]);
    check(&world, &[CLUSTER_IP, ENDPOINT], "oci://registry.platform.svc:5000/charts", &[]);
}

#[test]
fn without_an_endpoint_there_is_no_route() {
    let words = ["Service \"platform/registry\" has no ready endpoint for port http (5000)", "app=registry", "`targetPort`"];
    refused(&World::new("NodePort").slices(vec![]), Reason::NoRoute, &words);
    let not_ready = slice("IPv4", &[("10.244.1.5", "node-a", false)]);
    refused(&World::new("NodePort").slices(vec![not_ready]), Reason::NoRoute, &words);
    let mut elsewhere = slice("IPv4", &[("10.244.1.5", "node-a", true)]);
    merge(&mut elsewhere, json!({"metadata": {"labels": {"kubernetes.io/service-name": "other"}}}));
    refused(&World::new("NodePort").slices(vec![elsewhere]), Reason::NoRoute, &words);
}

#[test]
fn a_service_without_a_selector_is_reached_by_slices_made_by_hand() {
    let by_hand = World::new("ClusterIP").service(json!({"spec": {"selector": null}}));
    check(&by_hand, &[CLUSTER_IP, ENDPOINT], "oci://registry.platform.svc:5000/charts", &[]);
    refused(&by_hand.slices(vec![]), Reason::NoRoute, &["\"platform/registry\" has no selector", "EndpointSlice", "use `url`"]);
}

#[test]
fn an_external_name_is_refused_with_a_reason() {
    let world = World::new("ExternalName").service(json!({"spec": {"externalName": "registry.example.com"}}));
    refused(&world, Reason::NoRoute, &["\"platform/registry\" is of type ExternalName", "\"registry.example.com\"", "use `url`"]);
}

#[test]
fn a_hostname_names_every_request_whatever_is_dialled() {
    let world = |hostname| World::new("NodePort").nodes(vec![node("node-a", &["10.0.0.1"])]).target(json!({"hostname": hostname}));
    let expected = [
        "NodePort http://registry.example.com:5000 → 10.0.0.1:30500",
        "ClusterIP http://registry.example.com:5000 → 10.96.0.10:5000",
        "Endpoint http://registry.example.com:5000 → 10.244.1.5:5000",
    ];
    check(&world("registry.example.com:5000"), &expected, "oci://registry.example.com:5000/charts", &[]);
    let plan = world("registry.example.com").plan().unwrap();
    assert_eq!(shown(&plan.strategies[0]), "NodePort http://registry.example.com → 10.0.0.1:30500");
    let hosts = ["registry.example.com", "registry.example.com:80", "10.0.0.1:30500", "registry.platform.svc:5000"];
    assert_eq!(plan.strategies[0].credential_hosts, hosts.map(|host| [format!("{host}/charts"), host.to_owned()]).concat());
    refused(&world("a b"), Reason::NoRoute, &["`hostname` must be `HOST` or `HOST:PORT`"]);
}

#[test]
fn listed_routes_keep_their_order_and_the_reader_keeps_the_services_own() {
    let world = World::new("NodePort").nodes(vec![node("node-a", &["10.0.0.1"])]);
    let listed = world.target(json!({"routes": ["Endpoint", "LoadBalancer", "Ingress", "NodePort"]}));
    let left = &[
        "LoadBalancer: the Service is of type NodePort",
        "Ingress: no Ingress of namespace \"platform\" and no HTTPRoute leads to the Service",
    ];
    check(&listed, &[ENDPOINT, NODE_A], "oci://10.0.0.1:30500/charts", left);
    let plan = listed.plan().unwrap();
    assert_eq!(plan.reader, Route::Service(RouteKind::NodePort));
    assert_eq!(
        plan.strategies[0].reason,
        "`routes` names Endpoint before others that are possible: the addresses of its ready Pods with port 5000"
    );
    let none = World::new("ClusterIP").target(json!({"routes": ["NodePort"]}));
    refused(&none, Reason::NoRoute, &["none of the target's `routes`", "NodePort: the Service is of type ClusterIP and has no node port"]);
}

#[test]
fn without_insecure_the_services_own_routes_speak_tls() {
    let expected = [
        "NodePort https://10.0.0.1:30500 → 10.0.0.1:30500",
        "ClusterIP https://registry.platform.svc:5000 → 10.96.0.10:5000",
        "Endpoint https://registry.platform.svc:5000 → 10.244.1.5:5000",
    ];
    let world = World::new("NodePort").nodes(vec![node("node-a", &["10.0.0.1"])]).target(json!({"insecure": false}));
    check(&world, &expected, "oci://10.0.0.1:30500/charts", &[]);
}
