//! What makes a publication run, and what keeps it from running.

use std::time::{Duration, Instant};

use chart_publisher::api::REQUESTED_AT;
use kube::ResourceExt;
use serde_json::json;

use super::{
    ANYWHERE, scene,
    support::{
        self,
        eventually::{SOON, eventually},
        publication::{condition, ready, spec, url_target},
    },
};

#[tokio::test]
async fn a_suspended_publication_does_nothing_and_goes_on_when_it_may() {
    let scene = scene(&["small-1.2.2"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    namespace.publish("held", &json!({"suspend": true, "interval": "10s", "source": scene.source(), "charts": [{"name": "small"}], "targets": [scene.target()]})).await;
    let held = namespace.becomes("held", "it says that it is suspended", |status| ready(status) == "Unknown Suspended").await;
    let message = condition(held.status.as_ref().expect("a status"), "Ready").expect("Ready").message.clone();
    assert!(message.contains("suspend"), "{message}");
    namespace.request_run("held").await;
    // Another one that runs says that this one had its chance.
    namespace.publish("other", &scene.spec("small")).await;
    namespace.becomes_ready("other").await;
    let asked: Vec<_> = scene.charts.requests().iter().map(support::access_log::Request::line).collect();
    assert_eq!(asked, ["GET /index.yaml 200", "GET /small-1.2.2.tgz 200", "GET /small-1.2.2.tgz.prov 404"], "asked for by one of the two");
    assert!(scene.registry.requests().iter().all(|request| !request.path().contains("/held/")));

    namespace.change("held", &json!({"suspend": false, "targets": [url_target(scene.registry.socket(), "held")]})).await;
    let went_on = namespace.becomes_ready("held").await;
    assert_eq!(went_on.status.and_then(|status| status.published).as_deref(), Some("1/1"));

    namespace.change("held", &json!({"suspend": true})).await;
    let held = namespace.becomes("held", "it says so again", |status| ready(status) == "Unknown Suspended").await;
    let status = held.status.expect("a status");
    assert_eq!((status.published.as_deref(), status.targets.len()), (Some("1/1"), 1), "what was published is still said");
    assert!(scene.registry_has("held/small", "1.2.2").await);
}

#[tokio::test]
async fn the_annotation_asks_for_a_run_and_stays() {
    let scene = scene(&["small-1.2.2"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    namespace.publish("asked", &scene.spec("small")).await;
    let before = namespace.becomes_ready("asked").await;
    assert_eq!(before.status.and_then(|status| status.last_handled_reconcile_at), None);
    let asked = scene.charts.requests().len();

    let request = namespace.request_run("asked").await;
    let echoed = |status: &chart_publisher::api::ChartPublicationStatus| status.last_handled_reconcile_at.as_ref() == Some(&request);
    let after = namespace.becomes("asked", "the request is echoed", echoed).await;
    assert_eq!(after.annotations().get(REQUESTED_AT), Some(&request));
    assert_eq!(after.metadata.generation, before.metadata.generation);
    let requests = scene.charts.requests();
    assert_eq!(requests.len(), asked + 1, "{requests:?}");
    assert_eq!(requests[asked].line(), "GET /index.yaml 304");

    let next = namespace.run_again("asked").await;
    assert_eq!(next.annotations().len(), 1, "nothing was added or removed");
    assert_eq!(scene.charts.requests().len(), asked + 2);
}

#[tokio::test]
async fn the_interval_asks_the_source_again_and_an_unchanged_run_writes_nothing() {
    let scene = scene(&["small-1.2.2"]).await;
    let (namespace, api) = (&scene.namespace, scene.recorded_api().await);
    let _controller = api.controller(namespace, &ANYWHERE).await;
    let mut wanted = scene.spec("small");
    wanted["interval"] = json!("10s");
    namespace.publish("steady", &wanted).await;
    let before = namespace.becomes_ready("steady").await;
    let begin = Instant::now();
    let indexes = || {
        scene.charts.requests().iter().filter(|request| request.path() == "/index.yaml").map(|request| request.status).collect::<Vec<_>>()
    };
    assert_eq!(indexes(), [200]);
    let inventory = namespace.inventory("steady").await;
    let events = eventually(SOON, "both Events are told", async || {
        let events = namespace.events_of("steady").await;
        if events.len() == 2 { Ok(events) } else { Err(format!("{events:?}")) }
    })
    .await;
    let written = api.writes();
    let path = |head: &support::recorder::Head| format!("{} {}", head.method, head.target.split('?').next().unwrap_or_default());
    let own = |group: &str| format!("/apis/{group}/namespaces/{}", namespace.name());
    let status = format!("PATCH {}/chartpublications/steady/status", own("chartpublisher.io/v1alpha1"));
    let record = format!("PATCH {}/chartinventories/steady", own("chartpublisher.io/v1alpha1"));
    let event = format!("POST {}/events", own("events.k8s.io/v1"));
    let expected = [status.clone(), record, status, event.clone(), event];
    assert_eq!(written.iter().map(path).collect::<Vec<_>>(), expected, "all that a first run writes");
    let listed = scene.registry.requests().len();
    // The third time that the index is asked for, the run of the second time has ended.
    let soon = Duration::from_secs(25);
    let second = eventually(soon, "the interval", async || if indexes().len() > 1 { Ok(begin.elapsed()) } else { Err("once") }).await;
    eventually(soon, "the interval again", async || if indexes().len() > 2 { Ok(()) } else { Err("twice") }).await;
    assert_eq!(indexes(), [200, 304, 304]);
    assert!((8_500..=12_000).contains(&second.as_millis()), "10 s, a tenth more or less: {second:?}");
    let lists = scene.registry.requests().split_off(listed);
    let read = lists.iter().map(support::access_log::Request::line).collect::<Vec<_>>();
    assert!(read.iter().all(|line| line.ends_with("/small/tags/list 200")) && (1..=2).contains(&read.len()), "{read:?}");
    assert_eq!(api.writes(), written, "an unchanged run writes nothing");
    let after = namespace.publication("steady").await;
    assert_eq!(after.resource_version(), before.resource_version());
    assert_eq!(after.status, before.status);
    assert_eq!(
        namespace.inventory("steady").await.and_then(|one| one.resource_version()),
        inventory.and_then(|one| one.resource_version())
    );
    assert_eq!(namespace.events_of("steady").await, events);
}

#[tokio::test]
async fn fifty_publications_at_once_become_ready_two_at_a_time() {
    let scene = scene(&["small-1.2.2"]).await;
    let namespace = &scene.namespace;
    let witness = scene.witness().await;
    let names: Vec<_> = (0..50).map(|number| format!("many-{number}")).collect();
    for name in &names {
        let target = url_target(scene.registry.socket(), name);
        namespace.publish(name, &spec(&scene.charts.url(), &json!([{"name": "small"}]), &json!([target]))).await;
    }
    let _controller = namespace.controller(&[&ANYWHERE[..], &["--concurrency", "2"]].concat()).await;
    for name in &names {
        namespace.becomes_within(SOON * 2, name, "it is Ready", |status| ready(status) == "True Succeeded").await;
    }
    // In the order of their writes: who began and has not ended.
    let (mut running, mut most) = (std::collections::BTreeSet::new(), 0);
    for sight in witness.all() {
        if condition(&sight.status, "Reconciling").is_some() {
            running.insert(sight.name);
        } else {
            running.remove(&sight.name);
        }
        most = most.max(running.len());
    }
    assert_eq!(most, 2, "two at once, and no more");
}
