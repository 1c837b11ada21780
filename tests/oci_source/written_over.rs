//! Tags that hold something else: at the target before anything was published, and at the source after it was.

use serde_json::json;

use super::{
    scene::{ANYWHERE, Scene, crane, logged, push},
    support::{
        namespace::Namespace,
        publication::{condition, ready},
        registry::Version,
    },
};
use chart_publisher::api::ChartInventory;
use kube::api::PostParams;

#[tokio::test]
async fn what_the_target_has_already_is_read_there_and_only_the_manifest_at_the_source() {
    let scene = Scene::create(Version::V3, Version::V3).await;
    let bed = scene.bed();
    scene.push(&[&bed.chart("small-1.2.2")]);
    let (from, to) = (format!("{}/upstream/small", scene.from.socket()), format!("{}/charts/small", scene.to.socket()));
    crane(bed, &["copy", &format!("{from}:1.2.2"), &format!("{to}:1.2.2")]);
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    scene.namespace.publish("found", &scene.spec(&json!([{"name": "small"}]))).await;
    scene.namespace.becomes_ready("found").await;
    let expected = [
        "GET /v2/upstream/small/tags/list 200",
        "GET /v2/upstream/small/manifests/1.2.2 200",
        "GET /v2/upstream/small/referrers/DIGEST 404",
    ];
    logged("the source", &expected, || scene.asked()).await;
    assert!(scene.to.requests().iter().all(|request| !(request.user_agent.starts_with("chart-publisher/") && request.method == "PUT")));
}

#[tokio::test]
async fn the_same_archive_under_another_manifest_is_no_copy() {
    let scene = Scene::create(Version::V3, Version::V3).await;
    let bed = scene.bed();
    scene.push(&[&bed.chart("small-1.2.2")]);
    // Each push by oras has a manifest of its own.
    let archive = bed.chart("small-1.2.2").display().to_string();
    let to = format!("{}/charts/small:1.2.2", scene.to.socket());
    let layer = format!("{archive}:application/vnd.cncf.helm.chart.content.v1.tar+gzip");
    bed.run_in_pod(&["oras", "push", "--no-tty", "--plain-http", "--disable-path-validation", &to, &layer]).expect_success();
    let [wanted, before] = scene.digests("small:1.2.2");
    assert_ne!(wanted, before);
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    scene.namespace.publish("other", &scene.spec(&json!([{"name": "small"}]))).await;
    let status = scene.namespace.becomes("other", "it is left", |status| ready(status) == "False Drifted").await.status;
    let message = condition(&status.expect("a status"), "Ready").expect("a condition").message.clone();
    assert!(message.contains(&format!("holds the manifest {before}, which is not the source's {wanted}")), "{message}");
    assert_eq!(scene.digests("small:1.2.2")[1], before);
    scene.delete("small:1.2.2");
    scene.namespace.run_again("other").await;
    scene.namespace.becomes_ready("other").await;
    assert_eq!(scene.digests("small:1.2.2"), [wanted.clone(), wanted]);
}

#[tokio::test]
async fn a_tag_that_moves_at_the_source_is_seen_by_the_next_proof_and_what_is_published_stays() {
    let scene = Scene::create(Version::V3, Version::V3).await;
    let bed = scene.bed();
    let packages = [0, 1].map(|_| bed.packages("web", &["1.0.0"]).remove(0));
    scene.push(&[&packages[0]]);
    let mut spec = scene.spec(&json!([{"name": "web"}]));
    spec["proof"] = json!({"interval": "1h"});
    let controller = scene.namespace.controller(&ANYWHERE).await;
    scene.namespace.publish("moved", &spec).await;
    scene.namespace.becomes_ready("moved").await;
    let [_, before] = scene.digests("web:1.0.0");

    let again = bed.signed_package("web", "1.0.0");
    push(bed, &again, &format!("oci://{}/upstream", scene.from.socket()));
    let [now, published] = scene.digests("web:1.0.0");
    assert!(now != before && published == before, "the tag moved at the source alone");
    scene.namespace.run_again("moved").await;
    assert_eq!(ready(&scene.namespace.status("moved").await), "True Succeeded", "a list of tags says nothing of what they hold");

    controller.stop();
    age(&scene.namespace, "moved").await;
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    let status = scene.namespace.becomes("moved", "it is seen", |status| ready(status) == "False SourceMutated").await.status;
    let message = condition(&status.expect("a status"), "Ready").expect("a condition").message.clone();
    assert!(message.contains(&now) && message.contains(&before) && message.contains("delete the tag `charts/web:1.0.0`"), "{message}");
    scene.namespace.run_again("moved").await;
    assert_eq!(ready(&scene.namespace.status("moved").await), "False SourceMutated", "it is said until it is mended");
    assert_eq!(scene.digests("web:1.0.0")[1], before);

    scene.delete("web:1.0.0");
    scene.namespace.run_again("moved").await;
    scene.namespace.becomes_ready("moved").await;
    assert_eq!(scene.digests("web:1.0.0"), [now.clone(), now]);
}

/// Makes all proofs of a publication a few days older. The controller must not run: it remembers.
async fn age(namespace: &Namespace, name: &str) {
    let mut inventory = namespace.inventory(name).await.expect("an inventory");
    for entry in &mut inventory.spec.entries {
        entry.proved = serde_json::from_value(json!("2026-01-02T03:04:05Z")).expect("a time");
    }
    namespace.api::<ChartInventory>().replace(name, &PostParams::default(), &inventory).await.expect("the inventory");
}
