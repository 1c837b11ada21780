//! A registry that is away, and many publications that wait for it.

use std::time::{Duration, Instant};

use chart_publisher::api::ChartPublication;
use kube::api::ListParams;
use serde_json::json;

use super::{
    ANYWHERE,
    door::Door,
    scene,
    support::{
        eventually::{eventually, throughout},
        namespace::Namespace,
        publication::{condition, ready, spec, url_target},
        say,
    },
};

const PUBLICATIONS: usize = 100;
const SAID_WITHIN: Duration = Duration::from_mins(1);
/// So long it stays away once all have heard of it.
const AWAY: Duration = Duration::from_secs(15);
/// What is promised.
const READY_WITHIN: Duration = Duration::from_secs(30);
const HEARD: &str = "Another publication asks it again";

/// Status and reason of `Ready`, and what it says, of each publication.
async fn all(namespace: &Namespace) -> Vec<(String, String)> {
    let list = namespace.api::<ChartPublication>().list(&ListParams::default()).await.expect("a list");
    let statuses = list.items.into_iter().map(|publication| publication.status.unwrap_or_default());
    statuses.map(|status| (ready(&status), condition(&status, "Ready").map(|ready| ready.message.clone()).unwrap_or_default())).collect()
}

async fn all_say(namespace: &Namespace, limit: Duration, expected: &str) -> Vec<(String, String)> {
    eventually(limit, &format!("all say {expected}"), async || {
        let said = all(namespace).await;
        let others: Vec<_> = said.iter().filter(|(ready, _)| ready != expected).collect();
        if said.len() == PUBLICATIONS && others.is_empty() {
            Ok(said)
        } else {
            Err(format!("{} of {} say {:?}", others.len(), said.len(), others.first()))
        }
    })
    .await
}

#[tokio::test]
async fn a_registry_that_is_away_is_asked_by_one_at_a_time_and_all_are_ready_soon_after_its_return() {
    let scene = scene(&["small-1.2.2"]).await;
    let namespace = &scene.namespace;
    let door = Door::before(namespace.bed, scene.registry.socket());
    for number in 0..PUBLICATIONS {
        let target = url_target(door.socket(), &format!("away-{number}"));
        let spec = spec(&scene.charts.url(), &json!([{"name": "small"}]), &json!([target]));
        namespace.publish(&format!("away-{number}"), &spec).await;
    }
    let begin = Instant::now();
    let _controller = namespace.controller(&ANYWHERE).await;
    let said = all_say(namespace, SAID_WITHIN, "False RegistryUnavailable").await;
    let address = door.socket().to_string();
    assert!(said.iter().all(|(_, message)| message.contains(&address)), "{said:?}");
    let heard = said.iter().filter(|(_, message)| message.contains(HEARD)).count();
    // Whoever comes for the first time when it is time to ask may be the one who does: once at the begin, and then every five seconds.
    let (asked, turns) = (door.asked(), begin.elapsed().as_secs() / 4 + 2);
    assert!(heard + asked >= PUBLICATIONS && asked as u64 <= turns, "{heard} have only heard of it, {asked} of {turns} asked: {said:?}");

    let (asked, sources) = (door.asked(), scene.charts.requests().len());
    throughout(AWAY, "one asks", async || if door.most() == 1 { Ok(()) } else { Err(format!("{} at once", door.most())) }).await;
    let (asked, sources) = (door.asked() - asked, scene.charts.requests().len() - sources);
    assert!((2..=6).contains(&asked), "every five seconds: {asked}");
    assert!(sources <= asked + 2, "who waits leaves the source in peace, too: {sources}");

    door.set_open(true);
    let begin = Instant::now();
    all_say(namespace, READY_WITHIN, "True Succeeded").await;
    say(&format!("{PUBLICATIONS} publications were Ready {:.1} s after their registry was back", begin.elapsed().as_secs_f64()));
    let written =
        scene.registry.requests().iter().filter(|request| request.method == "PUT" && request.path().contains("/manifests/")).count();
    assert_eq!(written, PUBLICATIONS, "each once");
}
