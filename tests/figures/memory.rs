//! Large charts through the controller: the memory that it takes has one bound, whatever their number and size.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use chart_publisher::api::ChartPublicationStatus;
use serde_json::{Value, json};

use crate::{
    charts::{self, Chart},
    support::{
        self, Bed,
        controller::{Controller, ControllerBuilder},
        eventually::{SOON, eventually},
        exposure::Exposure,
        helm_repository::HelmRepository,
        namespace::Namespace,
        publication::{ready, spec, url_target},
        registry::{Version, file_in},
        resident::{mebibytes, memory},
    },
};

const MIB: u64 = 1 << 20;
/// The number of charts that a tool pulls as well.
const SAMPLE: usize = 3;

/// Charts of one publication, and what they may cost.
#[derive(Clone, Copy)]
struct Load {
    charts: usize,
    mebibytes: u64,
    /// Of the controller at its peak.
    memory: u64,
    patience: Duration,
}

/// In `make test`. Held in memory, the charts of the eight workers would take twice the bound.
const SMALL: Load = Load { charts: 16, mebibytes: 24, memory: 96 * MIB, patience: Duration::from_mins(4) };
const LARGE: Load = Load { charts: 64, mebibytes: 90, memory: 256 * MIB, patience: Duration::from_mins(15) };
/// Tunnels have buffers of their own.
const RELAYED: u64 = 64 * MIB;

#[tokio::test(flavor = "multi_thread")]
async fn many_large_charts_take_little_memory() {
    for method in ["Buffered", "Chunked"] {
        SMALL.through_the_controller(support::shared(), method).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes eight minutes, 20 GiB of disk and nearly the whole machine; `make bench-memory` runs it"]
async fn sixty_four_charts_of_ninety_mebibytes_take_little_memory() {
    for method in ["Buffered", "Chunked"] {
        LARGE.through_the_controller(support::control_plane(), method).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes eight minutes, 20 GiB of disk and root; `make bench-memory` runs it"]
async fn sixty_four_charts_of_ninety_mebibytes_take_little_memory_through_relay() {
    let Some(bed) = support::pods() else { return };
    LARGE.through_relay(bed).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes three minutes, 12 GiB of disk and nearly the whole machine; `make bench-memory` runs it"]
async fn curl_beside_it() {
    let bed = support::control_plane();
    let registry = bed.registry(Version::V3).start().await;
    let folder = bed.folder("curl");
    let charts = LARGE.packed(&folder);
    let begin = Instant::now();
    for chart in &charts {
        crate::large::curl(bed, registry.socket(), &folder.join(chart.file()), chart);
    }
    let seconds = begin.elapsed().as_secs_f64();
    support::say(&format!("curl, POST and PUT of {} charts of {} MiB, one after another: {seconds:.0} s", LARGE.charts, LARGE.mebibytes));
    let _ = fs::remove_dir_all(folder);
    are_in(&registry.storage(), &charts);
}

impl Load {
    fn packed(self, folder: &Path) -> Vec<Chart> {
        (0..self.charts).map(|number| Chart::pack(folder, &format!("heavy-{number}"), "1.0.0", self.mebibytes * MIB)).collect()
    }

    async fn source(self, bed: &'static Bed) -> (HelmRepository, Vec<Chart>) {
        let source = bed.helm_repository(&[]).start().await;
        let charts = self.packed(&source.site());
        charts::index(&source, &charts);
        (source, charts)
    }

    /// By the registry's URL.
    async fn through_the_controller(self, bed: &'static Bed, method: &str) {
        let namespace = bed.namespace().await;
        let registry = bed.registry(Version::V3).start().await;
        let (source, charts) = self.source(bed).await;
        let mut target = url_target(registry.socket(), "charts");
        target["upload"] = json!({"method": method});
        let described = namespace.described_controller(&["--allow-address", "127.0.0.0/8"]).await;
        let status = self.published(&namespace, described, &source, target, method, self.memory).await;
        assert_eq!(status.method.as_deref(), Some(method));
        are_in(&registry.storage(), &charts);
        pulled(bed, registry.socket(), &charts);
    }

    /// To a registry that no other route leads to.
    async fn through_relay(self, bed: &'static Bed) {
        let namespace = bed.namespace().await;
        let registry = namespace.registry_pods("registry", Version::V3).on_loopback().start().await;
        registry.expose("registry", Exposure::ClusterIp, json!({})).await;
        let (source, charts) = self.source(bed).await;
        let granted = ["relay.enabled=true".to_owned(), format!("relay.namespaces={{{}}}", namespace.name())];
        let rights = namespace.rights(&[&granted[0], &granted[1]]);
        let kubeconfig = namespace.kubeconfig_of(&rights.account).await;
        let described = bed.controller(&kubeconfig, &["--namespace", namespace.name(), "--relay-namespace", namespace.name()]);
        let service = json!({"name": "registry", "port": "http", "repository": "charts"});
        let target = json!({"name": "main", "insecure": true, "routes": ["Relay"], "service": service});
        let status = self.published(&namespace, described, &source, target, "Relay", self.memory + RELAYED).await;
        assert_eq!(status.route.as_deref(), Some("Relay"));
        are_in(&registry.storage(&registry.pods().await.remove(0)), &charts);
    }

    /// One publication of all charts, until it is Ready; asserts what it took.
    async fn published(
        self,
        namespace: &Namespace,
        described: ControllerBuilder,
        source: &HelmRepository,
        target: Value,
        how: &str,
        bound: u64,
    ) -> ChartPublicationStatus {
        let bed = namespace.bed;
        bed.install_crds();
        let disk = bed.run_on_host(&["stat", "--file-system", "--format=%T", &bed.folder("controller").display().to_string()]);
        assert_ne!(disk.expect_success().trim(), "tmpfs", "the spool must lie on a disk");
        let mut controller: Controller = described.start();
        controller.wait_until_ready().await;
        let names: Vec<_> = (0..self.charts).map(|number| json!({"name": format!("heavy-{number}")})).collect();
        let begin = Instant::now();
        namespace.publish("heavy", &spec(&source.url(), &json!(names), &json!([target]))).await;
        let all = format!("{0}/{0}", self.charts);
        let is_so = |status: &ChartPublicationStatus| ready(status) == "True Succeeded" && status.published.as_ref() == Some(&all);
        let publication = namespace.becomes_within(self.patience, "heavy", "it is Ready", is_so).await;
        let (seconds, peak) = (begin.elapsed().as_secs(), memory(controller.id(), "VmHWM").expect("a running controller"));
        support::say(&format!(
            "{} charts of {} MiB in one publication, {how}: Ready after {seconds} s, peak memory {} of {}",
            self.charts,
            self.mebibytes,
            mebibytes(peak),
            mebibytes(bound)
        ));
        assert!(peak <= bound, "{how}: {}", mebibytes(peak));
        eventually(SOON, "the controller still runs", async || controller.still_runs()).await;
        publication.status.expect("a status")
    }
}

/// Each archive is in the registry's folder, byte by byte.
fn are_in(storage: &Path, charts: &[Chart]) {
    for chart in charts {
        let file = file_in(storage, &chart.digest);
        let (length, found) = charts::measured(&file).unwrap_or_else(|problem| panic!("{}: {problem}", file.display()));
        assert_eq!((length, found.as_str()), (chart.length, chart.digest.as_str()), "{}", chart.name);
    }
}

/// Some of them come back by helm as they were.
fn pulled(bed: &Bed, registry: SocketAddr, charts: &[Chart]) {
    let folder = bed.folder("pulled");
    for chart in charts.iter().step_by(charts.len() / SAMPLE) {
        let (reference, to) = (format!("oci://{registry}/charts/{}", chart.name), folder.display().to_string());
        bed.run_in_pod(&["helm", "pull", &reference, "--plain-http", "--version", &chart.version, "--destination", &to]).expect_success();
        let (_, found) = charts::measured(&folder.join(chart.file())).expect("a chart");
        assert_eq!(found, chart.digest, "{}", chart.name);
    }
    let _ = fs::remove_dir_all(folder);
}
