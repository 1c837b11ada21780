//! What a hostile or broken registry sends, asked without a controller: it ends in a reason, within bounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use chart_publisher::{
    api::Reason,
    chart::{self, CONFIG, LAYER, Limits},
    model::{Digest, INDEX_TYPE, Origin, Scheme},
    net::{Address, AddressPolicy, Endpoint, Patience, SystemRoots, TlsConfig, Transport},
    registry::{AllowedHosts, Authorizer, Registry},
    source::{Attached, Oci, Offered, Place, Reader, SourceError},
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
    let registry = Registry::new(Transport::new(), endpoint, authorizer, allowed, patience).following();
    let shown = "oci://registry.example/upstream".to_owned();
    let place =
        Place { shown, prefix: "upstream".to_owned(), reader: Reader::Nobody(String::new()), tls: false, proxy: None, referrers: true };
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
    let config = json!({"mediaType": CONFIG, "digest": other, "size": (5 << 20) + 1});
    let provenance = json!({"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": other, "size": 1 << 30});
    for (config, layers, words) in [
        (
            config,
            vec![blob(LAYER, b"archive")],
            "its config has 5242881 bytes, and may have 5242880; push the chart there again, or have `--max-file-size` raised",
        ),
        (blob(CONFIG, b"{}"), vec![blob(LAYER, b"archive"), provenance], "its provenance has 1073741824 bytes, and may have "),
    ] {
        server.says(MANIFEST, Reply::ok(json!({"schemaVersion": 2, "config": config, "layers": layers}).to_string()));
        check(&fetched(&server).await, Reason::LimitExceeded, words);
    }
    server.says(MANIFEST, Reply::ok(whole));
    for (sent, found) in [(&b"ARCHIVE"[..], "7 bytes with sha256:"), (b"arc", "3 bytes with sha256:"), (b"archive and more", "more bytes")]
    {
        server.says(&path_of(b"archive"), Reply::ok(Bytes::copy_from_slice(sent)));
        check(&fetched(&server).await, Reason::DigestMismatch, found);
    }
    server.says(&path_of(b"archive"), Reply::ok("archive"));
    check(&fetched(&server).await, Reason::ChartInvalid, "the archive is no gzip file but text; push the chart there again");
    for (to, words) in [
        ("ftp://elsewhere.example/x", "neither http nor https"),
        (path_of(b"archive").as_str(), "more than 3 follow each other, the last one to `/v2/"),
    ] {
        server.says(&path_of(b"archive"), Reply::status(307).field("location", to));
        check(&fetched(&server).await, Reason::SourceInvalid, words);
    }
}

#[tokio::test]
async fn a_config_that_names_another_chart_is_refused_and_one_that_names_none_is_not() {
    let bed = support::on_loopback();
    let server = bed.scripted(5000);
    let archive = std::fs::read(bed.chart("small-1.2.2")).expect("a chart of the bed");
    server.says("/v2/upstream/small/tags/list", Reply::ok(json!({"name": "upstream/small", "tags": ["1.2.2"]}).to_string()));
    let blob_path = |content: &[u8]| format!("/v2/upstream/small/blobs/{}", Digest::of(content));
    server.says(&blob_path(&archive), Reply::ok(archive.clone()));
    for (config, words) in [
        (r#"{"name":"other","version":"1.2.2"}"#, Some("holds the chart `small 1.2.2`: its config says otherwise")),
        (r#"{"name":"small","version":"9.9.9"}"#, Some("its config says otherwise")),
        ("no JSON", Some("whose config does not say what it is")),
        (r#"{"name":"small","version":"1.2.2","apiVersion":"v2"}"#, None),
        ("{}", None),
    ] {
        server.says("/v2/upstream/small/manifests/1.2.2", Reply::ok(manifest(config.as_bytes(), &archive)));
        server.says(&blob_path(config.as_bytes()), Reply::ok(config));
        let mut source = source(&server);
        let offered = source.offers(&BTreeMap::from([("small".to_owned(), BTreeSet::new())])).await.expect("a list of tags");
        match (source.chart(&offered.index.charts["small"][0]).await, words) {
            (Err(error), Some(words)) => {
                assert!(error.reason() == Reason::ChartInvalid && error.to_string().contains(words), "{config}: {error}");
            }
            (outcome, words) => {
                assert_eq!(words, None, "{config}");
                let copied = outcome.expect(config).copied.expect("a copy");
                assert_eq!(copied.config, config, "as it stands there");
            }
        }
    }
    // What helm makes of the archive is known without asking.
    let made = chart::read(&archive[..], &Limits::default()).expect("a chart").config;
    server.says("/v2/upstream/small/manifests/1.2.2", Reply::ok(manifest(&made, &archive)));
    server.says(&blob_path(&made), Reply::status(500));
    let mut source = source(&server);
    let offered = source.offers(&BTreeMap::from([("small".to_owned(), BTreeSet::new())])).await.expect("a list of tags");
    let fetched = source.chart(&offered.index.charts["small"][0]).await.expect("a chart");
    assert_eq!(fetched.copied.expect("a copy").config, made);
}

#[tokio::test]
async fn the_tags_of_all_charts_together_are_bounded() {
    let server = support::on_loopback().scripted(5000);
    let many: Vec<_> = (0..60_000).map(|number| format!("1.0.{number}")).collect();
    for chart in ["one", "two"] {
        let tags = json!({"name": format!("upstream/{chart}"), "tags": many}).to_string();
        server.says(&format!("/v2/upstream/{chart}/tags/list"), Reply::ok(tags));
    }
    let asked = ["one", "two"].map(|chart| (chart.to_owned(), BTreeSet::new()));
    let offered = source(&server).offers(&asked.into()).await.expect("lists of tags");
    assert_eq!(offered.index.charts.keys().collect::<Vec<_>>(), ["one"]);
    let sentence = offered.refused["two"].to_string();
    assert!(
        offered.refused["two"].reason() == Reason::LimitExceeded && sentence.contains("more than 100000 tags; ask for them"),
        "{sentence}"
    );
}

/// What belongs to the chart `1.0.0`, whose manifest is `whole`.
async fn attached(server: &Scripted, whole: &str, tags: &[&str]) -> Result<Attached, SourceError> {
    server.says(TAGS, list(tags));
    let mut source = source(server);
    let offered = source.offers(&BTreeMap::from([("web".to_owned(), BTreeSet::new())])).await.expect("a list of tags");
    source.attached(&offered.index.charts["web"][0], Digest::of(whole.as_bytes())).await
}

fn manifest_path(reference: &str) -> String {
    format!("/v2/upstream/web/manifests/{reference}")
}

fn referrers_path(of: &str) -> String {
    format!("/v2/upstream/web/referrers/{}", Digest::of(of.as_bytes()))
}

fn entry(manifest: &str) -> Value {
    json!({"mediaType": "m", "digest": Digest::of(manifest.as_bytes()).to_string(), "size": manifest.len()})
}

fn index_of(entries: &[Value]) -> Reply {
    let index = json!({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries});
    Reply::ok(index.to_string()).field("content-type", INDEX_TYPE)
}

/// An artifact that refers to `subject`, and can be read there.
fn refers(server: &Scripted, subject: &str, name: &str) -> String {
    let artifact = json!({"schemaVersion": 2, "config": blob("application/x", name.as_bytes()), "layers": [], "subject": entry(subject)});
    let artifact = artifact.to_string();
    server.says(&manifest_path(&Digest::of(artifact.as_bytes()).to_string()), Reply::ok(artifact.clone()));
    artifact
}

#[tokio::test]
async fn what_refers_to_a_chart_is_found_by_the_list_and_by_the_tag_and_what_it_names_wrongly_is_not() {
    let server = support::on_loopback().scripted(5000);
    let whole = manifest(b"{}", b"archive");
    let digest = Digest::of(whole.as_bytes());
    let [one, two, other] =
        [(&whole, "one"), (&whole, "two"), (&"elsewhere".to_owned(), "other")].map(|(of, name)| refers(&server, of, name));
    let of_one = refers(&server, &one, "of one");
    let names = |attached: &Attached| attached.artifacts.iter().map(|found| found.artifact.digest).collect::<Vec<_>>();
    let [one_digest, two_digest, of_one_digest] = [&one, &two, &of_one].map(|manifest| Digest::of(manifest.as_bytes()));

    let next = format!("<{}?n=2>; rel=\"next\"", referrers_path(&whole));
    server.says(&referrers_path(&whole), index_of(&[entry(&one), entry(&other)]));
    server.says(&referrers_path(&one), index_of(&[entry(&of_one)]));
    let found = attached(&server, &whole, &["1.0.0"]).await.expect("two artifacts");
    assert_eq!(names(&found), [one_digest, of_one_digest]);
    // A page that leads to itself ends.
    server.says(&referrers_path(&whole), index_of(&[entry(&one)]).field("link", next));
    check(&attached(&server, &whole, &["1.0.0"]).await.expect_err("pages without end"), Reason::SourceInvalid, "more than 16 pages");

    // Without lists, by the tag; what the tag names is possibly gone.
    server.says(&referrers_path(&whole), Reply::status(404));
    server.says(&referrers_path(&one), Reply::ok("<html>").field("content-type", "text/html"));
    let gone = json!({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "x"}]}).to_string();
    server.says(&manifest_path(&Digest::of(b"gone").to_string()), Reply::status(404).body(gone));
    let tag = format!("sha256-{}", digest.hex());
    server.says(&manifest_path(&tag), index_of(&[entry("gone"), entry(&two)]));
    let found = attached(&server, &whole, &["1.0.0", &tag]).await.expect("one artifact");
    assert_eq!((names(&found), found.lists.len()), (vec![two_digest], 1));
    let found = attached(&server, &whole, &["1.0.0"]).await.expect("nothing is listed");
    assert_eq!((found.artifacts.len(), found.lists.len()), (0, 0));
}

#[tokio::test]
async fn what_belongs_to_a_chart_has_limits_and_each_failure_names_the_artifact_and_the_cure() {
    let server = support::on_loopback().scripted(5000);
    let whole = manifest(b"{}", b"archive");
    let tag = format!("sha256-{}.sig", Digest::of(whole.as_bytes()).hex());
    let tags = ["1.0.0", tag.as_str()];
    let unknown = json!({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "x"}]}).to_string();
    let large = json!({"schemaVersion": 2, "config": {"mediaType": "x", "digest": Digest::of(b"x").to_string(), "size": 1_u64 << 40}});
    for (reply, reason, words) in [
        (Reply::status(404).body(unknown), Reason::SourceNotFound, "does not exist, although the registry lists it"),
        (Reply::status(403), Reason::SourceUnauthorized, "403"),
        (Reply::ok("<html>"), Reason::SourceInvalid, "it is no manifest of OCI"),
        (Reply::ok(whole.clone()).field("docker-content-digest", format!("sha256:{}", "0".repeat(64))), Reason::DigestMismatch, "damaged"),
        (Reply::ok(large.to_string()), Reason::LimitExceeded, "`--max-chart-size`"),
    ] {
        server.says(&manifest_path(&tag), reply);
        let error = attached(&server, &whole, &tags).await.expect_err("a failure");
        check(&error, reason, words);
        let sentence = error.to_string();
        assert!(sentence.contains(&tag) && sentence.contains("`referrers: false` at the source"), "{sentence}");
    }
    server.says(&manifest_path(&tag), Reply::ok(whole.clone()));
    let of = |count: usize| (0..count).map(|number| entry(&number.to_string())).collect::<Vec<_>>();
    server.says(&referrers_path(&whole), index_of(&of(257)));
    check(&attached(&server, &whole, &tags).await.expect_err("too many"), Reason::LimitExceeded, "more than 256 such artifacts");
    // A chain of five.
    let mut subject = whole.clone();
    for number in 0..5 {
        let next = refers(&server, &subject, &number.to_string());
        server.says(&referrers_path(&subject), index_of(&[entry(&next)]));
        subject = next;
    }
    check(&attached(&server, &whole, &["1.0.0"]).await.expect_err("too far"), Reason::LimitExceeded, "by more than 4 steps");
    server.says(&referrers_path(&whole), Reply::status(500));
    let error = attached(&server, &whole, &["1.0.0"]).await.expect_err("a registry with a fault");
    check(&error, Reason::SourceUnreachable, "500");
    assert!(error.is_passing());
}

/// On another port of the same host.
#[tokio::test]
async fn a_blob_on_a_port_beside_the_registry_is_read_there_and_failures_name_that_server() {
    let bed = support::on_loopback();
    let (server, beside) = (bed.scripted(5000), bed.scripted(9000));
    let origin = format!("http://{}", beside.socket());
    server.says(MANIFEST, Reply::ok(manifest(b"{}", b"archive")));
    server.says(&path_of(b"archive"), Reply::status(307).field("location", format!("{origin}/bucket?signature=hunter2")));
    beside.says("/bucket", Reply::ok("archive"));
    check(&fetched(&server).await, Reason::ChartInvalid, "the archive is no gzip file but text");
    for (reply, reason, words) in [
        (Reply::status(403), Reason::SourceUnauthorized, "which answered 403; no login goes there: look at the clock"),
        (Reply::status(404), Reason::SourceNotFound, "that storage does not have all that belongs to it: push the chart to the registry"),
        (Reply::status(500), Reason::SourceUnreachable, "which answered 500; look at the log of `127."),
    ] {
        beside.says("/bucket", reply);
        let error = fetched(&server).await;
        check(&error, reason, words);
        let sentence = error.to_string();
        assert!(sentence.contains(&format!("the registry leads to `{origin}`")) && !sentence.contains("hunter2"), "{sentence}");
        assert_eq!(error.is_passing(), reason == Reason::SourceUnreachable, "{sentence}");
    }
    beside.says("/bucket", Reply::ok("<html>"));
    check(&fetched(&server).await, Reason::DigestMismatch, &format!("from `{origin}`, where the registry leads, has 6 bytes"));
    server.says(&path_of(b"archive"), Reply::status(303).field("location", format!("{origin}/bucket")));
    beside.says("/bucket", Reply::ok("archive"));
    check(&fetched(&server).await, Reason::ChartInvalid, "the archive is no gzip file but text");
    let to_tls = format!("https://{}/bucket", beside.socket());
    server.says(&path_of(b"archive"), Reply::status(307).field("location", to_tls));
    check(&fetched(&server).await, Reason::TlsOnPlainHttp, "where the server has no TLS, give its address with `http://`");
    let nobody = bed.scripted(9001).socket();
    server.says(&path_of(b"archive"), Reply::status(307).field("location", format!("http://{nobody}/bucket")));
    let error = fetched(&server).await;
    check(&error, Reason::SourceUnreachable, &format!("leads to another address, and `http://{nobody}` could not be read"));
}

#[tokio::test]
async fn a_registry_that_leads_to_no_other_registry_is_refused_with_the_cure() {
    let bed = support::on_loopback();
    let (server, other) = (bed.scripted(5000), bed.scripted(5001));
    let origin = format!("http://{}", other.socket());
    let own = server.socket().ip();
    let leads = |to: &str| Reply::status(302).field("location", to);
    let refused = async |reply: Reply, reason, words: &str| {
        server.says(TAGS, reply);
        let error = match offers(&server).await {
            Ok(offered) => offered.refused.into_values().next().expect("a refusal"),
            Err(error) => error,
        };
        check(&error, reason, words);
        assert!(!error.is_passing(), "{error}");
    };
    let cure =
        format!("leads to `https://{own}:5443{TAGS}`; take `insecure: true` away, and give the host and port of that address in `url`");
    refused(leads(&format!("https://{own}:5443{TAGS}")), Reason::PlainHttpOnTls, &cure).await;
    refused(leads("/login"), Reason::SourceInvalid, "`/login` is no other registry; check `url`").await;
    other.says("/login", Reply::ok("<html>").field("content-type", "text/html; charset=utf-8"));
    refused(leads(&format!("{origin}/login")), Reason::SourceInvalid, &format!("it leads to a page of `{origin}`")).await;
    let page = Reply::ok("<html>").field("content-type", "text/html");
    refused(page, Reason::SourceInvalid, "is no repository of a registry: a page came").await;
    other.says(TAGS, Reply::status(401).field("www-authenticate", "Bearer realm=\"https://elsewhere.example/token\""));
    let cure = format!("take charts from that registry itself, `oci://{}/…` as `url`", other.socket());
    refused(leads(&format!("{origin}{TAGS}")), Reason::SourceUnauthorized, &cure).await;
    other.says(TAGS, leads(&format!("http://{}{TAGS}", server.socket())));
    refused(leads(&format!("{origin}{TAGS}")), Reason::SourceInvalid, "more than 3 follow each other, the last one to `http").await;
    other.says(TAGS, list(&["1.0.0"]));
    server.says(TAGS, leads(&format!("//{}{TAGS}", other.socket())));
    assert_eq!(offers(&server).await.expect("a list of tags").index.charts["web"].len(), 1);
}

/// Of the registry itself: what stands before it may say the same while the registry restarts.
#[tokio::test]
async fn only_the_registrys_own_word_that_it_keeps_no_lists_is_kept() {
    let server = support::on_loopback().scripted(5000);
    let [one, two] = ["one", "two"].map(|name| manifest(b"{}", name.as_bytes()));
    let artifact = refers(&server, &two, "artifact");
    server.says(&referrers_path(&two), index_of(&[entry(&artifact)]));
    server.says(TAGS, list(&["1.0.0"]));
    let digest = |manifest: &str| Digest::of(manifest.as_bytes());
    for (reply, found) in [
        (Reply::status(404).body("404 page not found"), 1),
        (Reply::status(404).body("404 page not found").field("docker-distribution-api-version", "registry/2.0"), 0),
    ] {
        server.says(&referrers_path(&one), reply);
        let mut source = source(&server);
        let offered = source.offers(&BTreeMap::from([("web".to_owned(), BTreeSet::new())])).await.expect("a list of tags");
        let entry = &offered.index.charts["web"][0];
        let count = async |of: &str| source.attached(entry, digest(of)).await.expect("what belongs to it").artifacts.len();
        assert_eq!((count(&one).await, count(&two).await), (0, found));
    }
}
