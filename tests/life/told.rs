//! Events, logs and probes: what a person or a kubelet is told.

use std::time::Instant;

use k8s_openapi::api::{
    events::v1::Event,
    rbac::v1::{Role, RoleBinding},
};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{
    ANYWHERE, scene,
    support::{
        self,
        eventually::{SOON, eventually},
        http,
        namespace::Namespace,
    },
};

fn shown(events: &[Event]) -> Vec<String> {
    let shown = |event: &Event| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let count = event.series.as_ref().map(|series| format!(" (x{})", series.count)).unwrap_or_default();
        format!("{} {}: {}{count}", text(&event.type_), text(&event.reason), text(&event.note))
    };
    events.iter().map(shown).collect()
}

async fn told(namespace: &Namespace, name: &str, count: usize) -> Vec<String> {
    eventually(SOON, &format!("{count} Events"), async || {
        let told = shown(&namespace.events_of(name).await);
        if told.len() == count { Ok(told) } else { Err(format!("{told:?}")) }
    })
    .await
}

#[tokio::test]
async fn events_tell_each_change_once() {
    let scene = scene(&["small-1.2.2"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    namespace.publish("told", &scene.spec("small")).await;
    namespace.becomes_ready("told").await;
    let first = [
        "Normal Published: published small 1.2.2 to target `main` by URL (Buffered)",
        "Normal Succeeded: 1 version is published and proven by URL (Buffered)",
    ];
    assert_eq!(told(namespace, "told", 2).await, first);
    namespace.run_again("told").await;
    namespace.run_again("told").await;
    assert_eq!(shown(&namespace.events_of("told").await), first, "a run that changes nothing tells nothing");

    // The next version is another thing to tell, although it is told by the same word.
    scene.charts.add(&namespace.bed.chart("small-1.2.3+4"));
    namespace.run_again("told").await;
    let next = "Normal Published: published small 1.2.3+4 to target `main` by URL (Buffered)";
    assert_eq!(told(namespace, "told", 3).await, [first[0], first[1], next]);

    namespace.change("told", &json!({"charts": [{"name": "gone"}]})).await;
    let events = told(namespace, "told", 4).await;
    assert!(events[3].starts_with("Warning ChartNotFound: chart `gone` is not in the index"), "{events:?}");
    let described = namespace.bed.run_on_host(&["kubectl", "describe", "-n", namespace.name(), "chartpub", "told"]).expect_success();
    for words in ["Published", "chart-publisher", "published small 1.2.3+4 to target `main`", "ChartNotFound"] {
        assert!(described.contains(words), "{words}: {described}");
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_read_leaves_all_others_working() {
    let scene = scene(&["small-1.2.2"]).await;
    let namespace = &scene.namespace;
    namespace.publish("broken", &scene.spec("small")).await;
    // The schema takes this time, and no clock has it: as after a change of the schema, the types cannot read what is stored.
    let source = json!({"revision": "x", "charts": 1, "versions": 1, "lastUpdateTime": "2026-01-02T03:04:05+99:99"});
    break_status(namespace, json!({"source": source})).await;
    namespace.publish("before", &scene.spec("small")).await;
    let controller = scene.controller().await;
    namespace.becomes_ready("before").await;
    namespace.publish("after", &scene.spec("small")).await;
    namespace.becomes_ready("after").await;
    eventually(SOON, "the log names it", async || {
        let log = controller.log();
        let named = |line: &str| line.contains("/broken") && line.contains("does not fit the schema");
        if log.lines().any(named) { Ok(()) } else { Err(log) }
    })
    .await;
    // Once it can be read, it is worked on.
    break_status(namespace, json!({"source": null})).await;
    namespace.becomes_ready("broken").await;
}

async fn break_status(namespace: &Namespace, status: Value) {
    use chart_publisher::api::ChartPublication;
    let publications = kube::Api::<kube::api::DynamicObject>::namespaced_with(
        namespace.client.clone(),
        namespace.name(),
        &kube::api::ApiResource::erase::<ChartPublication>(&()),
    );
    let patch = Patch::Merge(json!({"status": status}));
    publications.patch_status("broken", &PatchParams::default(), &patch).await.expect("a status that the schema takes");
}

/// A kubeconfig with an account that may do nothing.
async fn without_rights(namespace: &Namespace) -> std::path::PathBuf {
    eventually(SOON, "the namespace has its account", async || {
        let account = namespace.api::<k8s_openapi::api::core::v1::ServiceAccount>().get_opt("default").await.expect("an answer");
        account.map(drop).ok_or("it has not")
    })
    .await;
    namespace.kubeconfig_of("default").await
}

#[tokio::test]
async fn probes_say_when_it_lives_and_when_it_has_read_everything() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let ask = async |controller: &support::controller::Controller, path: &str| {
        let health = controller.health();
        let answer = http::get(bed.client_namespace(), health, &health.to_string(), path).await?;
        Ok::<_, String>((answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned()))
    };
    let ready = namespace.described_controller(&[]).await.start();
    let begin = Instant::now();
    while !ask(&ready, "/readyz").await.is_ok_and(|(status, _)| status == 200) {
        assert!(begin.elapsed() < SOON, "{:?}: {}", ask(&ready, "/readyz").await, ready.log());
    }
    assert!(ready.log().contains("the watches have read what is there"), "ready before that: {}", ready.log());
    assert_eq!(ask(&ready, "/readyz").await, Ok((200, "ok\n".to_owned())));
    assert_eq!(ask(&ready, "/healthz").await, Ok((200, "ok\n".to_owned())));
    assert_eq!(ask(&ready, "/").await.map(|(status, _)| status), Ok(404));

    // An account without rights never gets that far.
    let account = without_rights(&namespace).await;
    let blind = bed.controller(&account, &["--namespace", namespace.name()]).start();
    let lives = eventually(SOON, "it lives", async || ask(&blind, "/healthz").await).await;
    assert_eq!(lives.0, 200);
    eventually(SOON, "the log says why", async || if blind.log().contains("forbidden") { Ok(()) } else { Err(blind.log()) }).await;
    // Kinds that a cluster may lack are known to be out of reach a moment later.
    let missing = "not everything is read yet: missing are ChartPublication, EndpointSlice, Ingress, IngressClass, Node, Service\n";
    eventually(SOON, "what is missing is named", async || {
        let answer = ask(&blind, "/readyz").await?;
        if answer == (503, missing.to_owned()) { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    let (status, took, log) = blind.stop();
    assert!(status.is_some_and(|status| status.success()) && took.as_secs() < 10, "{status:?} after {took:?}: {log}");
}

#[tokio::test]
async fn a_right_that_is_missing_for_publications_is_named() {
    let bed = support::shared();
    bed.install_crds();
    let (own, watched) = (bed.namespace().await, bed.namespace().await);
    let rights = own.rights(&[]);
    // In the watched namespace the account may read all kinds but one.
    let all = |group: &str, kind: &str| json!({"apiGroups": [group], "resources": [kind], "verbs": ["get", "list", "watch"]});
    let rules = [all("", "services"), all("discovery.k8s.io", "endpointslices"), all("networking.k8s.io", "ingresses")];
    let meta = json!({"name": "all-but-one"});
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": rules});
    watched.apply::<Role>(role).await;
    let subject = json!({"kind": "ServiceAccount", "namespace": own.name(), "name": rights.account});
    let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "all-but-one"});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta, "subjects": [subject], "roleRef": reference});
    watched.apply::<RoleBinding>(binding).await;

    let account = own.kubeconfig_of(&rights.account).await;
    let controller = bed.controller(&account, &["--namespace", watched.name()]).start();
    eventually(SOON, "the log says what is missing", async || {
        let log = controller.log();
        let named = |line: &str| line.contains("WARN") && line.contains("ChartPublications cannot be watched: a right is missing");
        if log.lines().any(named) { Ok(()) } else { Err(log) }
    })
    .await;
    let health = controller.health();
    let answer = http::get(bed.client_namespace(), health, &health.to_string(), "/readyz").await.expect("an answer");
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(body, "not everything is read yet: missing are ChartPublication\n");
    let (_, _, log) = controller.stop();
    assert_eq!(log.matches("cannot be watched").count(), 1, "once a minute: {log}");
}

#[tokio::test]
async fn a_spool_folder_that_is_not_there_is_refused_at_once() {
    let bed = support::shared();
    let namespace = bed.namespace().await;
    let missing = bed.folder("spool").join("missing");
    let account = without_rights(&namespace).await;
    let words = [
        "run",
        "--kubeconfig",
        &account.display().to_string(),
        "--health-address",
        "127.0.0.1:0",
        "--spool-dir",
        &missing.display().to_string(),
    ];
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_chart-publisher")).args(words).output().expect("the program");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    let sentence = format!("`--spool-dir {}` is no folder that can be written; give one that exists", missing.display());
    assert!(said.contains(&sentence), "{said}");
    assert!(!missing.exists(), "it is not made");
}

#[tokio::test]
async fn logs_are_one_json_object_a_line_when_asked_for() {
    let scene = scene(&["small-1.2.2"]).await;
    let namespace = &scene.namespace;
    let controller = namespace.controller(&[&ANYWHERE[..], &["--log-format", "json"]].concat()).await;
    namespace.publish("logged", &scene.spec("small")).await;
    namespace.becomes_ready("logged").await;
    namespace.change("logged", &json!({"charts": [{"name": "gone"}]})).await;
    namespace.becomes("logged", "it fails", |status| support::publication::ready(status).starts_with("False")).await;
    let (_, _, log) = controller.stop();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect();
    for line in &lines {
        let is_text = |field: &str| line[field].as_str().is_some_and(|text| !text.is_empty());
        assert!(line.is_object() && is_text("timestamp") && is_text("level") && is_text("message") && is_text("target"), "{line}");
    }
    let publication = format!("{}/logged", namespace.name());
    let says = |level: &str, field: &str, value: &str| lines.iter().any(|line| line["level"] == level && line[field] == value);
    assert!(says("INFO", "message", "starting") && says("INFO", "message", "stopped"), "{log}");
    assert!(says("INFO", "publication", &publication) && says("WARN", "reason", "ChartNotFound"), "{log}");
}
