//! In the middle of a body: killed and run again, or asked to stop.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use serde_json::json;

use super::{
    printed::{Printed, file, publication, taken},
    support::{
        self, Bed,
        eventually::{SOON, eventually},
        helm_repository::HelmRepository,
        process::{Launch, Process},
        publication::{spec, url_target},
        registry::{Registry, Version},
        slow_path::SlowPath,
    },
};

/// Bytes a second: a body of some megabytes takes a while.
const RATE: u64 = 400_000;
/// In the middle of that body.
const MIDDLE: u64 = 300_000;

/// What repositories hold: links, sessions, manifests.
fn of_repositories(registry: &Registry) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![registry.storage()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.retain(|file| file.components().any(|part| part.as_os_str() == "repositories"));
    found
}

fn is_below(file: &Path, folder: &str) -> bool {
    file.components().any(|part| part.as_os_str() == folder)
}

struct Scene {
    bed: &'static Bed,
    registry: Registry,
    path: SlowPath,
    folder: PathBuf,
    file: String,
    _charts: HelmRepository,
}

impl Scene {
    async fn set_up(version: Version) -> Self {
        let bed = support::on_loopback();
        let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4", "umbrella-2.0.0", "large-3.0.0"]).start().await;
        let registry = bed.registry(version).start().await;
        let path = bed.slow_path(registry.socket(), RATE);
        let wanted = json!([{"name": "small", "latest": 0}, {"name": "umbrella"}, {"name": "large"}]);
        let documents = publication("boot", &spec(&charts.url(), &wanted, &json!([url_target(path.socket(), "charts")])));
        let folder = bed.folder("stopped");
        let file = file(&folder, &documents.to_string());
        Self { bed, registry, path, folder, file, _charts: charts }
    }

    fn start(&self, name: &str) -> Process {
        let words = ["publish", "-f", &self.file, "--workers", "1", "-o", "json"];
        let launch = Launch::new(env!("CARGO_BIN_EXE_chart-publisher"), self.folder.join(name)).separate_errors();
        launch.namespace(self.bed.server_namespace()).arguments(words).start().expect("the program")
    }

    fn printed(&self, name: &str) -> Printed {
        let output = fs::read_to_string(self.folder.join(name)).expect("what it printed");
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"))
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(format!("{name}.errors"))).expect("what it said")
    }

    /// The small ones are done, and the large one is under way.
    async fn in_the_middle(&self, program: &mut Process) {
        let mut begin = None;
        eventually(SOON, "it is in the middle of the last body", async || {
            program.still_runs()?;
            let has_session = of_repositories(&self.registry).iter().any(|file| is_below(file, "large") && is_below(file, "_uploads"));
            if taken(&self.registry).1.len() < 3 || !has_session {
                return Err("not there yet".to_owned());
            }
            let begin = *begin.get_or_insert(self.path.passed());
            let passed = self.path.passed() - begin;
            if passed > MIDDLE { Ok(()) } else { Err(format!("{passed} bytes")) }
        })
        .await;
    }
}

fn unique(mut all: Vec<String>) -> usize {
    all.sort();
    all.dedup();
    all.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_and_run_again_nothing_that_was_done_is_sent_twice() {
    for version in Version::ALL {
        let scene = Scene::set_up(version).await;
        let mut program = scene.start("first");
        scene.in_the_middle(&mut program).await;
        program.signal(Signal::KILL);
        assert!(program.wait(SOON).is_some_and(|status| status.code().is_none()), "it was killed");
        let (blobs, manifests) = taken(&scene.registry);
        assert_eq!(manifests.len(), 3, "{manifests:?}");
        let opened = |chart: &str| {
            let path = format!("/v2/charts/{chart}/blobs/uploads/");
            scene.registry.requests().iter().filter(|request| request.method == "POST" && request.path() == path).count()
        };
        let before = (opened("small"), opened("umbrella"));

        scene.path.set_rate(1 << 30);
        let mut again = scene.start("again");
        let code = again.wait(SOON).and_then(|status| status.code());
        assert_eq!(code, Some(0), "{version:?}: {}", scene.said("again"));
        let printed = scene.printed("again");
        assert_eq!(printed.counts(), [1, 3, 0], "{version:?}: {:?}", printed.lines());
        assert_eq!((opened("small"), opened("umbrella")), before, "{version:?}: nothing of what was done is sent again");
        let (after, manifests) = taken(&scene.registry);
        assert!(after.len() > blobs.len());
        assert_eq!((unique(after.clone()), unique(manifests.clone())), (after.len(), 4), "{version:?}: {after:?} {manifests:?}");
        for chart in &printed.publications[0].targets[0].charts {
            let reference = chart.reference.as_deref().expect("a place");
            let digest = scene.bed.run_on_host(&["crane", "--insecure", "digest", reference]).expect_success();
            assert_eq!(Some(digest.trim()), chart.digest.as_deref(), "{reference}");
        }
    }
}

/// After the first of three charts, wherever: what had a tag by then is only read, and only what had none is sent.
#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread")]
async fn wherever_it_is_killed_the_next_run_sends_what_has_no_tag_yet_and_nothing_else() {
    let bed = support::on_loopback();
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4", "umbrella-2.0.0"]).start().await;
    let wanted = json!([{"name": "small", "latest": 0}, {"name": "umbrella"}]);
    for (end, done) in [
        ("open-upload:before:3", 1),
        ("send-blob:after:3", 1),
        ("send-blob:after:4", 1),
        ("write-manifest:before:2", 1),
        ("write-manifest:after:2", 2),
        ("pull-manifest:before:2", 2),
        ("pull-blob:after:3", 2),
        ("ask-source:before:2", 0),
    ] {
        let registry = bed.registry(Version::V3).start().await;
        let documents = publication("boot", &spec(&charts.url(), &wanted, &json!([url_target(registry.socket(), "charts")])));
        let file = file(&bed.folder("killed"), &documents.to_string());
        let fail = format!("CHART_PUBLISHER_FAIL=kill:{end}");
        let words = [env!("CARGO_BIN_EXE_chart-publisher"), "publish", "-f", &file, "--workers", "1", "-o", "json"];
        let killed = bed.run_on_host(&[&["env", fail.as_str()], &words[..]].concat());
        assert_eq!((killed.code, killed.output.as_str()), (None, ""), "{end}: {killed:?}");
        let (before, tags) = taken(&registry);
        assert_eq!(tags.len(), done, "{end}: {tags:?}");
        let again = bed.run_on_host(&words);
        assert_eq!((again.code, Printed::of(&again).counts()), (Some(0), [3 - done, done, 0]), "{end}: {again:?}");
        let (after, tags) = taken(&registry);
        assert_eq!((unique(tags.clone()), tags.len()), (3, 3), "{end}: each tag is written once");
        // Two blobs for each of the others, and no more.
        assert_eq!(after.len() - before.len(), 2 * (3 - done), "{end}: {before:?} {after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_it_leaves_no_upload_and_says_what_is_done() {
    for (version, signal, name, code) in [
        (Version::V3, Signal::TERM, "SIGTERM", 143),
        (Version::V3, Signal::INT, "SIGINT", 130),
        (Version::V2, Signal::TERM, "SIGTERM", 143),
    ] {
        let scene = Scene::set_up(version).await;
        let mut program = scene.start("stopped");
        scene.in_the_middle(&mut program).await;
        program.signal(signal);
        let ended = program.wait(SOON).and_then(|status| status.code());
        let said = scene.said("stopped");
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(&format!("stopped by {name}: 3 of 4 versions are published and proven; ")), "{said}");
        let printed = scene.printed("stopped");
        assert_eq!((printed.result.as_str(), printed.publications[0].result.as_str()), ("Failed", "Stopped"));
        assert_eq!((printed.counts(), printed.lines().len()), ([3, 0, 1], 3), "{:?}", printed.lines());
        let tags = of_repositories(&scene.registry).into_iter().filter(|file| is_below(file, "large") && is_below(file, "tags")).count();
        assert_eq!(tags, 0, "nothing is published by half");
        if version == Version::V2 {
            // It calls a session that was cut in a body invalid for ever, and lets nobody end it.
            continue;
        }
        eventually(SOON, "no upload is left in the registry", async || {
            // Distribution 3 writes a state of its hash once more after it has removed a session in whose middle it still was.
            let is_left = |file: &PathBuf| is_below(file, "_uploads") && !is_below(file, "hashstates");
            let left: Vec<_> = of_repositories(&scene.registry).into_iter().filter(is_left).collect();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_waits_it_stops_at_once() {
    let bed = support::on_loopback();
    let (charts, nobody): (_, SocketAddr) = (bed.helm_repository(&["small-1.2.2"]).start().await, bed.place(5000).socket());
    let documents = publication("boot", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([url_target(nobody, "charts")])));
    let folder = bed.folder("waiting");
    let words = ["publish", "-f", &file(&folder, &documents.to_string()), "--wait", "10m"];
    let launch = Launch::new(env!("CARGO_BIN_EXE_chart-publisher"), folder.join("log")).namespace(bed.server_namespace());
    let mut program = launch.arguments(words).start().expect("the program");
    let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
    eventually(SOON, "it waits", async || {
        program.still_runs()?;
        if log().contains("RouteUnreachable") { Ok(()) } else { Err(log()) }
    })
    .await;
    program.signal(Signal::TERM);
    assert_eq!(program.wait(SOON).and_then(|status| status.code()), Some(143), "{}", log());
    assert!(log().contains("stopped by SIGTERM: 0 of 1 versions"), "{}", log());
}
