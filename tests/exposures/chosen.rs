//! What `Auto` takes, seen on the wire, by Service, Ingress and size of the chart: the table of docs/routes.md is made from this.
//! With `UPDATE_DOCS=1` it is written anew.

use std::{fs, path::Path};

use futures::{StreamExt, stream};

use super::{
    doors::{Traffic, of_service},
    front::{apply, publication},
    readers::{Chart, LARGE, SMALL},
    support::{
        self,
        exposure::Exposure::{self, ClusterIp, Headless, LoadBalancer, NodePort},
        ingress::ServedIngress,
        namespace::Namespace,
        printed::is_to_be_written,
        random_word,
        registry::{Registry, Version},
    },
};

/// Above what goes through a load balancer at once.
const HUGE: Chart = Chart { name: "huge", version: "1.0.0" };
const SIZES: [Chart; 3] = [SMALL, LARGE, HUGE];
const BUFFERED: &str = "Buffered";
const CHUNKED: &str = "Chunked";

/// What leads to a Service of type ClusterIP.
#[derive(Clone, Copy)]
enum Door {
    Nothing,
    /// An Ingress of ingress-nginx, with this limit in its annotation.
    Nginx(Option<&'static str>),
    Haproxy,
}

struct Row {
    name: &'static str,
    /// As the document calls it.
    title: &'static str,
    exposure: Exposure,
    door: Door,
    route: &'static str,
    /// For each size.
    methods: [&'static str; 3],
}

const fn row(name: &'static str, title: &'static str, exposure: Exposure, route: &'static str, methods: [&'static str; 3]) -> Row {
    Row { name, title, exposure, door: Door::Nothing, route, methods }
}

const fn behind(name: &'static str, title: &'static str, door: Door, methods: [&'static str; 3]) -> Row {
    Row { name, title, exposure: ClusterIp, door, route: "Ingress", methods }
}

/// As section "Which routes, in which order" and "Methods" of the document have it.
const ROWS: [Row; 8] = [
    row("node-port", "type NodePort", NodePort, "NodePort", [BUFFERED, BUFFERED, BUFFERED]),
    row("load-balancer", "type LoadBalancer", LoadBalancer, "LoadBalancer", [BUFFERED, BUFFERED, CHUNKED]),
    row("cluster-ip", "type ClusterIP", ClusterIp, "ClusterIP", [BUFFERED, BUFFERED, BUFFERED]),
    row("headless", "headless", Headless, "Endpoint", [BUFFERED, BUFFERED, BUFFERED]),
    behind("unstated", "type ClusterIP, Ingress of ingress-nginx (1m by default)", Door::Nginx(None), [BUFFERED, CHUNKED, CHUNKED]),
    behind("stated", "the same with `proxy-body-size: 8m`", Door::Nginx(Some("8m")), [BUFFERED, BUFFERED, CHUNKED]),
    behind("unlimited", "the same with `proxy-body-size: \"0\"`", Door::Nginx(Some("0")), [BUFFERED, BUFFERED, BUFFERED]),
    behind("haproxy", "type ClusterIP, Ingress of HAProxy (no limit)", Door::Haproxy, [BUFFERED, BUFFERED, BUFFERED]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn route_and_method_of_each_size_are_those_that_the_document_promises() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["small-1.2.3+4", "large-3.0.0"]).archive(bed.noisy_package(HUGE.name, 64)).start().await;
    let _controller = namespace.controller(&[]).await;
    let (namespace, url) = (&namespace, source.url());
    let rows = ROWS.iter().map(async |row| seen(namespace, &url, row).await);
    // Ingresses of one namespace share their class, which goes with the first of them.
    let (lines, _ingresses): (Vec<_>, Vec<_>) = stream::iter(rows).buffered(3).unzip::<_, _, Vec<_>, Vec<_>>().await;
    compare(&lines);
}

/// The line of the table, and what must stay until the end.
async fn seen(namespace: &Namespace, source: &str, row: &Row) -> (String, Option<ServedIngress>) {
    let bed = namespace.bed;
    let registry = bed.registry(Version::V3).start().await;
    let exposed = namespace.expose(row.name, row.exposure, &[registry.socket()]).await;
    let host = format!("{}.example", random_word());
    let ingress = namespace.ingress(row.name, &host, row.name, exposed.socket);
    let ingress = match row.door {
        Door::Nothing => None,
        Door::Nginx(None) => Some(ingress.start().await),
        Door::Nginx(Some(limit)) => Some(ingress.body_limit(limit).start().await),
        Door::Haproxy => Some(ingress.haproxy().start().await),
    };
    let mut doors = of_service(bed, &exposed.service, registry.socket());
    doors.extend(ingress.as_ref().map(|ingress| ("Ingress", vec![ingress.socket()])));
    let mut line = format!("| {} |", row.title);
    for (chart, method) in SIZES.into_iter().zip(row.methods) {
        let traffic = Traffic::watch(bed, &doors);
        let name = format!("{}-{}", row.name, chart.name);
        apply(namespace, &(publication(&name, row.name, "charts", source, &[chart]) + "      insecure: true\n"));
        let status = namespace.becomes_ready(&name).await.status.expect("a status");
        assert_eq!((status.route.as_deref(), status.method.as_deref()), (Some(row.route), Some(method)), "{name}: {status:?}");
        assert_eq!(status.targets[0].attempts, [], "{name}: nothing was tried in vain");
        traffic.went_only_by(row.route).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        let pieces = pieces(&registry, chart);
        assert_eq!(pieces > 0, method == CHUNKED, "{name}: {pieces} PATCHes");
        let shown = if pieces > 0 { format!("{method}, {pieces} parts") } else { method.to_owned() };
        line.push_str(&[" ", row.route, ", ", &shown, " |"].concat());
    }
    if let Some(ingress) = &ingress {
        assert!(ingress.requests().iter().all(|request| request.status != 413), "{}: nothing was refused", row.name);
    }
    (line, ingress)
}

/// By how many requests of the method `PATCH` the chart's layer came to the registry; it was written under its tag.
fn pieces(registry: &Registry, chart: Chart) -> usize {
    let (requests, path) = (registry.requests(), format!("/v2/charts/{}/", chart.name));
    let of_chart: Vec<_> = requests.iter().filter(|request| request.target.starts_with(&path)).collect();
    let written = format!("PUT {path}manifests/{} 201", chart.tag());
    assert!(of_chart.iter().any(|request| request.line() == written), "{written}");
    // Each blob has a session of its own; that of the layer is the longest.
    let session = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
    let sessions: Vec<_> = of_chart.iter().filter(|request| request.method == "PATCH").map(|request| session(&request.target)).collect();
    sessions.iter().map(|one| sessions.iter().filter(|other| *other == one).count()).max().unwrap_or(0)
}

fn compare(lines: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/routes.md");
    let document = fs::read_to_string(&path).expect("the document");
    let (before, rest) = document.split_once("<!-- chosen -->\n").expect("the begin of the table");
    let (_, after) = rest.split_once("<!-- end -->").expect("the end of the table");
    let head = "| the Service | some KB | 6 MB | 68 MiB |\n|---|---|---|---|\n";
    let written = [before, "<!-- chosen -->\n", head, &lines.join("\n"), "\n<!-- end -->", after].concat();
    if is_to_be_written() {
        fs::write(path, written).expect("the document");
    } else {
        assert_eq!(document, written, "docs/routes.md is out of date: run this test with UPDATE_DOCS=1");
    }
}
