//! A real controller, scraped after it has worked and while it does: each figure beside what others say of the same.

use std::time::Duration;

use chart_publisher::api::ChartPublication;
use http::{Method, Request};
use http_body_util::Full;
use kube::api::DeleteParams;
use serde_json::json;

use super::{
    labels::assert_closed,
    support::{
        self,
        controller::Controller,
        eventually::{SOON, eventually},
        exposure::Exposure,
        helm_repository::HelmRepository,
        http as client,
        namespace::Namespace,
        publication::{ready, spec, url_target},
        recorder::{Head, Recorder},
        registry::{Registry, Version},
    },
    text::Scrape,
};

const ANYWHERE: [&str; 2] = ["--allow-address", "127.0.0.0/8"];
const REQUESTS: &str = "chart_publisher_registry_requests_total";
const ATTEMPTS: &str = "chart_publisher_attempts_total";
const PUBLICATIONS: &str = "chart_publisher_publications";

async fn asked(controller: &Controller, method: Method, path: &str) -> client::Answer {
    let health = controller.health();
    let request = Request::builder().method(method).uri(path).header("host", health.to_string()).body(Full::default()).expect("a request");
    client::send(support::shared().client_namespace(), health, request).await.expect("an answer")
}

async fn text(controller: &Controller) -> String {
    let answer = asked(controller, Method::GET, "/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    String::from_utf8(answer.body.to_vec()).expect("UTF-8")
}

async fn scraped(controller: &Controller) -> Scrape {
    let scrape = Scrape::read(&text(controller).await);
    scrape.samples().for_each(assert_closed);
    scrape
}

/// A registry that a recorder stands before, one that wants a password, charts, and publications that end in each way.
struct Scene {
    namespace: Namespace,
    controller: Controller,
    recorder: Recorder,
    charts: HelmRepository,
    // Behind those who use them.
    _registry: Registry,
    _refusing: Registry,
}

const VERSIONS: [&str; 3] = ["1.0.0", "1.1.0", "1.2.0"];

async fn scene() -> Scene {
    let bed = support::shared();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let refusing = bed.registry(Version::V3).basic("publisher", "right").start().await;
    let packages = bed.packages("counted", &VERSIONS);
    let charts = packages.into_iter().fold(bed.helm_repository(&["small-1.2.2"]), support::helm_repository::HelmRepositoryBuilder::archive);
    let charts = charts.start().await;
    namespace.secret("login", &[("username", "publisher"), ("password", "wrong")]).await;
    let recorder = bed.recorder(registry.socket());
    let controller = namespace.controller(&ANYWHERE).await;
    let source = charts.url();
    let good = url_target(recorder.socket(), "charts");
    let wanted = json!([{"name": "counted", "latest": 0}]);
    namespace.publish("good", &spec(&source, &wanted, &json!([good]))).await;
    namespace.publish("missing", &spec(&source, &json!([{"name": "nobody"}]), &json!([good]))).await;
    let mut refused = url_target(refusing.socket(), "charts");
    refused["secretRef"] = json!({"name": "login"});
    namespace.publish("refused", &spec(&source, &json!([{"name": "small"}]), &json!([refused]))).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    namespace.publish("unreachable", &spec(&source, &json!([{"name": "small"}]), &json!([url_target(closed, "charts")]))).await;
    let mut resting = spec(&source, &json!([{"name": "small"}]), &json!([good]));
    resting["suspend"] = json!(true);
    namespace.publish("resting", &resting).await;
    Scene { namespace, controller, recorder, charts, _registry: registry, _refusing: refusing }
}

impl Scene {
    async fn all_have_ended(&self) {
        for (name, expected) in [
            ("good", "True Succeeded"),
            ("missing", "False ChartNotFound"),
            ("refused", "False AuthFailed"),
            ("unreachable", "False RouteUnreachable"),
            ("resting", "Unknown Suspended"),
        ] {
            self.namespace.becomes(name, expected, |status| ready(status) == expected).await;
        }
    }

    /// Waits until the counts of publications are these.
    async fn are_counted(&self, expected: &[(&str, &str)]) -> Scrape {
        eventually(SOON, "the publications are counted", async || {
            let scrape = scraped(&self.controller).await;
            let counted =
                |(condition, reason): &(&str, &str)| scrape.count(PUBLICATIONS, &[("condition", condition), ("reason", reason)]) == 1;
            let is_so = expected.iter().all(counted) && scrape.count(PUBLICATIONS, &[]) == expected.len() as u64;
            if is_so { Ok(scrape) } else { Err(format!("{:?}", scrape.family(PUBLICATIONS).samples)) }
        })
        .await
    }
}

/// Asked by the controller: the bed asks, too, whether a server is there.
fn ours(recorder: &Recorder) -> Vec<Head> {
    recorder.heads().into_iter().filter(|head| head.field("user-agent").is_some_and(|name| name.starts_with("chart-publisher/"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_what_registries_and_the_api_server_say() {
    let scene = scene().await;
    scene.all_have_ended().await;
    let ways = [
        ("Ready", "Succeeded"),
        ("Stalled", "ChartNotFound"),
        ("Stalled", "AuthFailed"),
        ("Reconciling", "RouteUnreachable"),
        ("Suspended", "Suspended"),
    ];
    let scrape = scene.are_counted(&ways).await;

    // What was published, by the archives themselves.
    let archives =
        VERSIONS.map(|version| std::fs::metadata(scene.charts.site().join(format!("counted-{version}.tgz"))).expect("a chart").len());
    let count = |name: &str, labels: &[(&str, &str)]| scrape.count(name, labels);
    assert_eq!(count("chart_publisher_published_charts_total", &[]), 3);
    assert_eq!(count("chart_publisher_published_bytes_total", &[]), archives.iter().sum::<u64>());

    // What was sent, by the wire before the registry.
    let heads = ours(&scene.recorder);
    let of = |method: &str, part: &str| heads.iter().filter(|head| head.method == method && head.target.contains(part)).collect::<Vec<_>>();
    let sent: usize = of("PUT", "/blobs/uploads/")
        .iter()
        .map(|head| head.field("content-length").expect("a length").parse::<usize>().expect("a number"))
        .sum();
    assert_eq!(count("chart_publisher_sent_bytes_total", &[]), sent as u64);
    for (stage, method, part, asked) in [
        ("open-upload", "POST", "/blobs/uploads/", 6),
        ("send-blob", "PUT", "/blobs/uploads/", 6),
        ("write-manifest", "PUT", "/manifests/", 3),
        ("pull-manifest", "GET", "/manifests/", 3),
        ("pull-blob", "GET", "/blobs/", 6),
    ] {
        assert_eq!(of(method, part).len(), asked, "{stage}");
        assert_eq!(count(REQUESTS, &[("stage", stage), ("answer", "2xx")]), asked as u64, "{stage}");
    }
    assert_eq!(of("GET", "/tags/list").len(), 1);

    // Attempts: three bodies, one list; a list that was refused, lists in vain. The one that goes on in vain may have gone on by now.
    let url = |method, class| count(ATTEMPTS, &[("route", "URL"), ("method", method), ("class", class)]);
    assert_eq!((url("Buffered", "Succeeded"), url("None", "Succeeded"), url("None", "Final")), (3, 1, 1));
    assert!(url("None", "OtherRoute") >= 1, "{:?}", scrape.family("chart_publisher_attempts").samples);
    assert_eq!(count(ATTEMPTS, &[("method", "Buffered")]), 3);
    assert_eq!(count(ATTEMPTS, &[]), count(ATTEMPTS, &[("route", "URL")]), "no target has a Service");
    assert!(count(REQUESTS, &[("stage", "list-tags"), ("answer", "4xx")]) >= 2, "a repository that is not there, and a password");
    assert!(count(REQUESTS, &[("stage", "list-tags"), ("answer", "None")]) >= 1, "nobody answered");
    assert_eq!(count("chart_publisher_registry_request_duration_seconds_count", &[]), count(REQUESTS, &[]));
    assert_limits(&scrape);

    // What is gone is counted no more.
    scene.namespace.api::<ChartPublication>().delete("unreachable", &DeleteParams::default()).await.expect("a publication");
    scene.are_counted(&[ways[0], ways[1], ways[2], ways[4]]).await;
    assert_tells_no_names(&text(&scene.controller).await, &scene);
    assert_answers_as_the_probes_do(&scene.controller).await;
}

fn assert_limits(scrape: &Scrape) {
    let at = |name: &str, place: &str| scrape.count(name, &[("place", place)]);
    assert_eq!(["memory", "disk"].map(|place| at("chart_publisher_spool_limit_bytes", place)), [16 << 20, 1 << 30]);
    assert_eq!(scrape.count("chart_publisher_reconciles_limit", &[]), 8);
    assert_eq!(scrape.count("chart_publisher_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1);
}

fn assert_tells_no_names(text: &str, scene: &Scene) {
    // A port alone is a number as others are.
    let (address, port) = (scene.recorder.socket().ip().to_string(), format!(":{}", scene.recorder.socket().port()));
    let names = [scene.namespace.name().to_owned(), address, port];
    for name in names.iter().map(String::as_str).chain(["://", "counted", "small", "good", "refused", "charts/"]) {
        assert!(!text.contains(name), "`{name}` is told:\n{text}");
    }
}

async fn assert_answers_as_the_probes_do(controller: &Controller) {
    let head = asked(controller, Method::HEAD, "/metrics").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert!(head.headers.contains_key("content-type"));
    let below = asked(controller, Method::GET, "/metrics/").await;
    assert_eq!((below.status.as_u16(), &below.body[..]), (404, &b"only /healthz, /readyz and /metrics are here\n"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_told_by_the_route_that_they_took() {
    let Some(bed) = support::with_node() else { return };
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
    let controller = namespace.controller(&[]).await;
    for (name, routes) in [("shown", json!([])), ("inside", json!(["ClusterIP"]))] {
        let target = json!({"name": "main", "service": {"name": "registry", "repository": name}, "routes": routes, "insecure": true});
        namespace.publish(name, &spec(&charts.url(), &json!([{"name": "small"}]), &json!([target]))).await;
        namespace.becomes_ready(name).await;
    }
    let scrape = scraped(&controller).await;
    for route in ["NodePort", "ClusterIP"] {
        let tried = |method| scrape.count(ATTEMPTS, &[("route", route), ("method", method), ("class", "Succeeded")]);
        assert_eq!((tried("None"), tried("Buffered")), (1, 1), "{route}: a list and a push");
    }
    assert_eq!(scrape.count(ATTEMPTS, &[]), 4, "and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_during_work_shows_who_works_who_waits_and_what_the_spool_holds() {
    let bed = support::shared();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["large-3.0.0"]).start().await;
    let path = bed.slow_path(registry.socket(), 64 << 10);
    let arguments = [&ANYWHERE[..], &["--concurrency", "1"]].concat();
    let controller = namespace.controller(&arguments).await;
    let names = ["first", "second", "third"];
    for name in names {
        namespace.publish(name, &spec(&charts.url(), &json!([{"name": "large"}]), &json!([url_target(path.socket(), name)]))).await;
    }
    let during = eventually(SOON, "one works, two wait, and a chart lies in the spool", async || {
        let scrape = scraped(&controller).await;
        let figures = ["chart_publisher_reconciles_running", "chart_publisher_reconciles_waiting"].map(|name| scrape.count(name, &[]));
        let spooled = scrape.count("chart_publisher_spool_used_bytes", &[("place", "disk")]);
        if figures == [1, 2] && spooled > 6_000_000 { Ok(scrape) } else { Err(format!("{figures:?}, {spooled} bytes")) }
    })
    .await;
    assert_eq!(during.count(PUBLICATIONS, &[]), 3);
    assert_eq!(during.count(PUBLICATIONS, &[("condition", "Ready")]), 0);
    assert_eq!(during.count("chart_publisher_published_charts_total", &[]), 0);
    path.set_rate(1 << 30);
    for name in names {
        namespace.becomes_within(Duration::from_mins(1), name, "it is Ready", |status| ready(status) == "True Succeeded").await;
    }
    eventually(SOON, "nobody works, and no chart is left in the spool", async || {
        let scrape = scraped(&controller).await;
        let left = ["reconciles_running", "reconciles_waiting", "spool_used_bytes"]
            .map(|name| scrape.count(&format!("chart_publisher_{name}"), &[]));
        let done = scrape.count("chart_publisher_published_charts_total", &[]);
        // The index, which is kept for whoever names it next.
        if left == [0, 0, 4096] && done == 3 { Ok(()) } else { Err(format!("{left:?}, {done} charts")) }
    })
    .await;
}
