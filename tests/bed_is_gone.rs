//! The life of a bed: it leaves nothing behind, not when it is told to end, not when its start fails half-way, not when it is killed.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use support::{
    eventually::{SOON, eventually},
    information::{BedInformation, Mode},
    process::fork,
    supervisor_program,
};

fn begin(mode: Mode) -> Child {
    let mut command = Command::new(supervisor_program());
    command.args(["up", "--mode", mode.name()]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    fork(command).expect("the supervisor")
}

fn announced(child: &mut Child) -> BedInformation {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    serde_json::from_str(&line).unwrap_or_else(|problem| {
        let mut words = String::new();
        let _ = child.stderr.take().map(|mut errors| errors.read_to_string(&mut words));
        panic!("{problem}: {line}{words}")
    })
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
    let hierarchies = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    let groups = hierarchies.chain(["/sys/fs/cgroup".into()]).map(|hierarchy| hierarchy.join(&name));
    left.extend(groups.filter(|group| group.exists()).map(|group| group.display().to_string()));
    if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
}

#[tokio::test]
async fn nothing_is_left_when_the_pipe_closes() {
    let mut child = begin(Mode::usual());
    let bed = announced(&mut child);
    assert!(processes_of(&bed.state).len() >= 3);
    drop(child.stdin.take());
    assert!(child.wait().expect("the supervisor").success());
    remains(bed.supervisor, &bed.state).unwrap();
}

#[tokio::test]
async fn nothing_is_left_when_it_ends_before_it_is_up() {
    let pods = Mode::usual().has_nodes().then_some(Mode::Pods);
    for mode in [Some(Mode::usual()), pods].into_iter().flatten() {
        install(mode);
        ends_before_it_is_up(mode).await;
    }
}

/// What it runs, which is built for minutes where it is not there yet.
fn install(mode: Mode) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/install.sh");
    let flags: &[&str] = if matches!(mode, Mode::Pods) { &["--pods"] } else { &[] };
    let installed = Command::new(script).args(flags).stdin(Stdio::null()).output().expect("bash");
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
}

async fn ends_before_it_is_up(mode: Mode) {
    // Known before it begins: it is up soon.
    let beds = support::shared().information.state.parent().expect("the folder of all beds");
    let mut child = begin(mode);
    let state = beds.join(format!("chartpub-{}", child.id()));
    eventually(SOON, "its first processes run", async || if processes_of(&state).is_empty() { Err("none") } else { Ok(()) }).await;
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
    assert!(!child.wait().expect("the supervisor").success());
    remains(child.id(), &state).unwrap();
}

#[tokio::test]
async fn a_killed_supervisor_takes_its_processes_along_and_the_next_one_removes_the_rest() {
    let mut child = begin(Mode::usual());
    let bed = announced(&mut child);
    child.kill().and_then(|()| child.wait()).expect("the supervisor");
    eventually(Duration::from_secs(10), "the kernel ends its processes", async || {
        let left = processes_of(&bed.state);
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    })
    .await;
    let mut next = begin(Mode::usual());
    announced(&mut next);
    remains(bed.supervisor, &bed.state).unwrap();
    drop(next.stdin.take());
    next.wait().expect("the supervisor");
}

/// The processes of a PID namespace.
fn processes_in(namespace: &Path) -> Vec<String> {
    let all = std::fs::read_dir("/proc").expect("/proc").flatten().map(|process| process.path());
    let inside = all.filter(|process| std::fs::read_link(process.join("ns/pid")).is_ok_and(|link| link == namespace));
    inside.map(|process| std::fs::read_to_string(process.join("cmdline")).unwrap_or_default().replace('\0', " ")).collect()
}

/// The processes in the control groups of its containers.
fn processes_in_containers(bed: &BedInformation) -> Vec<String> {
    let group = format!("/chartpub-{}/", bed.supervisor);
    let all = std::fs::read_dir("/proc").expect("/proc").flatten().map(|process| process.path());
    let inside = all.filter(|process| std::fs::read_to_string(process.join("cgroup")).is_ok_and(|groups| groups.contains(&group)));
    inside.map(|process| process.display().to_string()).collect()
}

/// Runs two Pods; gives the PID namespace that they are in.
fn run_pods(bed: &BedInformation) -> PathBuf {
    for words in [
        &["create", "deployment", "idle", "--image=pause:bed", "--replicas=2"][..],
        &["wait", "--for=condition=Available", "deployment/idle", "--timeout=60s"],
    ] {
        let status = Command::new(bed.tools.join("kubectl")).env("KUBECONFIG", &bed.kubeconfig).args(words).stdout(Stdio::null()).status();
        assert!(status.expect("kubectl").success(), "{words:?}");
    }
    let holder = bed.enclosure.as_ref().expect("a bed with Pods has an enclosure").holder;
    std::fs::read_link(format!("/proc/{holder}/ns/pid_for_children")).expect("its namespace")
}

#[tokio::test]
async fn pods_go_with_their_bed() {
    if !Mode::usual().has_nodes() {
        return support::skipped("nodes");
    }
    let mut child = begin(Mode::Pods);
    let bed = announced(&mut child);
    let namespace = run_pods(&bed);
    // Two containers, each with the sandbox of its Pod.
    assert_eq!(processes_in_containers(&bed).len(), 4);
    drop(child.stdin.take());
    assert!(child.wait().expect("the supervisor").success());
    assert_eq!(processes_in(&namespace), Vec::<String>::new());
    remains(bed.supervisor, &bed.state).unwrap();
}

#[tokio::test]
async fn pods_die_with_a_killed_supervisor_and_the_next_one_removes_the_rest() {
    if !Mode::usual().has_nodes() {
        return support::skipped("nodes");
    }
    let mut child = begin(Mode::Pods);
    let bed = announced(&mut child);
    let namespace = run_pods(&bed);
    assert!(processes_in(&namespace).iter().any(|line| line.starts_with("/usr/bin/containerd-shim")), "{:?}", processes_in(&namespace));
    child.kill().and_then(|()| child.wait()).expect("the supervisor");
    eventually(Duration::from_secs(10), "the kernel ends its processes", async || {
        let left = [processes_of(&bed.state), processes_in(&namespace), processes_in_containers(&bed)].concat();
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    })
    .await;
    let mut next = begin(Mode::ControlPlane);
    announced(&mut next);
    remains(bed.supervisor, &bed.state).unwrap();
    drop(next.stdin.take());
    next.wait().expect("the supervisor");
}

#[tokio::test]
async fn the_api_server_comes_back_with_what_it_knew() {
    if !Mode::usual().has_nodes() {
        return support::skipped("nodes");
    }
    let mut child = begin(Mode::Node);
    let bed = announced(&mut child);
    let servers = || processes_of(&bed.state).into_iter().filter(|line| line.contains("/kube-apiserver ")).count();
    let kubectl = |words: &[&str]| {
        let output = Command::new(bed.tools.join("kubectl")).env("KUBECONFIG", &bed.kubeconfig).args(words).output().expect("kubectl");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    kubectl(&["create", "configmap", "kept"]);
    assert_eq!(servers(), 1);
    support::api_server::restart(&bed).await;
    assert_eq!((servers(), &*kubectl(&["get", "configmap", "kept", "--output=name"])), (1, "configmap/kept\n"));
    drop(child.stdin.take());
    assert!(child.wait().expect("the supervisor").success());
    remains(bed.supervisor, &bed.state).unwrap();
}
