//! Wrong inputs: the proxy that a source is asked by.

use chart_publisher::api::Reason;
use serde_json::{Value, json};

use crate::{
    case::{Case, secret},
    support::scripted::Reply,
    world::World,
};

/// The Secret, the proxy, and what it says.
pub fn proxies(world: &World) -> Vec<Case> {
    let mut cases = secrets(world);
    cases.extend(ways(world));
    cases.extend(logins(world));
    cases.extend(refusals(world));
    cases
}

/// A source by TLS, and the Secret that names its proxy.
fn case(world: &World, input: &'static str, entries: &[(&str, &str)]) -> Case {
    case_at(world, input, &world.tls_charts.url(), entries)
}

fn case_at(world: &World, input: &'static str, url: &str, entries: &[(&str, &str)]) -> Case {
    case_of(world, input, json!({"helmRepository": {"url": url}}), entries)
}

fn case_of(world: &World, input: &'static str, mut source: Value, entries: &[(&str, &str)]) -> Case {
    let member = source.as_object_mut().and_then(|source| source.values_mut().next()).expect("a member");
    member["proxySecretRef"] = json!({"name": "proxy"});
    Case::new(input, source, target(world)).with(secret("proxy", "Opaque", entries))
}

fn target(world: &World) -> Value {
    json!({"name": "main", "url": format!("oci://{}/charts", world.plain.socket()), "insecure": true})
}

fn secrets(world: &World) -> Vec<Case> {
    let named = "Secret `team/proxy`";
    let with_login = format!("http://walker:{}@{}", world.password, world.open_proxy.socket());
    let source = json!({"helmRepository": {"url": world.tls_charts.url(), "proxySecretRef": {"name": "proxy"}}});
    vec![
        Case::new("the Secret of the proxy does not exist", source, target(world)).stalls(
            Reason::SecretInvalid,
            named,
            "create it in the namespace of the ChartPublication",
        ),
        case(world, "the Secret of the proxy has no `address`", &[("proxy", "http://proxy.example.com:3128")]).stalls(
            Reason::SecretInvalid,
            named,
            "it has no `address`: give it the URL of the proxy",
        ),
        case(world, "the address of the proxy is none of HTTP", &[("address", "socks5://proxy.example.com:1080")]).stalls(
            Reason::SecretInvalid,
            named,
            "a proxy is spoken to by `http://` or `https://`",
        ),
        case(world, "the address of the proxy has a login in it", &[("address", &with_login)]).stalls(
            Reason::SecretInvalid,
            named,
            "which belongs into `username` and `password`",
        ),
        case(
            world,
            "the Secret of the proxy has a password and no user",
            &[("address", &world.open_proxy.address()), ("password", &world.password)],
        )
        .stalls(Reason::SecretInvalid, named, "give both, or neither"),
    ]
}

fn ways(world: &World) -> Vec<Case> {
    let (open, secured) = (world.open_proxy.address(), world.secured_proxy.address());
    let nobody = format!("http://{}", world.nobody.socket());
    vec![
        case(world, "nothing listens at the proxy's address", &[("address", &nobody)]).retries(
            Reason::ProxyUnreachable,
            "the proxy `http://charts.example.com:5000` of the Secret `team/proxy` could not be reached",
            "check `address` in this Secret",
        ),
        case(world, "the proxy's name has no address", &[("address", "http://nowhere.invalid:3128")]).retries(
            Reason::ProxyUnreachable,
            "`nowhere.invalid` could not be resolved",
            "check `address` in this Secret",
        ),
        case(world, "the proxy is a loopback address", &[("address", "http://127.0.0.1:3128")]).stalls(
            Reason::ProxyUnreachable,
            "of the Secret `team/proxy` could not be reached: 127.0.0.1:3128 may not be dialled",
            "`--allow-address`",
        ),
        case(world, "the proxy has a certificate of an unknown authority", &[("address", &secured)]).retries(
            Reason::TlsFailed,
            "of the Secret `team/proxy` could not be reached",
            "give its CA as `ca.crt` in this Secret",
        ),
        case(world, "the proxy's address says https, and it speaks plain HTTP", &[("address", &open.replace("http://", "https://"))])
            .retries(
                Reason::ProxyUnreachable,
                "of the Secret `team/proxy` could not be reached",
                "look whether it speaks TLS, as `https://` in `address` says",
            ),
    ]
}

fn logins(world: &World) -> Vec<Case> {
    let closed = world.closed_proxy.address();
    let plain = world.address("good");
    let wrong = [("address", closed.as_str()), ("username", "walker"), ("password", &world.wrong_password)];
    let named = "of the Secret `team/proxy`";
    vec![
        case(world, "the proxy wants a login, and none is given", &[("address", &closed)]).stalls(
            Reason::ProxyUnauthorized,
            named,
            "give it as `username` and `password` in this Secret",
        ),
        case_at(world, "the proxy of a source by plain HTTP wants a login", &plain, &[("address", &closed)]).stalls(
            Reason::ProxyUnauthorized,
            named,
            "give it as `username` and `password` in this Secret",
        ),
        case(world, "the proxy does not take the login", &wrong).stalls(
            Reason::ProxyUnauthorized,
            named,
            "check `username` and `password` in this Secret",
        ),
    ]
}

fn refusals(world: &World) -> Vec<Case> {
    let open = [("address", world.open_proxy.address())];
    let open = open.each_ref().map(|(key, value)| (*key, value.as_str()));
    let by_nobody = |scheme: &str| format!("{scheme}://{}/charts", world.nobody.socket());
    let registry = json!({"oci": {"url": format!("oci://{}/upstream", world.nobody.socket()), "insecure": true}});
    let other_port = format!("https://{}:8443/charts", world.tls_charts.socket().ip());
    world.no_proxy.says("*", Reply::status(405));
    let no_proxy = format!("http://{}", world.no_proxy.socket());
    vec![
        case_at(world, "the proxy does not lead to this port", &other_port, &open).stalls(
            Reason::ProxyRefused,
            "does not lead to `charts.example.com:8443`: it answered 403 to CONNECT",
            "have it allow CONNECT to this host and port",
        ),
        case_at(world, "the proxy does not reach the source", &by_nobody("https"), &[("address", &world.any_port_proxy.address())])
            .retries(Reason::ProxyRefused, "could not lead to `charts.example.com:5000`", "the proxy's log says why"),
        case_at(world, "the proxy does not reach a source by plain HTTP", &by_nobody("http"), &open).retries(
            Reason::SourceUnreachable,
            "the server, or the proxy `http://proxy.example.com:8888` of the Secret `team/proxy` in its place, answered 500",
            "its log says why",
        ),
        case_of(world, "the proxy does not reach a registry by plain HTTP", registry, &open).retries(
            Reason::SourceUnreachable,
            "if that was not the proxy `http://proxy.example.com:8888` of the Secret `team/proxy`",
            "its log says why",
        ),
        case(world, "what listens at the proxy's address is none", &[("address", &no_proxy)]).stalls(
            Reason::ProxyRefused,
            "it answered 405 to CONNECT",
            "look whether a proxy listens at `address`",
        ),
        case_at(world, "the source behind the proxy is a loopback address", "https://127.0.0.1:9/charts", &open).stalls(
            Reason::SourceUnreachable,
            "127.0.0.1:9 may not be dialled: it is a loopback address",
            "`--allow-address`",
        ),
    ]
}
