//! At rest nobody is asked: a hundred publications that are Ready cost no request to a registry or a source, and to the API server
//! renewed watches only.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{collections::BTreeMap, time::Duration};

use chart_publisher::api::ChartPublication;
use futures::{StreamExt, stream};
use kube::api::ListParams;
use serde_json::{Value, json};
use support::{
    eventually::{eventually, throughout},
    exposure::Exposure,
    helm_repository::HelmRepository,
    namespace::Namespace,
    publication::{ready, spec, url_target},
    recorded_api::RecordedApi,
    recorder::Head,
    registry::{Registry, Version},
};

const PUBLICATIONS: usize = 100;
const CREATED_AT_ONCE: usize = 10;
/// For 100 publications on a machine that does other things beside.
const UNTIL_READY: Duration = Duration::from_mins(3);
/// kube ends each watch after a little less than this, and begins it anew.
const LIFE_OF_A_WATCH: Duration = Duration::from_secs(290);

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_publications_at_rest_ask_nobody() {
    rested(Duration::from_secs(75)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "seven minutes: `make rest`"]
async fn rest() {
    rested(Duration::from_mins(5)).await;
}

/// Who may be asked. Fields go in their order: what is used goes last.
struct Scene {
    api: RecordedApi,
    namespace: Namespace,
    registry: Registry,
    charts: HelmRepository,
}

/// How many requests each of them has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    registry: usize,
    source: usize,
}

impl Scene {
    fn asked(&self) -> Asked {
        let ours = |agent: &str| agent.starts_with("chart-publisher/");
        Asked {
            registry: self.registry.requests().iter().filter(|request| ours(&request.user_agent)).count(),
            source: self.charts.requests().iter().filter(|request| ours(&request.user_agent)).count(),
        }
    }

    /// Half of them by a Service, where there is a node for one.
    async fn publish_all(&self) {
        let by_service = self.namespace.bed.has_nodes();
        if by_service {
            self.namespace.expose("registry", Exposure::ClusterIp, &[self.registry.socket()]).await;
        }
        let target = |number: usize| -> Value {
            let prefix = format!("charts/{number}");
            if by_service && number.is_multiple_of(2) {
                json!({"name": "main", "service": {"name": "registry", "repository": prefix}, "insecure": true})
            } else {
                url_target(self.registry.socket(), &prefix)
            }
        };
        let publish = |number: usize| async move {
            let spec = spec(&self.charts.url(), &json!([{"name": "small"}]), &json!([target(number)]));
            self.namespace.publish(&format!("resting-{number}"), &spec).await;
        };
        stream::iter(0..PUBLICATIONS).for_each_concurrent(CREATED_AT_ONCE, publish).await;
    }

    async fn all_are_ready(&self) {
        let publications = self.namespace.api::<ChartPublication>();
        eventually(UNTIL_READY, "all publications are Ready", async || {
            let all = publications.list(&ListParams::default()).await.map_err(|problem| problem.to_string())?;
            let is_ready = |status: &_| ready(status) == "True Succeeded";
            let ready = all.items.iter().filter(|publication| publication.status.as_ref().is_some_and(is_ready)).count();
            if ready == PUBLICATIONS { Ok(()) } else { Err(format!("{ready} are")) }
        })
        .await;
    }

    /// Waits until what was begun before has ended: nothing has been written for ten seconds.
    async fn comes_to_rest(&self) {
        let (mut before, mut since) = (0, tokio::time::Instant::now());
        eventually(UNTIL_READY, "nothing is written any more", async || {
            let now = self.api.requests().len();
            if std::mem::replace(&mut before, now) != now {
                since = tokio::time::Instant::now();
            }
            if since.elapsed() > Duration::from_secs(10) { Ok(()) } else { Err(format!("{now} requests")) }
        })
        .await;
    }
}

/// A new watch on what is known already.
fn is_watch(head: &Head) -> bool {
    head.method == "GET" && head.target.split(['?', '&']).any(|word| word == "watch=true")
}

/// The kind, and of those that are watched by name which.
fn watched(head: &Head) -> String {
    let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
    let selected = query.split('&').find(|part| part.starts_with("fieldSelector=")).unwrap_or_default();
    format!("{path} {selected}")
}

/// What holds the lease of one of several replicas.
fn is_of_a_lease(head: &Head) -> bool {
    head.target.starts_with("/apis/coordination.k8s.io/")
}

async fn rested(span: Duration) {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let scene = Scene { api: namespace.recorded_api().await, namespace, registry, charts };
    let _controller = scene.api.controller(&scene.namespace, &["--allow-address", "127.0.0.0/8"]).await;
    scene.publish_all().await;
    scene.all_are_ready().await;
    scene.comes_to_rest().await;
    let (asked, begin) = (scene.asked(), scene.api.requests().len());
    // What counts nothing would find nothing here.
    assert!(asked.registry >= 8 * PUBLICATIONS && asked.source >= 2, "{asked:?}");
    let indexes = scene.charts.requests().iter().filter(|request| request.path() == "/index.yaml" && request.status == 200).count();
    assert_eq!(indexes, 1, "all of them name one index");
    assert!(scene.api.writes().len() >= 2 * PUBLICATIONS, "a status and an inventory for each");

    throughout(span, "nobody is asked", async || {
        let now = scene.asked();
        if now != asked {
            return Err(format!("{asked:?} has become {now:?}"));
        }
        let others = scene.api.requests().split_off(begin).into_iter().find(|head| !is_watch(head) && !is_of_a_lease(head));
        others.map_or(Ok(()), |head| Err(format!("the API server was asked: {} {}", head.method, head.target)))
    })
    .await;

    let watches = scene.api.requests().split_off(begin).into_iter().filter(is_watch);
    let renewed = watches.fold(BTreeMap::<String, u64>::new(), |mut counts, head| {
        *counts.entry(watched(&head)).or_default() += 1;
        counts
    });
    let most = span.as_secs() / LIFE_OF_A_WATCH.as_secs() + 1;
    assert!(renewed.values().all(|count| *count <= most), "a watch lives {LIFE_OF_A_WATCH:?}, and in {span:?} there were {renewed:?}");
    support::say(&format!(
        "at rest for {span:?}: {PUBLICATIONS} publications, 0 requests to registry and source, {} renewed watches, of {} different ones",
        renewed.values().sum::<u64>(),
        renewed.len()
    ));
}
