//! Removes what a supervisor that was killed could not: folders, network namespaces and control groups that carry the id of a
//! dead process. Its processes need no care, they die with it ([`crate::process`]), and their mounts with them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{control_groups, process, say, tools::ip};

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

/// Removes every bed whose supervisor is dead; its folder last, so that what could not be removed yet is found again.
pub fn remove(tools: &Path) {
    let Ok(beds) = fs::read_dir(directory(tools)) else { return };
    for bed in beds.flatten() {
        let Some(supervisor) = bed.file_name().to_string_lossy().strip_prefix("chartpub-").and_then(|id| id.parse().ok()) else { continue };
        let dead = File::open(bed.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        if dead {
            say(&format!("removing what a killed bed left: {}", bed.path().display()));
            remove_networks(tools, supervisor);
            if control_groups::remove(&name(supervisor)) {
                let _ = fs::remove_dir_all(bed.path());
            }
        }
    }
}

/// Removes the network namespaces of one bed, with the processes that are still in them: nobody else enters them.
pub fn remove_networks(tools: &Path, supervisor: u32) {
    for namespace in networks(supervisor) {
        let _ = fs::remove_dir_all(names(&namespace));
        if !Path::new("/run/netns").join(&namespace).exists() {
            continue;
        }
        for id in ip(tools, &format!("netns pids {namespace}")).unwrap_or_default().split_whitespace() {
            if let Some(id) = id.parse().ok().filter(|id| *id != std::process::id()) {
                process::kill(id);
            }
        }
        if let Err(problem) = ip(tools, &format!("netns del {namespace}")) {
            say(&format!("the network namespace {namespace} is left: {problem}"));
        }
    }
}

/// The names of those that are there; tests make some of their own.
fn networks(supervisor: u32) -> BTreeSet<String> {
    let beginning = format!("{}-", name(supervisor));
    let entries = ["/run/netns", "/etc/netns"].into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let found = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    found.filter(|namespace| namespace.starts_with(&beginning)).collect()
}
