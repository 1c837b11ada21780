//! Every wrong input that a user can give leads to a status that names the object and the cure; and no secret is ever shown.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

#[path = "wrong_input/archives.rs"]
mod archives;
#[path = "wrong_input/case.rs"]
mod case;
#[path = "wrong_input/document.rs"]
mod document;
#[path = "wrong_input/objects.rs"]
mod objects;
#[path = "wrong_input/oci.rs"]
mod oci;
#[path = "wrong_input/proxies.rs"]
mod proxies;
#[path = "wrong_input/registries.rs"]
mod registries;
#[path = "wrong_input/services.rs"]
mod services;
#[path = "wrong_input/signatures.rs"]
mod signatures;
#[path = "wrong_input/sources.rs"]
mod sources;
#[expect(dead_code, reason = "it has more than is wrong here")]
#[path = "../src/provenance/testing.rs"]
mod testing;
#[path = "wrong_input/world.rs"]
mod world;
#[path = "wrong_input/writes.rs"]
mod writes;

use case::{Case, Then};
use chart_publisher::api::ChartPublicationStatus;
use document::{Line, Part, general};
use futures::future::join_all;
use k8s_openapi::api::{
    core::v1::{ConfigMap, Secret, Service},
    discovery::v1::EndpointSlice,
    events::v1::Event,
};
use serde_json::{Value, json};
use support::{
    Bed,
    controller::Controller,
    namespace::Namespace,
    publication::{condition, ready},
    registry::Version,
    scripted::Reply,
};
use world::World;

const NAME: &str = "podinfo";

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_input_leads_to_a_sentence_that_names_the_object_and_the_cure() {
    let Some(bed) = support::with_node() else { return };
    let world = World::create(bed, Version::V3).await;
    let parts = vec![
        ("The source", sources::addresses(&world)),
        ("The proxy of a source", proxies::proxies(&world)),
        ("What the source holds", sources::contents(&world)),
        ("What objects and the spec hold", objects::held(&world)),
        ("The source in a registry", oci::registries(&world)),
        ("What a registry holds", oci::contents(&world)),
        ("What is over a limit", sources::limits(&world)),
        ("What cannot be published", sources::names(&world)),
        ("The Service", services::services(&world)),
        ("Secrets", services::secrets(&world)),
        ("Keyrings", signatures::keyrings(&world)),
        ("Signatures", signatures::signatures(&world)),
        ("Rights at the registry", registries::rights(&world)),
        ("TLS", registries::tls(&world)),
        ("The registry", registries::states(&world)),
        ("Disks and tags", writes::writes(&world)),
    ];
    let mut lines = all_as_expected(&world, &parts).await.into_iter();
    document::compare(
        &parts.iter().map(|(title, cases)| Part { title, lines: lines.by_ref().take(cases.len()).collect() }).collect::<Vec<_>>(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_registry_leads_to_the_same() {
    let Some(bed) = support::with_node() else { return };
    let world = World::create(bed, Version::V2).await;
    let parts = [
        ("Rights", registries::rights(&world)),
        ("TLS", registries::tls(&world)),
        ("States", registries::states(&world)),
        ("Disks and tags", writes::writes(&world)),
    ];
    all_as_expected(&world, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_whose_storage_fills_up_in_the_middle_of_a_body_is_told_from_one_that_has_a_fault() {
    let Some(bed) = support::with_node() else { return };
    let archive = archives::chart_of(128 << 10);
    let source = bed.scripted(80);
    source.says("/chart.tgz", Reply::ok(archive));
    for version in Version::ALL {
        let (namespace, registry) = (bed.namespace().await, bed.registry(version).storage_on("size=64k").start().await);
        let target = json!({"name": "main", "url": format!("oci://{}/charts", registry.socket()), "insecure": true});
        let source = json!({"archive": {"url": format!("http://{}/chart.tgz", source.socket())}});
        let _controller = namespace.controller(&[]).await;
        namespace.publish(NAME, &json!({"source": source, "targets": [target]})).await;
        let full = namespace.becomes(NAME, "the registry is full", |status| ready(status) == "False RegistryFull").await;
        let message = condition(&full.status.expect("a status"), "Ready").expect("a condition").message.clone();
        for words in ["while sending the blob: the answer was 500 UNKNOWN (unknown error: no space left on device)", "enlarge the volume"] {
            assert!(message.contains(words), "{version:?}: {message}");
        }
    }
}

/// All cases at once under one controller, each in a namespace of its own; and nothing that anybody can read shows a secret.
async fn all_as_expected(world: &World, parts: &[(&'static str, Vec<Case>)]) -> Vec<Line> {
    writes::push_beforehand(world);
    let cases: Vec<&Case> = parts.iter().flat_map(|(_, cases)| cases).collect();
    let namespaces = join_all(cases.iter().map(|_| world.bed.namespace())).await;
    join_all(cases.iter().zip(&namespaces).map(|(case, namespace)| prepare(case, namespace))).await;
    let controller = controller(world.bed, &namespaces).await;
    let seen = join_all(cases.into_iter().zip(&namespaces).map(|(case, namespace)| run(case, namespace, world))).await;
    let problems: Vec<String> = seen.iter().flat_map(|seen| seen.problems.clone()).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    let log = controller.log();
    assert!(log.contains(" TRACE ") && log.contains(" DEBUG "), "the log does not say all that it can");
    for text in seen.iter().map(|seen| &seen.shown).chain([&log]) {
        assert_shows_none(text, &world.secrets());
    }
    seen.into_iter().map(|seen| seen.line).collect()
}

fn assert_shows_none(text: &str, secrets: &[String]) {
    for secret in secrets {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "a secret is shown");
    }
}

async fn prepare(case: &Case, namespace: &Namespace) {
    for object in &case.objects {
        apply(namespace, object).await;
    }
}

/// One controller for all namespaces, that says all it can say and has little room for charts.
async fn controller(bed: &'static Bed, namespaces: &[Namespace]) -> Controller {
    let names: Vec<&str> = namespaces.iter().map(Namespace::name).collect();
    let home = &namespaces[0];
    let rights = home.rights(&[&format!("watchNamespaces={{{}}}", names.join(","))]);
    let kubeconfig = home.kubeconfig_of(&rights.account).await;
    let watched = names.iter().flat_map(|name| ["--namespace", name]);
    let arguments: Vec<&str> = ["--log-level", "trace", "--spool-size", "4Mi", "--concurrency", "64"].into_iter().chain(watched).collect();
    // Its volume is smaller than what it is told, as volumes are.
    let mut controller = bed.controller(&kubeconfig, &arguments).rights(rights).spool_on("size=3m").start();
    controller.wait_until_ready().await;
    controller
}

/// What became of a case.
struct Seen {
    line: Line,
    problems: Vec<String>,
    /// All that users can read of it.
    shown: String,
}

async fn run(case: &Case, namespace: &Namespace, world: &World) -> Seen {
    namespace.publish(NAME, &case.spec).await;
    if let Some(change) = &case.change {
        namespace.becomes_ready(NAME).await;
        change();
        namespace.run_again(NAME).await;
    }
    let kept = case.kept.as_ref().map(|reference| (reference, digest(world, reference)));
    let wanted = if case.then == Then::Published { "True " } else { "False " };
    let first = namespace.becomes(NAME, "it is known what becomes of it", |status| ready(status).starts_with(wanted)).await;
    let second = namespace.run_again(NAME).await;
    let events = namespace.events_of(NAME).await;
    let [first, second] = [first, second].map(|publication| publication.status.unwrap_or_default());
    let mut problems = problems(case, namespace, world, [&first, &second], &events);
    if let Some((reference, digest)) = kept {
        problems.extend(is_kept_until_deleted(namespace, world, reference, &digest).await);
    }
    let shown = serde_json::to_string(&(&first, &second, &events)).expect("JSON");
    let message = general(&condition(&second, "Ready").expect("a condition").message, namespace.name(), world);
    let problems = problems.into_iter().map(|problem| format!("{}: {problem}", case.input)).collect();
    Seen { line: Line { input: case.input, reason: case.reason.as_str(), message, then: case.then }, problems, shown }
}

fn digest(world: &World, reference: &str) -> String {
    world.bed.run_in_pod(&["crane", "digest", "--insecure", reference]).expect_success().trim().to_owned()
}

/// What stands under a tag stays; and once it is deleted, as the sentence says, the source's chart is published there.
async fn is_kept_until_deleted(namespace: &Namespace, world: &World, reference: &str, before: &str) -> Option<String> {
    let after = digest(world, reference);
    if after != before {
        return Some(format!("{reference} was {before} and is {after}"));
    }
    let repository = reference.rsplit_once(':').expect("a tag").0;
    world.bed.run_in_pod(&["crane", "delete", "--insecure", &format!("{repository}@{before}")]).expect_success();
    namespace.run_again(NAME).await;
    namespace.becomes_ready(NAME).await;
    let published = digest(world, reference);
    (published == before).then(|| format!("{reference} is still {before}"))
}

/// What is not as it should be, in the status after each of two runs and in the Events.
fn problems(case: &Case, namespace: &Namespace, world: &World, runs: [&ChartPublicationStatus; 2], events: &[Event]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut expect = |is_so: bool, problem: String| {
        if !is_so {
            problems.push(problem);
        }
    };
    let (standing, is, is_not) = match case.then {
        Then::Stalled => ("False", "Stalled", "Reconciling"),
        Then::Retried => ("False", "Reconciling", "Stalled"),
        Then::Published => ("True", "Ready", "Stalled"),
    };
    let messages = runs.map(|status| condition(status, "Ready").expect("a condition"));
    for (status, found) in runs.iter().zip(&messages) {
        let shown = general(&found.message, namespace.name(), world);
        expect(ready(status) == format!("{standing} {}", case.reason), format!("Ready is {}: {shown}", ready(status)));
        expect(condition(status, is).is_some_and(|condition| condition.status == "True"), format!("{is} is not True: {shown}"));
        expect(condition(status, is_not).is_none(), format!("{is_not} is there: {shown}"));
        expect(shown.contains(case.names), format!("`{}` does not stand in: {shown}", case.names));
        expect(shown.contains(case.cure), format!("`{}` does not stand in: {shown}", case.cure));
    }
    expect(messages[0].message == messages[1].message, format!("the second run says something else: {messages:?}"));
    let told: Vec<_> = events.iter().filter(|event| event.type_.as_deref() == Some("Warning")).collect();
    if case.then == Then::Published {
        expect(told.is_empty(), format!("there are Events: {told:?}"));
        return problems;
    }
    let once = matches!(told[..], [event] if event.reason.as_deref() == Some(case.reason.as_str()) && event.note.as_deref() == Some(&messages[1].message) && event.series.is_none());
    expect(once, format!("the Events are {:?}", told.iter().map(|event| (&event.reason, &event.note, &event.series)).collect::<Vec<_>>()));
    problems
}

async fn apply(namespace: &Namespace, object: &Value) {
    match object["kind"].as_str() {
        Some("ConfigMap") => drop(namespace.apply::<ConfigMap>(object.clone()).await),
        Some("Secret") => drop(namespace.apply::<Secret>(object.clone()).await),
        Some("Service") => drop(namespace.apply::<Service>(object.clone()).await),
        Some("EndpointSlice") => drop(namespace.apply::<EndpointSlice>(object.clone()).await),
        kind => panic!("{kind:?} is no kind of this test"),
    }
}
