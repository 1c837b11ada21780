//! A bed leaves nothing behind: not when it is told to end, not when its start fails half-way, not when it is killed.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use support::{
    eventually::{SOON, eventually},
    information::BedInformation,
    process::fork,
    supervisor_program,
};

fn begin() -> Child {
    let mut command = Command::new(supervisor_program());
    command.arg("up").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    fork(command).expect("the supervisor")
}

fn announced(child: &mut Child) -> BedInformation {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    serde_json::from_str(&line).unwrap_or_else(|problem| panic!("{problem}: {line}"))
}

/// The processes whose command line names the bed's folder.
fn processes_of(state: &Path) -> Vec<String> {
    let state = state.display().to_string();
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    let lines = all.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(&state)).map(|line| line.replace('\0', " ")).collect()
}

/// What is left of the bed of a supervisor.
fn remains(supervisor: u32, state: &Path) -> Result<(), String> {
    let name = format!("chartpub-{supervisor}");
    let mut left = processes_of(state);
    left.extend(state.exists().then(|| state.display().to_string()));
    let namespaces = std::fs::read_dir("/run/netns").into_iter().flatten().flatten().map(|entry| entry.file_name().display().to_string());
    left.extend(namespaces.filter(|namespace| namespace.starts_with(&format!("{name}-"))));
    let mounts = std::fs::read_to_string("/proc/mounts").expect("/proc/mounts");
    left.extend(mounts.lines().filter(|line| line.contains(&format!("{name}-"))).map(str::to_owned));
    if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
}

#[tokio::test]
async fn nothing_is_left_when_the_pipe_closes() {
    let mut child = begin();
    let bed = announced(&mut child);
    assert!(processes_of(&bed.state).len() >= 3);
    drop(child.stdin.take());
    assert!(child.wait().expect("the supervisor").success());
    remains(bed.supervisor, &bed.state).unwrap();
}

#[tokio::test]
async fn nothing_is_left_when_it_ends_before_it_is_up() {
    let mut child = begin();
    let state = support::shared().information.state.parent().expect("the folder of all beds").join(format!("chartpub-{}", child.id()));
    eventually(SOON, "its first processes run", async || if processes_of(&state).is_empty() { Err("none") } else { Ok(()) }).await;
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
    assert!(!child.wait().expect("the supervisor").success());
    remains(child.id(), &state).unwrap();
}

#[tokio::test]
async fn a_killed_supervisor_takes_its_processes_along_and_the_next_one_removes_the_rest() {
    let mut child = begin();
    let bed = announced(&mut child);
    child.kill().and_then(|()| child.wait()).expect("the supervisor");
    eventually(Duration::from_secs(10), "the kernel ends its processes", async || {
        let left = processes_of(&bed.state);
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    })
    .await;
    let mut next = begin();
    announced(&mut next);
    remains(bed.supervisor, &bed.state).unwrap();
    drop(next.stdin.take());
    next.wait().expect("the supervisor");
}
