//! One failure for each row, and the sentences that users read.

use std::{collections::BTreeSet, time::Duration};

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

/// Row, the scheme that was spoken, and a failure that is it.
fn connection_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    use Scheme::{Http, Https};
    use Stage::{OpenUpload, PullBlob, SendBlob};
    let detail = || "garbage".to_owned();
    vec![
        ("name-unresolved", Https, OpenUpload, Cause::Net(NetError::Resolve { host: "r.example.com".to_owned(), detail: detail() })),
        (
            "address-forbidden",
            Https,
            OpenUpload,
            Cause::Net(NetError::AddressRefused {
                host: "r".to_owned(),
                address: "127.0.0.1:5000".parse().unwrap(),
                why: "it is loopback",
            }),
        ),
        ("connect-refused", Https, OpenUpload, connect(ConnectFailure::Refused)),
        ("connect-timed-out", Https, OpenUpload, connect(ConnectFailure::TimedOut)),
        ("connect-unreachable", Https, OpenUpload, connect(ConnectFailure::Unreachable)),
        ("connect-failed", Https, OpenUpload, connect(ConnectFailure::Other)),
        ("tunnel-forbidden", Https, OpenUpload, tunnel(TunnelFailure::Forbidden("pods \"r\" is forbidden".to_owned()))),
        ("tunnel-gone", Https, OpenUpload, tunnel(TunnelFailure::Gone("pods \"r\" not found".to_owned()))),
        ("tunnel-refused", Https, SendBlob, tunnel(TunnelFailure::Refused("connection refused".to_owned()))),
        ("tunnel-failed", Https, OpenUpload, tunnel(TunnelFailure::Failed(detail()))),
        ("cut-in-body", Https, SendBlob, Cause::Net(NetError::Cut { sent: 65536 })),
        ("cut-before-answer", Https, OpenUpload, Cause::Net(NetError::Cut { sent: 0 })),
        ("stale-connection", Https, OpenUpload, Cause::Net(NetError::StaleConnection)),
        ("write-stalled", Https, SendBlob, stalled(Unacknowledged::SentAgain)),
        ("window-closed", Https, SendBlob, stalled(Unacknowledged::NoRoom)),
        ("no-answer-to-body", Https, SendBlob, Cause::Net(NetError::NoAnswer { after: AFTER, seen: None })),
        ("no-answer", Https, OpenUpload, Cause::Net(NetError::NoAnswer { after: AFTER, seen: None })),
        ("read-stalled", Https, PullBlob, Cause::Net(NetError::ReadStalled { received: 1000, after: AFTER })),
        ("answer-slow", Https, PullBlob, Cause::Net(NetError::AnswerSlow { received: 300, after: AFTER })),
        ("framing-broken", Https, PullBlob, Cause::Net(NetError::FramingBroken { received: 300, detail: detail() })),
        ("answer-cut", Https, PullBlob, Cause::Net(NetError::AnswerCut { received: 1000 })),
        ("no-http-in-plain", Http, OpenUpload, Cause::Net(NetError::NotHttp { detail: detail() })),
        ("no-http-in-tls", Https, OpenUpload, Cause::Net(NetError::NotHttp { detail: detail() })),
        ("spool-unreadable", Https, SendBlob, Cause::Net(NetError::Body { detail: detail() })),
        ("tls-unknown-authority", Https, OpenUpload, tls(TlsFailure::UnknownAuthority)),
        ("tls-expired", Https, OpenUpload, tls(TlsFailure::Expired)),
        ("tls-not-yet-valid", Https, OpenUpload, tls(TlsFailure::NotYetValid)),
        ("tls-other-name", Https, OpenUpload, tls(TlsFailure::WrongName { names: "`r.example.com`".to_owned() })),
        ("tls-authority", Https, OpenUpload, tls(TlsFailure::IsAuthority)),
        ("tls-client-certificate", Https, OpenUpload, tls(TlsFailure::ClientCertificate)),
        (
            "client-certificate-page",
            Https,
            OpenUpload,
            Cause::Answer(Answer { message: "400 No required SSL certificate was sent".to_owned(), ..answer(400, BodyKind::Html) }),
        ),
        ("tls-on-plain-http", Https, OpenUpload, tls(TlsFailure::NotTls)),
        ("tls-handshake", Https, OpenUpload, tls(TlsFailure::Other("no shared cipher".to_owned()))),
        ("plain-http-on-tls", Http, OpenUpload, text(400, "Client sent an HTTP request to an HTTPS server.")),
        ("redirect-to-tls", Http, OpenUpload, redirect("https://r.example.com/v2/")),
        ("misdirected", Https, OpenUpload, page(421)),
    ]
}

fn answer_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    [rights_cases(), content_cases(), state_cases()].concat()
}

fn rights_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    use Scheme::Https;
    use Stage::{OpenUpload, Token, WriteManifest};
    vec![
        ("credential-refused", Https, OpenUpload, unauthorized(Shown::Credential, BodyKind::OciError)),
        ("credential-needed", Https, OpenUpload, unauthorized(Shown::Nothing, BodyKind::OciError)),
        ("right-missing", Https, OpenUpload, unauthorized(Shown::Token, BodyKind::OciError)),
        ("token-invalid", Https, OpenUpload, unauthorized(Shown::InvalidToken, BodyKind::OciError)),
        ("login-unasked", Https, OpenUpload, unauthorized(Shown::Unasked(Asked::Nothing), BodyKind::OciError)),
        ("login-unasked-by-proxy", Https, OpenUpload, unauthorized(Shown::Unasked(Asked::Scheme("Negotiate")), BodyKind::Html)),
        ("login-of-proxy", Https, OpenUpload, unauthorized(Shown::Credential, BodyKind::Html)),
        ("realm-foreign", Https, OpenUpload, Cause::Realm { origin: "https://auth.example.com".to_owned() }),
        ("quota", Https, WriteManifest, coded(403, "DENIED", "adding 1 MiB of storage resource exceeds the quota")),
        ("denied", Https, OpenUpload, coded(403, "DENIED", "requested access to the resource is denied")),
        ("token-refused", Https, Token, Cause::Answer(answer(403, BodyKind::Json))),
        ("token-service-missing", Https, Token, Cause::Answer(answer(404, BodyKind::Html))),
        (
            "tag-immutable",
            Https,
            WriteManifest,
            coded(
                400,
                "TAG_INVALID",
                "The image tag '1.0.0' already exists in the 'a' repository and cannot be overwritten because the tag is immutable.",
            ),
        ),
        (
            "tag-immutable",
            Https,
            WriteManifest,
            coded(412, "PRECONDITION", "Failed to process request due to 'a:1' configured as immutable."),
        ),
        ("tag-immutable", Https, WriteManifest, coded(400, "MANIFEST_INVALID", "The repository has enabled tag immutability")),
        ("tag-immutable", Https, WriteManifest, coded(403, "DENIED", "the tag is immutable")),
        (
            "tag-redeployment",
            Https,
            WriteManifest,
            coded(400, "BLOB_UPLOAD_INVALID", "blob upload invalid: repository does not allow updating assets"),
        ),
        (
            "tag-locked",
            Https,
            WriteManifest,
            coded(405, "UNSUPPORTED", "The operation is disallowed on this registry, repository or image."),
        ),
        ("tag-conflict", Https, WriteManifest, coded(409, "DENIED", "exists")),
        ("tag-precondition", Https, WriteManifest, coded(412, "PRECONDITION", "configured as protected")),
    ]
}

fn content_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    use Scheme::Https;
    use Stage::{OpenUpload, PullBlob, PullManifest, SendBlob, WriteManifest};
    let content = Cause::Content { expected: "sha256:aa".to_owned(), found: "sha256:bb".to_owned() };
    vec![
        ("range-refused", Https, SendBlob, coded(416, "BLOB_UPLOAD_INVALID", "range invalid")),
        ("upload-unknown", Https, SendBlob, coded(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")),
        ("upload-not-found", Https, SendBlob, Cause::Answer(Answer { from_registry: true, ..answer(404, BodyKind::Text) })),
        ("blob-missing-at-manifest", Https, WriteManifest, coded(404, "MANIFEST_BLOB_UNKNOWN", "")),
        ("digest-invalid", Https, SendBlob, coded(400, "DIGEST_INVALID", "")),
        ("name-invalid", Https, OpenUpload, coded(400, "NAME_INVALID", "invalid repository name")),
        ("artifact-refused", Https, WriteManifest, coded(400, "MANIFEST_INVALID", "")),
        ("media-type-refused", Https, WriteManifest, page(415)),
        ("gone-at-proof", Https, PullBlob, coded(404, "BLOB_UNKNOWN_HERE", "")),
        ("repository-unknown", Https, OpenUpload, coded(404, "NAME_UNKNOWN", "")),
        ("repository-unknown", Https, SendBlob, coded(404, "NAME_UNKNOWN", "")),
        ("repository-missing", Https, OpenUpload, coded(404, "NOT_FOUND", "")),
        ("manifest-differs", Https, PullManifest, content.clone()),
        ("blob-differs", Https, PullBlob, content),
        ("location-foreign", Https, OpenUpload, Cause::Location { detail: "http://registry:5000/v2/x".to_owned() }),
        ("body-swallowed", Https, SendBlob, Cause::Swallowed { sent: 1000, arrived: 0 }),
        ("header-missing", Https, SendBlob, Cause::HeaderMissing { header: "Range" }),
        ("malformed", Https, OpenUpload, Cause::Malformed { detail: "no Location".to_owned() }),
        ("malformed", Https, OpenUpload, Cause::Net(NetError::MalformedHead { detail: "message head is too large".to_owned() })),
    ]
}

fn state_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    use Scheme::Https;
    use Stage::{FindBlob, ListTags, OpenUpload, PullBlob, SendBlob};
    let waiting = Cause::Answer(Answer { retry_after: Some(AFTER), ..answer(503, BodyKind::Html) });
    vec![
        ("body-too-large", Https, SendBlob, page(413)),
        ("rate-limited", Https, OpenUpload, coded(429, "TOOMANYREQUESTS", "")),
        ("asked-to-wait", Https, OpenUpload, waiting),
        ("registry-full", Https, SendBlob, coded(500, "UNKNOWN", "write: no space left on device")),
        ("registry-storage-read-only", Https, OpenUpload, coded(500, "UNKNOWN", "unknown error: read-only file system")),
        ("registry-storage-forbidden", Https, OpenUpload, coded(500, "UNKNOWN", "unknown error: permission denied")),
        ("insufficient-storage", Https, SendBlob, page(507)),
        ("length-required", Https, SendBlob, page(411)),
        ("registry-read-only", Https, OpenUpload, coded(405, "UNSUPPORTED", "")),
        ("not-implemented", Https, SendBlob, page(501)),
        ("unavailable-after-body", Https, SendBlob, page(503)),
        ("gateway-after-body", Https, SendBlob, page(504)),
        ("gateway", Https, OpenUpload, page(502)),
        ("registry-fault", Https, OpenUpload, coded(500, "UNKNOWN", "")),
        ("proxy-fault", Https, OpenUpload, page(500)),
        ("not-modified", Https, OpenUpload, Cause::Answer(answer(304, BodyKind::Empty))),
        ("redirect", Https, OpenUpload, redirect("https://other.example.com/v2/")),
        ("storage-redirect", Https, PullBlob, Cause::Location { detail: "`http://minio/x` would leave TLS".to_owned() }),
        ("forbidden-by-registry", Https, OpenUpload, coded(403, "UNAUTHORIZED", "")),
        ("forbidden-by-proxy", Https, OpenUpload, page(403)),
        ("not-a-registry", Https, OpenUpload, text(404, "404 page not found")),
        ("method-refused", Https, SendBlob, page(405)),
        ("request-timeout", Https, SendBlob, page(408)),
        ("framing-refused-with-body", Https, SendBlob, page(400)),
        ("size-invalid", Https, SendBlob, coded(400, "SIZE_INVALID", "")),
        ("refused-by-registry", Https, ListTags, coded(400, "PAGINATION_NUMBER_INVALID", "")),
        ("refused-by-proxy", Https, FindBlob, page(400)),
        ("unexpected", Https, OpenUpload, page(200)),
    ]
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
