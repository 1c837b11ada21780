//! The Ingress route, case by case.

use serde_json::{Value, json};

use super::{
    Families, Route,
    testing::{World, check, ingress, ingress_nginx, merge, node, refused},
};
use crate::api::{Reason, RouteKind};

const CLUSTER_IP: &str = "ClusterIP http://registry.platform.svc:5000 → 10.96.0.10:5000";
const ENDPOINT: &str = "Endpoint http://registry.platform.svc:5000 → 10.244.1.5:5000";
const INSIDE: &str = "oci://registry.platform.svc:5000/charts";
const HOST: &str = "r.example.com";
const AT_STATUS: &str = "Ingress http://r.example.com → 192.0.2.80:80";

fn world(ingresses: Vec<Value>) -> World {
    World::new("ClusterIP").ingresses(ingresses).controller(ingress_nginx("ClusterIP"))
}

fn plain(name: &str) -> Value {
    ingress(name, Some(HOST), ("/", "Prefix"))
}

fn with(mut ingress: Value, change: Value) -> Value {
    merge(&mut ingress, change);
    ingress
}

fn without_address(ingress: Value) -> Value {
    with(ingress, json!({"status": null}))
}

fn tls(hosts: &[&str]) -> Value {
    json!({"spec": {"tls": [{"hosts": hosts, "secretName": "cert"}]}})
}

#[test]
fn an_ingress_with_tls_and_host_comes_first_and_is_named() {
    let world = world(vec![with(plain("web"), tls(&[HOST]))]).target(json!({"insecure": false}));
    let expected = [
        "Ingress https://r.example.com → 192.0.2.80:443",
        "ClusterIP https://registry.platform.svc:5000 → 10.96.0.10:5000",
        "Endpoint https://registry.platform.svc:5000 → 10.244.1.5:5000",
    ];
    check(&world, &expected, "oci://r.example.com/charts", &[]);
    let plan = world.plan().unwrap();
    assert_eq!(plan.reader, Route::Service(RouteKind::Ingress));
    let first = &plan.strategies[0];
    assert_eq!(
        first.reason,
        "an Ingress leads to the Service: Ingress \"platform/web\" with host r.example.com, over TLS, which takes bodies up to 1024 KiB (the default of its controller)"
    );
    let via = first.via.as_ref().unwrap();
    assert_eq!((via.kind, via.namespace.as_str(), via.name.as_str()), ("Ingress", "platform", "web"));
    assert_eq!(via.controller.as_deref(), Some("k8s.io/ingress-nginx"));
    let hosts = ["r.example.com", "r.example.com:443", "192.0.2.80:443", "registry.platform.svc:5000"];
    assert_eq!(first.credential_hosts, hosts.map(|host| [format!("{host}/charts"), host.to_owned()]).concat());
    assert!(plan.strategies[1].via.is_none());
}

#[test]
fn tls_at_the_ingress_stays_tls_where_plain_http_is_allowed_behind_it() {
    let expected = ["Ingress https://r.example.com → 192.0.2.80:443", CLUSTER_IP, ENDPOINT];
    check(&world(vec![with(plain("web"), tls(&[HOST]))]), &expected, "oci://r.example.com/charts", &[]);
}

#[test]
fn tls_is_there_by_an_entry_a_wildcard_or_an_annotation() {
    for change in [
        tls(&[HOST]),
        tls(&["*.example.com"]),
        tls(&[]),
        json!({"metadata": {"annotations": {"traefik.ingress.kubernetes.io/router.tls": "true"}}}),
        json!({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/ssl-passthrough": "true"}}}),
    ] {
        let expected = ["Ingress https://r.example.com → 192.0.2.80:443", CLUSTER_IP, ENDPOINT];
        check(&world(vec![with(plain("web"), change)]), &expected, "oci://r.example.com/charts", &[]);
    }
    for change in [tls(&["other.example.com"]), tls(&["*.r.example.com"]), tls(&["*.com"])] {
        check(&world(vec![with(plain("web"), change)]), &[AT_STATUS, CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
    }
}

#[test]
fn an_ingress_without_tls_needs_insecure() {
    let secure = world(vec![plain("web")]).target(json!({"insecure": false}));
    let expected =
        ["ClusterIP https://registry.platform.svc:5000 → 10.96.0.10:5000", "Endpoint https://registry.platform.svc:5000 → 10.244.1.5:5000"];
    let left = "Ingress: Ingress \"platform/web\": it has no TLS entry for host \"r.example.com\": add one under `tls`, or allow plain HTTP with `insecure: true`";
    check(&secure, &expected, INSIDE, &[left]);
    check(&world(vec![plain("web")]), &[AT_STATUS, CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
}

#[test]
fn of_two_ingresses_the_one_with_tls_comes_first_and_the_other_after_it() {
    let second = with(ingress("secure", Some("s.example.com"), ("/v2/", "Prefix")), tls(&["s.example.com"]));
    let both = world(vec![plain("plain"), second]);
    let expected = ["Ingress https://s.example.com → 192.0.2.80:443", AT_STATUS, CLUSTER_IP, ENDPOINT];
    check(&both, &expected, "oci://s.example.com/charts", &[]);
    let twice = world(vec![plain("a"), plain("b")]);
    check(&twice, &[AT_STATUS, CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
    let of_age = |name: &str, host: &str, created: &str| {
        with(ingress(name, Some(host), ("/", "Prefix")), json!({"metadata": {"creationTimestamp": created}}))
    };
    let by_age =
        world(vec![of_age("a", "young.example.com", "2026-02-01T00:00:00Z"), of_age("b", "old.example.com", "2026-01-01T00:00:00Z")]);
    let expected =
        ["Ingress http://old.example.com → 192.0.2.80:80", "Ingress http://young.example.com → 192.0.2.80:80", CLUSTER_IP, ENDPOINT];
    check(&by_age, &expected, "oci://old.example.com/charts", &[]);
}

#[test]
fn an_ingress_comes_after_what_the_services_type_says() {
    let world = World::new("NodePort").nodes(vec![node("node-a", &["10.0.0.1"])]).ingresses(vec![plain("web")]);
    let expected = ["NodePort http://10.0.0.1:30500 → 10.0.0.1:30500", AT_STATUS, CLUSTER_IP, ENDPOINT];
    check(&world, &expected, "oci://10.0.0.1:30500/charts", &[]);
    assert!(world.plan().unwrap().strategies[1].reason.starts_with("after NodePort: Ingress \"platform/web\""));
}

#[test]
fn without_an_address_the_controllers_service_is_dialled() {
    let at_controller = "Ingress http://r.example.com → 10.96.0.80:80";
    let found = world(vec![without_address(plain("web"))]);
    check(&found, &[at_controller, CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
    assert!(found.plan().unwrap().strategies[0].reason.contains("at the Service \"edge/edge-controller\" of its controller"));
    let secure = world(vec![without_address(with(plain("web"), tls(&[HOST])))]);
    check(&secure, &["Ingress https://r.example.com → 10.96.0.80:443", CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
    for loopback in [json!({"ip": "127.0.0.1"}), json!({"hostname": "localhost"})] {
        let local = with(plain("web"), json!({"status": {"loadBalancer": {"ingress": [loopback]}}}));
        check(&world(vec![local]), &[at_controller, CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
    }
    let mut unknown = found;
    unknown.services.clear();
    let left = "its status has no address that can be dialled, and the Service of its controller (IngressClass \"nginx\", k8s.io/ingress-nginx) was not found";
    check(&unknown, &[CLUSTER_IP, ENDPOINT], INSIDE, &[left]);
    unknown.classes.clear();
    check(&unknown, &[CLUSTER_IP, ENDPOINT], INSIDE, &["there is no IngressClass \"nginx\""]);
    let classless = with(without_address(plain("web")), json!({"spec": {"ingressClassName": null}}));
    check(&world(vec![classless.clone()]), &[CLUSTER_IP, ENDPOINT], INSIDE, &["it names no `ingressClassName`, nor is one the default"]);
    let mut by_default = world(vec![classless]);
    merge(&mut by_default.classes[0], json!({"metadata": {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}}));
    check(&by_default, &[at_controller, CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
}

#[test]
fn a_controller_that_is_not_in_the_table_is_found_by_the_labels_of_its_class() {
    let labels = json!({"app.kubernetes.io/name": "gate", "app.kubernetes.io/instance": "gate"});
    let mut other = world(vec![without_address(plain("web"))]);
    merge(&mut other.classes[0], json!({"metadata": {"labels": labels}, "spec": {"controller": "example.com/gate"}}));
    merge(&mut other.services[1], json!({"metadata": {"labels": labels}}));
    check(&other, &["Ingress http://r.example.com → 10.96.0.80:80", CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
}

#[test]
fn a_controller_on_node_ports_is_dialled_inside_and_read_from_outside_by_its_node_port() {
    let ingress = with(plain("web"), json!({"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}));
    let world = world(vec![ingress]).controller(ingress_nginx("NodePort")).nodes(vec![node("node-a", &["10.0.0.1"])]);
    check(&world, &["Ingress http://r.example.com → 10.96.0.80:80", CLUSTER_IP, ENDPOINT], "oci://r.example.com:30080/charts", &[]);
}

#[test]
fn an_address_of_a_load_balancer_service_is_dialled_with_its_port() {
    for entry in [json!({"ip": "192.0.2.80"}), json!({"hostname": "lb.example.com"})] {
        let mut balanced = world(vec![with(plain("web"), json!({"status": {"loadBalancer": {"ingress": [entry]}}}))]);
        merge(
            &mut balanced.services[1],
            json!({"spec": {"type": "LoadBalancer", "ports": [{"name": "http", "port": 8080}]}, "status": {"loadBalancer": {"ingress": [entry]}}}),
        );
        let address = entry["ip"].as_str().or(entry["hostname"].as_str()).unwrap();
        let expected = format!("Ingress http://r.example.com:8080 → {address}:8080");
        check(&balanced, &[&expected, CLUSTER_IP, ENDPOINT], "oci://r.example.com:8080/charts", &[]);
    }
}

#[test]
fn a_wildcard_needs_a_hostname() {
    let wild = || world(vec![ingress("web", Some("*.example.com"), ("/", "Prefix"))]);
    check(&wild(), &[CLUSTER_IP, ENDPOINT], INSIDE, &["its host \"*.example.com\" is a wildcard: say in `hostname` which name to use"]);
    let named = wild().target(json!({"hostname": HOST, "routes": ["Ingress"]}));
    check(&named, &[AT_STATUS], "oci://r.example.com/charts", &[]);
    let deeper = wild().target(json!({"hostname": "a.b.example.com", "routes": ["Ingress"]}));
    refused(&deeper, Reason::NoRoute, &["it takes no requests for `hostname` \"a.b.example.com\": its hosts are \"*.example.com\""]);
}

#[test]
fn a_hostname_chooses_among_the_hosts_of_an_ingress() {
    let mut two = plain("web");
    let mut other = two["spec"]["rules"][0].clone();
    merge(&mut other, json!({"host": "other.example.com"}));
    two["spec"]["rules"].as_array_mut().unwrap().insert(0, other);
    let world = world(vec![two]).target(json!({"hostname": "r.example.com:8080", "routes": ["Ingress"]}));
    check(&world, &["Ingress http://r.example.com:8080 → 192.0.2.80:80"], "oci://r.example.com:8080/charts", &[]);
}

#[test]
fn a_rule_without_a_host_and_a_default_backend_take_any_name() {
    let any = "Ingress http://192.0.2.80 → 192.0.2.80:80";
    check(&world(vec![ingress("web", None, ("/", "Prefix"))]), &[any, CLUSTER_IP, ENDPOINT], "oci://192.0.2.80/charts", &[]);
    let backend = json!({"service": {"name": "registry", "port": {"name": "http"}}});
    let by_default = with(plain("web"), json!({"spec": {"rules": null, "defaultBackend": backend}}));
    check(&world(vec![by_default.clone()]), &[any, CLUSTER_IP, ENDPOINT], "oci://192.0.2.80/charts", &[]);
    let named = world(vec![by_default]).target(json!({"hostname": HOST, "routes": ["Ingress"]}));
    check(&named, &[AT_STATUS], "oci://r.example.com/charts", &[]);
}

#[test]
fn the_path_must_cover_the_api() {
    for path in [("/", "Prefix"), ("/v2", "Prefix"), ("/v2/", "Prefix"), ("/", "ImplementationSpecific"), ("/*", "ImplementationSpecific")]
    {
        let expected = &[AT_STATUS, CLUSTER_IP, ENDPOINT];
        check(&world(vec![ingress("web", Some(HOST), path)]), expected, "oci://r.example.com/charts", &[]);
    }
    for path in [("/charts", "Prefix"), ("/v2/", "Exact"), ("/v2/charts", "Prefix"), ("/v22", "ImplementationSpecific")] {
        let left = format!("its path \"{}\" ({}) does not take \"/v2/\"", path.0, path.1);
        check(&world(vec![ingress("web", Some(HOST), path)]), &[CLUSTER_IP, ENDPOINT], INSIDE, &[&left]);
    }
    let mut split = plain("web");
    let api = json!({"path": "/v2/", "pathType": "Prefix", "backend": {"service": {"name": "other", "port": {"number": 80}}}});
    split["spec"]["rules"][0]["http"]["paths"].as_array_mut().unwrap().push(api);
    check(&world(vec![split]), &[CLUSTER_IP, ENDPOINT], INSIDE, &["and a longer path of the same host leads elsewhere"]);
}

#[test]
fn a_backend_is_matched_by_port_name_or_number() {
    let to = |port: Value| {
        let mut ingress = plain("web");
        ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] = port;
        world(vec![ingress])
    };
    check(&to(json!({"name": "http"})), &[AT_STATUS, CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
    let left = "it leads to port metrics of the Service, and the target names http (5000)";
    check(&to(json!({"name": "metrics"})), &[CLUSTER_IP, ENDPOINT], INSIDE, &[left]);
    check(&to(json!({"number": 80})), &[CLUSTER_IP, ENDPOINT], INSIDE, &["it leads to port 80 of the Service"]);
}

#[test]
fn an_ingress_of_another_service_or_namespace_is_not_mentioned() {
    let mut other = plain("web");
    other["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = json!("other");
    let foreign = with(plain("web"), json!({"metadata": {"namespace": "elsewhere"}}));
    check(&world(vec![other, foreign]), &[CLUSTER_IP, ENDPOINT], INSIDE, &[]);
}

#[test]
fn a_headless_service_behind_an_ingress_is_reached_by_it_first() {
    let headless = world(vec![plain("web")]).service(json!({"spec": {"clusterIP": "None", "clusterIPs": ["None"]}}));
    check(&headless, &[AT_STATUS, ENDPOINT], "oci://r.example.com/charts", &[]);
}

#[test]
fn addresses_of_families_that_this_program_lacks_are_not_dialled() {
    let dual = json!({"status": {"loadBalancer": {"ingress": [{"ip": "2001:db8::80"}, {"ip": "192.0.2.80"}]}}});
    let only_v4 = world(vec![with(plain("web"), dual)]).families(Families { v4: true, v6: false });
    check(&only_v4, &[AT_STATUS, CLUSTER_IP, ENDPOINT], "oci://r.example.com/charts", &[]);
}
