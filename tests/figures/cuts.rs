//! A chunked upload that is cut once, at any byte of the chart: how much of it is sent again.

use std::path::Path;

use serde_json::json;

use crate::{
    charts::Chart,
    faults::{
        Close,
        ground::{Endpoint, Ground},
        ledger::Asked,
        proxy::HttpProxy,
        quirk::Quirk,
        registry::ScriptedRegistry,
        rule::{Rule, What, When},
    },
    program, seed,
    support::{
        self, Bed,
        registry::{Registry, Version, repository},
    },
};

const MIB: u64 = 1 << 20;

/// A series of uploads.
struct Series {
    uploads: usize,
    mebibytes: u64,
    chunk: u64,
    version: Version,
}

/// What one upload came to.
#[derive(Debug)]
struct Cost {
    cut_at: u64,
    /// Bytes that came to where it was cut beyond those of the chart.
    again: u64,
    /// Chunks that were begun.
    chunks: usize,
    /// Sessions that were opened for the archive.
    sessions: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_costs_one_chunk_at_most_on_distribution_3() {
    let series = Series { uploads: 8, mebibytes: 6, chunk: MIB, version: Version::V3 };
    series.run().await.costs_a_chunk_at_most(series.chunk);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_costs_no_more_than_the_chart_on_distribution_2() {
    let series = Series { uploads: 4, mebibytes: 6, chunk: MIB, version: Version::V2 };
    series.run().await.costs_the_chart_at_most(series.mebibytes);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes three minutes; `make bench-cuts` runs it"]
async fn fifty_cuts_of_ninety_mebibytes_cost_one_chunk_each_at_most_on_distribution_3() {
    let series = Series { uploads: 50, mebibytes: 90, chunk: 16 * MIB, version: Version::V3 };
    series.run().await.costs_a_chunk_at_most(series.chunk);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes three minutes; `make bench-cuts` runs it"]
async fn fifty_cuts_of_ninety_mebibytes_cost_no_more_than_the_chart_on_distribution_2() {
    let series = Series { uploads: 50, mebibytes: 90, chunk: 16 * MIB, version: Version::V2 };
    series.run().await.costs_the_chart_at_most(series.mebibytes);
}

/// Seen once in some hundred cuts on distribution 3: it wrote what it had of the chunk after it had been asked how much that was.
#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_is_not_sent_before_what_was_cut_is_written() {
    let bed = support::on_loopback();
    let folder = bed.folder("cut-late");
    let chart = Chart::pack(&folder, "cut", "1.0.0", 3 * MIB);
    let registry = ScriptedRegistry::start(&Ground::loopback());
    registry.set(Quirk::CutWrittenLate);
    let cut = Rule::new(When::always().method("PATCH").every(2).times(1), What::CutBody(MIB / 2, Close::Reset));
    let proxy = HttpProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), [cut]);
    let target = format!("oci://{}/{}", proxy.socket(), repository());
    let pushed = program::push(bed, &folder.join(chart.file()), &target, &["--method", "chunked", "--chunk-size", "1Mi"]).await;
    assert_eq!((&pushed.report["method"], proxy.acted()), (&json!("Chunked"), 1), "{}", pushed.report);
    let cost = Cost::of(&proxy.requests(), &chart, MIB + MIB / 2);
    assert!(cost.again < MIB / 2 && cost.sessions == 1, "{cost:?}");
    let _ = std::fs::remove_dir_all(folder);
}

struct Costs(Vec<Cost>);

impl Series {
    async fn run(&self) -> Costs {
        let bed = support::on_loopback();
        let (seed, mut random) = seed();
        let folder = bed.folder("cuts");
        let chart = Chart::pack(&folder, "cut", "1.0.0", self.mebibytes * MIB);
        let registry = bed.registry(self.version).start().await;
        let mut costs = Vec::new();
        for _ in 0..self.uploads {
            let cut_at = random.u64(0..chart.length);
            let how = if random.bool() { Close::Reset } else { Close::AtOnce };
            costs.push(self.upload(bed, &registry, &folder.join(chart.file()), &chart, cut_at, how).await);
        }
        let _ = std::fs::remove_dir_all(folder);
        let costs = Costs(costs);
        costs.say(self, seed);
        costs
    }

    async fn upload(&self, bed: &Bed, registry: &Registry, archive: &Path, chart: &Chart, cut_at: u64, how: Close) -> Cost {
        let number = usize::try_from(cut_at / self.chunk).expect("a small number");
        let chunk = When::always().method("PATCH").every(number + 1).times(1);
        let cut = Rule::new(chunk, What::CutBody(cut_at % self.chunk, how));
        let proxy = HttpProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), [cut]);
        let target = format!("oci://{}/{}", proxy.socket(), repository());
        let size = self.chunk.to_string();
        let pushed = program::push(bed, archive, &target, &["--method", "chunked", "--chunk-size", &size]).await;
        assert_eq!(pushed.report["method"], "Chunked", "{}", pushed.report);
        assert_eq!(proxy.acted(), 1, "it was cut once");
        Cost::of(&proxy.requests(), chart, cut_at)
    }
}

impl Cost {
    fn of(requests: &[Asked], chart: &Chart, cut_at: u64) -> Self {
        let whole = |asked: &&Asked| asked.method == "PUT" && asked.target.contains(&chart.digest.replace(':', "%3A"));
        let closed = requests.iter().position(|asked| whole(&asked)).expect("the archive was closed first");
        let of_archive = &requests[..closed];
        let chunks = || of_archive.iter().filter(|asked| asked.method == "PATCH");
        Self {
            cut_at,
            again: chunks().map(|asked| asked.received).sum::<u64>() - chart.length,
            chunks: chunks().count(),
            sessions: of_archive.iter().filter(|asked| asked.method == "POST").count(),
        }
    }
}

impl Costs {
    fn say(&self, series: &Series, seed: u64) {
        let most = self.0.iter().map(|cost| cost.again).max().unwrap_or(0);
        let chunks = self.0.iter().map(|cost| cost.chunks).max().unwrap_or(0);
        let all: u64 = self.0.iter().map(|cost| cost.again).sum();
        let restarted = self.0.iter().filter(|cost| cost.sessions > 1).count();
        support::say(&format!(
            "{:?}: {} uploads of {} MiB in chunks of {} KiB, each cut once at a random byte (seed {seed}): sent again {} KiB in the mean \
             and {} KiB at most, in {chunks} chunks at most; {restarted} began anew",
            series.version,
            series.uploads,
            series.mebibytes,
            series.chunk >> 10,
            (all / self.0.len() as u64) >> 10,
            most >> 10
        ));
    }

    fn costs_a_chunk_at_most(&self, chunk: u64) {
        for cost in &self.0 {
            assert!(cost.again <= chunk && cost.sessions == 1, "cut at {}: {cost:?}", cost.cut_at);
        }
    }

    fn costs_the_chart_at_most(&self, mebibytes: u64) {
        for cost in &self.0 {
            // The archive has a few KiB more than its noise.
            assert!(cost.again <= (mebibytes + 1) * MIB && cost.sessions <= 2, "cut at {}: {cost:?}", cost.cut_at);
        }
    }
}
