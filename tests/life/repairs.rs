//! What others change: Secrets that are rotated, tags that are deleted. The next run uses and mends it.

use std::{collections::BTreeMap, fs, time::Duration};

use chart_publisher::api::ChartPublicationStatus;
use serde_json::{Value, json};

use super::{
    ANYWHERE, scene,
    support::{
        self,
        authority::{Authority, Validity},
        eventually::{SOON, eventually},
        publication::{condition, ready, spec, url_target},
        registry::{Registry, Version},
    },
};

/// A Secret is looked at every 30 s.
const SEEN_WITHIN: Duration = Duration::from_secs(35);

fn with_secret(mut target: Value, field: &str, name: &str) -> Value {
    target[field] = json!({"name": name});
    target
}

/// Has the registry know one user alone.
async fn lets_in(registry: &mut Registry, user: &str, password: &str) {
    let hash = bcrypt::hash_with_result(password, 4).expect("a bcrypt hash").format_for_version(bcrypt::Version::TwoY);
    fs::write(registry.storage().with_file_name("users"), format!("{user}:{hash}")).expect("a file in the bed's folder");
    registry.pause();
    registry.resume().await;
}

#[tokio::test]
async fn a_rotated_password_is_used_by_the_next_run() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let mut registry = bed.registry(Version::V3).basic("publisher", "first").start().await;
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4"]).start().await;
    let _controller = namespace.controller(&ANYWHERE).await;
    namespace.secret("login", &[("username", "publisher"), ("password", "first")]).await;
    let target = with_secret(url_target(registry.socket(), "charts"), "secretRef", "login");
    namespace.publish("rotated", &spec(&charts.url(), &json!([{"name": "small", "versions": "1.2.2"}]), &json!([target]))).await;
    namespace.becomes_ready("rotated").await;

    lets_in(&mut registry, "publisher", "second").await;
    namespace.secret("login", &[("username", "publisher"), ("password", "second")]).await;
    let refused = || registry.requests().iter().filter(|request| request.status == 401).count();
    let before = refused();
    namespace.change("rotated", &json!({"charts": [{"name": "small", "latest": 0}]})).await;
    let is_whole = |status: &ChartPublicationStatus| ready(status) == "True Succeeded" && status.published.as_deref() == Some("2/2");
    namespace.becomes("rotated", "both versions are there", is_whole).await;
    // Distribution challenges who comes without a word, and so does it with a password that is wrong.
    assert!(refused() <= before + 1, "the old password is not sent again: {:?}", registry.requests());
}

#[tokio::test]
async fn who_logs_in_for_a_token_is_read_anew_by_the_next_run() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let tokens = bed.token_server().user("first", "one", &["pull", "push"]).user("second", "two", &["pull", "push"]).start();
    let registry = bed.registry(Version::V3).bearer(&tokens).start().await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let _controller = namespace.controller(&ANYWHERE).await;
    namespace.secret("login", &[("username", "first"), ("password", "one")]).await;
    let mut target = with_secret(url_target(registry.socket(), "charts"), "secretRef", "login");
    target["allowedHosts"] = json!([tokens.realm().split('/').nth(2).expect("a host")]);
    namespace.publish("rotated", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([target]))).await;
    namespace.becomes_ready("rotated").await;
    let before = tokens.requests();
    assert!(before.iter().all(|request| request.user.as_deref() != Some("second")), "{before:?}");

    namespace.secret("login", &[("username", "second"), ("password", "two")]).await;
    namespace.run_again("rotated").await;
    namespace.becomes_ready("rotated").await;
    let after = tokens.requests().split_off(before.len());
    let users: Vec<_> = after.iter().map(|request| (request.user.as_deref(), request.status)).collect();
    assert_eq!(users, [(Some("second"), 200)], "a token that was given to another one is not shown");
}

#[tokio::test]
async fn a_rotated_authority_is_trusted_soon_after_its_certificate_was_not() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let (first, second) = (Authority::new("first").expect("a CA"), Authority::new("second").expect("a CA"));
    let mut registry = bed.registry(Version::V3).tls(&first, &[]).start().await;
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let _controller = namespace.controller(&ANYWHERE).await;
    namespace.secret("authority", &[("ca.crt", &first.pem())]).await;
    let mut target = with_secret(url_target(registry.socket(), "charts"), "certSecretRef", "authority");
    target["insecure"] = json!(false);
    namespace.publish("rotated", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([target]))).await;
    namespace.becomes_ready("rotated").await;

    let identity = second.server(&[&registry.socket().ip().to_string()], Validity::Now).expect("a certificate");
    fs::write(registry.storage().with_file_name("tls.crt"), identity.certificate).expect("a file in the bed's folder");
    fs::write(registry.storage().with_file_name("tls.key"), identity.key).expect("a file in the bed's folder");
    registry.pause();
    registry.resume().await;
    namespace.request_run("rotated").await;
    let status = namespace.becomes("rotated", "it is not trusted", |status| ready(status) == "False TlsFailed").await.status;
    let message = condition(&status.expect("a status"), "Ready").expect("Ready").message.clone();
    assert!(message.contains("unknown authority") && message.contains("/authority"), "{message}");
    namespace.secret("authority", &[("ca.crt", &second.pem())]).await;
    namespace.becomes_within(SEEN_WITHIN, "rotated", "it is Ready", |status| ready(status) == "True Succeeded").await;
}

#[tokio::test]
async fn a_tag_that_somebody_deleted_is_published_again_at_the_next_interval() {
    let scene = scene(&["small-1.2.2", "small-1.2.3+4", "umbrella-2.0.0"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    let mut wanted = scene.spec("small");
    wanted["charts"] = json!([{"name": "small", "latest": 0}, {"name": "umbrella"}]);
    wanted["interval"] = json!("10s");
    namespace.publish("mended", &wanted).await;
    namespace.becomes_ready("mended").await;
    let before = namespace.inventory("mended").await.expect("a record").spec.entries;
    let gone = before.iter().find(|entry| entry.tag == "1.2.2").expect("an entry");
    assert!(scene.registry_has("charts/small", "1.2.2").await);

    let seen = scene.registry.requests().len();
    let place = format!("{}/charts/small@{}", scene.registry.socket(), gone.manifest);
    namespace.bed.run_in_pod(&["crane", "delete", "--insecure", &place]).expect_success();
    eventually(
        SOON,
        "it is there again",
        async || {
            if scene.registry_has("charts/small", "1.2.2").await { Ok(()) } else { Err("it is not") }
        },
    )
    .await;
    let after = eventually(SOON, "the record says so", async || {
        let entries = namespace.inventory("mended").await.expect("a record").spec.entries;
        if entries.iter().any(|entry| entry.tag == "1.2.2" && entry.proved > gone.proved) {
            Ok(entries)
        } else {
            Err(format!("{entries:?}"))
        }
    })
    .await;
    let digests = |entries: &[chart_publisher::api::InventoryEntry]| -> Vec<_> {
        entries.iter().map(|entry| (entry.tag.clone(), entry.manifest.clone(), entry.layer.clone())).collect()
    };
    assert_eq!(digests(&after), digests(&before), "the same content");

    let ours = scene.registry.requests().split_off(seen).into_iter().filter(|request| request.user_agent.starts_with("chart-publisher/"));
    let ours: Vec<_> = ours.map(|request| request.line()).collect();
    let mut lists: BTreeMap<&str, usize> = BTreeMap::new();
    for line in ours.iter().filter(|line| line.contains("/tags/list")) {
        *lists.entry(line).or_default() += 1;
    }
    let counts: Vec<_> = lists.values().copied().collect();
    assert!(lists.len() == 2 && counts[0].abs_diff(counts[1]) <= 1 && counts[0] <= 3, "one for each repository in each run: {ours:?}");
    let written: Vec<_> = ours.iter().filter(|line| line.starts_with("PUT ") && line.contains("/manifests/")).collect();
    assert_eq!(written, ["PUT /v2/charts/small/manifests/1.2.2 201"], "nothing else is sent");
}
