//! An index of 50 MiB with 60,000 versions: what `plan` takes to choose from it, beside `helm show chart --repo`.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    charts::Chart,
    program::{self, Ended},
    support::{
        self, Bed,
        helm_repository::HelmRepository,
        publication::url_target,
        registry::{Registry, Version},
        resident::mebibytes,
    },
    table::Times,
};

const MIB: u64 = 1 << 20;
const NAMES: usize = 600;
const VERSIONS: usize = 100;
const HELM: &str = "helm show chart --repo";
const PLAN: &str = "chart-publisher plan, one chart of the index";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes two minutes and nearly the whole machine; `make bench-index` runs it"]
async fn a_version_of_a_large_index_is_chosen_in_a_ninth_of_helms_time() {
    let bed = support::on_loopback();
    let (large, small) = (bed.helm_repository(&[]).start().await, bed.helm_repository(&[]).start().await);
    let chart = Chart::pack(&large.site(), "chart-0", "1.0.0", 1024);
    let bytes = write_index(&large.site(), &chart, NAMES);
    Chart::pack(&small.site(), "chart-0", "1.0.0", 1024);
    write_index(&small.site(), &chart, 1);
    assert!((50 * MIB..56 * MIB).contains(&bytes), "{}", mebibytes(bytes));
    let registry = bed.registry(Version::V3).start().await;
    let idle = plan(bed, &small, &registry).await.memory;
    let mut times = Times::new(&format!("an index of {} with {} versions", mebibytes(bytes), NAMES * VERSIONS), HELM);
    let (mut ours, mut helms) = (0, 0);
    for _ in 0..3 {
        let shown = show(bed, &large).await;
        assert!(shown.output.contains("name: chart-0"), "{}", shown.output);
        times.add(HELM, shown.seconds);
        let planned = plan(bed, &large, &registry).await;
        let items: Value = serde_json::from_str(&planned.output).expect("JSON");
        assert_eq!(items["items"].as_array().map(Vec::len), Some(VERSIONS), "{items}");
        times.add(PLAN, planned.seconds);
        (ours, helms) = (planned.memory.max(ours), shown.memory.max(helms));
    }
    times.print();
    let over = ours.saturating_sub(idle);
    let [ours, idle, helms] = [ours, idle, helms].map(mebibytes);
    support::say(&format!("peak memory: plan {ours}, of an index with one chart {idle}; helm {helms}"));
    assert!(over <= 64 * MIB, "{} over idle", mebibytes(over));
    times.assert_at_most(PLAN, 1.0 / 9.0);
}

/// As `helm repo index` writes it, with what a chart of some care has. Only the first version of the first chart is there.
fn write_index(site: &Path, chart: &Chart, names: usize) -> u64 {
    let file = File::create(site.join("index.yaml")).expect("a file in the bed's folder");
    let mut writer = BufWriter::new(file);
    writer.write_all(b"apiVersion: v1\nentries:\n").expect("room");
    for number in 0..names {
        let name = format!("chart-{number}");
        let mut text = format!("  {name}:\n");
        for version in (0..VERSIONS).rev() {
            let is_there = number == 0 && version == 0;
            let digest = if is_there { chart.digest.trim_start_matches("sha256:").to_owned() } else { hexadecimal() };
            let _ = write!(text, "{}", entry(&name, version, &digest));
        }
        writer.write_all(text.as_bytes()).expect("room");
    }
    writer.write_all(b"generated: \"2026-01-01T00:00:00Z\"\n").expect("room");
    writer.into_inner().expect("room").metadata().expect("a file").len()
}

fn entry(name: &str, version: usize, digest: &str) -> String {
    let described = "Serves what others keep, with a cache before it, a queue behind it and a page that says how it is. ".repeat(3);
    format!(
        "  - annotations:\n      category: Infrastructure\n      licenses: Apache-2.0\n    apiVersion: v2\n    appVersion: 4.{version}.1\n    \
         created: \"2026-01-01T00:00:00Z\"\n    dependencies:\n    - name: common\n      repository: oci://registry.example.com/charts\n      \
         version: 2.x.x\n    description: {described}\n    digest: {digest}\n    home: https://charts.example.com/{name}\n    \
         keywords:\n    - cache\n    - queue\n    maintainers:\n    - name: The Authors\n      url: https://charts.example.com\n    \
         name: {name}\n    sources:\n    - https://git.example.com/charts/{name}\n    urls:\n    - {name}-1.{version}.0.tgz\n    \
         version: 1.{version}.0\n"
    )
}

fn hexadecimal() -> String {
    format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..))
}

async fn plan(bed: &Bed, repository: &HelmRepository, registry: &Registry) -> Ended {
    let folder = bed.folder("plan");
    let source = json!({"helmRepository": {"url": repository.url()}});
    let spec =
        json!({"source": source, "charts": [{"name": "chart-0", "latest": 0}], "targets": [url_target(registry.socket(), "charts")]});
    let publication =
        json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "one"}, "spec": spec});
    let file = folder.join("publication.json");
    fs::write(&file, publication.to_string()).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_chart-publisher"));
    command.args(["plan", "--output", "json", "-f"]).arg(&file).arg("--spool-dir").arg(&folder);
    let ended = program::run(command).await;
    let _ = fs::remove_dir_all(folder);
    ended
}

/// Each time with an empty cache, as in a job that begins anew.
async fn show(bed: &Bed, repository: &HelmRepository) -> Ended {
    let folder = bed.folder("helm");
    let mut command = Command::new(bed.tool("helm"));
    command.args(["show", "chart", "chart-0", "--version", "1.0.0", "--repo", &repository.url()]).env("HOME", &folder);
    for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(variable, folder.join(variable));
    }
    let ended = program::run(command).await;
    let _ = fs::remove_dir_all(folder);
    ended
}
