//! Removes what a supervisor that was killed could not: folders and network namespaces that carry the id of a dead process.
//! Its processes need no care, they die with it ([`crate::process`]).

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{say, tools::ip};

/// The suffixes of the network namespaces of a bed.
pub const NETWORKS: [&str; 3] = ["node", "node2", "pod"];

/// The folder that all beds of this user lie in.
pub fn directory(tools: &Path) -> PathBuf {
    tools.parent().unwrap_or(tools).join("beds")
}

/// The name of the bed of a supervisor; its network namespaces begin with it.
pub fn name(supervisor: u32) -> String {
    format!("chartpub-{supervisor}")
}

/// The folder with what programs in a network namespace see as `/etc/hosts` and `/etc/resolv.conf`.
pub fn names(namespace: &str) -> PathBuf {
    Path::new("/etc/netns").join(namespace)
}

/// Held while leftovers are removed and a bed is begun: between its folder and its lock a bed looks dead.
pub fn exclusive(tools: &Path) -> io::Result<File> {
    fs::create_dir_all(directory(tools))?;
    let lock = File::create(directory(tools).join("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Removes every bed whose supervisor is dead.
pub fn remove(tools: &Path) {
    let Ok(beds) = fs::read_dir(directory(tools)) else { return };
    for bed in beds.flatten() {
        let Some(supervisor) = bed.file_name().to_string_lossy().strip_prefix("chartpub-").and_then(|id| id.parse().ok()) else { continue };
        let dead = File::open(bed.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        if dead {
            say(&format!("removing what a killed bed left: {}", bed.path().display()));
            remove_networks(tools, supervisor);
            let _ = fs::remove_dir_all(bed.path());
        }
    }
}

/// Removes the network namespaces of one bed, with the processes that are still in them: nobody else enters them.
pub fn remove_networks(tools: &Path, supervisor: u32) {
    for suffix in NETWORKS {
        let _ = fs::remove_dir_all(names(&format!("{}-{suffix}", name(supervisor))));
    }
    // Tests make more of them, whose names begin alike.
    let begin = format!("{}-", name(supervisor));
    let all = fs::read_dir("/run/netns").into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    for namespace in all.filter(|namespace| namespace.starts_with(&begin)) {
        for process in ip(tools, &format!("netns pids {namespace}")).unwrap_or_default().split_whitespace() {
            let id = process.parse().ok().filter(|id| *id != std::process::id().cast_signed());
            if let Some(id) = id.and_then(Pid::from_raw) {
                let _ = kill_process(id, Signal::KILL);
            }
        }
        if let Err(problem) = ip(tools, &format!("netns del {namespace}")) {
            say(&format!("the network namespace {namespace} is left: {problem}"));
        }
    }
}
