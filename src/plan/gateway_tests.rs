//! Gateways of HTTPRoutes: listeners, names and addresses, case by case.

use serde_json::{Value, json};

use super::{
    Families,
    http_route_tests::{BY_TLS, CLUSTER_IP, ENDPOINT, OUTSIDE, closed, gateway, listeners, route, with, world},
    testing::{World, check, ingress, ingress_nginx, merge, node, refused},
};
use crate::api::Reason;

#[test]
fn the_gateways_controller_must_have_accepted_it() {
    let refused = json!([{"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners", "message": "no listener allows it"}]);
    let parent = |change: Value| {
        let mut parent = route()["status"]["parents"][0].clone();
        merge(&mut parent, change);
        with(route(), json!({"status": {"parents": [parent]}}))
    };
    closed(&world(parent(json!({"conditions": refused})), gateway()), "does not accept it: no listener allows it (NotAllowedByListeners)");
    for other in [
        with(route(), json!({"status": null})),
        parent(json!({"conditions": []})),
        parent(json!({"parentRef": {"name": "private"}})),
        parent(json!({"parentRef": {"sectionName": "web"}})),
    ] {
        closed(&world(other, gateway()), "no controller has accepted it for the Gateway \"public\" yet");
    }
}

#[test]
fn a_gateway_that_is_not_there_is_named() {
    let parents = |parents: Value| with(route(), json!({"spec": {"parentRefs": parents}}));
    closed(&world(route(), with(gateway(), json!({"metadata": {"name": "private"}}))), "there is no Gateway \"edge/public\"");
    closed(&world(parents(json!([{"name": "public"}])), gateway()), "there is no Gateway \"platform/public\"");
    closed(&world(parents(json!([])), gateway()), "it names no Gateway in `parentRefs`");
    let mesh = json!([{"group": "", "kind": "Service", "name": "registry"}]);
    closed(&world(parents(mesh), gateway()), "it hangs on the Service \"registry\"");
}

#[test]
fn listeners_are_chosen_by_what_the_route_and_they_allow() {
    let all = json!({"namespaces": {"from": "All"}});
    let of = |change: Value| {
        let mut listener = json!({"name": "a", "port": 8443, "protocol": "HTTPS", "allowedRoutes": all});
        merge(&mut listener, change);
        world(route(), with(gateway(), listeners(&json!([listener]))))
    };
    let expected = ["Ingress https://r.example.com:8443 → 192.0.2.90:8443", CLUSTER_IP, ENDPOINT];
    for change in [
        json!({}),
        json!({"hostname": "r.example.com"}),
        json!({"hostname": "*.example.com"}),
        json!({"hostname": "*.com"}),
        json!({"protocol": "TLS"}),
        json!({"allowedRoutes": {"namespaces": {"from": "Selector"}}}),
    ] {
        check(&of(change), &expected, "oci://r.example.com:8443/charts", &[]);
    }
    for change in [
        json!({"hostname": "other.example.com"}),
        json!({"hostname": "*.r.example.com"}),
        json!({"protocol": "TCP"}),
        json!({"allowedRoutes": null}),
        json!({"allowedRoutes": {"namespaces": {"from": "Same"}}}),
        json!({"port": 0}),
    ] {
        closed(&of(change), "no listener of Gateway \"edge/public\" for HTTP or HTTPS takes routes");
    }
}

#[test]
fn a_parent_reference_may_name_one_listener() {
    let section = |reference: Value| {
        let mut both = route();
        for place in ["/spec/parentRefs/0", "/status/parents/0/parentRef"] {
            merge(both.pointer_mut(place).unwrap(), reference.clone());
        }
        world(both, gateway())
    };
    let plain = ["Ingress http://r.example.com → 192.0.2.90:80", CLUSTER_IP, ENDPOINT];
    for reference in [json!({"sectionName": "web"}), json!({"port": 80})] {
        check(&section(reference), &plain, OUTSIDE, &[]);
    }
    check(&section(json!({"sectionName": "websecure"})), &[BY_TLS, CLUSTER_IP, ENDPOINT], OUTSIDE, &[]);
    closed(&section(json!({"sectionName": "other"})), "no listener of Gateway");
}

#[test]
fn names_are_those_that_route_and_listener_share() {
    let named = |hostnames: Value, own: Value, hostname: Value| {
        let route = with(route(), json!({"spec": {"hostnames": hostnames}}));
        let listener =
            json!({"name": "a", "port": 443, "protocol": "HTTPS", "hostname": own, "allowedRoutes": {"namespaces": {"from": "All"}}});
        world(route, with(gateway(), listeners(&json!([listener])))).target(json!({"hostname": hostname, "routes": ["Ingress"]}))
    };
    let first = |world: &World| world.plan().map(|plan| plan.strategies[0].origin.to_string());
    for (hostnames, own, hostname, expected) in [
        (json!([]), Value::Null, Value::Null, "https://192.0.2.90"),
        (json!([]), json!("r.example.com"), Value::Null, "https://r.example.com"),
        (json!(["*.example.com"]), json!("r.example.com"), Value::Null, "https://r.example.com"),
        (json!(["*.example.com", "r.example.com"]), Value::Null, Value::Null, "https://r.example.com"),
        (json!(["*.example.com"]), Value::Null, json!("a.b.example.com"), "https://a.b.example.com"),
        (json!(["*.b.example.com"]), json!("*.example.com"), json!("a.b.example.com"), "https://a.b.example.com"),
        (json!([]), Value::Null, json!("r.example.com:8443"), "https://r.example.com:8443"),
    ] {
        assert_eq!(first(&named(hostnames.clone(), own, hostname)), Ok(expected.to_owned()), "{hostnames}");
    }
    refused(&named(json!(["*.example.com"]), Value::Null, Value::Null), Reason::NoRoute, &["is a wildcard: say in `hostname`"]);
    refused(
        &named(json!(["r.example.com"]), Value::Null, json!("x.example.com")),
        Reason::NoRoute,
        &["it takes no requests for `hostname`"],
    );
}

#[test]
fn its_address_is_that_of_the_gateway_or_of_the_service_of_the_gateway() {
    let addresses = |addresses: Value| with(gateway(), json!({"status": {"addresses": addresses}}));
    let check_address = |addresses_of: Value, expected: &str| {
        check(&world(route(), addresses(addresses_of)), &[expected, CLUSTER_IP, ENDPOINT], OUTSIDE, &[]);
    };
    check_address(json!([{"value": "192.0.2.90"}]), BY_TLS);
    check_address(json!([{"type": "Hostname", "value": "lb.example.com"}]), "Ingress https://r.example.com → lb.example.com:443");
    let both = json!([{"type": "IPAddress", "value": "192.0.2.90"}, {"type": "IPAddress", "value": "2001:db8::90"}]);
    check_address(both, "Ingress https://r.example.com → 192.0.2.90:443, [2001:db8::90]:443");
    for none in [
        json!([]),
        json!([{"type": "IPAddress", "value": "127.0.0.1"}]),
        json!([{"type": "Hostname", "value": "localhost"}]),
        json!([{"type": "example.com/name", "value": "192.0.2.90"}]),
    ] {
        closed(&world(route(), addresses(none)), "the status of Gateway \"edge/public\" has no address that can be dialled");
    }
    let v6_only = addresses(json!([{"value": "2001:db8::90"}]));
    let families = Families { v4: true, v6: false };
    closed(&world(route(), v6_only).families(families), "has no address that can be dialled");
}

#[test]
fn a_gateway_behind_a_node_port_is_reached_by_its_service() {
    let service = |type_: &str, gateway_name: &str| {
        json!({
            "metadata": {"namespace": "edge", "name": "public-example", "labels": {"gateway.networking.k8s.io/gateway-name": gateway_name}},
            "spec": {"type": type_, "clusterIP": "10.96.0.90", "clusterIPs": ["10.96.0.90"], "ports": [{"name": "tls", "port": 443, "nodePort": 30443}]},
        })
    };
    let by_service = ["Ingress https://r.example.com → 10.96.0.90:443", CLUSTER_IP, ENDPOINT];
    let on_node = || {
        world(route(), with(gateway(), json!({"status": {"addresses": [{"value": "10.0.0.1"}]}})))
            .nodes(vec![node("node-a", &["10.0.0.1"])])
    };
    let node_port = on_node().services(vec![service("NodePort", "public")]);
    check(&node_port, &by_service, "oci://r.example.com:30443/charts", &[]);
    let reason = node_port.plan().unwrap().strategies[0].reason.clone();
    assert!(
        reason.ends_with(", at its Service \"edge/public-example\", since its status gives no address that can be dialled"),
        "{reason}"
    );
    let silent = world(route(), with(gateway(), json!({"status": null})));
    check(&silent.services(vec![service("ClusterIP", "public")]), &by_service, OUTSIDE, &[]);
    let of_another = on_node().services(vec![service("NodePort", "private")]);
    check(&of_another, &["Ingress https://r.example.com → 10.0.0.1:443", CLUSTER_IP, ENDPOINT], OUTSIDE, &[]);
}

#[test]
fn ingresses_and_http_routes_stand_together_tls_first_and_at_most_three() {
    let plain_ingress = ingress("old", Some("r.example.com"), ("/", "Prefix"));
    let both = || world(route(), gateway()).ingresses(vec![plain_ingress.clone()]).controller(ingress_nginx("ClusterIP"));
    let expected = [BY_TLS, "Ingress http://r.example.com → 192.0.2.80:80", CLUSTER_IP, ENDPOINT];
    check(&both(), &expected, OUTSIDE, &[]);
    let opening = both().plan().unwrap().strategies[0].reason.clone();
    assert!(opening.starts_with("an HTTPRoute leads to the Service: "), "{opening}");
    let named = |name: &str, host: &str| with(route(), json!({"metadata": {"name": name}, "spec": {"hostnames": [host]}}));
    let routes = vec![named("d", "d.example.com"), named("a", "a.example.com"), named("c", "c.example.com"), named("b", "a.example.com")];
    let expected = [
        "Ingress https://a.example.com → 192.0.2.90:443",
        "Ingress https://c.example.com → 192.0.2.90:443",
        "Ingress https://d.example.com → 192.0.2.90:443",
        CLUSTER_IP,
        ENDPOINT,
    ];
    let left = &["Ingress \"platform/old\": 3 others lead here as well"];
    check(&both().http_routes(routes), &expected, "oci://a.example.com/charts", left);
}
