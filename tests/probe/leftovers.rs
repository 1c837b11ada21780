//! What a probe leaves behind: nothing where the registry lets it remove its own, and what it names where it does not.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::probed::Probed;
use crate::support::{
    self,
    registry::{Registry, Version},
};

/// All files below a folder, as paths below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path.strip_prefix(folder).expect("below").to_owned()) }
        }
    }
    found.sort();
    found
}

/// What repositories hold: links, sessions, manifests.
pub fn of_repositories(registry: &Registry) -> Vec<PathBuf> {
    let is_of_repository = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "repositories");
    files(&registry.storage()).into_iter().filter(is_of_repository).collect()
}

/// The registry's own collection of garbage.
fn collect_garbage(registry: &Registry, version: Version) {
    let bed = support::on_loopback();
    let program = bed.tool(version.program()).display().to_string();
    let configuration = registry.storage().with_file_name("config.yml").display().to_string();
    bed.run_on_host(&[&program, "garbage-collect", &configuration]).expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_behind_where_blobs_may_be_removed() {
    let bed = support::on_loopback();
    for version in Version::ALL {
        let registry = bed.registry(version).start().await;
        let before = files(&registry.storage());
        let probed = Probed::of_registry(bed, registry.socket(), &[]).await;
        assert_eq!((probed.code, &probed.json["leftBehind"]), (Some(0), &json!([])), "{}", probed.lines().join("\n"));
        assert_eq!(probed.json["removed"]["blobs"], 10);
        assert_eq!(of_repositories(&registry), Vec::<PathBuf>::new(), "{version:?}: no link, no session, no manifest");
        collect_garbage(&registry, version);
        assert_eq!(files(&registry.storage()), before, "{version:?}: and no bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_removed_is_named_thing_by_thing() {
    let bed = support::on_loopback();
    let registry = bed.registry(Version::V3).setting("/storage/delete", json!({"enabled": false})).start().await;
    let probed = Probed::of_registry(bed, registry.socket(), &["--size", "2Mi"]).await;
    assert_eq!(probed.code, Some(0), "what stays is no failure of the way");
    let left = probed.json["leftBehind"].as_array().expect("a list");
    assert_eq!((left.len(), &probed.json["removed"]["blobs"]), (10, &json!(0)));
    let stored = files(&registry.storage());
    for one in left {
        let digest = one["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("a digest");
        let data = stored.iter().find(|file| file.ends_with(Path::new(digest).join("data"))).expect("the blob that is named");
        let length = std::fs::metadata(registry.storage().join(data)).expect("a file").len();
        assert_eq!((&one["bytes"], &one["kind"]), (&json!(length), &json!("blob")));
        assert_eq!((&one["repository"], &one["message"]), (&json!("charts/chart-publisher-probe"), &json!("405 UNSUPPORTED")));
        assert!(one["cure"].as_str().is_some_and(|cure| cure.contains("garbage-collect")), "{one}");
    }
    let data = stored.iter().filter(|file| file.ends_with("data") && file.starts_with("docker/registry/v2/blobs")).count();
    assert_eq!(data, 10, "all that is there is named");
    collect_garbage(&registry, Version::V3);
    assert!(files(&registry.storage()).iter().all(|file| !file.ends_with("data")), "the cure cures");
}
