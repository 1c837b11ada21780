//! HTTPRoutes as ways of the kind Ingress, case by case.

use serde_json::{Value, json};

use super::{
    Route,
    testing::{World, check, merge, node, refused},
};
use crate::api::{Reason, RouteKind};

pub(super) const CLUSTER_IP: &str = "ClusterIP http://registry.platform.svc:5000 → 10.96.0.10:5000";
pub(super) const ENDPOINT: &str = "Endpoint http://registry.platform.svc:5000 → 10.244.1.5:5000";
pub(super) const BY_TLS: &str = "Ingress https://r.example.com → 192.0.2.90:443";
pub(super) const INSIDE: &str = "oci://registry.platform.svc:5000/charts";
pub(super) const OUTSIDE: &str = "oci://r.example.com/charts";
const CONTROLLER: &str = "gateway.example.com/controller";

/// HTTPRoute "platform/web" for r.example.com to the registry, accepted by Gateway "edge/public".
pub(super) fn route() -> Value {
    let parent = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "edge", "name": "public"});
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"namespace": "platform", "name": "web"},
        "spec": {
            "parentRefs": [parent], "hostnames": ["r.example.com"],
            "rules": [{
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"group": "", "kind": "Service", "name": "registry", "port": 5000, "weight": 1}],
            }],
        },
        "status": {"parents": [{
            "parentRef": parent, "controllerName": CONTROLLER,
            "conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""}],
        }]},
    })
}

/// Gateway "edge/public" at 192.0.2.90, with HTTP and HTTPS for all hosts and namespaces.
pub(super) fn gateway() -> Value {
    let all = json!({"namespaces": {"from": "All"}});
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"namespace": "edge", "name": "public"},
        "spec": {"gatewayClassName": "example", "listeners": [
            {"name": "web", "port": 80, "protocol": "HTTP", "allowedRoutes": all},
            {"name": "websecure", "port": 443, "protocol": "HTTPS", "allowedRoutes": all, "tls": {"mode": "Terminate"}},
        ]},
        "status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.90"}]},
    })
}

pub(super) fn with(mut object: Value, change: Value) -> Value {
    merge(&mut object, change);
    object
}

pub(super) fn world(route: Value, gateway: Value) -> World {
    World::new("ClusterIP").http_routes(vec![route]).gateways(vec![gateway])
}

fn rule(change: Value) -> Value {
    let mut rule = route()["spec"]["rules"][0].clone();
    merge(&mut rule, change);
    json!({"spec": {"rules": [rule]}})
}

pub(super) fn listeners(listeners: &Value) -> Value {
    json!({"spec": {"listeners": listeners}})
}

/// The route is left out, and these words say why.
pub(super) fn closed(world: &World, words: &str) {
    check(world, &[CLUSTER_IP, ENDPOINT], INSIDE, &[words]);
}

#[test]
fn an_http_route_comes_first_and_is_named() {
    let world = world(route(), gateway());
    check(&world, &[BY_TLS, CLUSTER_IP, ENDPOINT], OUTSIDE, &[]);
    let plan = world.plan().unwrap();
    assert_eq!(plan.reader, Route::Service(RouteKind::Ingress));
    let first = &plan.strategies[0];
    assert_eq!(
        first.reason,
        "an HTTPRoute leads to the Service: HTTPRoute \"platform/web\" of Gateway \"edge/public\" with host r.example.com, over TLS"
    );
    let via = first.via.as_ref().unwrap();
    assert_eq!((via.kind, via.namespace.as_str(), via.name.as_str()), ("HTTPRoute", "platform", "web"));
    assert_eq!(via.controller.as_deref(), Some(CONTROLLER));
}

#[test]
fn behind_other_exposures_it_comes_after_them() {
    let node_port = || World::new("NodePort").nodes(vec![node("node-a", &["10.0.0.1"])]);
    let by_node = "NodePort http://10.0.0.1:30500 → 10.0.0.1:30500";
    let world = node_port().http_routes(vec![route()]).gateways(vec![gateway()]);
    check(&world, &[by_node, BY_TLS, CLUSTER_IP, ENDPOINT], "oci://10.0.0.1:30500/charts", &[]);
    let listed = world.target(json!({"routes": ["Ingress"]}));
    check(&listed, &[BY_TLS], "oci://10.0.0.1:30500/charts", &[]);
}

#[test]
fn plain_http_needs_insecure() {
    let plain = || {
        with(
            gateway(),
            listeners(&json!([{"name": "web", "port": 8080, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}])),
        )
    };
    let expected = ["Ingress http://r.example.com:8080 → 192.0.2.90:8080", CLUSTER_IP, ENDPOINT];
    check(&world(route(), plain()), &expected, "oci://r.example.com:8080/charts", &[]);
    let secure = world(route(), plain()).target(json!({"insecure": false, "routes": ["Ingress"]}));
    refused(
        &secure,
        Reason::NoRoute,
        &["HTTPRoute \"platform/web\": Gateway \"edge/public\" takes its requests by plain HTTP alone", "`insecure: true`"],
    );
    let by_tls = world(route(), gateway()).target(json!({"insecure": false, "routes": ["Ingress"]}));
    check(&by_tls, &[BY_TLS], OUTSIDE, &[]);
}

#[test]
fn paths_must_cover_the_api() {
    let path = |type_: &str, value: &str| rule(json!({"matches": [{"path": {"type": type_, "value": value}}]}));
    for change in [
        path("PathPrefix", "/"),
        path("PathPrefix", "/v2"),
        path("PathPrefix", "/v2/"),
        path("RegularExpression", "/.*"),
        rule(json!({"matches": []})),
        rule(json!({"matches": null})),
        rule(json!({"matches": [{}]})),
        rule(json!({"matches": [{"path": {"type": "Exact", "value": "/health"}}, {"path": {"value": "/v2"}}]})),
    ] {
        check(&world(with(route(), change), gateway()), &[BY_TLS, CLUSTER_IP, ENDPOINT], OUTSIDE, &[]);
    }
    for change in [
        path("Exact", "/v2/"),
        path("PathPrefix", "/v2/charts"),
        path("PathPrefix", "/registry"),
        path("RegularExpression", "/v2/[a-z]+"),
        rule(json!({"matches": [{"method": "GET"}]})),
        rule(json!({"matches": [{"path": {"value": "/"}, "headers": [{"name": "x", "value": "y"}]}]})),
        rule(json!({"matches": [{"queryParams": [{"name": "x", "value": "y"}]}]})),
    ] {
        closed(&world(with(route(), change), gateway()), "no rule of it takes all requests for \"/v2/\"");
    }
}

#[test]
fn the_longest_path_wins_and_then_the_first_rule() {
    let to = |service: &str, path: &str| json!({"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": [{"name": service, "port": 5000}]});
    let rules = |rules: Value| world(with(route(), json!({"spec": {"rules": rules}})), gateway());
    for ours in [
        json!([to("registry", "/v2"), to("web", "/")]),
        json!([to("web", "/"), to("registry", "/v2/")]),
        json!([to("registry", "/"), to("web", "/")]),
    ] {
        check(&rules(ours), &[BY_TLS, CLUSTER_IP, ENDPOINT], OUTSIDE, &[]);
    }
    for other in [json!([to("registry", "/"), to("web", "/v2")]), json!([to("web", "/"), to("registry", "/")])] {
        closed(&rules(other), "its rule for \"/v2/\" leads elsewhere");
    }
}

#[test]
fn requests_must_get_there_unchanged_and_all_of_them() {
    let ours = json!({"name": "registry", "port": 5000});
    for change in [
        rule(json!({"backendRefs": [ours, {"name": "web", "port": 80, "weight": 0}]})),
        rule(json!({"backendRefs": [ours, ours]})),
        rule(json!({"backendRefs": [{"name": "registry"}]})),
        rule(json!({"filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x", "value": "y"}]}}]})),
        rule(json!({"filters": [{"type": "URLRewrite", "urlRewrite": {"hostname": "registry"}}]})),
    ] {
        check(&world(with(route(), change), gateway()), &[BY_TLS, CLUSTER_IP, ENDPOINT], OUTSIDE, &[]);
    }
    for (change, words) in [
        (json!({"backendRefs": [ours, {"name": "web", "port": 80}]}), "shares the requests out among other backends"),
        (json!({"backendRefs": [{"name": "registry", "port": 5000, "weight": 0}]}), "the Service has weight 0"),
        (
            json!({"backendRefs": [{"name": "registry", "port": 9090}]}),
            "it leads to port 9090 of the Service, and the target names http (5000)",
        ),
        (json!({"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}), "answers with a redirect"),
        (json!({"filters": [{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch"}}}]}), "rewrites the path"),
    ] {
        closed(&world(with(route(), rule(change)), gateway()), words);
    }
}

#[test]
fn a_route_that_leads_elsewhere_is_passed_over_in_silence() {
    for backend in [
        json!({"name": "web", "port": 5000}),
        json!({"name": "registry", "namespace": "other", "port": 5000}),
        json!({"group": "example.com", "kind": "Bucket", "name": "registry"}),
        json!({"kind": "ServiceImport", "name": "registry", "port": 5000}),
    ] {
        check(&world(with(route(), rule(json!({"backendRefs": [backend]}))), gateway()), &[CLUSTER_IP, ENDPOINT], INSIDE, &[]);
    }
    let other = with(route(), json!({"metadata": {"namespace": "other"}}));
    check(&world(other, gateway()), &[CLUSTER_IP, ENDPOINT], INSIDE, &[]);
    let nothing = json!({"metadata": {"namespace": "platform", "name": "empty"}});
    check(&world(nothing, gateway()), &[CLUSTER_IP, ENDPOINT], INSIDE, &[]);
}

#[test]
fn a_route_of_another_namespace_needs_a_reference_grant() {
    let backend = json!({"backendRefs": [{"name": "registry", "namespace": "platform", "port": 5000}]});
    let abroad = || with(with(route(), json!({"metadata": {"namespace": "edge"}})), rule(backend.clone()));
    let grant = |change: Value| {
        let grant = json!({
            "metadata": {"namespace": "platform", "name": "edge"},
            "spec": {
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "edge"}],
                "to": [{"group": "", "kind": "Service"}],
            },
        });
        world(abroad(), gateway()).grants(vec![with(grant, change)])
    };
    let to = |name: &str| json!({"spec": {"to": [{"group": "", "kind": "Service", "name": name}]}});
    for change in [json!({}), to("registry")] {
        check(&grant(change), &[BY_TLS, CLUSTER_IP, ENDPOINT], OUTSIDE, &[]);
    }
    let from =
        |group: &str, kind: &str, namespace: &str| json!({"spec": {"from": [{"group": group, "kind": kind, "namespace": namespace}]}});
    for change in [
        to("web"),
        json!({"metadata": {"namespace": "edge"}}),
        from("gateway.networking.k8s.io", "HTTPRoute", "other"),
        from("gateway.networking.k8s.io", "GRPCRoute", "edge"),
        from("example.com", "HTTPRoute", "edge"),
        json!({"spec": {"to": [{"group": "", "kind": "Secret"}]}}),
        json!({"spec": null}),
    ] {
        closed(&grant(change), "HTTPRoute \"edge/web\": it lies in another namespace, and no ReferenceGrant of namespace \"platform\"");
    }
    closed(&world(abroad(), gateway()), "create one, with `from` HTTPRoute of \"edge\" and `to` Service \"registry\"");
}
