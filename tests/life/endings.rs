//! How a controller ends in the middle of its work, what the next one finds, and what is left when a publication is deleted.

use std::time::Duration;

use chart_publisher::{api::ChartPublication, model::Digest};
use kube::{ResourceExt, api::DeleteParams};
use serde_json::json;

use super::{
    scene,
    scene::has_manifest,
    support::{
        self,
        eventually::{SOON, eventually},
        publication::{spec, url_target},
    },
};

#[tokio::test]
async fn a_stop_in_the_middle_of_a_transfer_is_quick_and_the_next_controller_goes_on() {
    let scene = scene(&["large-3.0.0"]).await;
    let (namespace, registry) = (&scene.namespace, &scene.registry);
    // 6 MB at 200 KB/s: half a minute, which no stop may wait for.
    let path = namespace.bed.slow_path(registry.socket(), 200_000);
    let controller = scene.controller().await;
    let target = url_target(path.socket(), "charts");
    namespace.publish("slow", &spec(&scene.charts.url(), &json!([{"name": "large"}]), &json!([target]))).await;
    eventually(SOON, "the transfer is under way", async || {
        let passed = path.passed();
        if passed > 300_000 { Ok(()) } else { Err(format!("{passed} bytes")) }
    })
    .await;
    let (status, took, log) = controller.stop();
    assert!(status.is_some_and(|status| status.success()), "{status:?}: {log}");
    assert!(took < Duration::from_secs(10), "{took:?}: {log}");
    assert!(path.passed() < 6_000_000, "it was in the middle");
    assert!(!has_manifest(namespace.bed, registry.socket(), "charts/large", "3.0.0").await, "nothing is published by half");

    path.set_rate(1 << 30);
    let _next = scene.controller().await;
    namespace.becomes_ready("slow").await;
    assert!(scene.registry_has("charts/large", "3.0.0").await);
}

#[tokio::test]
async fn the_inventory_is_what_the_registry_has_and_goes_with_its_publication() {
    let scene = scene(&["small-1.2.2", "small-1.2.3+4", "umbrella-2.0.0"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    let charts = json!([{"name": "small", "latest": 0}, {"name": "umbrella"}]);
    let publication = namespace.publish("kept", &spec(&scene.charts.url(), &charts, &json!([scene.target()]))).await;
    namespace.becomes_ready("kept").await;
    let inventory = namespace.inventory("kept").await.expect("an inventory");
    let owner = inventory.owner_references().first().expect("an owner").clone();
    assert_eq!((owner.kind.as_str(), owner.name.as_str(), Some(owner.uid)), ("ChartPublication", "kept", publication.uid()));
    assert_eq!(owner.controller, Some(true));

    let socket = scene.registry.socket();
    let place = |repository: &str, tag: &str| format!("{socket}/{repository}:{tag}");
    let expected = ["charts/small 1.2.2 small-1.2.2", "charts/small 1.2.3_4 small-1.2.3+4", "charts/umbrella 2.0.0 umbrella-2.0.0"];
    assert_eq!(inventory.spec.count, 3);
    for (entry, expected) in inventory.spec.entries.iter().zip(expected) {
        let mut words = expected.split(' ');
        assert_eq!((words.next(), words.next()), (Some(&*entry.repository), Some(&*entry.tag)));
        assert_eq!((entry.target.as_str(), entry.registry.as_str()), ("main", &*format!("oci://{socket}/charts")));
        let archive = std::fs::read(namespace.bed.chart(words.next().expect("an archive"))).expect("a chart of the bed");
        assert_eq!(entry.layer, Digest::of(&archive).to_string(), "{expected}");
        let digest = namespace.bed.run_in_pod(&["crane", "--insecure", "digest", &place(&entry.repository, &entry.tag)]).expect_success();
        assert_eq!(entry.manifest, digest.trim(), "{expected}");
    }

    namespace.run_again("kept").await;
    let again = namespace.inventory("kept").await.expect("an inventory");
    assert_eq!(again.resource_version(), inventory.resource_version(), "nothing has changed");

    namespace.api::<ChartPublication>().delete("kept", &DeleteParams::default()).await.expect("the publication");
    eventually(SOON, "the inventory goes", async || namespace.inventory("kept").await.map_or(Ok(()), |_| Err("it is there"))).await;
    // One that comes later says that the controller has long seen the deletion.
    namespace.publish("later", &scene.spec("small")).await;
    namespace.becomes_ready("later").await;
    assert!(namespace.inventory("kept").await.is_none(), "it does not come back");
    for (repository, tag) in [("charts/small", "1.2.2"), ("charts/small", "1.2.3_4"), ("charts/umbrella", "2.0.0")] {
        assert!(scene.registry_has(repository, tag).await, "what was published stays: {repository}:{tag}");
    }
    let deletes =
        scene.registry.requests().into_iter().filter(|request| request.method == "DELETE").collect::<Vec<support::access_log::Request>>();
    assert_eq!(deletes, []);
}
