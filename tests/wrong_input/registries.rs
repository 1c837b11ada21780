//! Wrong inputs: the registry, and the way there.

use std::net::SocketAddr;

use chart_publisher::api::Reason;
use serde_json::{Value, json};

use crate::{
    case::{Case, endpoints, login, secret, service},
    world::World,
};

/// Who we are.
pub fn rights(world: &World) -> Vec<Case> {
    let case = |input, target: Value| Case::new(input, world.good(), target);
    let with_login = |mut target: Value| {
        target["secretRef"] = json!({"name": "login"});
        target
    };
    let (basic, mut bearer) = (plain(world.basic.socket()), plain(world.bearer.socket()));
    let foreign = with_login(bearer.clone());
    bearer["allowedHosts"] = json!([world.token_host()]);
    let correct = "Correct user name and password in Secret \"team/login\"";
    let name_one = "in the target's `secretRef`";
    vec![
        case("the password is wrong", with_login(basic.clone())).with(login("pusher", &world.wrong_password)).stalls(
            Reason::AuthFailed,
            "(registry.example.com:5000)",
            correct,
        ),
        case("the password is wrong, and a token service says so", with_login(bearer.clone()))
            .with(login("pusher", &world.wrong_password))
            .stalls(Reason::AuthFailed, "(registry.example.com:5000)", correct),
        case("the registry wants a login, and none is given", basic).stalls(Reason::AuthFailed, "(registry.example.com:5000)", name_one),
        case("the registry wants a token, and no login is given", bearer.clone()).stalls(
            Reason::AuthFailed,
            "(registry.example.com:5000)",
            name_one,
        ),
        case("the user may read and not write", with_login(bearer)).with(login("reader", &world.password)).stalls(
            Reason::Denied,
            "The account of Secret \"team/login\" may not do this",
            "let it pull and push \"charts/small",
        ),
        case("the token service is on another host", foreign).with(login("pusher", &world.password)).stalls(
            Reason::AuthFailed,
            "tokens.example.com:5001",
            "`allowedHosts`",
        ),
    ]
}

/// TLS, and the wrong scheme.
pub fn tls(world: &World) -> Vec<Case> {
    let case = |input, target: Value| Case::new(input, world.good(), target);
    let trusting = |input, target: Value| {
        let mut target = by_tls(target);
        target["certSecretRef"] = json!({"name": "authority"});
        case(input, target).with(secret("authority", "Opaque", &[("ca.crt", &world.authority.pem())]))
    };
    vec![
        case("the registry has a certificate of an unknown authority", by_tls(plain(world.tls.socket()))).retries(
            Reason::TlsFailed,
            "signed by an unknown authority",
            "name it in the target's `certSecretRef`",
        ),
        trusting("the registry's certificate has expired", plain(world.expired.socket())).retries(
            Reason::TlsFailed,
            "the certificate has expired",
            "Renew the certificate",
        ),
        trusting("a client certificate is wanted, and none is given", plain(world.mutual.socket())).retries(
            Reason::TlsFailed,
            "the answer was 400 (a page of a proxy) from `nginx`",
            "Put a certificate that the server takes as `tls.crt` and `tls.key` into Secret \"team/authority\"",
        ),
        trusting("the registry's certificate is made for another name", plain(world.other_name.socket())).retries(
            Reason::TlsFailed,
            "the certificate is made for `other.example.com` and not for this name",
            "Set the target's `hostname`",
        ),
        case("`insecure` is set, and the registry speaks TLS", plain(world.tls.socket())).retries(
            Reason::PlainHttpOnTls,
            "HTTP request to an HTTPS server",
            "set `insecure: false`",
        ),
        case("`insecure` is not set, and the registry speaks plain HTTP", by_tls(plain(world.plain.socket()))).retries(
            Reason::TlsOnPlainHttp,
            "does not speak TLS on this port",
            "Set `insecure: true`",
        ),
    ]
}

/// What cannot be reached, or answers otherwise.
pub fn states(world: &World) -> Vec<Case> {
    let case = |input, target: Value| Case::new(input, world.good(), target);
    let at = |input, socket: SocketAddr| {
        let target = json!({"name": "main", "service": {"name": "registry", "repository": "charts"}, "insecure": true});
        case(input, target).with(service("registry", &[("http", socket.port())])).with(endpoints("registry", socket))
    };
    let here = "Service \"team/registry\" by ClusterIP";
    vec![
        at("nothing listens behind the Service", world.nobody.socket()).retries(
            Reason::RouteUnreachable,
            here,
            "look whether the Pod listens on the Service's `targetPort`",
        ),
        at("packets to the registry are dropped", world.walled.socket()).retries(
            Reason::RouteUnreachable,
            here,
            "allow this controller's Pods to connect",
        ),
        case("the registry's name has no address", json!({"name": "main", "url": "oci://nowhere.invalid/charts", "insecure": true}))
            .retries(Reason::RouteUnreachable, "`nowhere.invalid` could not be resolved", "Correct the name"),
        case("the registry is a loopback address", json!({"name": "main", "url": "oci://127.0.0.1:5000/charts", "insecure": true})).stalls(
            Reason::RouteUnreachable,
            "it is a loopback address",
            "an administrator of this controller can allow the range with `--allow-address`",
        ),
        at("what answers is no registry", world.page.socket()).retries(Reason::NotARegistry, here, "leads to the registry's API"),
        at("the registry takes no writes", world.read_only.socket()).retries(Reason::RegistryReadOnly, here, "end its maintenance"),
        at("the registry asks for fewer requests", world.busy.socket()).retries(
            Reason::RateLimited,
            here,
            "ask less often with a longer `interval`",
        ),
        at("the registry has a fault", world.broken.socket()).retries(Reason::RegistryUnavailable, here, "its log says which"),
    ]
}

fn plain(socket: SocketAddr) -> Value {
    json!({"name": "main", "url": format!("oci://{socket}/charts"), "insecure": true})
}

fn by_tls(mut target: Value) -> Value {
    target["insecure"] = json!(false);
    target
}
