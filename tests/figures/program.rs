//! Programs as a user calls them: how they ended, what they said of themselves, and the most memory that they took.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::sleep;

use crate::support::{Bed, process, resident::memory};

/// What became of a program.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its standard output.
    pub output: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The most memory that it took, in bytes.
    pub memory: u64,
}

/// Runs it to its end; panics with what it said when it fails.
pub async fn run(mut command: Command) -> Ended {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (shown, begin) = (format!("{command:?}"), Instant::now());
    let mut child = process::fork(command).expect("the program");
    let mut most = 0;
    // Its memory can be asked for only while it runs; the last answer is at most so old.
    while child.try_wait().expect("a child").is_none() {
        most = memory(child.id(), "VmHWM").unwrap_or(0).max(most);
        sleep(Duration::from_millis(10)).await;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let output = child.wait_with_output().expect("its output");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown} failed: {said}{errors}");
    Ended { output: said.into_owned(), seconds, memory: most }
}

/// What became of a push.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// What it printed, with `--output json`.
    pub report: Value,
    /// The most memory that it took, in bytes.
    pub memory: u64,
}

impl Pushed {
    /// The seconds that this step took: `hash`, `push`, `pull`.
    pub fn seconds(&self, step: &str) -> f64 {
        self.report["seconds"][step].as_f64().unwrap_or(f64::NAN)
    }
}

/// Pushes an archive; panics with what it said when it fails. Its spool lies on a real disk.
pub async fn push(bed: &Bed, archive: &Path, target: &str, flags: &[&str]) -> Pushed {
    let folder = bed.folder("push");
    let (archive, spool) = (archive.display().to_string(), folder.display().to_string());
    let mut command = Command::new(env!("CARGO_BIN_EXE_chart-publisher"));
    command.args(["push", &archive, target, "--insecure", "--output", "json", "--spool-dir", &spool]).args(flags);
    command.env("HOME", &folder).env_remove("DOCKER_CONFIG");
    let ended = run(command).await;
    let _ = fs::remove_dir_all(folder);
    Pushed { report: serde_json::from_str(&ended.output).expect("JSON"), memory: ended.memory }
}
