//! Wrong inputs: the Service, and the Secrets.

use chart_publisher::api::Reason;
use serde_json::{Value, json};

use crate::{
    case::{Case, endpoints, login, secret, service},
    world::World,
};

/// Services that lead nowhere.
pub fn services(world: &World) -> Vec<Case> {
    let case = |input, service: Value| Case::new(input, world.good(), json!({"name": "main", "service": service, "insecure": true}));
    let listed = |input, routes: Value| {
        let target = json!({"name": "main", "service": {"name": "registry"}, "routes": routes, "insecure": true});
        let case = Case::new(input, world.good(), target).with(service("registry", &[("http", 5000)]));
        case.with(endpoints("registry", world.plain.socket()))
    };
    let mut alias = service("registry", &[("http", 5000)]);
    alias["spec"]["type"] = json!("ExternalName");
    alias["spec"]["externalName"] = json!("registry.example.com");
    let mut selecting = service("registry", &[("http", 5000)]);
    selecting["spec"]["selector"] = json!({"app": "registry"});
    vec![
        case("the Service does not exist", json!({"name": "registry"})).retries(
            Reason::ServiceNotFound,
            "Service \"team/registry\"",
            "create it",
        ),
        case("the Service has no port of this name", json!({"name": "registry", "port": "metrics"}))
            .with(service("registry", &[("http", 5000)]))
            .stalls(Reason::ServiceNotFound, "Service \"team/registry\"", "http (5000)"),
        case("the Service has no port of this number", json!({"name": "registry", "port": "80"}))
            .with(service("registry", &[("http", 5000)]))
            .stalls(Reason::ServiceNotFound, "Service \"team/registry\"", "http (5000)"),
        case("the Service has several ports, and none is named", json!({"name": "registry"}))
            .with(service("registry", &[("http", 5000), ("metrics", 9090)]))
            .stalls(Reason::ServiceNotFound, "Service \"team/registry\" has several TCP ports", "name the registry's in `service.port`"),
        case("the Service is of type ExternalName", json!({"name": "registry"})).with(alias).stalls(
            Reason::NoRoute,
            "Service \"team/registry\" is of type ExternalName",
            "use `url` with that name",
        ),
        case("no Pod behind the Service is ready", json!({"name": "registry"})).with(selecting).retries(
            Reason::NoRoute,
            "Service \"team/registry\" has no ready endpoint",
            "`selector` and `targetPort`",
        ),
        case("the Service has neither a selector nor endpoints", json!({"name": "registry"}))
            .with(service("registry", &[("http", 5000)]))
            .retries(Reason::NoRoute, "Service \"team/registry\" has no selector", "give it a `selector`, or an EndpointSlice"),
        listed("`routes` names a route that the Service does not have", json!(["LoadBalancer", "NodePort"])).stalls(
            Reason::NoRoute,
            "leads to Service \"team/registry\"",
            "correct `routes`, or leave it empty",
        ),
        listed("`routes` names Ingress, and there is none", json!(["Ingress"])).stalls(
            Reason::NoRoute,
            "no Ingress of namespace \"team\" and no HTTPRoute leads to the Service",
            "correct `routes`, or leave it empty",
        ),
        listed("`routes` names Relay, and it is not granted", json!(["Relay"])).stalls(
            Reason::NoRoute,
            "leads to Service \"team/registry\"",
            "forward ports of Pods in namespace \"team\", which the administrator grants by `relay.namespaces`",
        ),
    ]
}

/// Secrets that do not hold what is needed.
pub fn secrets(world: &World) -> Vec<Case> {
    let socket = world.basic.socket();
    let named = |input, reference: &str| {
        let mut target = json!({"name": "main", "url": format!("oci://{socket}/charts"), "insecure": true});
        target[reference] = json!({"name": "login"});
        Case::new(input, world.good(), target)
    };
    let docker =
        |auths: Value| secret("login", "kubernetes.io/dockerconfigjson", &[(".dockerconfigjson", &json!({"auths": auths}).to_string())]);
    let client = world.authority.client("publisher").expect("a certificate");
    let other = world.authority.client("another").expect("a certificate");
    let elsewhere = json!({"other.example.com": {"username": "pusher", "password": world.password}});
    let unreadable = json!({socket.to_string(): {"auth": "%%%"}});
    let of = |entries: &[(&str, &str)]| secret("login", "Opaque", entries);
    vec![
        named("the Secret does not exist", "secretRef").stalls(
            Reason::SecretInvalid,
            "Secret `team/login`: it does not exist",
            "create it in the namespace of the ChartPublication",
        ),
        named("the Secret is of another type", "secretRef")
            .with(secret("login", "kubernetes.io/tls", &[("tls.crt", &client.certificate), ("tls.key", &client.key)]))
            .stalls(Reason::SecretInvalid, "Secret `team/login`: it has no `username`", "give it `username` and `password`"),
        named("the Secret has no password", "secretRef").with(of(&[("username", "pusher"), ("token", &world.password)])).stalls(
            Reason::SecretInvalid,
            "Secret `team/login`: it has no `password`",
            "give it `username` and `password`",
        ),
        named("the Docker configuration has no entry for this registry", "secretRef").with(docker(elsewhere)).stalls(
            Reason::SecretInvalid,
            "Secret `team/login` has no entry for the registry of target `main`",
            "in `auths`",
        ),
        named("the Docker configuration cannot be read", "secretRef").with(docker(unreadable)).stalls(
            Reason::SecretInvalid,
            "Secret `team/login`: `.dockerconfigjson`",
            "`base64(username:password)`",
        ),
        named("the Secret with the CA does not exist", "certSecretRef").stalls(
            Reason::SecretInvalid,
            "Secret `team/login`: it does not exist",
            "create it in the namespace of the ChartPublication",
        ),
        named("the Secret with the CA has none", "certSecretRef").with(login("pusher", &world.password)).stalls(
            Reason::SecretInvalid,
            "Secret `team/login`",
            "`ca.crt`",
        ),
        named("the CA is no PEM", "certSecretRef").with(of(&[("ca.crt", "-----BEGIN CERTIFICATE-----\nbroken\n")])).stalls(
            Reason::SecretInvalid,
            "Secret `team/login`: `ca.crt`",
            "it must be PEM",
        ),
        named("`tls.crt` is there and `tls.key` is not", "certSecretRef").with(of(&[("tls.crt", &client.certificate)])).stalls(
            Reason::SecretInvalid,
            "Secret `team/login`",
            "`tls.crt` and `tls.key` belong together",
        ),
        named("`tls.key` is the key of another certificate", "certSecretRef")
            .with(of(&[("tls.crt", &client.certificate), ("tls.key", &other.key)]))
            .stalls(Reason::SecretInvalid, "Secret `team/login`", "`tls.crt` and `tls.key` do not belong together"),
    ]
}
