//! Without quirks the scripted registry is a registry: a client that is not ours pushes to it and pulls from it.

use std::collections::BTreeMap;

use oci_client::{
    Client as OciClient, Reference,
    client::{ClientConfig, ClientProtocol, Config, ImageLayer},
    secrets::RegistryAuth,
};
use serde_json::Value;

use crate::{
    blob,
    faults::{
        client::{Ask, Client, once},
        ground::Ground,
        ledger::Framing,
        registry::{Access, ScriptedRegistry, store::digest},
        watch::{Watch, pull},
    },
    steps::{REPOSITORY, Step, manifest, observe},
    support::eventually::{SOON, eventually},
};

#[tokio::test]
async fn an_independent_client_pushes_and_pulls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let named = || ("user".to_owned(), "secret".to_owned());
    let wrong = RegistryAuth::Basic("user".to_owned(), "wrong".to_owned());
    let right = RegistryAuth::Basic("user".to_owned(), "secret".to_owned());
    for access in [Access::Open, Access::Basic(named().0, named().1), Access::Bearer(named().0, named().1)] {
        for use_monolithic_push in [true, false] {
            let registry = ScriptedRegistry::start_for(&Ground::loopback(), access.clone());
            let config = || ClientConfig { protocol: ClientProtocol::Http, use_monolithic_push, ..ClientConfig::default() };
            let reference = Reference::with_tag(registry.address(), REPOSITORY.to_owned(), "1.0.0".to_owned());
            let layers = [5_000_000, 10].map(|length| ImageLayer::oci_v1(blob(length), None));
            let empty = || Config::oci_v1(b"{}".to_vec(), None);
            if !matches!(access, Access::Open) {
                let refused = OciClient::new(config()).push(&reference, &layers, empty(), &wrong, None).await;
                assert!(refused.is_err() && registry.store().tags.is_empty(), "{access:?} takes a wrong password");
            }
            let client = OciClient::new(config());
            client.push(&reference, &layers, empty(), &right, None).await.unwrap_or_else(|problem| panic!("{access:?}: {problem}"));
            let types = vec![oci_client::manifest::IMAGE_LAYER_MEDIA_TYPE];
            let pulled = OciClient::new(config()).pull(&reference, &right, types).await.unwrap();
            for length in [5_000_000, 10] {
                assert!(pulled.layers.iter().any(|layer| layer.data == blob(length)), "{access:?}: no layer of {length} bytes");
            }
            assert_eq!((registry.sessions(), registry.open_uploads()), (3, 0));
            let patches = registry.ledger().of("PATCH");
            assert_eq!(patches.is_empty(), use_monolithic_push, "{patches:?}");
        }
    }
}

#[tokio::test]
async fn what_every_framing_sends_is_stored_and_listed() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let body = blob(300_000);
    let own = digest(&body);
    let mut client = Client::to(registry.socket()).await;
    for streamed in [true, false] {
        registry.store().blobs.clear();
        let place = client.send(Ask::new("POST", format!("/v2/{REPOSITORY}/blobs/uploads/"))).await.unwrap().location();
        let patch = Ask::new("PATCH", place);
        let patch = if streamed { patch.chunked(&*body) } else { patch.body(&*body) };
        let patched = client.send(patch).await.unwrap();
        assert_eq!((patched.status(), patched.field("range")), (202, Some("0-299999")));
        let put = client.send(Ask::new("PUT", format!("{}?digest={own}", patched.location()))).await.unwrap();
        assert_eq!(put.status(), 201);
        assert_eq!(registry.blob(REPOSITORY, &own).unwrap(), body);
        let last = registry.ledger().of("PATCH").pop().unwrap();
        assert_eq!((last.framing == Framing::Chunked, last.received, last.whole), (streamed, 300_000, true));
    }
    let connections: BTreeMap<_, usize> = registry.requests().iter().fold(BTreeMap::new(), |mut counts, asked| {
        *counts.entry(asked.connection).or_default() += 1;
        counts
    });
    assert_eq!(connections, BTreeMap::from([(0, 6)]));
}

#[tokio::test]
async fn a_wrong_offset_gets_416_and_a_wrong_digest_400() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let mut client = Client::to(registry.socket()).await;
    let place = client.send(Ask::new("POST", "/v2/charts/blobs/uploads/")).await.unwrap().location();
    client.send(Ask::new("PATCH", &*place).field("Content-Range", "0-9").body(blob(10))).await.unwrap();
    let early = client.send(Ask::new("PATCH", &*place).field("Content-Range", "11-20").body(blob(10))).await.unwrap();
    assert_eq!((early.status(), early.field("range")), (416, Some("0-9")));
    let status = client.send(Ask::new("GET", &*place)).await.unwrap();
    assert_eq!((status.status(), status.field("range")), (204, Some("0-9")));
    let put = client.send(Ask::new("PUT", format!("{place}?digest={}", digest(b"other")))).await.unwrap();
    assert!(put.status() == 400 && put.text().contains("DIGEST_INVALID"), "{put:?}");
    let place = client.send(Ask::new("POST", "/v2/charts/blobs/uploads/")).await.unwrap().location();
    assert_eq!(client.send(Ask::new("DELETE", &*place)).await.unwrap().status(), 204);
    assert_eq!(client.send(Ask::new("GET", place)).await.unwrap().status(), 404);
    assert_eq!((registry.open_uploads(), registry.store().blobs.len()), (0, 0));
}

#[tokio::test]
async fn a_manifest_wants_its_blobs() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let refused = once(registry.socket(), manifest(&digest(b"nowhere"))).await.unwrap();
    assert!(refused.status() == 404 && refused.text().contains("MANIFEST_BLOB_UNKNOWN"), "{refused:?}");
    assert_eq!(registry.tag(REPOSITORY, "1.0.0"), None);
}

#[tokio::test]
async fn tags_come_in_pages() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    for tag in ["3.0.0", "1.0.0", "2.0.0"] {
        registry.store().tags.insert(("charts".to_owned(), tag.to_owned()), digest(b""));
    }
    let mut target = "/v2/charts/tags/list?n=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = once(registry.socket(), Ask::new("GET", &*target)).await.unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        pages.push(body["tags"].clone());
        let Some(link) = answer.field("link") else { break };
        link.split(['<', '>']).nth(1).unwrap().clone_into(&mut target);
    }
    assert_eq!(pages, [serde_json::json!(["1.0.0", "2.0.0"]), serde_json::json!(["3.0.0"])]);
}

#[tokio::test]
async fn the_watcher_sees_what_a_puller_could_not_use() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let watch = Watch::start(registry.socket(), REPOSITORY, "1.0.0");
    observe(Step::Manifest, &registry, None).await.unwrap();
    let looks = async |wanted: &str| {
        eventually(SOON, wanted, async || {
            let seen = watch.seen();
            let found = match wanted {
                "a digest" => !seen.digests.is_empty(),
                _ => !seen.violations.is_empty(),
            };
            if found { Ok(seen) } else { Err(format!("{seen:?}")) }
        })
        .await
    };
    let seen = looks("a digest").await;
    assert!(seen.violations.is_empty() && seen.digests.len() == 1, "{seen:?}");
    assert_eq!(pull(registry.socket(), REPOSITORY, "1.0.0").await.unwrap().unwrap().blobs, [blob(2000)]);
    registry.store().blobs.clear();
    looks("a violation").await;
}
