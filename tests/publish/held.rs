//! What a registry holds under a tag is proven before it is called published: each blob that a client needs, and the digest that the
//! registry gives the manifest.

use std::fs;

use base64::{Engine, prelude::BASE64_STANDARD};
use chart_publisher::model::Digest;
use serde_json::{Value, json};

use super::{
    printed::{Printed, publication, publish},
    support::{
        self, Bed,
        publication::url_target,
        registry::{Registry, Version},
        scripted::Reply,
    },
};

/// A chart in the file, for the registry at this socket.
fn inline(bed: &Bed, socket: std::net::SocketAddr) -> String {
    let archive = BASE64_STANDARD.encode(fs::read(bed.chart("small-1.2.2")).expect("a chart of the bed"));
    publication("held", &json!({"source": {"inline": archive}, "targets": [url_target(socket, "charts")]})).to_string()
}

fn manifest(bed: &Bed, registry: &Registry) -> String {
    bed.run_in_pod(&["crane", "--insecure", "manifest", &format!("{}/charts/small:1.2.2", registry.socket())]).expect_success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_was_lost_is_sent_again() {
    let bed = support::shared();
    for version in [Version::V2, Version::V3] {
        let registry = bed.registry(version).start().await;
        let documents = inline(bed, registry.socket());
        assert_eq!(Printed::of(&publish(bed, &documents, &["-o", "json"])).counts(), [1, 0, 0]);
        let manifest: Value = serde_json::from_str(&manifest(bed, &registry)).expect("JSON");
        let digest = manifest["config"]["digest"].as_str().expect("a digest");
        fs::remove_file(registry.file_of(digest)).expect("the config");
        let pull = || {
            let (reference, folder) = (format!("oci://{}/charts/small", registry.socket()), bed.folder("held").display().to_string());
            bed.run_in_pod(&["helm", "pull", &reference, "--version", "1.2.2", "--plain-http", "--destination", &folder])
        };
        assert!(!pull().success, "helm does without the config");
        let ran = publish(bed, &documents, &["-o", "json"]);
        assert_eq!((ran.code, Printed::of(&ran).counts()), (Some(0), [1, 0, 0]), "{ran:?}");
        pull().expect_success();
        assert_eq!(Printed::of(&publish(bed, &documents, &["-o", "json"])).counts(), [0, 1, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_calls_the_manifest_by_another_digest_is_not_believed() {
    let bed = support::shared();
    let registry = bed.registry(Version::V3).start().await;
    publish(bed, &inline(bed, registry.socket()), &["-o", "json"]).expect_success();
    let text = manifest(bed, &registry);
    let parsed: Value = serde_json::from_str(&text).expect("JSON");
    let server = bed.scripted(5000);
    server.says("/v2/charts/small/tags/list", Reply::ok(json!({"name": "charts/small", "tags": ["1.2.2"]}).to_string()));
    for descriptor in [&parsed["config"], &parsed["layers"][0]] {
        let path = format!("blobs/{}", descriptor["digest"].as_str().expect("a digest"));
        let url = format!("http://{}/v2/charts/small/{path}", registry.socket());
        let file = bed.folder("held").join("blob").display().to_string();
        bed.run_in_pod(&["curl", "--silent", "--fail", "--output", &file, &url]).expect_success();
        server.says(&format!("/v2/charts/small/{path}"), Reply::ok(fs::read(&file).expect("a blob")));
    }
    let (right, other) = (Digest::of(text.as_bytes()).to_string(), Digest::of(b"other").to_string());
    for (named, code, reason) in [(&right, Some(0), None), (&other, Some(1), Some("RegistryInconsistent"))] {
        let reply =
            Reply::ok(text.clone()).field("docker-content-digest", named).field("content-type", chart_publisher::model::MANIFEST_TYPE);
        server.says("/v2/charts/small/manifests/1.2.2", reply);
        let ran = publish(bed, &inline(bed, server.socket()), &["-o", "json"]);
        let printed = Printed::of(&ran);
        let failure = printed.publications[0].targets[0].charts.first().and_then(|chart| chart.failure.as_ref());
        assert_eq!((ran.code, failure.map(|failure| failure.reason.as_str())), (code, reason), "{ran:?}");
        assert!(failure.is_none_or(|failure| failure.message.contains(&other)), "{failure:?}");
    }
}
