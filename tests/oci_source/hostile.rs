//! What a hostile or broken registry sends, asked without a controller: it ends in a reason, within bounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use chart_publisher::{
    api::Reason,
    chart::{CONFIG, LAYER, Limits},
    model::{Digest, Origin, Scheme},
    net::{Address, AddressPolicy, Endpoint, Patience, SystemRoots, TlsConfig, Transport},
    registry::{AllowedHosts, Authorizer, Registry},
    source::{Oci, Offered, Place, SourceError},
    spool::{Budget, Spool},
};
use serde_json::{Value, json};

use super::support::{
    self,
    scripted::{Reply, Scripted},
};

const TAGS: &str = "/v2/upstream/web/tags/list";
const MANIFEST: &str = "/v2/upstream/web/manifests/1.0.0";

/// A source that is this server.
fn source(server: &Scripted) -> Oci {
    let socket = server.socket();
    let origin = Origin::new(Scheme::Http, &socket.ip().to_string(), socket.port());
    let tls = TlsConfig::new(&SystemRoots::load(), None, None).expect("a configuration of TLS");
    let endpoint =
        Endpoint { addresses: vec![Address::Socket(socket)], origin, tls, policy: AddressPolicy::Any, segment: None, proxy: None };
    let (allowed, patience) = (AllowedHosts::default(), Patience { stall: Duration::from_secs(5) });
    let authorizer = Arc::new(Authorizer::reading(None, allowed.clone()));
    let registry = Registry::new(Transport::new(), endpoint, authorizer, allowed, patience);
    let place = Place { shown: "oci://registry.example/upstream".to_owned(), prefix: "upstream".to_owned(), secret: None, proxy: None };
    Oci::new(registry, place, Spool::new(std::env::temp_dir(), Budget::default()), Limits::default())
}

async fn offers(server: &Scripted) -> Result<Offered, SourceError> {
    source(server).offers(&BTreeMap::from([("web".to_owned(), BTreeSet::new())])).await
}

/// What comes of the one version that there is.
async fn fetched(server: &Scripted) -> SourceError {
    server.says(TAGS, list(&["1.0.0"]));
    let offered = offers(server).await.expect("a list of tags");
    source(server).chart(&offered.index.charts["web"][0]).await.map(|_| ()).expect_err("a failure")
}

fn list(tags: &[&str]) -> Reply {
    Reply::ok(json!({"name": "upstream/web", "tags": tags}).to_string())
}

fn blob(kind: &str, content: &[u8]) -> Value {
    json!({"mediaType": kind, "digest": Digest::of(content).to_string(), "size": content.len()})
}

fn manifest(config: &[u8], archive: &[u8]) -> String {
    json!({"schemaVersion": 2, "config": blob(CONFIG, config), "layers": [blob(LAYER, archive)]}).to_string()
}

fn path_of(content: &[u8]) -> String {
    format!("/v2/upstream/web/blobs/{}", Digest::of(content))
}

fn check(error: &SourceError, reason: Reason, words: &str) {
    let sentence = error.to_string();
    assert!(error.reason() == reason && sentence.contains(words), "{:?}: {sentence}", error.reason());
    assert!(sentence.contains("oci://registry.example/upstream/web"), "{sentence}");
}

#[tokio::test]
async fn pages_of_tags_are_followed_on_the_registry_alone_and_not_for_ever() {
    let server = support::on_loopback().scripted(5000);
    let linked = |to: &str, tags: &[&str]| list(tags).field("link", format!("<{to}>; rel=\"next\""));
    server.says(TAGS, linked("/second?last=1", &["1.0.0"]));
    server.says("/second", linked("https://elsewhere.example/third", &["1.1.0", "no version"]));
    server.says("/third", list(&["1.2.0", "latest"]));
    let offered = offers(&server).await.expect("three pages");
    let versions: Vec<_> = offered.index.charts["web"].iter().map(|entry| entry.version.to_string()).collect();
    assert_eq!(versions, ["1.2.0", "1.1.0", "1.0.0"]);
    assert_eq!(offered.index.skipped.iter().map(|skipped| skipped.version.as_str()).collect::<Vec<_>>(), ["latest"]);

    let refused = async |reply: Reply, reason, words| {
        server.says(TAGS, reply);
        let offered = offers(&server).await.expect("what is refused of one chart");
        check(&offered.refused["web"], reason, words);
    };
    refused(linked(TAGS, &["1.0.0"]), Reason::SourceInvalid, "leads to itself").await;
    server.says("/first", linked("/second", &["1.0.0"]));
    server.says("/second", linked("/first", &["1.0.0"]));
    refused(linked("/first", &[]), Reason::SourceInvalid, "more than 1000 pages").await;
    let many: Vec<_> = (0..=100_000).map(|number| format!("1.0.{number}")).collect();
    refused(list(&many.iter().map(String::as_str).collect::<Vec<_>>()), Reason::LimitExceeded, "more than 100000 tags").await;
    refused(Reply::ok(vec![b' '; (8 << 20) + 1]), Reason::LimitExceeded, "larger than 8388608 bytes").await;
    refused(Reply::ok("<html>Welcome</html>"), Reason::SourceInvalid, "no JSON").await;
    let unknown = json!({"errors": [{"code": "NAME_UNKNOWN", "message": "x"}]}).to_string();
    refused(Reply::status(404).body(unknown), Reason::SourceNotFound, "does not exist").await;
    refused(Reply::status(404), Reason::SourceNotFound, "404").await;
    refused(Reply::status(403), Reason::SourceUnauthorized, "403").await;

    server.says(TAGS, Reply::status(500));
    let error = offers(&server).await.expect_err("a registry with a fault");
    check(&error, Reason::SourceUnreachable, "500");
    assert!(error.is_passing());
    server.says(TAGS, Reply::ok(r#"{"tags": null}"#));
    assert!(offers(&server).await.expect("an empty repository").index.charts["web"].is_empty());
}

#[tokio::test]
async fn what_a_tag_holds_is_compared_before_anything_is_made_of_it() {
    let server = support::on_loopback().scripted(5000);
    let unknown = json!({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "x"}]}).to_string();
    let other = format!("sha256:{}", "0".repeat(64));
    let whole = manifest(b"{}", b"archive");
    for (reply, reason, words) in [
        (Reply::status(404).body(unknown), Reason::SourceNotFound, "does not exist, although the registry lists this tag"),
        (Reply::ok(vec![b' '; (4 << 20) + 1]), Reason::LimitExceeded, "the manifest is larger than 4194304 bytes"),
        (Reply::ok("<html>Welcome</html>"), Reason::ChartInvalid, "it is no manifest of OCI"),
        (Reply::ok(whole.clone()).field("docker-content-digest", &other), Reason::DigestMismatch, other.as_str()),
        (Reply::ok(whole.clone()), Reason::SourceNotFound, "push the chart there again"),
    ] {
        server.says(MANIFEST, reply);
        check(&fetched(&server).await, reason, words);
    }
    let vast =
        json!({"schemaVersion": 2, "config": blob(CONFIG, b"{}"), "layers": [{"mediaType": LAYER, "digest": other, "size": 1_u64 << 40}]});
    server.says(MANIFEST, Reply::ok(vast.to_string()));
    check(&fetched(&server).await, Reason::LimitExceeded, "larger than the limit of");
    server.says(MANIFEST, Reply::ok(whole));
    for (sent, found) in [(&b"ARCHIVE"[..], "7 bytes with sha256:"), (b"arc", "3 bytes with sha256:"), (b"archive and more", "more bytes")]
    {
        server.says(&path_of(b"archive"), Reply::ok(Bytes::copy_from_slice(sent)));
        check(&fetched(&server).await, Reason::DigestMismatch, found);
    }
    server.says(&path_of(b"archive"), Reply::ok("archive"));
    check(&fetched(&server).await, Reason::ChartInvalid, "the archive is no gzip file but text; push the chart there again");
    for (to, words) in [("ftp://elsewhere.example/x", "neither http nor https"), (path_of(b"archive").as_str(), "more than 3 redirects")] {
        server.says(&path_of(b"archive"), Reply::status(307).field("location", to));
        check(&fetched(&server).await, Reason::SourceInvalid, words);
    }
}
