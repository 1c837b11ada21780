//! `push` and `probe`, stopped in the middle of a body: they leave nothing in the registry, or say what they must leave, and end with the exit code of the signal.

use std::{fs, net::SocketAddr, path::Path};

use rustix::process::Signal;

use super::leftovers::of_repositories;
use crate::support::{
    self, Bed,
    eventually::{SOON, eventually},
    process::Launch,
    registry::Version,
};

/// Bytes a second: a body of some megabytes takes a while.
const RATE: u64 = 400_000;
/// In the middle of a body, whatever was sent before it.
const MIDDLE: u64 = 300_000;

fn words(command: &str, socket: SocketAddr, chart: &Path) -> Vec<String> {
    let target = format!("oci://{socket}/charts");
    let chart = chart.display().to_string();
    let words = match command {
        "push" => vec!["push", &chart, &target, "--insecure", "--timeout", "30s"],
        _ => vec!["probe", &target, "--insecure", "--timeout", "30s", "--size", "4Mi"],
    };
    words.into_iter().map(str::to_owned).collect()
}

async fn check(bed: &'static Bed, version: Version, command: &str, (signal, name, code): (Signal, &str, i32)) {
    let registry = bed.registry(version).start().await;
    let path = bed.slow_path(registry.socket(), RATE);
    let log = bed.folder("stopped").join("log");
    let launch = Launch::new(env!("CARGO_BIN_EXE_chart-publisher"), &log).namespace(bed.server_namespace());
    let mut program = launch.arguments(words(command, path.socket(), &bed.chart("large-3.0.0"))).start().expect("the program");
    eventually(SOON, "it is in the middle of a body", async || {
        program.still_runs()?;
        let (passed, stored) = (path.passed(), of_repositories(&registry));
        let has_session = stored.iter().any(|file| file.to_string_lossy().contains("_uploads"));
        if passed > MIDDLE && has_session { Ok(()) } else { Err(format!("{passed} bytes, {stored:?}")) }
    })
    .await;
    program.signal(signal);
    let ended = program.wait(SOON).and_then(|status| status.code());
    let said = fs::read_to_string(&log).expect("what it said");
    assert_eq!(ended, Some(code), "{version:?} {command} {name}: {said}");
    if version == Version::V2 {
        // It calls a session that was cut in a body invalid for ever, and lets nobody end it: that is said.
        let words = if command == "push" { "that was under way is left there" } else { "could not be removed: the registry forgets it" };
        assert!(said.contains(&format!("stopped by {name}: ")) && said.contains(words), "{command}: {said}");
        let is_of_session = |file: &std::path::PathBuf| file.to_string_lossy().contains("/_uploads/");
        assert!(of_repositories(&registry).iter().all(is_of_session), "{:?}", of_repositories(&registry));
        return;
    }
    let words = if command == "push" { "no upload to `charts/" } else { "all that was sent is removed from `charts/" };
    assert!(said.contains(&format!("stopped by {name}: {words}")), "{version:?} {command}: {said}");
    eventually(SOON, "nothing is left in the registry", async || {
        // Distribution 3 writes a state of its hash once more after it has removed a session in whose middle it still was.
        let is_left = |file: &std::path::PathBuf| !file.to_string_lossy().contains("/hashstates/");
        let left: Vec<_> = of_repositories(&registry).into_iter().filter(is_left).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_stopped_in_the_middle_of_a_body_leaves_nothing_behind() {
    let bed = support::on_loopback();
    for version in Version::ALL {
        for (command, signal) in [
            ("push", (Signal::INT, "SIGINT", 130)),
            ("push", (Signal::TERM, "SIGTERM", 143)),
            ("probe", (Signal::INT, "SIGINT", 130)),
            ("probe", (Signal::TERM, "SIGTERM", 143)),
        ] {
            check(bed, version, command, signal).await;
        }
    }
}
