//! Charts that lie in `ConfigMaps`, in Secrets and in the spec: what helm pulls is what somebody put there, and nobody else is asked.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use chart_publisher::api::ChartPublicationStatus;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::{
    ANYWHERE,
    support::{
        self,
        lossy_path::Lost,
        namespace::Namespace,
        publication::{condition, ready, url_target},
        registry::{Registry, Version},
    },
};

/// Objects are looked at every 30 s while one of them is the failure.
const SEEN_WITHIN: Duration = Duration::from_secs(35);

struct Scene {
    namespace: Namespace,
    registry: Registry,
}

async fn scene() -> Scene {
    let bed = support::shared();
    bed.install_crds();
    Scene { namespace: bed.namespace().await, registry: bed.registry(Version::V3).start().await }
}

impl Scene {
    fn spec(&self, source: &Value) -> Value {
        json!({"interval": "10s", "source": source, "targets": [url_target(self.registry.socket(), "charts")]})
    }

    /// Runs `kubectl create KIND … NAME` with these files, as the document says.
    fn create(&self, kind: &[&str], name: &str, files: &[&Path]) {
        let files: Vec<String> = files.iter().map(|file| format!("--from-file={}", file.display())).collect();
        let words = [&["kubectl", "create"], kind, &[name, "--namespace", self.namespace.name()]].concat();
        let words: Vec<&str> = words.into_iter().chain(files.iter().map(String::as_str)).collect();
        self.namespace.bed.run_on_host(&words).expect_success();
    }

    /// Puts a file in the place of all that a ConfigMap holds, as the document says.
    fn replace(&self, name: &str, file: &Path) {
        let (bed, from) = (self.namespace.bed, format!("--from-file={}", file.display()));
        let made = bed.run_on_host(&["kubectl", "create", "configmap", name, &from, "--dry-run=client", "-o", "yaml"]).expect_success();
        let manifest = bed.folder("replacement").join("configmap.yaml");
        fs::write(&manifest, made).expect("a file in the bed's folder");
        let manifest = manifest.display().to_string();
        bed.run_on_host(&["kubectl", "--namespace", self.namespace.name(), "replace", "-f", &manifest]).expect_success();
    }

    /// What helm pulls: the archive, and the provenance where there is one.
    fn pull(&self, chart: &str, version: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        let folder = self.namespace.bed.folder("pulled");
        let (address, to) = (format!("oci://{}/charts/{chart}", self.registry.socket()), folder.display().to_string());
        let words = ["helm", "pull", &address, "--plain-http", "--version", version, "--destination", &to];
        let file = folder.join(format!("{chart}-{version}.tgz"));
        let provenance = folder.join(format!("{chart}-{version}.tgz.prov"));
        if self.namespace.bed.run_in_pod(&[&words[..], &["--prov"]].concat()).success {
            return (fs::read(file).expect("an archive"), fs::read(provenance).ok());
        }
        self.namespace.bed.run_in_pod(&words).expect_success();
        (fs::read(file).expect("an archive"), None)
    }
}

/// Whether these versions are published, and no others, newest first.
fn published(names: &'static [&str]) -> impl Fn(&ChartPublicationStatus) -> bool {
    move |status| {
        let versions = status.targets.iter().flat_map(|target| &target.versions).map(|version| version.version.as_str());
        ready(status) == "True Succeeded" && versions.eq(names.iter().copied())
    }
}

/// `split` as the document says: pieces beside the archive, numbered.
fn split(archive: &Path, pieces: &str) -> Vec<PathBuf> {
    let bed = support::shared();
    let prefix = format!("{}.", archive.display());
    bed.run_on_host(&["split", "--number", pieces, "--numeric-suffixes", &archive.display().to_string(), &prefix]).expect_success();
    (0..pieces.parse().expect("a number")).map(|number: usize| PathBuf::from(format!("{prefix}{number:02}"))).collect()
}

#[tokio::test]
async fn a_config_map_is_published_and_what_replaces_it_at_the_next_run() {
    let scene = scene().await;
    let namespace = &scene.namespace;
    let [first, second] = namespace.bed.packages("web", &["1.0.0", "1.1.0"]).try_into().expect("two archives");
    let api = scene.namespace.recorded_api().await;
    let _controller = api.controller(namespace, &ANYWHERE).await;
    scene.create(&["configmap"], "web-chart", &[&first]);
    namespace.publish("web", &scene.spec(&json!({"configMaps": ["web-chart"]}))).await;
    namespace.becomes("web", "the chart is published", published(&["1.0.0"])).await;
    assert_eq!(scene.pull("web", "1.0.0"), (fs::read(&first).expect("an archive"), None));

    let reads = || {
        let of_object = |head: &support::recorder::Head| head.target.contains("/configmaps/web-chart");
        let (metadata, whole): (Vec<_>, Vec<_>) = api
            .requests()
            .into_iter()
            .filter(of_object)
            .partition(|head| head.field("accept").is_some_and(|accept| accept.contains("PartialObjectMetadata")));
        (metadata.len(), whole.len())
    };
    namespace.run_again("web").await;
    namespace.run_again("web").await;
    let (metadata, whole) = reads();
    assert!(metadata >= 2 && whole == 1, "while it is as it was, its metadata alone are read: {metadata} and {whole}");

    scene.replace("web-chart", &second);
    namespace.becomes("web", "the new chart is published", published(&["1.1.0"])).await;
    assert_eq!(scene.pull("web", "1.1.0").0, fs::read(&second).expect("an archive"));
    assert_eq!(scene.pull("web", "1.0.0").0, fs::read(&first).expect("an archive"), "what was published stays");
    let watched: Vec<_> = api.requests().into_iter().filter(|head| head.target.contains("/configmaps?")).collect();
    assert!(watched.is_empty(), "ConfigMaps are neither listed nor watched: {watched:?}");
}

#[tokio::test]
async fn an_archive_that_was_split_over_config_maps_is_put_together_with_its_provenance() {
    let scene = scene().await;
    let (bed, namespace) = (scene.namespace.bed, &scene.namespace);
    let archive = bed.signed_package("web", "1.0.0");
    let provenance = PathBuf::from(format!("{}.prov", archive.display()));
    let pieces = split(&archive, "12");
    let _controller = namespace.controller(&ANYWHERE).await;
    scene.create(&["configmap"], "web-0", &pieces[..5].iter().map(PathBuf::as_path).collect::<Vec<_>>());
    scene.create(&["configmap"], "web-1", &pieces[5..].iter().map(PathBuf::as_path).chain([provenance.as_path()]).collect::<Vec<_>>());
    namespace.publish("web", &scene.spec(&json!({"configMaps": ["web-0", "web-1"]}))).await;
    namespace.becomes_ready("web").await;
    let expected = (fs::read(&archive).expect("an archive"), Some(fs::read(&provenance).expect("a provenance")));
    assert_eq!(scene.pull("web", "1.0.0"), expected);
}

#[tokio::test]
async fn secrets_hold_charts_as_config_maps_do_and_one_that_comes_later_is_found_by_itself() {
    let scene = scene().await;
    let namespace = &scene.namespace;
    let archive = namespace.bed.packages("web", &["1.0.0"]).remove(0);
    let pieces = split(&archive, "2");
    let _controller = namespace.controller(&ANYWHERE).await;
    scene.create(&["secret", "generic"], "web-0", &[&pieces[0]]);
    let mut spec = scene.spec(&json!({"secrets": ["web-0", "web-1"]}));
    spec["interval"] = json!("1h");
    namespace.publish("web", &spec).await;
    let missing = namespace.becomes("web", "a Secret is missing", |status| ready(status) == "False SourceNotFound").await;
    let message = condition(missing.status.as_ref().expect("a status"), "Ready").expect("Ready").message.clone();
    assert!(message.contains(&format!("Secret `{}/web-1` does not exist", namespace.name())), "{message}");
    scene.create(&["secret", "generic"], "web-1", &[&pieces[1]]);
    let found = namespace.becomes_within(SEEN_WITHIN, "web", "it is Ready", |status| ready(status) == "True Succeeded").await;
    assert_eq!(found.annotations(), missing.annotations(), "nobody asked for it");
    assert_eq!(scene.pull("web", "1.0.0").0, fs::read(&archive).expect("an archive"));
}

#[tokio::test]
async fn a_chart_in_the_spec_is_published_and_so_is_the_one_in_its_place() {
    let scene = scene().await;
    let (bed, namespace) = (scene.namespace.bed, &scene.namespace);
    let _controller = namespace.controller(&ANYWHERE).await;
    let archives = bed.packages("web", &["1.0.0", "1.1.0"]).into_iter().map(|file| fs::read(file).expect("an archive"));
    for (archive, version) in archives.zip(["1.0.0", "1.1.0"]) {
        let text = BASE64_STANDARD.encode(&archive);
        // As `base64` prints it: in lines.
        let lines: Vec<&str> = text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("letters")).collect();
        namespace.publish("web", &scene.spec(&json!({"inline": lines.join("\n")}))).await;
        namespace.becomes_ready("web").await;
        assert_eq!(scene.pull("web", version), (archive, None));
    }
}

#[tokio::test]
async fn without_any_network_but_that_of_the_cluster_nothing_but_registry_and_api_server_is_asked() {
    let Some(bed) = support::with_node() else { return };
    let scene = scene().await;
    let namespace = &scene.namespace;
    // Nothing is lost on it: it gives the controller an address of its own.
    let path = bed.lossy_path(Lost::Requests, u16::MAX);
    let (from, registry) = (path.address(), scene.registry.socket().ip());
    let node = &bed.networks().node;
    let elsewhere = bed.count_at_node(node, &format!("ip saddr {from} ip daddr != {{ 10.90.0.1, {registry} }}"));
    let asked = bed.count_at_node(node, &format!("ip saddr {from} ip daddr {registry} tcp dport {}", scene.registry.socket().port()));
    let archive = bed.chart("small-1.2.2");
    scene.create(&["configmap"], "small", &[&archive]);
    let mut controller = namespace.described_controller(&[]).await.through(&path).start();
    controller.wait_until_ready().await;
    namespace.publish("held", &scene.spec(&json!({"configMaps": ["small"]}))).await;
    let text = BASE64_STANDARD.encode(fs::read(&archive).expect("an archive"));
    namespace.publish("inline", &scene.spec(&json!({"inline": text}))).await;
    namespace.becomes_ready("held").await;
    namespace.becomes_ready("inline").await;
    assert!(asked.packets() > 0, "the registry is asked by this path");
    assert_eq!(elsewhere.packets(), 0, "nobody else is asked");
}
