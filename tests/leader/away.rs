//! The API server cannot be reached for longer than the Lease lasts: bytes go on, tags wait.

use std::time::Duration;

use serde_json::json;

use super::{
    pair::Pair,
    scrape,
    support::{
        eventually::{SOON, eventually, throughout},
        publication::{ready, spec, url_target},
        registry::Version,
    },
};

const LEASE_SECONDS: u16 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_the_lease_cannot_be_renewed_blobs_go_on_and_the_tag_waits() {
    let pair = Pair::set_up(LEASE_SECONDS).await;
    let registry = pair.bed.registry(Version::V3).start().await;
    let charts = pair.bed.helm_repository(&["large-3.0.0"]).start().await;
    let path = pair.bed.slow_path(registry.socket(), 1_000_000);
    let api = pair.bed.slow_path(pair.api_server(), 1 << 30);
    let replica = pair.replica_through(0, api.socket()).start();
    pair.is_led_by(0, SOON).await;
    let target = json!([url_target(path.socket(), "charts")]);
    pair.namespace.publish("large", &spec(&charts.url(), &json!([{"name": "large"}]), &target)).await;
    eventually(SOON, "the transfer is under way", async || if path.passed() > 300_000 { Ok(()) } else { Err(path.passed()) }).await;
    // Twenty bytes a second: no request gets through.
    api.set_rate(0);
    let times = |method: &str, part: &str, status: u16| {
        let fits = |request: &super::support::access_log::Request| {
            request.method == method && request.path().contains(part) && request.status == status
        };
        registry.requests().iter().filter(|request| fits(request)).count()
    };
    eventually(SOON, "both blobs are there", async || {
        let taken = times("PUT", "/blobs/uploads/", 201);
        if taken == 2 { Ok(()) } else { Err(taken) }
    })
    .await;
    let span = Duration::from_secs(u64::from(LEASE_SECONDS) * 2);
    throughout(span, "the tag waits", async || if times("PUT", "/manifests/", 201) == 0 { Ok(()) } else { Err(replica.log()) }).await;
    assert!(!replica.log().contains("the Lease was lost"), "{}", replica.log());
    assert!(scrape(&replica).await.contains("\nchart_publisher_leader 0\n"), "nobody knows whether it leads");
    api.set_rate(1 << 30);
    pair.namespace.becomes_within(SOON * 2, "large", "it is Ready", |status| ready(status) == "True Succeeded").await;
    assert!(scrape(&replica).await.contains("\nchart_publisher_leader 1\n"), "it leads again");
    assert_eq!((times("PUT", "/manifests/", 201), times("PUT", "/blobs/uploads/", 201)), (1, 2), "once: {}", replica.log());
}
