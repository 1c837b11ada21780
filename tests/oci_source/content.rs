//! What arrives, and what it costs.

use std::{collections::BTreeMap, fs, path::Path};

use chart_publisher::model::Digest;
use serde_json::json;

use super::{
    scene::{ANYWHERE, Scene, crane, lines, logged, ours},
    support::{Bed, registry::Version},
};

const CHARTS: [&str; 3] = ["small:1.2.2", "small:1.2.3_4", "signed:4.0.0"];
/// A list for each repository, and once whether it has lists of what refers to a manifest; of each version manifest and archive; and a
/// signature. The configs are what helm makes of the archives.
const ASKED: [&str; 11] = [
    "GET /v2/upstream/small/tags/list 200",
    "GET /v2/upstream/signed/tags/list 200",
    "GET /v2/upstream/small/manifests/1.2.2 200",
    "GET /v2/upstream/small/referrers/DIGEST 404",
    "GET /v2/upstream/small/blobs/DIGEST 200",
    "GET /v2/upstream/small/manifests/1.2.3_4 200",
    "GET /v2/upstream/small/blobs/DIGEST 200",
    "GET /v2/upstream/signed/manifests/4.0.0 200",
    "GET /v2/upstream/signed/referrers/DIGEST 404",
    "GET /v2/upstream/signed/blobs/DIGEST 200",
    "GET /v2/upstream/signed/blobs/DIGEST 200",
];

#[tokio::test]
async fn a_copy_has_the_digests_of_its_source_and_every_tool_pulls_the_same_from_both() {
    for (from, to) in [(Version::V2, Version::V3), (Version::V3, Version::V2)] {
        let scene = Scene::create(from, to).await;
        let bed = scene.bed();
        let signed = bed.signed_package("signed", "4.0.0");
        scene.push(&[&bed.chart("small-1.2.2"), &bed.chart("small-1.2.3+4"), &signed]);
        let _controller = scene.namespace.controller(&ANYWHERE).await;
        let spec = scene.spec(&json!([{"name": "small", "latest": 0}, {"name": "signed", "versions": "4.0.0"}]));
        scene.namespace.publish("copied", &spec).await;
        let status = scene.namespace.becomes_ready("copied").await.status.expect("a status");
        assert_eq!(status.published.as_deref(), Some("3/3"));
        let source = status.source.expect("what the source offers");
        assert_eq!((source.charts, source.versions), (2, 3));
        logged("the source", &ASKED, || scene.asked()).await;
        for chart in CHARTS {
            let [before, after] = scene.digests(chart);
            assert_eq!(before, after, "{from:?} to {to:?}: {chart}");
            let places = [format!("{}/upstream", scene.from.socket()), format!("{}/charts", scene.to.socket())];
            let [before, after] = places.map(|place| pulled(bed, &place, chart));
            assert_eq!(before, after, "{from:?} to {to:?}: {chart}");
            assert!(before.len() > 5, "{before:?}");
        }
        let known: Vec<_> = status.targets[0].versions.iter().map(|version| (version.version.as_str(), version.digest.clone())).collect();
        assert!(known.contains(&("1.2.3+4", scene.digests("small:1.2.3_4")[1].clone())), "{known:?}");
        unchanged_costs_one_list_for_each_repository(&scene).await;
    }
}

/// A second run has nothing to do, and finds that out.
async fn unchanged_costs_one_list_for_each_repository(scene: &Scene) {
    let (source, target) = (ours(scene.from.requests()).len(), ours(scene.to.requests()).len());
    scene.namespace.run_again("copied").await;
    for (who, path, registry, before) in [("the source", "upstream", &scene.from, source), ("the target", "charts", &scene.to, target)] {
        let lists = ["signed", "small"].map(|chart| format!("GET /v2/{path}/{chart}/tags/list 200"));
        logged(who, &lists.each_ref().map(String::as_str), || lines(ours(registry.requests()).split_off(before))).await;
    }
}

/// The digests of all that helm, crane and oras get of a chart.
fn pulled(bed: &Bed, place: &str, chart: &str) -> BTreeMap<String, Digest> {
    let (name, tag) = chart.split_once(':').expect("a tag");
    let (folder, reference) = (bed.folder("pulled"), format!("{place}/{chart}"));
    let within = |part: &str| folder.join(part).display().to_string();
    let version = tag.replace('_', "+");
    let mut helm = vec!["helm", "pull", "--plain-http", "--version", &version];
    helm.extend((name == "signed").then_some("--prov"));
    let (address, helm_folder) = (format!("oci://{place}/{name}"), within("helm"));
    fs::create_dir(&helm_folder).expect("a folder in the bed's");
    helm.extend([address.as_str(), "--destination", &helm_folder]);
    bed.run_in_pod(&helm).expect_success();
    crane(bed, &["pull", "--format=oci", &reference, &within("crane")]);
    let layout = format!("{}:pulled", within("oras"));
    bed.run_in_pod(&["oras", "copy", "--no-tty", "--from-plain-http", &reference, "--to-oci-layout", &layout]).expect_success();
    let mut found = BTreeMap::new();
    for part in ["helm", "crane/blobs/sha256", "oras/blobs/sha256"] {
        add(&folder.join(part), part, &mut found);
    }
    fs::remove_dir_all(folder).expect("the reader's own folder");
    found
}

fn add(folder: &Path, part: &str, found: &mut BTreeMap<String, Digest>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|problem| panic!("{}: {problem}", folder.display())) {
        let file = entry.expect("an entry").path();
        let content = fs::read(&file).expect("a file");
        let name = file.file_name().expect("a name").display().to_string();
        found.insert(format!("{part}/{name}"), Digest::of(&content));
    }
}
