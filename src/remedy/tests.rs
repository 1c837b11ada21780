//! One failure for each row, and the sentences that users read.

mod cases;

use std::{collections::BTreeSet, time::Duration};

use cases::{answer_cases, connection_cases};

use super::{Audience, Caller, CallerLogin, Class, ROWS, Row, Scene, Verdict, judge, judge::row, markdown, recall, sentence::LONGEST};
use crate::{
    api::{Reason, RouteKind},
    model::Scheme,
    net::{ConnectFailure, NetError, TlsFailure, TunnelError, TunnelFailure, Unacknowledged},
    plan::{Route, Via},
    registry::{Answer, Asked, BodyKind, Cause, Failure, Shown, Stage},
};

fn scene<'a>() -> Scene<'a> {
    Scene {
        audience: &Audience::Resource,
        registry: "Service \"platform/registry\" port 5000",
        route: Route::Service(RouteKind::NodePort),
        address: "10.0.0.1:30500",
        scheme: Scheme::Https,
        via: None,
        reference: "charts/podinfo:6.5.0",
        body_length: 6 * 1024 * 1024 + 512 * 1024,
        secret: None,
        cert_secret: None,
        insecure: false,
    }
}

fn via(controller: Option<&str>) -> Via {
    Via { kind: "Ingress", namespace: "platform".to_owned(), name: "web".to_owned(), controller: controller.map(str::to_owned) }
}

fn answer(status: u16, body: BodyKind) -> Answer {
    Answer {
        status,
        body,
        codes: Vec::new(),
        message: String::new(),
        server: None,
        from_registry: body == BodyKind::OciError,
        retry_after: None,
        redirect: None,
        sent: 0,
    }
}

fn page(status: u16) -> Cause {
    Cause::Answer(answer(status, BodyKind::Html))
}

fn text(status: u16, message: &str) -> Cause {
    Cause::Answer(Answer { message: message.to_owned(), ..answer(status, BodyKind::Text) })
}

fn coded(status: u16, code: &str, message: &str) -> Cause {
    let (codes, message) = (vec![code.to_owned()], message.to_owned());
    Cause::Answer(Answer { codes, message, ..answer(status, BodyKind::OciError) })
}

fn redirect(to: &str) -> Cause {
    Cause::Answer(Answer { redirect: Some(to.to_owned()), ..answer(308, BodyKind::Html) })
}

fn tls(failure: TlsFailure) -> Cause {
    Cause::Net(NetError::Tls { host: "registry.platform.svc".to_owned(), failure })
}

fn connect(failure: ConnectFailure) -> Cause {
    Cause::Net(NetError::Connect { authority: "10.0.0.1:30500".to_owned(), failure })
}

fn tunnel(failure: TunnelFailure) -> Cause {
    Cause::Net(NetError::Tunnel(TunnelError { to: "platform/registry-0:5000".to_owned(), failure }))
}

fn unauthorized(shown: Shown, body: BodyKind) -> Cause {
    Cause::Unauthorized { shown, answer: answer(401, body) }
}

const AFTER: Duration = Duration::from_mins(1);

fn stalled(seen: Unacknowledged) -> Cause {
    Cause::Net(NetError::WriteStalled { sent: 65536, after: AFTER, seen: Some(seen) })
}

fn all_rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().flat_map(|(_, rows)| rows.iter())
}

fn verdict(stage: Stage, cause: Cause, scene: &Scene<'_>) -> Verdict {
    judge(&Failure::new(stage, cause), scene)
}

#[test]
fn each_row_is_found_by_a_failure_of_its_kind() {
    let mut met = BTreeSet::new();
    for (id, scheme, stage, cause) in connection_cases().into_iter().chain(answer_cases()) {
        let failure = Failure::new(stage, cause);
        assert_eq!(row(&failure, scheme).id, id, "{failure}");
        let verdict = judge(&failure, &Scene { scheme, ..scene() });
        assert!(verdict.sentence.starts_with("Service \"platform/registry\" port 5000 by NodePort (10.0.0.1:30500): while "));
        assert!(verdict.sentence.ends_with('.') && !verdict.sentence.contains(['{', '}']), "{}", verdict.sentence);
        met.insert(id);
    }
    assert_eq!(met, all_rows().map(|row| row.id).collect());
    assert_eq!(met.len(), all_rows().count());
}

#[test]
fn only_what_the_registry_says_is_final() {
    for status in [400, 401, 403, 404, 405, 500, 502, 503] {
        for stage in [Stage::OpenUpload, Stage::SendBlob, Stage::WriteManifest, Stage::PullBlob] {
            for body in [BodyKind::Html, BodyKind::Text, BodyKind::Json, BodyKind::Empty] {
                let class = verdict(stage, Cause::Answer(answer(status, body)), &scene()).class;
                assert!(
                    matches!(class, Class::OtherRoute | Class::OtherMethod | Class::SameAgain),
                    "{status} {body:?} {stage:?}: {class:?}"
                );
            }
        }
    }
}

#[test]
fn what_says_that_a_registry_is_away_is_listed_here() {
    let verdict = |row: &Row| recall(row.id, String::new()).expect("a row");
    let absent: Vec<_> = all_rows().filter(|row| verdict(row).is_of_absence()).map(|row| row.id).collect();
    let of_connections = ["name-unresolved", "connect-refused", "connect-timed-out", "connect-unreachable", "connect-failed"];
    let of_tunnels = ["tunnel-forbidden", "tunnel-gone", "tunnel-refused", "tunnel-failed"];
    let unanswered = ["cut-before-answer", "no-answer"];
    let states = ["asked-to-wait"];
    let gateways = ["unavailable-after-body", "gateway-after-body", "gateway"];
    assert_eq!(absent, [&of_connections[..], &of_tunnels, &unanswered, &states, &gateways].concat());
}

#[test]
fn a_page_of_a_proxy_with_the_registrys_header_is_still_a_page() {
    let copied = Answer { from_registry: true, ..answer(403, BodyKind::Html) };
    assert_eq!(verdict(Stage::OpenUpload, Cause::Answer(copied), &scene()).class, Class::OtherRoute);
}

#[test]
fn a_body_limit_names_ingress_and_the_setting_of_its_controller() {
    for (controller, words) in [
        ("k8s.io/ingress-nginx", "`nginx.ingress.kubernetes.io/proxy-body-size: \"0\"`"),
        ("nginx.org/ingress-controller", "`nginx.org/client-max-body-size: \"0\"`"),
        ("traefik.io/ingress-controller", "`spec.buffering.maxRequestBodyBytes`"),
        ("haproxy.org/ingress-controller/haproxy", "`haproxy.org/backend-config-snippet`"),
        ("haproxy-ingress.github.io/controller", "`haproxy-ingress.github.io/proxy-body-size: \"unlimited\"`"),
        ("projectcontour.io/ingress-controller", "`max_request_bytes`"),
        ("ingress-controllers.konghq.com/kong", "KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE"),
        ("cilium.io/ingress-controller", "CiliumEnvoyConfig"),
        ("istio.io/ingress-controller", "EnvoyFilter"),
        ("example.com/gate", "the documentation of its controller \"example.com/gate\" (by its answer: `client_max_body_size` of nginx)"),
    ] {
        let via = via(Some(controller));
        let scene = Scene { route: Route::Service(RouteKind::Ingress), via: Some(&via), ..scene() };
        let refused = Answer { server: Some("nginx/1.27".to_owned()), ..answer(413, BodyKind::Html) };
        let verdict = verdict(Stage::SendBlob, Cause::Answer(refused), &scene);
        assert_eq!((verdict.reason, verdict.class), (Reason::BodyTooLarge, Class::OtherMethod));
        assert!(verdict.sentence.contains("To let a body of 6.5 MiB pass Ingress \"platform/web\", "), "{}", verdict.sentence);
        assert!(verdict.sentence.contains(words), "{}", verdict.sentence);
    }
    let unknown = via(None);
    let served_by_nobody = Scene { via: Some(&unknown), ..scene() };
    assert!(verdict(Stage::SendBlob, page(413), &served_by_nobody).sentence.contains("find out which controller serves it"));
    assert!(
        verdict(Stage::SendBlob, page(413), &scene()).sentence.contains("before the registry at 10.0.0.1:30500: `client_max_body_size`")
    );
}

#[test]
fn a_body_limit_names_the_http_route_and_the_setting_of_its_gateway() {
    for (controller, words) in [
        ("gateway.envoyproxy.io/gatewayclass-controller", "`spec.requestBuffer.limit` of the BackendTrafficPolicy"),
        ("gateway.nginx.org/nginx-gateway-controller", "`spec.body.maxSize: \"0\"` in a ClientSettingsPolicy"),
        ("traefik.io/gateway-controller", "`spec.buffering.maxRequestBodyBytes` of the buffering Middleware that its filter"),
        ("istio.io/gateway-controller", "EnvoyFilter"),
        ("io.cilium/gateway-controller", "CiliumEnvoyConfig"),
        ("projectcontour.io/gateway-controller", "`max_request_bytes`"),
        ("konghq.com/kic-gateway-controller", "KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE"),
        // What serves Ingresses too: their annotations do nothing here.
        ("haproxy-ingress.github.io/controller", "look for the limit for request bodies in the documentation"),
    ] {
        let route = Via { kind: "HTTPRoute", ..via(Some(controller)) };
        let by_gateway = verdict(Stage::SendBlob, page(413), &Scene { via: Some(&route), ..scene() }).sentence;
        assert!(by_gateway.contains("pass HTTPRoute \"platform/web\", ") && by_gateway.contains(words), "{by_gateway}");
        assert!(!by_gateway.contains("annotation") && !by_gateway.contains("ingressClassName"), "{by_gateway}");
    }
}

#[test]
fn a_sentence_reads_well() {
    let via = via(Some("k8s.io/ingress-nginx"));
    let scene = Scene { route: Route::Service(RouteKind::Ingress), via: Some(&via), address: "192.0.2.80:443", ..scene() };
    let refused = Answer { server: Some("nginx".to_owned()), ..answer(413, BodyKind::Html) };
    assert_eq!(
        verdict(Stage::SendBlob, Cause::Answer(refused), &scene).sentence,
        "Service \"platform/registry\" port 5000 by Ingress \"platform/web\" (192.0.2.80:443): while sending the blob: the answer was 413 (a page of a proxy) from `nginx`. \
         To let a body of 6.5 MiB pass Ingress \"platform/web\", set its annotation `nginx.ingress.kubernetes.io/proxy-body-size: \"0\"` (no limit; the default is 1m)."
    );
}

#[test]
fn cures_name_the_secrets_that_are_there() {
    let with = Scene { secret: Some("platform/registry-push"), cert_secret: Some("platform/registry-ca"), ..scene() };
    for (cause, words, words_without) in [
        (unauthorized(Shown::Token, BodyKind::OciError), "The account of Secret \"platform/registry-push\"", "`secretRef`"),
        (unauthorized(Shown::Credential, BodyKind::OciError), "Secret \"platform/registry-push\"", "`secretRef`"),
        (coded(403, "DENIED", ""), "The account of Secret \"platform/registry-push\"", "`secretRef`"),
        (tls(TlsFailure::UnknownAuthority), "`ca.crt` of Secret \"platform/registry-ca\"", "`certSecretRef`"),
        (tls(TlsFailure::ClientCertificate), "into Secret \"platform/registry-ca\"", "`certSecretRef`"),
    ] {
        let named = verdict(Stage::OpenUpload, cause.clone(), &with).sentence;
        assert!(named.contains(words), "{named}");
        let unnamed = verdict(Stage::OpenUpload, cause, &scene()).sentence;
        assert!(unnamed.contains(words_without), "{unnamed}");
    }
}

#[test]
fn secrets_and_queries_never_reach_a_sentence() {
    let leaks = "see https://me:hunter2@r.example.com/v2/x?_state=hunter2 or /v2/x?token=hunter2 or ?a=hunter2 with Bearer hunter2 or Authorization: Basic hunter2 ";
    let failure = text(400, &format!("{leaks}{}", "x".repeat(2000)));
    let registry = "oci://me:hunter2@r.example.com/charts?hunter2";
    let sentence = verdict(Stage::OpenUpload, failure, &Scene { registry, ..scene() }).sentence;
    assert!(!sentence.contains("hunter2"), "{sentence}");
    assert!(sentence.contains("oci://r.example.com/charts"), "{sentence}");
    assert!(sentence.chars().count() <= LONGEST, "{sentence}");
}

#[test]
fn no_sentence_is_longer_than_a_condition_should_be() {
    let long = "n".repeat(253);
    let via = Via { name: long.clone(), namespace: "n".repeat(63), ..via(Some("traefik.io/ingress-controller")) };
    for (_, scheme, stage, cause) in connection_cases().into_iter().chain(answer_cases()) {
        let scene = Scene { scheme, via: Some(&via), reference: &long, secret: Some(&long), cert_secret: Some(&long), ..scene() };
        assert!(verdict(stage, cause, &scene).sentence.chars().count() <= LONGEST);
    }
}

#[test]
fn the_page_has_a_line_for_each_row() {
    let page = markdown();
    assert!(!page.contains(['{', '}']));
    for row in all_rows() {
        assert!(page.contains(&format!("| {} | `{}` | ", row.seen, row.reason)), "{}", row.id);
    }
    assert!(page.contains("## Body limits") && page.contains("| ingress-nginx | "));
}

fn logins() -> Vec<CallerLogin> {
    let path = || "/home/bob/.docker/config.json".to_owned();
    vec![CallerLogin::Nobody, CallerLogin::User("bob".to_owned()), CallerLogin::DockerConfig(path()), CallerLogin::Helper(path())]
}

#[test]
fn a_sentence_is_in_the_language_of_whom_it_speaks_to() {
    const OF_THE_RESOURCE: &[&str] = &[
        "ecretRef",
        "insecure:",
        "`hostname`",
        "allowedHosts",
        "the target",
        "Secret",
        "`ca.crt`",
        "`url`",
        "`repository`",
        "`timeout`",
        "`interval`",
        "upload.",
        "this controller",
        "Helm chart.",
    ];
    let caller = |login, ca: Option<&str>| Audience::CommandLine(Caller { login, ca: ca.map(str::to_owned) });
    for (id, scheme, stage, cause) in connection_cases().into_iter().chain(answer_cases()) {
        for route in [Route::Url, Route::Service(RouteKind::NodePort)] {
            let said = |audience: &Audience| verdict(stage, cause.clone(), &Scene { audience, route, scheme, ..scene() }).sentence;
            // What an administrator may set is a flag of the controller.
            let to_resource = said(&Audience::Resource).replace("`--allow-address`", "");
            assert!(!to_resource.contains("--"), "{id}: {to_resource}");
            for audience in logins().into_iter().flat_map(|login| [caller(login.clone(), None), caller(login, Some("ca.pem"))]) {
                let to_caller = said(&audience);
                let found = OF_THE_RESOURCE.iter().find(|words| to_caller.contains(**words));
                assert_eq!(found, None, "{id}: {to_caller}");
                assert!(to_caller.ends_with('.') && !to_caller.contains(['{', '}']), "{id}: {to_caller}");
            }
        }
    }
}

#[test]
fn cures_on_the_command_line_are_flags() {
    let mistake = |login: CallerLogin, ca: Option<&str>, cause: Cause| {
        let audience = Audience::CommandLine(Caller { login, ca: ca.map(str::to_owned) });
        verdict(Stage::OpenUpload, cause, &Scene { audience: &audience, route: Route::Url, ..scene() }).sentence
    };
    let [nobody, bob, file, helper] = <[CallerLogin; 4]>::try_from(logins()).unwrap();
    let refused = || unauthorized(Shown::Credential, BodyKind::OciError);
    let needed = || unauthorized(Shown::Nothing, BodyKind::OciError);
    for (login, ca, cause, words) in [
        (&nobody, None, tls(TlsFailure::NotTls), "Add `--insecure` to allow plain HTTP"),
        (
            &nobody,
            None,
            text(400, "Client sent an HTTP request to an HTTPS server."),
            "leave `--insecure` out, and give its CA by `--ca FILE`",
        ),
        (&nobody, None, tls(TlsFailure::UnknownAuthority), "by `--ca FILE`."),
        (&nobody, Some("own.pem"), tls(TlsFailure::UnknownAuthority), "`own.pem` does not hold the authority"),
        (&nobody, None, tls(TlsFailure::WrongName { names: "`r`".to_owned() }), "Set `--hostname` to a name that the certificate has"),
        (&nobody, None, needed(), "Give a login: `--username NAME --password-stdin`, or `docker login`."),
        (&bob, None, refused(), "Correct the password of user `bob`"),
        (&bob, None, coded(403, "DENIED", ""), "User `bob` may not do this"),
        (&file, None, refused(), "Correct the entry for this registry in `/home/bob/.docker/config.json`"),
        (&helper, None, needed(), "to a credential helper, which is not asked: use `--username NAME --password-stdin`."),
        (&nobody, None, Cause::Realm { origin: "https://auth.example.com".to_owned() }, "by `--allow-host HOST[:PORT]`"),
        (&nobody, None, connect(ConnectFailure::Refused), "host and port of the oci:// address are right"),
    ] {
        let sentence = mistake(login.clone(), ca, cause);
        assert!(sentence.contains(words), "{words}: {sentence}");
    }
}
