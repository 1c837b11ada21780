//! Two publications that want one tag: the first has it, and the second says what stands there.

use std::{fs, path::PathBuf};

use serde_json::json;

use super::{
    ANYWHERE,
    support::{
        self, Bed,
        publication::{ready, spec, url_target},
        registry::{Registry, Version},
    },
};

/// Manifests that were written.
fn written(registry: &Registry) -> usize {
    registry.requests().iter().filter(|request| request.method == "PUT" && request.path().contains("/manifests/")).count()
}

/// The same chart, packaged at two times: helm writes the second at which it does so into the archive.
fn packaged_twice(bed: &Bed) -> (PathBuf, PathBuf) {
    let package = || bed.packages("twice", &["1.0.1"]).remove(0);
    let bytes = |archive: &PathBuf| fs::read(archive).expect("an archive");
    let first = package();
    loop {
        let second = package();
        if bytes(&first) != bytes(&second) {
            return (first, second);
        }
    }
}

#[tokio::test]
async fn two_that_write_one_tag_at_once_do_not_both_say_that_they_have_it() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let registry = bed.registry(Version::V3).start().await;
    // Charts of the same name and version with other bytes, and the lists of tags are read long before anything is written.
    let path = bed.slow_path(registry.socket(), 2_000);
    let (first, second) = packaged_twice(bed);
    let first = bed.helm_repository(&[]).archive(first).start().await;
    let second = bed.helm_repository(&[]).archive(second).start().await;
    let target = json!([url_target(path.socket(), "charts")]);
    let charts = json!([{"name": "twice"}]);
    let _controller = namespace.controller(&ANYWHERE).await;
    let specs = [&first, &second].map(|source| spec(&source.url(), &charts, &target));
    tokio::join!(namespace.publish("first", &specs[0]), namespace.publish("second", &specs[1]));
    let has_ended = |status: &_| ["True Succeeded", "False Drifted"].contains(&ready(status).as_str());
    let mut said = Vec::new();
    for name in ["first", "second"] {
        let publication = namespace.becomes(name, "it has ended", has_ended).await;
        said.push(ready(&publication.status.expect("a status")));
    }
    said.sort();
    assert_eq!(said, ["False Drifted", "True Succeeded"]);
    assert_eq!(written(&registry), 1, "{:?}", registry.requests());
}
