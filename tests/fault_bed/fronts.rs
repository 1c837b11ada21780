//! Real nginx and haproxy, configured as users report it, before real distribution and the scripted registry.

use std::{net::SocketAddr, time::Duration};

use crate::{
    blob,
    faults::{
        client::{Ask, Client},
        fronts::{HaproxyFront, NginxFront},
        ground::{Endpoint, Ground},
        origin::Origin,
        registry::{ScriptedRegistry, store::digest},
        wire::{Wire, WireProxy},
    },
    support::{self, Bed},
};

const MIB: usize = 1 << 20;
const UPLOADS: &str = "/v2/charts/blobs/uploads/";

/// What becomes of a session and one PUT of so many bytes: status and begin of the body.
async fn put(socket: SocketAddr, length: usize, chunked: bool) -> String {
    let body = blob(length);
    let mut client = Client::to(socket).await.patience(Duration::from_secs(6));
    let place = match client.send(Ask::new("POST", UPLOADS)).await {
        Ok(answer) => answer.location(),
        Err(problem) => return problem,
    };
    let join = if place.contains('?') { '&' } else { '?' };
    let ask = Ask::new("PUT", format!("{place}{join}digest={}", digest(&body)));
    let answer = client.send(if chunked { ask.chunked(body) } else { ask.body(body) }).await;
    answer.map_or_else(|problem| problem, |answer| format!("{} {}", answer.status(), answer.text().chars().take(300).collect::<String>()))
}

async fn nginx(bed: &'static Bed, front: NginxFront, length: usize, chunked: bool) -> String {
    let upstream = Origin::V3.start(bed, &[]).await;
    let nginx = bed.nginx_front(front, upstream.socket(), None).await;
    put(nginx.socket(), length, chunked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_refuses_what_users_report() {
    let bed = support::on_loopback();
    let (buffered, passing) = (NginxFront::BodyLimit { buffered: true }, NginxFront::BodyLimit { buffered: false });
    for (front, length, chunked, shows) in [
        (NginxFront::Right, 3 * MIB, false, "201 "),
        (NginxFront::Right, 3 * MIB, true, "201 "),
        (buffered, 3 * MIB, false, "413 <html>"),
        (buffered, 3 * MIB, true, "413 <html>"),
        (buffered, MIB, false, "201 "),
        (passing, 3 * MIB, false, "413 <html>"),
        (passing, 3 * MIB, true, "413 <html>"),
        (passing, MIB, false, "201 "),
        (NginxFront::Unlengthed(400), 1000, true, "400 <html>"),
        (NginxFront::Unlengthed(411), 3 * MIB, true, "411 <html>"),
        (NginxFront::Unlengthed(411), 3 * MIB, false, "201 "),
        (NginxFront::Unlengthed(501), 1000, true, "501 <html>"),
        (NginxFront::HostWithoutPort, 1000, false, "201 "),
    ] {
        let found = nginx(bed, front, length, chunked).await;
        assert!(found.starts_with(shows), "{front:?}, {length} bytes, chunked {chunked}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_refuses_what_users_report() {
    let bed = support::on_loopback();
    for (front, length, shows) in
        [(HaproxyFront::Right, 3 * MIB, "201 "), (HaproxyFront::BodyLimit, 3 * MIB, "413 "), (HaproxyFront::BodyLimit, MIB, "201 ")]
    {
        let upstream = Origin::V3.start(bed, &[]).await;
        let haproxy = bed.haproxy_front(&front, upstream.socket()).await;
        let found = put(haproxy.socket(), length, false).await;
        assert!(found.starts_with(shows), "{front:?}, {length} bytes: {found}");
        assert!(!haproxy.requests().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_commits_slowly_meets_the_gateways_patience() {
    let bed = support::on_loopback();
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let slow = WireProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), &[]);
    let nginx = bed.nginx_front(NginxFront::ReadTimeout, slow.socket(), None).await;
    let haproxy = bed.haproxy_front(&HaproxyFront::ServerTimeout, slow.socket()).await;
    for socket in [nginx.socket(), haproxy.socket()] {
        slow.set(&[]);
        assert!(put(socket, 1000, false).await.starts_with("201 "));
        slow.set(&[Wire::LoseAnswers(0)]);
        let answer = Client::to(socket).await.patience(Duration::from_secs(6)).send(Ask::new("GET", "/v2/")).await.unwrap();
        assert!(answer.status() == 504 && answer.text().to_lowercase().contains("<html>"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_too_slowly_meets_the_gateways_patience() {
    let bed = support::on_loopback();
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let haproxy = bed.haproxy_front(&HaproxyFront::RequestTimeout, registry.socket()).await;
    let stalled = WireProxy::start(&Ground::loopback(), Endpoint::loopback(haproxy.socket()), &[Wire::LoseSent(2000)]);
    let found = put(stalled.socket(), 10_000, false).await;
    assert!(found.starts_with("408 "), "{found}");
    assert!(registry.ledger().of("PUT").iter().all(|asked| !asked.whole));
}
