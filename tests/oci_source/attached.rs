//! What belongs to a chart comes along: cosign's tags, what refers to the manifest, and what refers to that.

use std::{fs, net::SocketAddr};

use serde_json::{Value, json};

use super::{
    lists::Lists,
    scene::{ANYWHERE, crane, logged, ours, push, spec},
    support::{
        self, Bed,
        namespace::Namespace,
        publication::{condition, ready},
        registry::{Registry, Version},
    },
};

/// A registry of one kind or another.
enum Kind {
    Distribution(Registry),
    WithLists(Lists),
}

impl Kind {
    async fn start(bed: &'static Bed, version: Option<Version>) -> Self {
        match version {
            Some(version) => Self::Distribution(bed.registry(version).start().await),
            None => Self::WithLists(Lists::start(bed).await),
        }
    }

    fn socket(&self) -> SocketAddr {
        match self {
            Self::Distribution(registry) => registry.socket(),
            Self::WithLists(lists) => lists.socket(),
        }
    }

    /// What chart-publisher has asked of it; of the one with lists, what everybody has.
    fn asked(&self) -> Vec<String> {
        match self {
            Self::Distribution(registry) => ours(registry.requests()).iter().map(super::support::access_log::Request::line).collect(),
            Self::WithLists(lists) => lists.requests(),
        }
    }
}

/// Has oras do something by plain HTTP.
fn oras(bed: &Bed, words: &[&str]) -> String {
    bed.run_in_pod(&[&["oras"], words].concat()).expect_success()
}

/// A file of the bed with these words.
fn file(bed: &Bed, words: &str) -> String {
    let path = bed.folder("attached").join("file");
    fs::write(&path, words).expect("a file in the bed's folder");
    path.display().to_string()
}

/// Attaches an artifact by its `subject`; its digest.
fn attach(bed: &Bed, to: &str, kind: &str, words: &str) -> String {
    let layer = format!("{}:text/plain", file(bed, words));
    let words =
        ["attach", "--plain-http", "--disable-path-validation", "--no-tty", "--format", "json", "--artifact-type", kind, to, &layer];
    let printed: Value = serde_json::from_str(&oras(bed, &words)).expect("JSON");
    printed["digest"].as_str().expect("a digest").to_owned()
}

/// Signs `digest` as cosign does, by a tag.
fn sign(bed: &Bed, repository: &str, digest: &str, suffix: &str, words: &str) -> String {
    let tag = format!("{}.{suffix}", digest.replace(':', "-"));
    let layer = format!("{}:application/vnd.dev.cosign.simplesigning.v1+json", file(bed, words));
    let config = format!("{}:application/vnd.oci.image.config.v1+json", file(bed, "{}"));
    let reference = format!("{repository}:{tag}");
    let words = ["push", "--plain-http", "--disable-path-validation", "--no-tty", "--config", &config, &reference, &layer];
    oras(bed, &words);
    tag
}

/// All that oras finds that refers to a chart, whatever the order and the registry.
fn discovered(bed: &Bed, repository: &str, tag: &str) -> Value {
    let reference = format!("{repository}:{tag}");
    let printed = oras(bed, &["discover", "--plain-http", "--format", "json", &reference]);
    sorted(serde_json::from_str(&printed.replace(repository, "REPOSITORY")).expect("JSON"))
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        // go-containerregistry lists the media type of the config here.
        Value::Object(fields) => {
            fields.into_iter().filter(|(name, _)| name != "artifactType").map(|(name, value)| (name, sorted(value))).collect()
        }
        other => other,
    }
}

fn helm_pulls(bed: &Bed, repository: &str) -> Vec<u8> {
    let folder = bed.folder("pulled");
    let (address, place) = (format!("oci://{repository}"), folder.display().to_string());
    bed.run_in_pod(&["helm", "pull", "--plain-http", "--version", "1.2.2", &address, "--destination", &place]).expect_success();
    fs::read(folder.join("small-1.2.2.tgz")).expect("what helm pulled")
}

fn tags(bed: &Bed, repository: &str) -> Vec<String> {
    crane(bed, &["ls", repository]).lines().map(str::to_owned).collect()
}

fn is_read(line: &str) -> bool {
    line.starts_with("GET ") || line.starts_with("HEAD ")
}

#[tokio::test]
async fn signatures_and_what_else_refers_to_a_chart_are_the_same_on_both_sides() {
    let bed = support::shared();
    bed.install_crds();
    let (v2, v3) = (Some(Version::V2), Some(Version::V3));
    for (from, to) in [(v2, v3), (v3, v2), (v3, v3), (None, v3), (v2, None), (None, None)] {
        let namespace = bed.namespace().await;
        let (from, to) = (Kind::start(bed, from).await, Kind::start(bed, to).await);
        copied(bed, &namespace, &from, &to).await;
    }
}

async fn copied(bed: &'static Bed, namespace: &Namespace, from: &Kind, to: &Kind) {
    let (source, target) = (format!("{}/upstream/small", from.socket()), format!("{}/charts/small", to.socket()));
    push(bed, &bed.chart("small-1.2.2"), &format!("oci://{}/upstream", from.socket()));
    let chart = crane(bed, &["digest", &format!("{source}:1.2.2")]);
    let signature = sign(bed, &source, &chart, "sig", "signed");
    let bill = attach(bed, &format!("{source}:1.2.2"), "application/vnd.example.bill", "what is in it");
    let of_bill = attach(bed, &format!("{source}@{bill}"), "application/vnd.example.signature", "the bill is right");
    let by_tag = sign(bed, &source, &bill, "sig", "the bill is signed");
    let _controller = namespace.controller(&ANYWHERE).await;
    namespace.publish("copied", &spec(from.socket(), &json!([{"name": "small"}]), to.socket())).await;
    namespace.becomes_ready("copied").await;

    for reference in ["1.2.2", &signature, &by_tag] {
        let [before, after] = [&source, &target].map(|repository| crane(bed, &["manifest", &format!("{repository}:{reference}")]));
        assert_eq!(before, after, "{reference}");
    }
    for digest in [&chart, &bill, &of_bill] {
        let [before, after] = [&source, &target].map(|repository| crane(bed, &["manifest", &format!("{repository}@{digest}")]));
        assert_eq!(before, after, "{digest}");
    }
    let found = discovered(bed, &target, "1.2.2");
    assert_eq!(discovered(bed, &source, "1.2.2"), found);
    assert!(found.to_string().contains(&bill) && found.to_string().contains(&of_bill), "{found}");
    assert_eq!(helm_pulls(bed, &source), helm_pulls(bed, &target));
    for tag in tags(bed, &source) {
        assert!(tags(bed, &target).contains(&tag), "{tag}");
    }
    // What is signed later is seen by the list of tags alone; with nothing new, that is all that is asked.
    unchanged_costs_a_list(namespace, [(from, "upstream"), (to, "charts")]).await;
    let later = sign(bed, &source, &chart, "att", "attested");
    namespace.run_again("copied").await;
    namespace.becomes_ready("copied").await;
    let [before, after] = [&source, &target].map(|repository| crane(bed, &["manifest", &format!("{repository}:{later}")]));
    assert_eq!(before, after);
    unchanged_costs_a_list(namespace, [(from, "upstream"), (to, "charts")]).await;
}

async fn unchanged_costs_a_list(namespace: &Namespace, registries: [(&Kind, &str); 2]) {
    let before = registries.map(|(registry, _)| registry.asked().len());
    namespace.run_again("copied").await;
    for ((registry, path), before) in registries.into_iter().zip(before) {
        let expected = [format!("GET /v2/{path}/small/tags/list 200")];
        support::eventually::eventually(support::eventually::SOON, "a list, and nothing else", async || {
            let asked = registry.asked().split_off(before);
            if asked == expected { Ok(()) } else { Err(format!("{asked:?}")) }
        })
        .await;
    }
}

#[tokio::test]
async fn what_others_have_at_the_target_stays_and_what_is_there_is_not_sent_again() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let (from, to) = (bed.registry(Version::V3).start().await, bed.registry(Version::V3).start().await);
    let (source, target) = (format!("{}/upstream/small", from.socket()), format!("{}/charts/small", to.socket()));
    push(bed, &bed.chart("small-1.2.2"), &format!("oci://{}/upstream", from.socket()));
    let chart = crane(bed, &["digest", &format!("{source}:1.2.2")]);
    let bill = attach(bed, &format!("{source}:1.2.2"), "application/vnd.example.bill", "what is in it");
    crane(bed, &["copy", &format!("{source}:1.2.2"), &format!("{target}:1.2.2")]);
    crane(bed, &["copy", &format!("{source}@{bill}"), &format!("{target}:bill")]);
    let others = attach(bed, &format!("{target}:1.2.2"), "application/vnd.example.other", "somebody else's");
    let _controller = namespace.controller(&ANYWHERE).await;
    namespace.publish("beside", &spec(from.socket(), &json!([{"name": "small"}]), to.socket())).await;
    namespace.becomes_ready("beside").await;
    let found = discovered(bed, &target, "1.2.2").to_string();
    assert!(found.contains(&others) && found.contains(&bill), "{found}");
    let written =
        || -> Vec<String> { ours(to.requests()).iter().map(support::access_log::Request::line).filter(|line| !is_read(line)).collect() };
    assert!(written().is_empty(), "all of it was there, and crane keeps the list: {:?}", written());

    let later = attach(bed, &format!("{source}:1.2.2"), "application/vnd.example.later", "what came later");
    namespace.publish("again", &spec(from.socket(), &json!([{"name": "small"}]), to.socket())).await;
    namespace.becomes_ready("again").await;
    let found = discovered(bed, &target, "1.2.2").to_string();
    for digest in [&others, &bill, &later] {
        assert!(found.contains(digest), "{digest}: {found}");
    }
    let manifests = || {
        let mut lines: Vec<String> = written().into_iter().filter(|line| line.contains("/manifests/")).collect();
        lines.sort();
        lines
    };
    let expected = [&later, &chart.replace(':', "-")].map(|reference| format!("PUT /v2/charts/small/manifests/{reference} 201"));
    logged("the target", &expected.each_ref().map(String::as_str), manifests).await;
}

#[tokio::test]
async fn a_signature_of_others_is_left_and_named_and_the_chart_waits_for_it() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let (from, to) = (bed.registry(Version::V3).start().await, bed.registry(Version::V3).start().await);
    let (source, target) = (format!("{}/upstream/small", from.socket()), format!("{}/charts/small", to.socket()));
    push(bed, &bed.chart("small-1.2.2"), &format!("oci://{}/upstream", from.socket()));
    let chart = crane(bed, &["digest", &format!("{source}:1.2.2")]);
    let tag = sign(bed, &source, &chart, "sig", "signed");
    sign(bed, &target, &chart, "sig", "signed by somebody else");
    let others = crane(bed, &["digest", &format!("{target}:{tag}")]);
    let _controller = namespace.controller(&ANYWHERE).await;
    let mut wanted = spec(from.socket(), &json!([{"name": "small"}]), to.socket());
    namespace.publish("kept", &wanted).await;
    let status = namespace.becomes("kept", "it is left", |status| ready(status) == "False Drifted").await.status.expect("a status");
    let message = condition(&status, "Ready").expect("a condition").message.clone();
    for words in [tag.as_str(), &others, "Delete the tag", "`referrers: false`"] {
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(tags(bed, &target), std::slice::from_ref(&tag), "no chart without what belongs to it");
    wanted["source"]["oci"]["referrers"] = json!(false);
    namespace.publish("kept", &wanted).await;
    namespace.becomes_ready("kept").await;
    assert_eq!(crane(bed, &["digest", &format!("{target}:1.2.2")]), chart);
    assert_eq!(crane(bed, &["digest", &format!("{target}:{tag}")]), others);
}
