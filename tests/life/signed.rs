//! Charts that somebody has to have signed: what is, is published; what is not, stops nobody, and is once it was put right.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use chart_publisher::api::{ChartPublicationStatus, SignedBy};
use serde_json::{Value, json};

use super::{
    ANYWHERE,
    scene::{Scene, scene},
    support::{
        self,
        publication::{condition, ready, url_target},
        registry::Version,
        scripted::Reply,
    },
};

/// Longer than it takes until the Secret is looked at.
const SEEN_WITHIN: Duration = Duration::from_secs(35);

fn provenance_of(archive: &Path) -> PathBuf {
    PathBuf::from(format!("{}.prov", archive.display()))
}

/// The newest of these charts, signed by a key of the Secret `keyring`.
fn demanding(scene: &Scene, charts: &[&str]) -> Value {
    let mut spec = scene.spec("web");
    spec["charts"] = charts.iter().map(|name| json!({"name": name})).collect();
    spec["verify"] = json!({"provenance": {"secretRef": {"name": "keyring"}}});
    spec
}

/// Puts a file beside the archives that are served.
fn put(scene: &Scene, name: &str, bytes: &[u8]) {
    fs::write(scene.charts.site().join(name), bytes).expect("a file in the bed's folder");
}

fn message(status: &ChartPublicationStatus) -> String {
    condition(status, "Ready").map(|ready| ready.message.clone()).unwrap_or_default()
}

fn signed(status: &ChartPublicationStatus) -> Vec<(String, Option<SignedBy>)> {
    let versions = status.targets.iter().flat_map(|target| &target.versions);
    let mut all: Vec<_> = versions.map(|version| (version.chart.clone(), version.signed_by.clone())).collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

#[tokio::test]
async fn what_is_signed_is_published_and_what_is_not_stops_nobody() {
    let scene = scene(&[]).await;
    let (bed, namespace) = (scene.namespace.bed, &scene.namespace);
    let (signer, stranger) = (bed.signer("rsa2048"), bed.signer("ed25519"));
    let charts = ["other-text", "signed", "strange", "unsigned"];
    for name in charts {
        let by = if name == "strange" { &stranger } else { &signer };
        let archive = by.package(name, "1.0.0");
        scene.charts.add(&archive);
        let provenance = fs::read_to_string(provenance_of(&archive)).expect("a provenance");
        let file = format!("{name}-1.0.0.tgz.prov");
        match name {
            "unsigned" => put(&scene, "later", provenance.as_bytes()),
            "other-text" => put(&scene, &file, provenance.replace("description: A Helm", "description: No Helm").as_bytes()),
            _ => put(&scene, &file, provenance.as_bytes()),
        }
    }
    let _controller = scene.controller().await;
    namespace.publish("web", &demanding(&scene, &charts)).await;
    let is_refused = |status: &ChartPublicationStatus| ready(status) == "False SecretInvalid";
    let status = namespace.becomes("web", "the keyring is missed", is_refused).await.status.expect("a status");
    let missed = format!("Secret `{}/keyring`: it does not exist", namespace.name());
    assert!(message(&status).starts_with(&missed) && status.published.is_none(), "{status:?}");

    namespace.secret("keyring", &[("signer.asc", &signer.public_key())]).await;
    let is_told = |status: &ChartPublicationStatus| ready(status) == "False SignatureInvalid" && status.published.as_deref() == Some("1/4");
    let status = namespace.becomes_within(SEEN_WITHIN, "web", "one is published", is_told).await.status.expect("a status");
    assert!(
        message(&status).contains("`other-text 1.0.0` cannot be verified: its provenance is not what `signer <signer@charts.example>` (")
    );
    let [(name, Some(by))] = &signed(&status)[..] else { panic!("{status:?}") };
    assert_eq!((name.as_str(), by.user.as_str(), by.fingerprint.len()), ("signed", "signer <signer@charts.example>", 40));
    for name in charts {
        assert_eq!(scene.registry_has(&format!("charts/{name}"), "1.0.0").await, name == "signed", "{name}");
    }
    let entries = namespace.inventory("web").await.expect("an inventory").spec.entries;
    assert_eq!(entries.iter().map(|entry| entry.signed_by.as_ref()).collect::<Vec<_>>(), [Some(by)]);
    let events = namespace.events_of("web").await;
    let told = format!(", signed by `{}` ({})", by.user, by.fingerprint);
    assert!(
        events.iter().any(|event| event.note.as_ref().is_some_and(|note| note.contains("signed 1.0.0") && note.ends_with(&told))),
        "{events:?}"
    );

    // The right text, a signature, and the other signer's key.
    let provenance = fs::read_to_string(scene.charts.site().join("other-text-1.0.0.tgz.prov")).expect("a provenance");
    put(&scene, "other-text-1.0.0.tgz.prov", provenance.replace("description: No Helm", "description: A Helm").as_bytes());
    put(&scene, "unsigned-1.0.0.tgz.prov", &fs::read(scene.charts.site().join("later")).expect("a file"));
    namespace.secret("keyring", &[("signer.asc", &signer.public_key()), ("stranger.asc", &stranger.public_key())]).await;
    let is_ready = |status: &ChartPublicationStatus| ready(status) == "True Succeeded" && status.published.as_deref() == Some("4/4");
    let status = namespace.becomes_within(SEEN_WITHIN, "web", "all is published", is_ready).await.status.expect("a status");
    assert!(signed(&status).iter().all(|(_, by)| by.is_some()), "{status:?}");
    bed.run_in_pod(&[
        "helm",
        "pull",
        &format!("oci://{}/charts/strange", scene.registry.socket()),
        "--plain-http",
        "--prov",
        "--destination",
        &bed.folder("pulled").display().to_string(),
    ])
    .expect_success();

    let of_charts = || scene.charts.requests().iter().filter(|request| request.target.contains(".tgz")).count();
    let before = of_charts();
    namespace.run_again("web").await;
    namespace.run_again("web").await;
    assert_eq!(of_charts(), before, "what was judged is not fetched again");
}

#[tokio::test]
async fn what_was_published_before_is_judged_once_and_again_when_its_key_is_gone() {
    let scene = scene(&[]).await;
    let (bed, namespace) = (scene.namespace.bed, &scene.namespace);
    let (signer, other) = (bed.signer("ed25519"), bed.signer("ed25519"));
    let archive = signer.package("signed", "1.0.0");
    scene.charts.add(&archive);
    put(&scene, "signed-1.0.0.tgz.prov", &fs::read(provenance_of(&archive)).expect("a provenance"));
    scene.charts.add(&bed.packages("unsigned", &["1.0.0"]).remove(0));
    let _controller = scene.controller().await;
    let mut spec = demanding(&scene, &["signed", "unsigned"]);
    let verify = spec.as_object_mut().and_then(|spec| spec.remove("verify")).expect("what is demanded");
    namespace.publish("web", &spec).await;
    let status = namespace.becomes_ready("web").await.status.expect("a status");
    assert!(signed(&status).iter().all(|(_, by)| by.is_none()), "{status:?}");

    namespace.secret("keyring", &[("a", &signer.public_key())]).await;
    namespace.change("web", &json!({"verify": verify})).await;
    let is_told = |published: &'static str| {
        move |status: &ChartPublicationStatus| ready(status) == "False SignatureInvalid" && status.published.as_deref() == Some(published)
    };
    let status = namespace.becomes("web", "one of them does not count", is_told("1/2")).await.status.expect("a status");
    let said = message(&status);
    assert!(said.contains("`unsigned 1.0.0` cannot be verified: it has no provenance, for the server answers 404 for `http"), "{said}");
    assert!(said.contains("It was published before, and what is published stays"), "{said}");
    assert!(scene.registry_has("charts/unsigned", "1.0.0").await, "nothing is deleted");

    // The key of another one, and both.
    namespace.secret("keyring", &[("a", &other.public_key())]).await;
    let status = namespace.becomes_within(SEEN_WITHIN, "web", "none counts", is_told("0/2")).await.status.expect("a status");
    assert!(signed(&status).is_empty(), "{status:?}");
    namespace.secret("keyring", &[("a", &other.public_key()), ("b", &signer.public_key())]).await;
    namespace.becomes_within(SEEN_WITHIN, "web", "its key is back", is_told("1/2")).await;
    let reads = || scene.registry.requests().iter().filter(|request| request.target.contains("/blobs/")).count();
    let before = reads();
    namespace.change("web", &json!({"verify": null})).await;
    namespace.becomes_ready("web").await;
    assert_eq!(reads(), before, "it was there all the time");
}

#[tokio::test]
async fn a_provenance_that_cannot_be_had_now_is_no_verdict() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let (source, signer) = (bed.scripted(80), bed.signer("ed25519"));
    let archive = signer.package("web", "1.0.0");
    source.says("/web.tgz", Reply::ok(fs::read(&archive).expect("an archive")));
    source.says("/web.tgz.prov", Reply::status(503));
    let _controller = namespace.controller(&ANYWHERE).await;
    namespace.secret("keyring", &[("a", &signer.public_key())]).await;
    let url = format!("http://{}/web.tgz", source.socket());
    let spec = json!({
        "source": {"archive": {"url": url}}, "targets": [url_target(registry.socket(), "charts")],
        "verify": {"provenance": {"secretRef": {"name": "keyring"}}},
    });
    namespace.publish("web", &spec).await;
    let is_away = |status: &ChartPublicationStatus| ready(status) == "False SourceUnreachable";
    let status = namespace.becomes("web", "the server has a fault", is_away).await.status.expect("a status");
    assert!(condition(&status, "Reconciling").is_some() && message(&status).contains("/web.tgz.prov` could not be read"), "{status:?}");
    source.says("/web.tgz.prov", Reply::ok(fs::read(provenance_of(&archive)).expect("a provenance")));
    let status = namespace.becomes_ready("web").await.status.expect("a status");
    assert!(signed(&status)[0].1.is_some(), "{status:?}");
}

#[tokio::test]
async fn each_source_has_a_place_for_a_signature() {
    let scene = scene(&[]).await;
    let (bed, namespace) = (scene.namespace.bed, &scene.namespace);
    let signer = bed.signer("rsa2048");
    let archive = signer.package("web", "1.0.0");
    let (bytes, provenance) = (fs::read(&archive).expect("an archive"), fs::read(provenance_of(&archive)).expect("a provenance"));
    let upstream = bed.registry(Version::V3).start().await;
    let address = format!("oci://{}/upstream", upstream.socket());
    bed.run_in_pod(&["helm", "push", "--plain-http", &archive.display().to_string(), &address]).expect_success();
    namespace.config_map("whole", &[("web.tgz", &bytes), ("web.tgz.prov", &provenance)]).await;
    namespace.config_map("bare", &[("web.tgz", &bytes)]).await;
    namespace.secret("keyring", &[("a", &signer.public_key())]).await;
    let _controller = scene.controller().await;
    let oci = json!({"oci": {"url": address, "insecure": true}});
    for (name, source, charts) in [
        ("oci", oci, json!([{"name": "web"}])),
        ("held", json!({"configMaps": ["whole"]}), json!([])),
        ("bare", json!({"configMaps": ["bare"]}), json!([])),
    ] {
        let target = url_target(scene.registry.socket(), name);
        let spec =
            json!({"source": source, "charts": charts, "targets": [target], "verify": {"provenance": {"secretRef": {"name": "keyring"}}}});
        namespace.publish(name, &spec).await;
    }
    for name in ["oci", "held"] {
        let status = namespace.becomes_ready(name).await.status.expect("a status");
        assert!(signed(&status)[0].1.is_some(), "{status:?}");
    }
    let is_refused = |status: &ChartPublicationStatus| ready(status) == "False SignatureInvalid";
    let status = namespace.becomes("bare", "it lacks one", is_refused).await.status.expect("a status");
    let words = format!("it has no provenance, for no key of ConfigMap `{}/bare` ends with `.prov`", namespace.name());
    assert!(message(&status).contains(&words), "{status:?}");
    // What is held in objects is looked at while it is the failure.
    namespace.config_map("bare", &[("web.tgz", &bytes), ("web.tgz.prov", &provenance)]).await;
    namespace.becomes_within(SEEN_WITHIN, "bare", "it is Ready", |status| ready(status) == "True Succeeded").await;
}
