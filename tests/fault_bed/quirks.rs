//! Each quirk of the scripted registry is what it claims to be.

use std::time::{Duration, Instant};

use crate::{
    blob,
    faults::{
        Close,
        client::{Ask, Client, once},
        ground::{Endpoint, Ground},
        proxy::HttpProxy,
        quirk::{Balanced, Quirk, RetryAfter, Unlengthed},
        registry::{Access, ScriptedRegistry, store::digest},
        rule::{Rule, What, When},
    },
    steps::{REPOSITORY, Step, check, manifest, observe},
    support::eventually::{SOON, eventually},
};

#[tokio::test]
async fn locations_are_wrong_in_the_way_they_should_be() {
    check(&[
        (Quirk::NoLocation, Step::Post, &["202", "!location"]),
        (Quirk::RelativeLocation, Step::Post, &["202 ", "location: /v2/charts/large/blobs/uploads/"]),
        (Quirk::QueryInLocation, Step::Post, &["202 ", "location: http://HOST/v2/", "?_state=aB%2Fc%2b%3D+x~==&k=%C3%A4;%20*,"]),
        (Quirk::OtherScheme, Step::Post, &["202 ", "location: https://HOST/v2/"]),
        (Quirk::ForeignHost("registry.internal:5000".into()), Step::Patch, &["202 ", "location: http://registry.internal:5000/v2/"]),
        (Quirk::PortLost, Step::Post, &["202 ", "location: http://127.0.0.1/v2/"]),
    ])
    .await;
}

#[tokio::test]
async fn chunks_are_counted_wrong_in_the_way_they_should_be() {
    check(&[
        (Quirk::ChunkMinimum(1500), Step::Post, &["202 ", "oci-chunk-min-length: 1500"]),
        (Quirk::ChunkMinimum(1500), Step::SecondPatch, &["400 ", "BLOB_UPLOAD_INVALID"]),
        (Quirk::ChunkMinimum(i64::MAX as u64), Step::Post, &["oci-chunk-min-length: 9223372036854775807"]),
        (Quirk::RangeShort, Step::Patch, &["202 ", "range: 0-499"]),
        (Quirk::RangeShort, Step::Status, &["204 ", "range: 0-499"]),
        (Quirk::NoRange, Step::Patch, &["202 ", "!range:"]),
        (Quirk::RangeWrong, Step::Patch, &["202 ", "range: 0-1000"]),
        (Quirk::ChunkLost, Step::SecondPatch, &["416 ", "range: 0-499"]),
        (Quirk::PatchUnsatisfiable, Step::Patch, &["416 ", "range: 0-0"]),
        (Quirk::ChunkMaximum(999), Step::Patch, &["416 ", "range: 0-0", "location:"]),
        (Quirk::SessionLost(1), Step::SecondPatch, &["404 ", "BLOB_UPLOAD_UNKNOWN"]),
        (Quirk::SessionLost(1), Step::Status, &["404 "]),
        (Quirk::PatchCreated, Step::Patch, &["201 ", "location:", "range: 0-999"]),
    ])
    .await;
}

#[tokio::test]
async fn uploads_end_wrong_in_the_way_they_should() {
    check(&[
        (Quirk::DigestInvalid, Step::Put, &["400 ", "DIGEST_INVALID"]),
        (Quirk::PutAnswerLost(Close::AtOnce), Step::Put, &["the end of the connection"]),
        (Quirk::PutAnswerLost(Close::Reset), Step::Put, &["connection reset"]),
        (Quirk::ManifestAnswerLost(Close::AtOnce), Step::Manifest, &["the end of the connection"]),
        (Quirk::PutNoContent, Step::Put, &["204 "]),
        (Quirk::SinglePostIgnored, Step::Single, &["202 ", "blobs/uploads/", "range: 0-0"]),
        (Quirk::MountAnswers(404), Step::Mount, &["404 "]),
        (Quirk::MountAnswers(500), Step::Mount, &["500 "]),
        (Quirk::Replicas(Balanced::ByRequest, 404), Step::Put, &["404 ", "BLOB_UPLOAD_INVALID"]),
        (Quirk::Replicas(Balanced::ByRequest, 400), Step::Put, &["400 ", "BLOB_UPLOAD_INVALID"]),
        (Quirk::NoAnswer, Step::Put, &["silence"]),
        (Quirk::ManifestBlobUnknown(404), Step::Manifest, &["404 ", "MANIFEST_BLOB_UNKNOWN"]),
        (Quirk::ManifestBlobUnknown(400), Step::Manifest, &["400 ", "MANIFEST_BLOB_UNKNOWN"]),
        (Quirk::TagImmutable(412), Step::ManifestAgain, &["412 ", "PRECONDITION"]),
        (Quirk::TagImmutable(403), Step::ManifestAgain, &["403 ", "DENIED"]),
        (Quirk::TagImmutable(409), Step::ManifestAgain, &["409 ", "CONFLICT"]),
        (Quirk::ManifestTooLarge, Step::Manifest, &["413 ", "<center>nginx</center>", "!docker-distribution-api-version"]),
    ])
    .await;
}

#[tokio::test]
async fn refusals_look_as_they_should() {
    let wait = RetryAfter::Seconds(3);
    check(&[
        (Quirk::RateLimited(wait), Step::Post, &["429 ", "retry-after: 3,", "TOOMANYREQUESTS"]),
        (Quirk::RateLimited(RetryAfter::Date(60)), Step::Post, &["429 ", "retry-after: ", " GMT,"]),
        (Quirk::RateLimited(RetryAfter::Unsaid), Step::Post, &["429 ", "!retry-after"]),
        (Quirk::Unavailable(wait), Step::Base, &["503 ", "retry-after: 3,"]),
        (Quirk::Unavailable(RetryAfter::Unsaid), Step::Base, &["503 ", "!retry-after"]),
        (Quirk::UnauthorizedUpload, Step::Put, &["401 ", "www-authenticate: Basic"]),
        (Quirk::Unauthorized, Step::Base, &["401 ", "www-authenticate:"]),
        (Quirk::Denied, Step::Post, &["403 ", "DENIED"]),
        (Quirk::DeniedByProxy, Step::Post, &["403 ", "<html>", "!DENIED", "!docker-distribution-api-version"]),
        (Quirk::ReadOnly, Step::Post, &["405 ", "UNSUPPORTED"]),
        (Quirk::Broken, Step::Manifest, &["500 ", "UNKNOWN"]),
        (Quirk::PatchRefused(405), Step::Patch, &["405 ", "<html>"]),
        (Quirk::PatchRefused(501), Step::Patch, &["501 "]),
        (Quirk::Unlengthed(Unlengthed::Refused(411)), Step::Streamed, &["411 "]),
        (Quirk::Unlengthed(Unlengthed::Swallowed), Step::Streamed, &["202 ", "range: 0-0"]),
        (
            Quirk::RedirectWrites(307, "elsewhere:1".into()),
            Step::Post,
            &["307 ", "location: http://elsewhere:1/v2/charts/large/blobs/uploads/,"],
        ),
        (Quirk::RedirectWrites(301, "elsewhere:1".into()), Step::Manifest, &["301 ", "/manifests/1.0.0,"]),
        (Quirk::RedirectBlobs("storage:1".into()), Step::Get, &["307 ", "location: http://storage:1/storage/charts/large/blobs/sha256:"]),
    ])
    .await;
}

#[tokio::test]
async fn what_is_said_of_a_blob_is_wrong_in_the_way_it_should_be() {
    check(&[
        (Quirk::HeadSaysYes, Step::HeadAbsent, &["200 ", "docker-content-digest: sha256:"]),
        (Quirk::HeadRefused(405), Step::Head, &["405 "]),
        (Quirk::HeadRefused(400), Step::HeadManifest, &["400 "]),
        (Quirk::NoDigest, Step::HeadManifest, &["200 ", "!docker-content-digest"]),
        (Quirk::HeadWrongLength, Step::Head, &["200 ", "content-length: 2001"]),
        (Quirk::BlobTruncated, Step::Get, &["200 ", "content-length: 2000", "1000 bytes, broken off"]),
        (Quirk::Warning("old".into()), Step::Base, &["200 ", "warning: 299 - \"old\","]),
    ])
    .await;
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let answer = observe(Step::Get, &registry, Some(&Quirk::BlobCorrupt)).await.unwrap();
    assert!(answer.whole && answer.body.len() == 2000 && answer.body != blob(2000));
}

#[tokio::test]
async fn bodies_of_errors_are_long_or_endless() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    registry.set(Quirk::Denied);
    registry.set_times(Quirk::LongErrors(300_000), 1);
    let long = once(registry.socket(), Ask::new("POST", "/v2/charts/blobs/uploads/")).await.unwrap();
    assert_eq!((long.status(), long.body.len()), (403, 300_000));
    registry.set(Quirk::EndlessErrors);
    let client = Client::to(registry.socket()).await;
    let endless = client.patience(Duration::from_millis(400)).send(Ask::new("POST", "/v2/charts/blobs/uploads/")).await;
    assert_eq!(endless.unwrap_err(), "silence", "it came to an end");
}

#[tokio::test]
async fn a_query_that_is_written_otherwise_is_refused() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    registry.set(Quirk::QueryInLocation);
    let place = once(registry.socket(), Ask::new("POST", "/v2/charts/blobs/uploads/")).await.unwrap().location();
    for (written, status) in [(place.replace("%2b", "%2B"), 400), (place.replace("+x", "%20x"), 400), (place, 202)] {
        assert_eq!(once(registry.socket(), Ask::new("PATCH", &*written).body("body")).await.unwrap().status(), status, "{written}");
    }
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_has_stored_the_blob() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let answer = observe(Step::Put, &registry, Some(&Quirk::PutAnswerLost(Close::Reset))).await;
    assert!(answer.is_err());
    assert_eq!(registry.blob(REPOSITORY, &digest(&blob(2000))).unwrap(), blob(2000));
    let lost = registry.requests().pop().unwrap();
    assert_eq!((lost.method.as_str(), lost.status, lost.whole), ("PUT", None, true));
}

#[tokio::test]
async fn replicas_differ_by_request_or_by_connection() {
    for (balanced, same_connection, next_connection) in [(Balanced::ByRequest, 400, 202), (Balanced::ByConnection, 202, 400)] {
        let registry = ScriptedRegistry::start(&Ground::loopback());
        registry.set(Quirk::Replicas(balanced, 400));
        let mut client = Client::to(registry.socket()).await;
        let place = client.send(Ask::new("POST", "/v2/charts/blobs/uploads/")).await.unwrap().location();
        assert_eq!(client.send(Ask::new("PATCH", &*place).body("a")).await.unwrap().status(), same_connection, "{balanced:?}");
        assert_eq!(once(registry.socket(), Ask::new("PATCH", place).body("a")).await.unwrap().status(), next_connection, "{balanced:?}");
    }
}

#[tokio::test]
async fn a_blob_that_a_manifest_lacks_is_there_again_once_it_was_sent() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    registry.set_times(Quirk::ManifestBlobUnknown(404), 1);
    let own = digest(&blob(2000));
    let single = Ask::new("POST", format!("/v2/{REPOSITORY}/blobs/uploads/?digest={own}")).body(blob(2000));
    let place = format!("/v2/{REPOSITORY}/blobs/{own}");
    let mut client = Client::to(registry.socket()).await;
    let asks =
        [single.clone(), manifest(&own), Ask::new("HEAD", &*place), Ask::new("GET", &*place), manifest(&own), single, manifest(&own)];
    for (ask, status) in asks.into_iter().zip([201, 404, 200, 404, 404, 201, 201]) {
        assert_eq!(client.send(ask.clone()).await.unwrap().status(), status, "{ask:?}");
    }
}

#[tokio::test]
async fn tokens_die_after_some_requests_or_some_time() {
    for (quirk, is_counted) in [(Quirk::TokenForRequests(2), true), (Quirk::TokenFor(Duration::from_millis(300)), false)] {
        let registry = ScriptedRegistry::start_for(&Ground::loopback(), Access::Bearer("user".into(), "secret".into()));
        registry.set(quirk);
        let scope = "/token?scope=repository:charts:pull,push";
        let login = Ask::new("GET", scope).field("Authorization", "Basic dXNlcjpzZWNyZXQ=");
        let token: serde_json::Value = serde_json::from_slice(&once(registry.socket(), login).await.unwrap().body).unwrap();
        let ask =
            || Ask::new("POST", "/v2/charts/blobs/uploads/").field("Authorization", format!("Bearer {}", token["token"].as_str().unwrap()));
        let (begin, mut good) = (Instant::now(), 0);
        while once(registry.socket(), ask()).await.unwrap().status() == 202 {
            good += 1;
            assert!(begin.elapsed() < Duration::from_secs(10), "it never dies");
        }
        assert!(good == 2 || !is_counted, "{good} requests");
        assert!(is_counted || begin.elapsed() >= Duration::from_millis(250), "dead after {:?}", begin.elapsed());
        let elsewhere = once(registry.socket(), Ask::new("POST", "/v2/other/blobs/uploads/")).await.unwrap();
        let challenge = elsewhere.field("www-authenticate").unwrap().to_owned();
        assert!(challenge.contains("/token\"") && challenge.contains("scope=\"repository:other:pull,push\""), "{challenge}");
    }
}

#[tokio::test]
async fn a_storage_host_has_the_blob_and_refuses_credentials() {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let storage = registry.start_beside(&Ground::loopback());
    let answer = observe(Step::Get, &registry, Some(&Quirk::RedirectBlobs(storage.address()))).await.unwrap();
    let there = answer.location();
    let plain = once(storage.socket(), Ask::new("GET", &*there)).await.unwrap();
    assert_eq!((plain.status(), plain.body), (200, blob(2000)));
    let refused = once(storage.socket(), Ask::new("GET", there).field("Authorization", "Basic dXNlcjpzZWNyZXQ=")).await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(storage.connections(), 2);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_kept_or_ends_the_session() {
    let kept = (204, Some("0-499"));
    for (quirk, after) in [(None, kept), (Some(Quirk::CutWrittenLate), kept), (Some(Quirk::SessionLostByCut), (404, None))] {
        let registry = ScriptedRegistry::start(&Ground::loopback());
        if let Some(quirk) = quirk {
            registry.set(quirk);
        }
        let place = once(registry.socket(), Ask::new("POST", "/v2/charts/blobs/uploads/")).await.unwrap().location();
        let rule = Rule::new(When::always().method("PATCH"), What::CutBody(500, Close::Reset));
        let proxy = HttpProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), [rule]);
        once(proxy.socket(), Ask::new("PATCH", &*place).body(blob(2000))).await.unwrap_err();
        eventually(SOON, "the registry notices", async || {
            let answer = once(registry.socket(), Ask::new("GET", &*place)).await?;
            let found = (answer.status(), answer.field("range"));
            if found == after { Ok(()) } else { Err(format!("{found:?}")) }
        })
        .await;
    }
}
