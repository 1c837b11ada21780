//! Two replicas: one works, the other stands by, and takes over when the first one is gone, is stopped, or has given the Lease back.
#![cfg(test)]

#[path = "leader/away.rs"]
mod away;
#[path = "leader/pair.rs"]
mod pair;
#[path = "leader/stops.rs"]
mod stops;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "leader/tally.rs"]
mod tally;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use pair::Pair;
use rustix::process::Signal;
use serde_json::json;
use support::{
    controller::Controller,
    eventually::{SOON, eventually, throughout},
    http,
    publication::{spec, url_target},
    registry::{Registry, Version},
    say,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_the_leader_dies_the_other_one_takes_over_within_twenty_seconds() {
    let pair = Pair::set_up(15).await;
    let registry = pair.bed.registry(Version::V3).start().await;
    let charts = pair.bed.helm_repository(&["small-1.2.2"]).start().await;
    let (mut first, mut second) = pair.started().await;
    let target = |path: &str| json!([url_target(registry.socket(), path)]);
    pair.namespace.publish("small", &spec(&charts.url(), &json!([{"name": "small"}]), &target("before"))).await;
    pair.namespace.becomes_ready("small").await;
    let (works, stands_by) = (scrape(&first).await, scrape(&second).await);
    assert!(works.contains("\nchart_publisher_leader 1\n") && stands_by.contains("\nchart_publisher_leader 0\n"), "{works}{stands_by}");
    assert!(!stands_by.contains("chart_publisher_publications{"), "{stands_by}");
    // It counts what its own watch has brought back.
    let ready = "chart_publisher_publications{condition=\"Ready\",reason=\"Succeeded\"} 1";
    eventually(SOON, "it counts", async || Some(scrape(&first).await).filter(|told| told.contains(ready)).ok_or("it does not")).await;
    let begin = Instant::now();
    first.kill();
    pair.namespace.change("small", &json!({"targets": target("after")})).await;
    pair.is_led_by(1, Duration::from_secs(25)).await;
    let led = begin.elapsed();
    pair.namespace.becomes_ready("small").await;
    say(&format!("killed: the other one led after {led:.1?}, and had published after {:.1?}", begin.elapsed()));
    assert!(led < Duration::from_secs(20), "{led:?}");
    second.still_runs().expect("the second replica");
    assert!(!second.log().contains("ERROR"), "{}", second.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_sigterm_the_leader_leaves_its_uploads_and_the_other_one_takes_over_within_three_seconds() {
    let pair = Pair::set_up(15).await;
    let registry = pair.bed.registry(Version::V3).start().await;
    let charts = pair.bed.helm_repository(&["large-3.0.0"]).start().await;
    // 6 MB at 200 KB/s: half a minute, which no stop may wait for.
    let path = pair.bed.slow_path(registry.socket(), 200_000);
    let (mut first, _second) = pair.started().await;
    let target = json!([url_target(path.socket(), "charts")]);
    pair.namespace.publish("large", &spec(&charts.url(), &json!([{"name": "large"}]), &target)).await;
    eventually(SOON, "the transfer is under way", async || if path.passed() > 300_000 { Ok(()) } else { Err(path.passed()) }).await;
    let begin = Instant::now();
    first.signal(Signal::TERM);
    pair.is_led_by(1, SOON).await;
    let led = begin.elapsed();
    say(&format!("SIGTERM: the other one led after {led:.1?}"));
    assert!(led < Duration::from_secs(3), "{led:?}: {}", first.log());
    let status = first.ended(SOON).expect("it ends");
    assert!(status.success(), "{status}: {}", first.log());
    let left = registry.requests().into_iter().filter(|request| request.method == "DELETE" && request.status == 204).count();
    assert_eq!(left, 1, "the session that was under way: {}", first.log());
    path.set_rate(1 << 30);
    pair.namespace.becomes_ready("large").await;
    assert_eq!(sessions(&registry.storage()), Vec::<String>::new(), "no upload is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_of_the_spec_ends_an_upload_in_the_middle_and_so_does_a_deletion() {
    let pair = Pair::set_up(15).await;
    let registry = pair.bed.registry(Version::V3).start().await;
    let charts = pair.bed.helm_repository(&["large-3.0.0"]).start().await;
    let path = pair.bed.slow_path(registry.socket(), 200_000);
    let replica = pair.replica(0).start();
    pair.is_led_by(0, SOON).await;
    let publish = async |place: &str| {
        let before = path.passed();
        let target = json!([url_target(path.socket(), place)]);
        pair.namespace.publish("large", &spec(&charts.url(), &json!([{"name": "large"}]), &target)).await;
        let more = || path.passed() - before;
        eventually(SOON, "the transfer is under way", async || if more() > 300_000 { Ok(()) } else { Err(more()) }).await;
    };
    let left = || {
        registry
            .requests()
            .into_iter()
            .filter(|request| request.method == "DELETE")
            .map(|request| request.path().to_owned())
            .collect::<BTreeSet<_>>()
            .len()
    };
    publish("first").await;
    publish("second").await;
    eventually(SOON, "the first upload is left", async || if left() == 1 { Ok(()) } else { Err(requests(&registry)) }).await;
    pair.namespace.delete("large").await;
    eventually(SOON, "the second upload is left", async || if left() == 2 { Ok(()) } else { Err(requests(&registry)) }).await;
    eventually(SOON, "no upload is left", async || {
        let left = sessions(&registry.storage());
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}\n{}", requests(&registry))) }
    })
    .await;
    let wrote = registry.requests().into_iter().filter(|request| request.path().contains("/manifests/") && request.method == "PUT").count();
    assert_eq!(wrote, 0, "nothing was published: {}", replica.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_may_not_use_the_lease_says_what_to_grant_and_does_nothing() {
    let pair = Pair::set_up(15).await;
    let registry = pair.bed.registry(Version::V3).start().await;
    let charts = pair.bed.helm_repository(&["small-1.2.2"]).start().await;
    let target = json!([url_target(registry.socket(), "charts")]);
    pair.namespace.publish("small", &spec(&charts.url(), &json!([{"name": "small"}]), &target)).await;
    let replica = pair.replica_with_lease(0, "of-somebody-else").start();
    let cure = "grant get, create and update for leases of coordination.k8s.io";
    eventually(SOON, "it says so", async || if replica.log().contains(cure) { Ok(()) } else { Err(replica.log()) }).await;
    let unready = http::get(None, replica.health(), &replica.health().to_string(), "/readyz").await.expect("an answer");
    assert_eq!((unready.status.as_u16(), &unready.body[..]), (503, &b"not everything is read yet: missing are Lease\n"[..]));
    throughout(Duration::from_secs(3), "it says so once, and asks no registry", async || {
        let asked = registry.requests().iter().filter(|request| request.path().ends_with("/tags/list")).count();
        let said = replica.log().matches(cure).count();
        if (said, asked) == (1, 0) { Ok(()) } else { Err(format!("said {said} times, {asked} requests")) }
    })
    .await;
    assert!(replica.stop().0.is_some_and(|status| status.success()));
}

/// What a replica tells Prometheus.
async fn scrape(replica: &Controller) -> String {
    let health = replica.health();
    let answer = http::get(None, health, &health.to_string(), "/metrics").await.expect("an answer");
    String::from_utf8(answer.body.to_vec()).expect("text")
}

fn requests(registry: &Registry) -> String {
    registry.requests().iter().map(|request| format!("{}\n", request.line())).collect::<Vec<_>>().concat()
}

/// The upload sessions that a registry keeps in its storage.
fn sessions(storage: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![storage.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
            if entry.path().parent().is_some_and(|parent| parent.ends_with("_uploads")) {
                // Without this file the session is over, whatever lies there.
                found.extend(entry.path().join("startedat").exists().then(|| entry.path().display().to_string()));
            } else {
                folders.push(entry.path());
            }
        }
    }
    found
}
