//! A repository of 1,000 charts (50 names, 20 versions) in one publication, from a Helm repository and from a registry, beside the bare
//! loop and regsync; and 1,000 publications of one chart each.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chart_publisher::api::ChartPublication;
use kube::{ResourceExt, api::ListParams};
use serde_json::{Value, json};

use crate::{
    bare,
    charts::{self, Chart},
    many::images,
    quiet,
    support::{
        self, Bed,
        controller::Controller,
        eventually::eventually,
        namespace::Namespace,
        publication::{ready, spec, url_target},
        registry::{Registry, Version},
        resident::{mebibytes, memory},
    },
    table::Times,
};

const NAMES: usize = 50;
const VERSIONS: usize = 20;
const NOISE: u64 = 24 << 10;
const AT_ONCE: usize = 8;
const LONG: Duration = Duration::from_mins(10);
const ROUNDS: usize = 5;
const PUBLICATIONS: usize = 1_000;
const AT_REST: Duration = Duration::from_mins(1);
const MIB: u64 = 1 << 20;

const BARE: &str = "bare loop of POST, PUT, POST, PUT, PUT";
const WHOLE: &str = "the controller, from a Helm repository: from a publication to Ready, with fetching, tags and pull-back";
const REGSYNC: &str = "regsync once, 8 at a time, from registry to registry";
const COPIED: &str = "the controller, from registry to registry: from a publication to Ready, with tags and pull-back";
const NOTHING_TO_SYNC: &str = "regsync once, with nothing to do";
const NOTHING_TO_DO: &str = "the controller, from the wish for a run to its end, with nothing to do";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes 15 minutes and nearly the whole machine; `make bench-thousand` runs it"]
async fn a_thousand_charts_cost_little_more_than_their_requests() {
    let bed = support::control_plane();
    bed.install_crds();
    let source = bed.helm_repository(&[]).start().await;
    let charts = packed(&source.site());
    charts::index(&source, &charts);
    let full = bed.registry(Version::V3).start().await;
    let from_index = json!({"helmRepository": {"url": source.url()}});
    let first = Course::begin(bed).await;
    first.publish(&from_index, full.socket()).await;
    first.asks_little_again(&full, || source.requests().len()).await;
    let images = Arc::new(images(full.socket(), &source.site(), &charts).await);
    let mut used = Used::default();
    let mut pushes = Times::new("1,000 charts from a Helm repository", BARE);
    for _ in 0..ROUNDS {
        let to = quiet(bed).await;
        pushes.add(BARE, bare::push(to.socket(), &images, AT_ONCE).await.as_secs_f64());
        used.keep(to);
        let (course, to) = (Course::begin(bed).await, quiet(bed).await);
        pushes.add(WHOLE, course.publish(&from_index, to.socket()).await.as_secs_f64());
        used.keep(to);
    }
    pushes.print();
    let (mut copies, mut idle) =
        (Times::new("1,000 charts from registry to registry", REGSYNC), Times::new("the same again", NOTHING_TO_SYNC));
    let from_registry = json!({"oci": {"url": format!("oci://{}/charts", full.socket()), "insecure": true}});
    for _ in 0..ROUNDS {
        let to = quiet(bed).await;
        copies.add(REGSYNC, regsync(bed, full.socket(), to.socket()).as_secs_f64());
        idle.add(NOTHING_TO_SYNC, regsync(bed, full.socket(), to.socket()).as_secs_f64());
        used.keep(to);
        let (course, to) = (Course::begin(bed).await, quiet(bed).await);
        copies.add(COPIED, course.publish(&from_registry, to.socket()).await.as_secs_f64());
        idle.add(NOTHING_TO_DO, course.again().await.as_secs_f64());
        used.keep(to);
    }
    copies.print();
    idle.print();
    pushes.assert_at_most(WHOLE, 1.8);
    copies.assert_at_most(COPIED, 1.0);
    idle.assert_at_most(NOTHING_TO_DO, 2.0);
}

/// Ended registries, whose storage is removed after the last round: for a while after many files were removed, ext4 looks for inodes that were
/// not among them, and whatever is measured then writes slower.
#[derive(Default)]
struct Used(Vec<Registry>);

impl Used {
    fn keep(&mut self, mut registry: Registry) {
        registry.pause();
        self.0.push(registry);
    }
}

fn packed(folder: &Path) -> Vec<Chart> {
    let all = (0..NAMES).flat_map(|number| (0..VERSIONS).map(move |version| (format!("chart-{number}"), format!("1.{version}.0"))));
    all.map(|(name, version)| Chart::pack(folder, &name, &version, NOISE)).collect()
}

/// A new controller with one publication.
struct Course {
    namespace: Namespace,
    controller: Controller,
}

impl Course {
    async fn begin(bed: &'static Bed) -> Self {
        let namespace = bed.namespace().await;
        let controller = namespace.controller(&["--allow-address", "127.0.0.0/8"]).await;
        Self { namespace, controller }
    }

    /// From the publication of all charts until it is Ready.
    async fn publish(&self, source: &Value, registry: SocketAddr) -> Duration {
        let charts: Vec<_> = (0..NAMES).map(|number| json!({"name": format!("chart-{number}"), "latest": 0})).collect();
        let targets = json!([url_target(registry, "charts")]);
        let begin = Instant::now();
        self.namespace.publish("all", &json!({"source": source, "charts": charts, "targets": targets})).await;
        let all = format!("{0}/{0}", NAMES * VERSIONS);
        let is_so = |status: &_| ready(status) == "True Succeeded" && status.published.as_ref() == Some(&all);
        self.namespace.becomes_within(LONG, "all", "it is Ready", is_so).await;
        begin.elapsed()
    }

    /// From the wish for a run until it has ended.
    async fn again(&self) -> Duration {
        let begin = Instant::now();
        self.namespace.run_again("all").await;
        begin.elapsed()
    }

    /// One request to the source, and one to each repository.
    async fn asks_little_again(&self, registry: &Registry, source: impl Fn() -> usize) {
        let ours = || registry.requests().iter().filter(|request| request.user_agent.starts_with("chart-publisher/")).count();
        let (of_source, of_registry) = (source(), ours());
        self.again().await;
        let asked = (source() - of_source, ours() - of_registry);
        support::say(&format!(
            "a second run with nothing to do asked the source {} times and the registry {} times; peak memory of the controller {}",
            asked.0,
            asked.1,
            mebibytes(memory(self.controller.id(), "VmHWM").unwrap_or(0))
        ));
        assert!(asked.0 <= 1 && asked.1 <= NAMES, "{asked:?}");
    }
}

fn regsync(bed: &Bed, from: SocketAddr, to: SocketAddr) -> Duration {
    let folder = bed.folder("regsync");
    let plain = |registry: SocketAddr| json!({"registry": registry.to_string(), "tls": "disabled", "reqConcurrent": AT_ONCE});
    let pair = |number: usize| {
        let place = |registry: SocketAddr| format!("{registry}/charts/chart-{number}");
        json!({"source": place(from), "target": place(to), "type": "repository"})
    };
    let configuration = json!({
        "version": 1,
        "creds": [plain(from), plain(to)],
        "defaults": {"parallel": AT_ONCE},
        "sync": (0..NAMES).map(pair).collect::<Vec<_>>(),
    });
    let file = folder.join("regsync.yaml");
    fs::write(&file, configuration.to_string()).expect("a file in the bed's folder");
    let begin = Instant::now();
    bed.run_on_host(&["regsync", "once", "--config", &file.display().to_string()]).expect_success();
    let took = begin.elapsed();
    let _ = fs::remove_dir_all(folder);
    took
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes four minutes and nearly the whole machine; `make bench-thousand` runs it"]
async fn a_thousand_publications_become_ready_in_little_memory() {
    let bed = support::control_plane();
    bed.install_crds();
    let source = bed.helm_repository(&["small-1.2.2"]).start().await;
    let registry = bed.registry(Version::V3).start().await;
    let namespace = bed.namespace().await;
    let api = namespace.recorded_api().await;
    let controller = api.controller(&namespace, &["--allow-address", "127.0.0.0/8"]).await;
    let before = api.requests().len();
    let begin = Instant::now();
    for number in 0..PUBLICATIONS {
        let target = url_target(registry.socket(), &format!("place-{number}"));
        namespace.publish(&format!("one-{number}"), &spec(&source.url(), &json!([{"name": "small"}]), &json!([target]))).await;
    }
    let created = begin.elapsed();
    eventually(LONG, "all are Ready", async || {
        let all = namespace.api::<ChartPublication>().list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        let is_ready = |one: &&ChartPublication| one.status.as_ref().is_some_and(|status| ready(status) == "True Succeeded");
        let unready: Vec<_> = all.items.iter().filter(|one| !is_ready(one)).map(ResourceExt::name_any).take(3).collect();
        if unready.is_empty() { Ok(()) } else { Err(format!("{unready:?} and others are not")) }
    })
    .await;
    let took = begin.elapsed();
    let peak = memory(controller.id(), "VmHWM").expect("a running controller");
    let requests = api.requests().split_off(before);
    let mut by_method = BTreeMap::<&str, usize>::new();
    for request in &requests {
        *by_method.entry(&request.method).or_default() += 1;
    }
    let of_source = source.requests().len();
    support::say(&format!(
        "{PUBLICATIONS} publications: created within {created:.1?}, all Ready after {took:.1?}; peak memory {}; requests to the API server \
         {by_method:?}, to the source {of_source}",
        mebibytes(peak)
    ));
    let before = (api.requests().len(), source.requests().len(), registry.requests().len());
    tokio::time::sleep(AT_REST).await;
    let rest = memory(controller.id(), "VmRSS").expect("a running controller");
    let after = (api.requests().len() - before.0, source.requests().len() - before.1, registry.requests().len() - before.2);
    support::say(&format!(
        "at rest for {AT_REST:?}: memory {}; requests to the API server {}, to the source {}, to the registry {}",
        mebibytes(rest),
        after.0,
        after.1,
        after.2
    ));
    assert!(peak <= 110 * MIB, "{}", mebibytes(peak));
    assert_eq!((after.1, after.2), (0, 0), "at rest nobody is asked");
}
