//! A chart of 1 GiB: what its push costs beside curl, and how much memory it takes.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    charts::Chart,
    program, quiet,
    support::{self, Bed, resident::mebibytes},
    table::Times,
};

const MIB: u64 = 1 << 20;
/// What a large chart may take in memory beyond a small one.
const MOST_BESIDES: u64 = 12 * MIB;
const CURL: &str = "curl, POST and PUT";
const PUSH: &str = "push, the push alone";
const HELM: &str = "helm push";
const ONE: &str = "push, with the pull-back";
const WHOLE: &str = "push, with hashing, reading the archive and the pull-back";

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_chart() {
    let bed = support::on_loopback();
    let folder = bed.folder("large");
    let charts = [("small", MIB), ("large", 160 * MIB)].map(|(name, size)| Chart::pack(&folder, name, "1.0.0", size));
    let registry = quiet(bed).await;
    for method in ["buffered", "chunked"] {
        let flags = ["--max-chart-size", "1Gi", "--method", method];
        let target = format!("oci://{}/{method}", registry.socket());
        let mut taken = [0; 2];
        for (taken, chart) in taken.iter_mut().zip(&charts) {
            *taken = program::push(bed, &folder.join(chart.file()), &target, &flags).await.memory;
        }
        let [small, large] = taken;
        support::say(&format!("{method}: {} for a chart of 1 MiB, {} for one of 160 MiB", mebibytes(small), mebibytes(large)));
        // Of the program without optimisation, its own code takes most of it.
        assert!(small > 0 && large <= small + MOST_BESIDES, "{method}: {} and {}", mebibytes(small), mebibytes(large));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes two minutes and nearly the whole machine; `make bench-times` runs it"]
async fn a_gibibyte_is_pushed_nearly_as_fast_as_by_curl() {
    let bed = support::on_loopback();
    let folder = bed.folder("large");
    let chart = Chart::pack(&folder, "large", "1.0.0", 1024 * MIB);
    let archive = folder.join(chart.file());
    let mut times = Times::new("a chart of 1 GiB", CURL);
    let mut most = 0;
    for _ in 0..7 {
        times.add(CURL, curl(bed, quiet(bed).await.socket(), &archive, &chart).as_secs_f64());
        let registry = quiet(bed).await;
        let target = format!("oci://{}/charts", registry.socket());
        let pushed = program::push(bed, &archive, &target, &["--max-chart-size", "2Gi"]).await;
        times.add(PUSH, pushed.seconds("push"));
        times.add(WHOLE, pushed.seconds("hash") + pushed.seconds("push") + pushed.seconds("pull"));
        most = most.max(pushed.memory);
    }
    let _ = fs::remove_dir_all(folder);
    times.print();
    support::say(&format!("peak memory {} of 64.0 MiB", mebibytes(most)));
    times.assert_at_most(PUSH, 1.3);
    assert!(most <= 64 * MIB, "{}", mebibytes(most));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; `make bench-times` runs it"]
async fn a_small_chart_is_pushed_and_proven_before_helm_has_pushed_it() {
    let bed = support::on_loopback();
    let archive = bed.chart("small-1.2.2");
    let mut times = Times::new("one small chart", HELM);
    for _ in 0..9 {
        let registry = quiet(bed).await;
        let reference = format!("oci://{}/helm", registry.socket());
        let begin = Instant::now();
        bed.run_on_host(&["helm", "push", &archive.display().to_string(), &reference, "--plain-http"]).expect_success();
        times.add(HELM, begin.elapsed().as_secs_f64());
        let begin = Instant::now();
        program::push(bed, &archive, &format!("oci://{}/ours", registry.socket()), &[]).await;
        times.add(ONE, begin.elapsed().as_secs_f64());
    }
    times.print();
    times.assert_at_most(ONE, 1.0);
}

/// The least that an upload can be. The digest is known before.
pub fn curl(bed: &Bed, registry: SocketAddr, archive: &Path, chart: &Chart) -> Duration {
    let (url, digest) = (format!("http://{registry}/v2/curl/{}/blobs/uploads/", chart.name), &chart.digest);
    let script = format!(
        "set -e; location=$(curl -fsS -X POST -H 'Content-Length: 0' -D - -o /dev/null {url} | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
         curl -fsS -H 'Content-Type: application/octet-stream' -T {} -o /dev/null \"$location&digest={digest}\"",
        archive.display()
    );
    let begin = Instant::now();
    bed.run_on_host(&["bash", "-c", &script]).expect_success();
    begin.elapsed()
}
