//! `chart-publisher plan`: what it says of files, registries and clusters, and that it writes nothing.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use kube::ResourceExt;
use serde::Deserialize;
use serde_json::{Value, json};
use support::{
    Ran,
    publication::{spec, url_target},
    registry::{Registry, Version},
};

const ANYWHERE: [&str; 2] = ["--allow-address", "127.0.0.0/8"];

/// What is printed: these fields and no others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Printed {
    items: Vec<Item>,
    passed_over: Vec<PassedOver>,
    failures: Vec<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    publication: String,
    reason: String,
    message: String,
    passing: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PassedOver {
    publication: String,
    chart: String,
    reason: String,
    versions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    publication: String,
    chart: String,
    version: String,
    target: String,
    reference: Option<String>,
    action: String,
    route: Option<String>,
    method: Option<String>,
    reason: String,
}

fn publication(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": name}, "spec": spec})
}

/// Runs it on a file with these documents, with a Pod's view of the network.
fn plan(folder: &Path, documents: &str, flags: &[&str]) -> Ran {
    let file = folder.join("publication.yaml");
    fs::write(&file, documents).expect("a file");
    let file = file.display().to_string();
    let words = [&[env!("CARGO_BIN_EXE_chart-publisher"), "plan", "-f", file.as_str()], flags].concat();
    support::shared().run_in_pod(&words)
}

fn printed(ran: Ran) -> Printed {
    let output = ran.expect_success();
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"))
}

fn items(ran: Ran) -> Vec<Item> {
    printed(ran).items
}

fn check_reads_only(registry: &Registry, before: usize) {
    let requests = registry.requests();
    assert!(requests.len() > before, "it looked");
    let writes: Vec<_> = requests.iter().skip(before).filter(|request| !["GET", "HEAD"].contains(&request.method.as_str())).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn each_version_is_planned_for_each_target_without_a_cluster() {
    let bed = support::shared();
    let (registry, charts) =
        (bed.registry(Version::V3).start().await, bed.helm_repository(&["small-1.2.2", "small-1.2.3+4"]).start().await);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let targets = json!([
        url_target(registry.socket(), "charts"),
        {"name": "away", "url": format!("oci://{closed}/charts"), "insecure": true},
        {"name": "inside", "service": {"name": "registry"}},
        {"name": "secret", "url": format!("oci://{}/charts", registry.socket()), "insecure": true, "secretRef": {"name": "login"}},
    ]);
    let spec = spec(&charts.url(), &json!([{"name": "small", "latest": 0}]), &targets);
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "beside"}});
    let documents = format!("{other}\n---\n{}\n", publication("planned", &spec));
    let output = plan(&bed.folder("plan"), &documents, &["-o", "json"]);
    assert!(output.errors.contains("ConfigMap `beside` of v1 is passed over"), "{output:?}");
    let items = items(output);
    let said: Vec<_> = items.iter().map(|item| (item.target.as_str(), item.version.as_str(), item.action.as_str())).collect();
    let expected = [("main", "Publish"), ("away", "Wait"), ("inside", "Refuse"), ("secret", "Refuse")];
    let expected: Vec<_> =
        expected.iter().flat_map(|(target, action)| ["1.2.3+4", "1.2.2"].map(|version| (*target, version, *action))).collect();
    assert_eq!(said, expected);
    assert!(items.iter().all(|item| item.publication == "default/planned"), "{items:?}");
    let first = &items[0];
    let tag = format!("{}/charts/small:1.2.3_4", registry.socket());
    assert_eq!((first.chart.as_str(), first.reference.as_ref()), ("small", Some(&tag)));
    assert_eq!((first.route.as_deref(), first.method.as_deref()), (Some("URL"), Some("Buffered")));
    for (index, part) in [(0, "does not list `charts/small:1.2.3_4`"), (2, "RouteUnreachable: "), (4, "--kubeconfig"), (6, "--kubeconfig")]
    {
        assert!(items[index].reason.contains(part), "{}", items[index].reason);
    }
    check_reads_only(&registry, 0);

    let table = plan(&bed.folder("plan-table"), &documents, &[]);
    let table = table.expect_success();
    assert!(table.starts_with("CHART  VERSION  TARGET  ACTION"), "{table}");
    assert!(table.contains(&tag), "{table}");
}

#[tokio::test]
async fn several_publications_are_told_apart_and_one_without_a_source_keeps_nothing_from_the_others() {
    let bed = support::shared();
    let (registry, charts) = (bed.registry(Version::V3).start().await, bed.helm_repository(&["small-1.2.2"]).start().await);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let of = |name: &str, repository: &str| {
        let target = url_target(registry.socket(), name);
        publication(name, &spec(repository, &json!([{"name": "small"}]), &json!([target]))).to_string()
    };
    let (there, away) = (charts.url(), format!("http://{closed}"));
    let documents = [of("one", &there), of("gone", &away), of("two", &there)].join("\n---\n");
    let output = plan(&bed.folder("plan-several"), &documents, &["-o", "json"]);
    assert_eq!(output.code, Some(1), "it may pass: {output:?}");
    assert!(output.errors.contains("default/gone: SourceUnreachable: "), "{output:?}");
    let printed: Printed = serde_json::from_str(&output.output).expect("JSON");
    let said: Vec<_> = printed.items.iter().map(|item| (item.publication.as_str(), item.action.as_str())).collect();
    assert_eq!(said, [("default/one", "Publish"), ("default/two", "Publish")]);
    let [Failure { publication, reason, message, passing: true }] = printed.failures.as_slice() else { panic!("{:?}", printed.failures) };
    assert_eq!((publication.as_str(), reason.as_str()), ("default/gone", "SourceUnreachable"));
    assert!(output.errors.contains(message), "{output:?}");

    let table = plan(&bed.folder("plan-several-table"), &documents, &[]);
    for name in ["default/one\nCHART ", "\n\ndefault/two\nCHART "] {
        assert!(table.output.contains(name), "{table:?}");
    }
    // What no time mends counts more.
    let wrong = [of("one", &format!("{there}/absent")), of("gone", &away)].join("\n---\n");
    let output = plan(&bed.folder("plan-several-wrong"), &wrong, &[]);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.errors.contains("default/one: SourceNotFound: ") && output.errors.contains("default/gone: "), "{output:?}");
}

#[tokio::test]
async fn what_is_passed_over_is_said_with_its_reason() {
    let bed = support::shared();
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4", "umbrella-2.0.0"]).start().await;
    let away = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let requests = json!([{"name": "small", "versions": "~1.2.0", "exclude": ["1.2.3"]}, {"name": "umbrella", "latest": 0}]);
    let documents = publication("planned", &spec(&charts.url(), &requests, &json!([url_target(away, "charts")]))).to_string();
    let printed = printed(plan(&bed.folder("plan-passed"), &documents, &["-o", "json"]));
    assert_eq!(printed.items.iter().map(|item| item.version.as_str()).collect::<Vec<_>>(), ["1.2.2", "2.0.0"]);
    assert!(printed.passed_over.iter().all(|group| group.publication == printed.items[0].publication), "{:?}", printed.passed_over);
    let said: Vec<_> = printed.passed_over.iter().map(|group| (group.chart.as_str(), &group.versions[..], group.reason.as_str())).collect();
    assert_eq!(said, [("small", &["1.2.3+4".to_owned()][..], "`exclude` has `1.2.3`")]);
    let text = plan(&bed.folder("plan-passed-text"), &documents, &[]).expect_success();
    assert!(text.ends_with("\n\nsmall 1.2.3+4 passed over\n    `exclude` has `1.2.3`\n"), "{text}");
}

#[tokio::test]
async fn the_version_that_is_planned_is_the_one_that_helm_takes() {
    let bed = support::shared();
    let versions = ["0.1.0-dev", "1.0.0", "1.2.0", "1.9.0", "1.9.0+b", "1.10.0", "2.0.0-rc.1", "2.0.0", "2.1.0-beta.2", "2.1.0-beta.10"];
    let archives = bed.packages("web", &versions);
    let charts = archives.iter().fold(bed.helm_repository(&[]), support::helm_repository::HelmRepositoryBuilder::archive).start().await;
    let away = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let (folder, url) = (bed.folder("plan-like-helm"), charts.url());
    let cache = format!("HELM_CACHE_HOME={}", folder.display());
    let helm = |flags: &[&str]| {
        let words = ["env", &cache, "helm", "show", "chart", "web", "--repo", &url];
        let told = bed.run_in_pod(&[&words[..], flags].concat());
        told.success.then(|| told.output.lines().find_map(|line| line.strip_prefix("version: ")).expect("a version").to_owned())
    };
    let ours = |request: Value| {
        let documents = publication("alike", &spec(&url, &json!([request]), &json!([url_target(away, "charts")]))).to_string();
        let told = plan(&folder, &documents, &["-o", "json"]);
        if told.output.is_empty() {
            assert!(told.code == Some(2) && told.errors.contains("spec.charts[0].versions: is no constraint"), "{told:?}");
            return None;
        }
        let printed: Printed = serde_json::from_str(&told.output).unwrap_or_else(|error| panic!("{error}: {told:?}"));
        assert_eq!(told.success, printed.items.len() == 1, "{told:?}");
        printed.items.first().map(|item| item.version.clone())
    };
    for asked in [
        "1.9.0",
        "1.9.0+b",
        "1.10",
        "v1.2.0",
        "1",
        "^1",
        "<2",
        "~1.2.0 || 1.0.x",
        "1.0 - 1.2",
        ">=2-0",
        ">1.9 <2.0",
        "!=2.0.0",
        "2.1.0-beta.2",
        "*-0",
        "3",
        "9.9.9",
        "latest",
        ">=1.0&&<2",
    ] {
        assert_eq!(ours(json!({"name": "web", "versions": asked})), helm(&["--version", asked]), "`{asked}`");
    }
    assert_eq!((ours(json!({"name": "web"})), helm(&[])), (Some("2.0.0".to_owned()), Some("2.0.0".to_owned())));
    let newest = Some("2.1.0-beta.10".to_owned());
    assert_eq!((ours(json!({"name": "web", "prereleases": true})), helm(&["--devel"])), (newest.clone(), newest));
}

#[tokio::test]
async fn what_a_cluster_knows_of_it_counts_and_stays_as_it_is() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let spec = spec(&charts.url(), &json!([{"name": "small"}]), &json!([url_target(registry.socket(), "charts")]));
    {
        let _controller = namespace.controller(&ANYWHERE).await;
        namespace.publish("known", &spec).await;
        namespace.becomes_ready("known").await;
    }
    let state = async || {
        let (publication, inventory) = (namespace.publication("known").await, namespace.inventory("known").await);
        (
            publication.resource_version(),
            inventory.and_then(|inventory| inventory.resource_version()),
            namespace.events_of("known").await.len(),
        )
    };
    let (before, requests) = (state().await, registry.requests().len());
    let folder = bed.folder("plan-known");
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let with = |name: &str, spec: &Value| {
        let flags = ["-o", "json", "-n", namespace.name(), "--kubeconfig", kubeconfig.as_str()];
        items(plan(&folder, &publication(name, spec).to_string(), &flags))
    };
    let check = |items: &[Item], action: &str, part: &str| {
        assert_eq!(items.iter().map(|item| item.action.as_str()).collect::<Vec<_>>(), [action], "{items:?}");
        assert!(items[0].reason.contains(part), "{}", items[0].reason);
    };
    check(&with("known", &spec), "Unchanged", "was proven before");
    check(&with("unknown", &spec), "Look", "no proof of it");
    let mut suspended = spec.clone();
    suspended["suspend"] = json!(true);
    check(&with("known", &suspended), "Suspended", "`suspend` is true");
    let mut nowhere = spec.clone();
    nowhere["targets"] = json!([{"name": "main", "service": {"name": "absent"}}]);
    check(&with("known", &nowhere), "Wait", "ServiceNotFound: ");
    check_reads_only(&registry, requests);
    assert_eq!(state().await, before);
}

#[tokio::test]
async fn a_chart_in_the_spec_is_planned_without_a_cluster_and_one_in_objects_with_it() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let archive = fs::read(bed.chart("small-1.2.2")).expect("a chart of the bed");
    let targets = json!([url_target(registry.socket(), "charts")]);
    let of = |source: Value| publication("held", &json!({"source": source, "targets": targets})).to_string();
    let folder = bed.folder("plan-held");
    let said = |ran: Ran| items(ran).into_iter().map(|item| (item.chart, item.version, item.action)).collect::<Vec<_>>();
    let expected = [("small".to_owned(), "1.2.2".to_owned(), "Publish".to_owned())];
    let inline = of(json!({"inline": BASE64_STANDARD.encode(&archive)}));
    assert_eq!(said(plan(&folder, &inline, &["-o", "json"])), expected);

    namespace.config_map("small", &[("small-1.2.2.tgz", &archive)]).await;
    let in_config_map = of(json!({"configMaps": ["small"]}));
    let without = plan(&folder, &in_config_map, &["-o", "json"]);
    assert_eq!(without.code, Some(1), "{without:?}");
    assert!(without.errors.contains("ConfigMap `default/small` lies in a cluster: give `--kubeconfig`"), "{without:?}");
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let flags = ["-o", "json", "-n", namespace.name(), "--kubeconfig", kubeconfig.as_str()];
    assert_eq!(said(plan(&folder, &in_config_map, &flags)), expected);
    let missing = plan(&folder, &of(json!({"secrets": ["absent"]})), &flags);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.errors.contains("SourceNotFound: Secret `"), "{missing:?}");
    check_reads_only(&registry, 0);
}

#[tokio::test]
async fn wrong_input_ends_with_2_and_a_sentence() {
    let bed = support::shared();
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let away = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let target = || json!([{"name": "main", "url": format!("oci://{away}/charts"), "insecure": true}]);
    let of = |repository: &str, chart: &str| publication("wrong", &spec(repository, &json!([{"name": chart}]), &target())).to_string();
    let mut typed = publication("wrong", &spec(&charts.url(), &json!([{"name": "small"}]), &target()));
    typed["spec"]["suspend"] = json!("yes");
    let with = |place: &str, value: Value| {
        let mut object = publication("wrong", &spec(&charts.url(), &json!([{"name": "small"}]), &target()));
        let (holder, field) = place.rsplit_once('/').expect("a place");
        object.pointer_mut(holder).expect("its holder")[field] = value;
        object.to_string()
    };
    let whole = publication("whole", &spec(&charts.url(), &json!([{"name": "smal", "latest": 1.0}]), &target()));
    for (documents, code, part) in [
        ("{".to_owned(), 2, "is no YAML"),
        ("a: b".to_owned(), 2, "no object of Kubernetes"),
        ("{kind: Pod, apiVersion: v1, metadata: {name: a}}".to_owned(), 2, "no ChartPublication"),
        (typed.to_string(), 2, "spec.suspend: is a string"),
        (with("/spec/intervall", json!("1h")), 2, "spec.intervall: there is no such field"),
        (with("/spec/interval", json!("1d")), 2, "spec.interval: "),
        (with("/spec/source/archive", json!({"url": "https://charts.example.com/small-1.2.2.tgz"})), 2, "spec.source: "),
        (with("/spec/targets/0/allowedHosts", json!(["https://h"])), 2, "spec.targets[0].allowedHosts[0]: `https://h` is no `HOST`"),
        (with("/metadata", json!({"generateName": "small-"})), 2, "no `metadata.name`"),
        // As the API server takes it; a list is taken apart.
        (json!({"apiVersion": "v1", "kind": "List", "items": [whole]}).to_string(), 2, "ChartNotFound: "),
        (of(&charts.url(), "smal"), 2, "ChartNotFound: "),
        (of(&format!("{}/absent", charts.url()), "small"), 2, "SourceNotFound: "),
        (of(&format!("http://{away}"), "small"), 1, "SourceUnreachable: "),
    ] {
        let output = plan(&bed.folder("plan-wrong"), &documents, &["-o", "json"]);
        assert_eq!(output.code, Some(code), "{documents}: {output:?}");
        assert!(output.errors.contains(part), "{documents}: {output:?}");
    }
    let right = of(&charts.url(), "small");
    for (flags, part) in [
        (["--spool-dir", "/nonexistent"], "`--spool-dir`: `/nonexistent` is no folder"),
        (["-n", "A/B"], "`--namespace`: `A/B` must be of lower case letters"),
        (["--keyring", "/dev/zero"], "`--keyring`: `/dev/zero` cannot be read: it is larger than 16 MiB"),
    ] {
        let output = plan(&bed.folder("plan-wrong"), &right, &flags);
        assert_eq!((output.code, output.output.as_str()), (Some(2), ""), "{output:?}");
        assert!(output.errors.contains(part), "{output:?}");
    }
}

#[tokio::test]
async fn an_api_server_that_is_away_is_named_with_the_cause_and_the_cure() {
    let bed = support::shared();
    let away = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let folder = bed.folder("no-api-server");
    let kubeconfig = folder.join("kubeconfig");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": {"server": format!("https://{away}")}}],
        "users": [{"name": "a", "user": {"token": "hunter2"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
    });
    fs::write(&kubeconfig, config.to_string()).expect("a file in the bed's folder");
    let file = folder.join("publication.yaml");
    let behind = json!([{"name": "main", "service": {"name": "registry"}}]);
    let documents = publication("a", &spec("http://charts.invalid", &json!([{"name": "small"}]), &behind));
    fs::write(&file, documents.to_string()).expect("a file in the bed's folder");
    let (kubeconfig, file) = (kubeconfig.display().to_string(), file.display().to_string());
    for command in [&["plan", "-f", &file][..], &["publish", "-f", &file], &["probe", "--service", "team/registry"]] {
        let ran = bed.run_in_pod(&[&[env!("CARGO_BIN_EXE_chart-publisher")], command, &["--kubeconfig", &kubeconfig]].concat());
        let sentence = format!("the API server `https://{away}` could not be asked: ");
        assert_eq!((ran.code, ran.errors.lines().count()), (Some(1), 1), "{ran:?}");
        for part in [sentence.as_str(), "onnection refused", "look whether it runs"] {
            assert!(ran.errors.contains(part), "{ran:?}");
        }
    }
}
