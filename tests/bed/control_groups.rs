//! The control groups of a bed's containers: `/NAME` in each hierarchy of version 1, or in the one of version 2.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::say;

/// The group that all containers of the bed `name` are in, as kubelet and runc name it.
pub fn root(name: &str) -> String {
    format!("/{name}")
}

/// Makes the group in each hierarchy; kubelet wants it to be there.
pub fn create(name: &str) -> std::io::Result<()> {
    for hierarchy in hierarchies() {
        let folder = hierarchy.join(name);
        fs::create_dir_all(&folder)?;
        // A group of version 1 begins with no processors and no memory to run on.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if hierarchy.join("cgroup.clone_children").exists() && hierarchy.join(file).exists() {
                fs::write(folder.join(file), fs::read(hierarchy.join(file))?)?;
            }
        }
    }
    Ok(())
}

/// Removes the groups of a bed whose processes are gone; whether none is left.
pub fn remove(name: &str) -> bool {
    let mut all_gone = true;
    for folder in hierarchies().into_iter().map(|hierarchy| hierarchy.join(name)).filter(|folder| folder.is_dir()) {
        if let Err(problem) = remove_tree(&folder) {
            say(&format!("the control group {} is left: {problem}", folder.display()));
            all_gone = false;
        }
    }
    all_gone
}

/// The one of version 2, or all of version 1 and, beside them, one of version 2.
fn hierarchies() -> Vec<PathBuf> {
    let mounted = Path::new("/sys/fs/cgroup");
    if mounted.join("cgroup.procs").exists() {
        return vec![mounted.to_owned()];
    }
    let entries = fs::read_dir(mounted).into_iter().flatten().flatten();
    // `cpu` and `cpuacct` may be links to one folder for both.
    entries.map(|entry| entry.path()).filter(|folder| !folder.is_symlink() && folder.join("cgroup.procs").exists()).collect()
}

/// A group holds files that cannot be removed, and goes when no group is left in it.
fn remove_tree(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}
