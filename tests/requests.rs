//! What a publication costs, by the logs of those who are asked and by what passes on the wire.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use k8s_openapi::api::core::v1::Service;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use support::{
    Bed,
    access_log::Request,
    controller::Controller,
    eventually::{SOON, eventually, throughout},
    exposure::Exposure,
    helm_repository::{HelmRepository, HelmRepositoryBuilder},
    namespace::Namespace,
    publication::spec,
    recorder::Head,
    registry::{Registry, Version},
    token_server::TokenServer,
};

/// What one chart costs where nobody asks who we are: a look, two blobs, the manifest, and the proof of all three.
const NEW_CHART: [&str; 9] = [
    "GET /v2/charts/NAME/tags/list 404",
    "POST /v2/charts/NAME/blobs/uploads/ 202",
    "PUT /v2/charts/NAME/blobs/uploads/UUID 201",
    "POST /v2/charts/NAME/blobs/uploads/ 202",
    "PUT /v2/charts/NAME/blobs/uploads/UUID 201",
    "PUT /v2/charts/NAME/manifests/VERSION 201",
    "GET /v2/charts/NAME/manifests/VERSION 200",
    "GET /v2/charts/NAME/blobs/DIGEST 200",
    "GET /v2/charts/NAME/blobs/DIGEST 200",
];
/// What a signature beside it adds.
const SIGNATURE: [&str; 3] =
    ["POST /v2/charts/NAME/blobs/uploads/ 202", "PUT /v2/charts/NAME/blobs/uploads/UUID 201", "GET /v2/charts/NAME/blobs/DIGEST 200"];

/// How a registry asks who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Login {
    Anonymous,
    Basic,
    Bearer,
}

impl Login {
    const ALL: [Self; 3] = [Self::Anonymous, Self::Basic, Self::Bearer];

    /// What a registry refuses before it is told: with Basic the first request, with Bearer the first for each repository.
    fn challenges(self, repositories: &[&str]) -> Vec<String> {
        let asked = match self {
            Self::Anonymous => 0,
            Self::Basic => 1,
            Self::Bearer => repositories.len(),
        };
        repositories.iter().take(asked).map(|name| format!("GET /v2/charts/{name}/tags/list 401")).collect()
    }
}

/// A controller, and a source that it asks.
struct Desk {
    namespace: Namespace,
    source: HelmRepository,
    // Behind `namespace`: its rights are a release in there.
    _controller: Controller,
}

/// A registry behind a Service.
struct Stall {
    registry: Registry,
    tokens: Option<TokenServer>,
    target: Value,
}

async fn desk(bed: &'static Bed, charts: &[PathBuf]) -> Desk {
    let namespace = bed.namespace().await;
    namespace.secret("login", &[("username", "pusher"), ("password", "secret")]).await;
    let repository = charts.iter().fold(bed.helm_repository(&[]), HelmRepositoryBuilder::archive);
    let source = repository.start().await;
    let controller = namespace.controller(&[]).await;
    Desk { namespace, source, _controller: controller }
}

impl Desk {
    /// A registry behind the Service `name`, and the target that leads there.
    async fn stall(&self, name: &str, version: Version, login: Login) -> Stall {
        let bed = self.namespace.bed;
        let tokens = (login == Login::Bearer).then(|| bed.token_server().user("pusher", "secret", &["pull", "push"]).start());
        let registry = match (login, &tokens) {
            (Login::Basic, _) => bed.registry(version).basic("pusher", "secret").start().await,
            (_, Some(tokens)) => bed.registry(version).bearer(tokens).start().await,
            (_, None) => bed.registry(version).start().await,
        };
        self.namespace.expose(name, Exposure::ClusterIp, &[registry.socket()]).await;
        let mut target = json!({"name": "main", "service": {"name": name, "repository": "charts"}, "insecure": true});
        if login != Login::Anonymous {
            target["secretRef"] = json!({"name": "login"});
        }
        if let Some(tokens) = &tokens {
            let host = tokens.realm().split('/').nth(2).expect("a realm has a host");
            target["allowedHosts"] = json!([host]);
        }
        Stall { registry, tokens, target }
    }

    async fn publish(&self, name: &str, charts: &Value, target: &Value) {
        self.namespace.publish(name, &spec(&self.source.url(), charts, &json!([target]))).await;
        self.namespace.becomes_ready(name).await;
    }

    /// Runs a publication again that has not changed: who is asked, and what, is exactly this.
    async fn second_run_asks(&self, name: &str, stall: &Stall, expected: &[&str]) {
        let (source, registry) = (self.source_requests().len(), stall.requests().len());
        self.namespace.run_again(name).await;
        let of_registry: Vec<_> = expected.iter().map(ToString::to_string).collect();
        logged("the registry", &of_registry, || stall.requests().split_off(registry)).await;
        logged("the source", &["GET /index.yaml 304".to_owned()], || self.source_requests().split_off(source)).await;
    }

    fn source_requests(&self) -> Vec<Request> {
        ours(self.source.requests())
    }
}

impl Stall {
    fn requests(&self) -> Vec<Request> {
        ours(self.registry.requests())
    }

    fn token_requests(&self) -> usize {
        self.tokens.as_ref().map_or(0, |tokens| tokens.requests().len())
    }
}

/// Waits until a log has what is `expected`, in any order, and nothing else: a server writes a line after its answer.
async fn logged(who: &str, expected: &[String], requests: impl Fn() -> Vec<Request>) {
    let expected = counted(expected);
    eventually(SOON, &format!("the log of {who} has what is expected, and nothing else"), async || {
        let found = counted(&lines(&requests()));
        if found == expected { Ok(()) } else { Err(format!("expected {expected:#?}, found {found:#?}")) }
    })
    .await;
}

/// What the controller asked; the bed asks too, whether a server is there.
fn ours(requests: Vec<Request>) -> Vec<Request> {
    requests.into_iter().filter(|request| request.user_agent.starts_with("chart-publisher/")).collect()
}

/// Method, path and status, with words for what differs from run to run.
fn lines(requests: &[Request]) -> Vec<String> {
    requests.iter().map(|request| general(&request.line())).collect()
}

fn general(line: &str) -> String {
    let mut parts: Vec<&str> = line.split('/').collect();
    let status = line.rsplit(' ').next().unwrap_or_default();
    let (digest, upload) = (format!("DIGEST {status}"), format!("UUID {status}"));
    if let Some(last) = parts.last_mut() {
        let word = last.split(' ').next().unwrap_or_default();
        if word.starts_with("sha256:") {
            *last = &digest;
        } else if word.len() == 36 && word.split('-').count() == 5 {
            *last = &upload;
        }
    }
    parts.join("/")
}

fn counted(lines: &[String]) -> BTreeMap<String, usize> {
    lines.iter().fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line.clone()).or_default() += 1;
        counts
    })
}

fn costs(lines: &[&str], name: &str, version: &str) -> Vec<String> {
    lines.iter().map(|line| line.replace("NAME", name).replace("VERSION", version)).collect()
}

#[tokio::test]
async fn a_new_chart_costs_nine_requests_and_an_unchanged_one_costs_one() {
    let Some(bed) = support::with_node() else { return };
    let desk = desk(bed, &[bed.chart("small-1.2.2")]).await;
    for version in Version::ALL {
        for login in Login::ALL {
            let name = format!("{version:?}-{login:?}").to_lowercase();
            let stall = desk.stall(&name, version, login).await;
            desk.publish(&name, &json!([{"name": "small", "versions": "1.2.2"}]), &stall.target).await;
            let expected = [login.challenges(&["small"]), costs(&NEW_CHART, "small", "1.2.2")].concat();
            assert_eq!(expected.len(), if login == Login::Anonymous { 9 } else { 10 });
            logged(&name, &expected, || stall.requests()).await;
            desk.second_run_asks(&name, &stall, &["GET /v2/charts/small/tags/list 200"]).await;
            let tokens = usize::from(login == Login::Bearer);
            assert_eq!(stall.token_requests(), tokens, "{name}: one token is enough for both runs");
        }
    }
}

#[tokio::test]
async fn a_signature_beside_the_chart_costs_three_requests_more() {
    let Some(bed) = support::with_node() else { return };
    let chart = bed.signed_package("signed", "4.0.0");
    let desk = desk(bed, std::slice::from_ref(&chart)).await;
    std::fs::copy(chart.with_extension("tgz.prov"), desk.source.site().join("signed-4.0.0.tgz.prov")).expect("a signature");
    for version in Version::ALL {
        let name = format!("{version:?}").to_lowercase();
        let stall = desk.stall(&name, version, Login::Anonymous).await;
        desk.publish(&name, &json!([{"name": "signed"}]), &stall.target).await;
        let expected = [costs(&NEW_CHART, "signed", "4.0.0"), costs(&SIGNATURE, "signed", "4.0.0")].concat();
        assert_eq!(expected.len(), 12);
        logged(&name, &expected, || stall.requests()).await;
        desk.second_run_asks(&name, &stall, &["GET /v2/charts/signed/tags/list 200"]).await;
    }
}

#[tokio::test]
async fn twelve_versions_of_three_charts_share_one_look_for_each_chart() {
    let Some(bed) = support::with_node() else { return };
    let versions = ["1.0.0", "1.1.0", "1.2.0", "2.0.0"];
    let names = ["first", "second", "third"];
    let charts: Vec<_> = names.iter().flat_map(|name| bed.packages(name, &versions)).collect();
    let desk = desk(bed, &charts).await;
    let all: Vec<_> = names.iter().map(|name| json!({"name": name, "latest": 0})).collect();
    for login in Login::ALL {
        let name = format!("{login:?}").to_lowercase();
        let stall = desk.stall(&name, Version::V3, login).await;
        desk.publish(&name, &json!(all), &stall.target).await;
        let mut expected = login.challenges(&names);
        for chart in names {
            expected.extend(costs(&NEW_CHART[..1], chart, ""));
            expected.extend(versions.iter().flat_map(|version| costs(&NEW_CHART[1..], chart, version)));
        }
        assert_eq!(expected.len(), 3 + 12 * 8 + login.challenges(&names).len());
        logged(&name, &expected, || stall.requests()).await;
        let looks = names.map(|name| format!("GET /v2/charts/{name}/tags/list 200"));
        desk.second_run_asks(&name, &stall, &looks.each_ref().map(String::as_str)).await;
    }
}

#[tokio::test]
async fn every_request_that_may_have_a_body_says_its_length_and_is_not_chunked() {
    let Some(bed) = support::with_node() else { return };
    let desk = desk(bed, &[bed.chart("small-1.2.2"), bed.chart("large-3.0.0")]).await;
    for version in Version::ALL {
        let registry = bed.registry(version).start().await;
        let recorder = bed.recorder(registry.socket());
        let name = format!("{version:?}").to_lowercase();
        desk.namespace.expose(&name, Exposure::ClusterIp, &[recorder.socket()]).await;
        let target =
            json!({"name": "main", "service": {"name": name, "repository": "charts"}, "insecure": true, "upload": {"method": "Buffered"}});
        desk.publish(&name, &json!([{"name": "small", "versions": "1.2.2"}, {"name": "large"}]), &target).await;
        let heads = recorder.heads();
        let with_body: Vec<&Head> = heads.iter().filter(|head| ["POST", "PUT", "PATCH"].contains(&head.method.as_str())).collect();
        let lengths = |method: &str| with_body.iter().filter(|head| head.method == method).map(|head| length(head)).collect::<Vec<_>>();
        assert_eq!(lengths("POST"), [0, 0, 0, 0]);
        let (puts, patches) = (lengths("PUT"), lengths("PATCH"));
        assert_eq!((puts.len(), patches.len()), (6, 0));
        let size = |chart: &str| std::fs::metadata(bed.chart(chart)).expect("a chart").len();
        assert!(puts.contains(&size("small-1.2.2")) && puts.contains(&size("large-3.0.0")), "{puts:?}");
        assert!(size("large-3.0.0") > 6_000_000 && puts.iter().all(|length| *length > 0), "{puts:?}");
    }
}

/// The one Content-Length of a request that is framed by it, and by nothing else.
fn length(head: &Head) -> u64 {
    let values = |name: &str| head.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
    assert_eq!((values("transfer-encoding"), values("expect")), (vec![], vec![]), "{head:?}");
    let lengths = values("content-length");
    assert_eq!(lengths.len(), 1, "{head:?}");
    lengths[0].parse().expect("a number")
}

#[tokio::test]
async fn at_rest_nobody_is_asked_also_when_the_service_is_touched() {
    let Some(bed) = support::with_node() else { return };
    let desk = desk(bed, &[bed.chart("small-1.2.2")]).await;
    let stall = desk.stall("registry", Version::V3, Login::Bearer).await;
    desk.publish("resting", &json!([{"name": "small", "versions": "1.2.2"}]), &stall.target).await;
    let expected = [Login::Bearer.challenges(&["small"]), costs(&NEW_CHART, "small", "1.2.2")].concat();
    logged("the registry", &expected, || stall.requests()).await;
    let asked = || (desk.source_requests().len(), stall.requests().len(), stall.token_requests());
    let before = asked();
    let services = desk.namespace.api::<Service>();
    let mut touched = 0;
    throughout(Duration::from_secs(20), "nobody is asked", async || {
        touched += 1;
        let label = json!({"metadata": {"labels": {"touched": touched.to_string()}}});
        services.patch("registry", &PatchParams::default(), &Patch::Merge(label)).await.map_err(|problem| problem.to_string())?;
        if asked() == before { Ok(()) } else { Err(format!("asked were source, registry and tokens {before:?}, now {:?}", asked())) }
    })
    .await;
    assert!(touched > 20, "the Service changed {touched} times");
}
