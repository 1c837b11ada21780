//! What the status says while a publication runs, when it fails, and when nothing happens.

use std::time::{Duration, Instant};

use chart_publisher::api::ChartPublicationStatus;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::{
    ANYWHERE, charts, scene,
    support::publication::{condition, ready, spec, url_target},
    witness::Sight,
};

/// What holds of every state that anybody ever sees.
fn check(sights: &[Sight]) {
    assert!(!sights.is_empty());
    let mut observed = -1;
    for (index, Sight { status, name, .. }) in sights.iter().enumerate() {
        let seen = status.observed_generation.expect("it is always there");
        assert!(seen >= observed, "{name}: the observed generation never goes back");
        observed = seen;
        if seen == -1 {
            assert!(status.conditions.is_empty(), "{name}: nobody has looked at it, and something is said of it: {status:?}");
            continue;
        }
        assert!(condition(status, "Ready").is_some(), "{name}: state {index} has no `Ready`: {status:?}");
        for of in &status.conditions {
            assert!(["Ready", "Reconciling", "Stalled"].contains(&of.type_.as_str()), "{name}: {of:?}");
            assert!(of.type_ == "Ready" || of.status == "True", "{name}: it is there only while it is True: {of:?}");
            assert!(of.observed_generation.is_some_and(|generation| generation <= seen), "{name}: {of:?}");
            assert!(!of.reason.is_empty() && !of.message.is_empty(), "{name}: {of:?}");
        }
        let before = index.checked_sub(1).and_then(|before| sights.get(before));
        for of in &status.conditions {
            let old = before.and_then(|before| condition(&before.status, &of.type_));
            let goes_back = old.is_some_and(|old| old.last_transition_time.0 > of.last_transition_time.0);
            assert!(!goes_back, "{name}: the time of {of:?} went back from {old:?}");
        }
        let both = condition(status, "Reconciling").is_some() && condition(status, "Stalled").is_some();
        assert!(!both, "{name}: it is stalled, or something goes on: {status:?}");
    }
}

fn kinds(status: &ChartPublicationStatus) -> Vec<String> {
    status.conditions.iter().map(|of| format!("{}={} {}", of.type_, of.status, of.reason)).collect()
}

#[tokio::test]
async fn every_state_that_anybody_sees_follows_kstatus() {
    let mut scene = scene(&["small-1.2.2", "small-1.2.3+4"]).await;
    let witness = scene.witness().await;
    let _controller = scene.controller().await;
    let namespace = &scene.namespace;
    let socket = scene.registry.socket();
    namespace.publish("seen", &scene.spec("small")).await;
    let first = namespace.becomes_ready("seen").await;
    let passed: Vec<_> = witness.until(&first).await.iter().map(|sight| kinds(&sight.status)).collect();
    let begun = vec!["Ready=Unknown Progressing".to_owned(), "Reconciling=True Progressing".to_owned()];
    assert_eq!(passed, [vec![], begun.clone(), vec!["Ready=True Succeeded".to_owned()]], "one patch at the begin, one at the end");
    let own = first.managed_fields().iter().filter(|of| of.manager.as_deref() == Some("chart-publisher"));
    let own: Vec<_> = own.map(|of| of.subresource.as_deref()).collect();
    assert_eq!(own, [Some("status")], "the spec is its user's");

    // What only a change can cure.
    namespace.change("seen", &json!({"charts": [{"name": "smal"}]})).await;
    let stalled = |status: &ChartPublicationStatus| condition(status, "Stalled").is_some();
    let status = namespace.becomes("seen", "it is stalled", stalled).await.status.expect("a status");
    assert_eq!(kinds(&status), ["Ready=False ChartNotFound", "Stalled=True ChartNotFound"]);

    // What may pass by itself.
    scene.registry.pause();
    let namespace = &scene.namespace;
    namespace.change("seen", &json!({"charts": [{"name": "small", "versions": "1.2.2"}]})).await;
    let retrying = |status: &ChartPublicationStatus| ready(status).starts_with("False") && condition(status, "Reconciling").is_some();
    let status = namespace.becomes("seen", "it is tried again", retrying).await.status.expect("a status");
    assert_eq!(kinds(&status), ["Ready=False RouteUnreachable", "Reconciling=True ProgressingWithRetry"]);
    assert!(status.conditions[0].message.contains(&socket.to_string()), "{:?}", status.conditions[0]);
    scene.registry.resume().await;
    let last = scene.namespace.becomes_ready("seen").await;
    check(&witness.until(&last).await);
}

#[tokio::test]
async fn a_long_run_says_how_far_it_is_at_most_every_five_seconds() {
    const CHARTS: usize = 60;
    let scene = scene(&["small-1.2.2"]).await;
    let namespace = &scene.namespace;
    // 8 charts at once, each of which takes more than 1.5 s.
    let slow = charts::serve(namespace.bed, CHARTS, 24_000, "location ~ tgz$ { limit_rate 12k; }").await;
    let witness = scene.witness().await;
    let _controller = scene.controller().await;
    let charts: Vec<Value> = (0..CHARTS).map(|number| json!({"name": format!("chart-{number}")})).collect();
    let target = url_target(scene.registry.socket(), "charts");
    let begin = Instant::now();
    namespace.publish("long", &spec(&format!("http://{}", slow.socket()), &json!(charts), &json!([target]))).await;
    let done = namespace.becomes_within(Duration::from_mins(1), "long", "it is Ready", |status| ready(status) == "True Succeeded").await;
    let took = begin.elapsed();
    assert!(took > Duration::from_secs(11), "long enough to be told of twice: {took:?}");
    assert_eq!(done.status.as_ref().and_then(|status| status.published.as_deref()), Some("60/60"));

    let sights = witness.until(&done).await;
    check(&sights);
    let told: Vec<(Instant, usize)> = sights.iter().filter_map(|sight| Some((sight.at, progress(&sight.status)?))).collect();
    assert!(told.len() >= 2, "{told:?} in {took:?}");
    assert!(told.len() as u64 <= took.as_secs() / 5, "{told:?} in {took:?}");
    assert!(told.windows(2).all(|pair| pair[0].1 < pair[1].1), "it goes up: {told:?}");
    assert!(told.iter().all(|(_, done)| *done < CHARTS), "{told:?}");
    assert_eq!(sights.len(), told.len() + 3, "nothing but: created, begun, progress, done");
}

/// N of `N/60 versions are published and proven`.
fn progress(status: &ChartPublicationStatus) -> Option<usize> {
    let message = &condition(status, "Reconciling")?.message;
    message.strip_suffix("/60 versions are published and proven")?.parse().ok()
}

#[tokio::test]
async fn a_failure_is_readable_while_it_is_tried_again_and_no_time_goes_back() {
    let mut scene = scene(&["small-1.2.2"]).await;
    let slow = charts::serve(scene.namespace.bed, 1, 24_000, "location ~ tgz$ { limit_rate 2k; }").await;
    let witness = scene.witness().await;
    let _controller = scene.controller().await;
    let target = url_target(scene.registry.socket(), "charts");
    scene.registry.pause();
    let charts = json!([{"name": "chart-0"}]);
    scene.namespace.publish("slow", &spec(&format!("http://{}", slow.socket()), &charts, &json!([target]))).await;
    let is_away = |status: &ChartPublicationStatus| ready(status) == "False RouteUnreachable";
    let away = scene.namespace.becomes("slow", "the registry is away", is_away).await;
    scene.registry.resume().await;
    let done =
        scene.namespace.becomes_within(Duration::from_mins(1), "slow", "it is Ready", |status| ready(status) == "True Succeeded").await;
    let sights = witness.until(&done).await;
    check(&sights);
    let seen = sights.iter().skip_while(|sight| sight.version != away.resource_version()).map(|sight| kinds(&sight.status));
    let mut seen: Vec<_> = seen.collect();
    seen.dedup();
    let said = |beside: &str| vec!["Ready=False RouteUnreachable".to_owned(), format!("Reconciling=True {beside}")];
    assert_eq!(seen, [said("ProgressingWithRetry"), said("Progressing"), vec!["Ready=True Succeeded".to_owned()]]);
}

#[tokio::test]
async fn a_target_that_was_moved_has_nothing_of_its_old_place() {
    let scene = scene(&["small-1.2.2"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    namespace.publish("moved", &scene.spec("small")).await;
    let before = namespace.becomes_ready("moved").await.status.expect("a status");
    assert_eq!((before.published.as_deref(), before.targets.len()), (Some("1/1"), 1));

    let nothing = json!({"helmRepository": {"url": format!("{}/nothing", scene.charts.url())}});
    namespace.change("moved", &json!({"source": nothing})).await;
    let same = namespace.becomes("moved", "the source fails", |status| ready(status) == "False SourceNotFound").await;
    let same = same.status.expect("a status");
    assert_eq!((&same.published, &same.targets), (&before.published, &before.targets), "what is published there is still said");

    namespace.change("moved", &json!({"targets": [url_target(scene.registry.socket(), "elsewhere")]})).await;
    let moved = namespace.becomes("moved", "the source fails", |status| ready(status) == "False SourceNotFound").await;
    let moved = moved.status.expect("a status");
    assert_eq!((moved.published, moved.route, moved.method, moved.targets), (None, None, None, Vec::new()));

    namespace.change("moved", &json!({"source": scene.source()})).await;
    let after = namespace.becomes_ready("moved").await.status.expect("a status");
    assert!(after.targets.iter().all(|target| target.pull.as_ref().is_some_and(|pull| pull.contains("/elsewhere/"))), "{after:?}");
    assert_eq!(after.published.as_deref(), Some("1/1"));
}

#[tokio::test]
async fn a_later_run_says_the_same_time_of_proof_as_the_one_that_proved() {
    let scene = scene(&["small-1.2.2"]).await;
    let namespace = &scene.namespace;
    // Between what the record says and what the status says lies more than the second that Kubernetes counts in.
    let described = namespace.described_controller(&ANYWHERE).await;
    let mut controller = described.environment("CHART_PUBLISHER_FAIL", "delay:write-inventory:before:1500").start();
    controller.wait_until_ready().await;
    namespace.publish("proven", &scene.spec("small")).await;
    let before = namespace.becomes_ready("proven").await.status.expect("a status").targets[0].last_proved.clone();
    let after = namespace.run_again("proven").await.status.expect("a status").targets[0].last_proved.clone();
    assert!(before.is_some());
    assert_eq!(after, before);
}
