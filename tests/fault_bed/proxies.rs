//! The fault proxies, without and with faults, as a plain client sees them.

use std::time::{Duration, Instant};

use crate::{
    blob,
    faults::{
        Close,
        client::{Answer, Ask, Client, once},
        ground::{Endpoint, Ground},
        ledger::Framing,
        proxy::HttpProxy,
        quirk::{Balanced, Quirk},
        registry::{ScriptedRegistry, store::digest},
        rule::{Page, Rewrite, Rule, What, When},
        wire::{Wire, WireProxy},
    },
    support::eventually::{SOON, eventually},
};

const MIB: usize = 1 << 20;
const UPLOADS: &str = "/v2/charts/blobs/uploads/";

fn single(length: usize) -> Ask {
    let body = blob(length);
    Ask::new("POST", format!("{UPLOADS}?digest={}", digest(&body))).body(body)
}

fn streamed() -> Ask {
    Ask::new("POST", UPLOADS).chunked(blob(3 * MIB))
}

fn start(rules: Vec<Rule>) -> (ScriptedRegistry, HttpProxy) {
    let registry = ScriptedRegistry::start(&Ground::loopback());
    let proxy = HttpProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), rules);
    (registry, proxy)
}

/// Only where silence is what is to be seen, it is not waited for long.
fn patience(shows: &str) -> Duration {
    if shows == "silence" { Duration::from_millis(700) } else { Duration::from_secs(20) }
}

fn describe(answer: Result<Answer, String>) -> String {
    match answer {
        Ok(answer) => {
            let fields = answer.head.line();
            let end = if answer.whole { "" } else { " broken off" };
            format!("{}{fields}{end} | {}", answer.status(), answer.text())
        }
        Err(problem) => problem,
    }
}

/// A rule, what is asked, what it shows (`!`: does not show), and how many requests reach the registry.
type Case = (What, Ask, &'static [&'static str], usize);

#[tokio::test]
async fn rules_do_what_they_say_and_nothing_without_them() {
    let nginx = || Page::Nginx;
    let limit = |close, read| What::LimitBody { limit: 1 << 20, page: Page::Nginx, close, read };
    let cases: Vec<Case> = vec![
        (
            What::Answer { status: 503, fields: vec![("Retry-After", "7".into())], page: nginx() },
            single(10),
            &["503 ", "retry-after: 7,", "server: nginx,", "<center>nginx</center>", "!connection: close"],
            0,
        ),
        (
            What::Answer { status: 403, fields: vec![], page: Page::Oci("DENIED", "no") },
            single(10),
            &["403 ", "\"code\":\"DENIED\"", "registry/2.0"],
            0,
        ),
        (
            What::Refuse { status: 411, page: Page::Text("no"), close: Close::Lingering },
            streamed(),
            &["411 ", "connection: close,", "text/plain", "| no"],
            0,
        ),
        (limit(Close::Lingering, 0), single(2 * MIB), &["413 ", "<center>nginx</center>"], 0),
        (limit(Close::Lingering, 0), streamed(), &["413 "], 1),
        (limit(Close::Lingering, 0), single(MIB), &["201 "], 1),
        (What::SwallowBody, streamed(), &["202 "], 1),
        (What::CutBody(MIB as u64, Close::Reset), single(2 * MIB), &["reset"], 1),
        (What::CutBody(MIB as u64, Close::AtOnce), single(100), &["201 "], 1),
        (What::CutHead(Close::Reset), single(100), &["reset"], 0),
        (What::CutHead(Close::AtOnce), Ask::new("GET", "/v2/"), &["the end of the connection"], 0),
        (What::Stall(1000, true), single(2 * MIB), &["silence"], 1),
        (What::Stall(1000, false), single(8 * MIB), &["silence"], 1),
        (What::LoseAnswer(Close::AtOnce), single(100), &["the end of the connection"], 1),
        (What::LoseAnswer(Close::Reset), single(100), &["reset"], 1),
        (What::AnswerAfter(504, nginx()), single(100), &["504 ", "nginx"], 1),
        (What::CutAnswer(1, Close::AtOnce), Ask::new("GET", "/v2/"), &["200 ", "broken off | {"], 1),
        (What::Status(201), Ask::new("POST", UPLOADS), &["201 ", "location: http://"], 1),
        (What::Remove("location"), Ask::new("POST", UPLOADS), &["202 ", "!location:"], 1),
        (What::Set("Location", "/elsewhere".into()), Ask::new("POST", UPLOADS), &["202 ", "location: /elsewhere,"], 1),
        (What::Location(Rewrite::Scheme("https")), Ask::new("POST", UPLOADS), &["202 ", "location: https://127.0.0.1:"], 1),
        (What::Location(Rewrite::Host("other:1".into())), Ask::new("POST", UPLOADS), &["202 ", "location: http://other:1/v2/charts/"], 1),
        (What::Location(Rewrite::NoPort), Ask::new("POST", UPLOADS), &["202 ", "location: http://127.0.0.1/v2/charts/"], 1),
        (What::Location(Rewrite::Relative), Ask::new("POST", UPLOADS), &["202 ", "location: /v2/charts/"], 1),
    ];
    for (what, ask, shows, reach) in cases {
        let (registry, proxy) = start(vec![Rule::new(When::always(), what.clone())]);
        let mut client = Client::to(proxy.socket()).await.patience(patience(shows[0]));
        let text = describe(client.send(ask.clone()).await);
        for part in shows {
            let fits = part.strip_prefix('!').map_or_else(|| text.contains(part), |absent| !text.contains(absent));
            assert!(fits, "{what:?} should show {part:?}; it shows:\n{text}");
        }
        assert_eq!(registry.requests().len(), reach, "{what:?}: {:?}", registry.requests());
        assert_eq!(proxy.acted(), 1, "{what:?}");
        let (_registry, plain) = start(Vec::new());
        let answer = once(plain.socket(), ask).await.expect("an answer");
        assert!(
            answer.status() < 300 && answer.whole && answer.field("location").is_none_or(|place| place.contains("/v2/charts/blobs/")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_413_is_there_to_be_read_however_the_proxy_hangs_up() {
    for (close, read, least) in [(Close::Lingering, 0, 20), (Close::AtOnce, MIB as u64, 1), (Close::Reset, MIB as u64, 0)] {
        let what = What::LimitBody { limit: 1 << 20, page: Page::Nginx, close, read };
        let (registry, proxy) = start(vec![Rule::new(When::always(), what)]);
        let mut seen = 0;
        for _ in 0..20 {
            seen += usize::from(once(proxy.socket(), single(4 * MIB)).await.is_ok_and(|answer| answer.status() == 413));
        }
        assert!(seen >= least, "{close:?}: {seen} of 20");
        assert_eq!(registry.requests().len(), 0);
        assert!(proxy.requests().iter().all(|asked| asked.status == Some(413) && asked.framing == Framing::Sized(4 << 20)));
        assert!(proxy.ledger().received() <= 20 * (read + 16 * 1024), "more of the bodies was read than should be");
    }
}

/// When a rule acts, what is asked, and for which of these it acts.
type Choice = (When, Vec<(&'static str, &'static str)>, &'static [bool]);

#[tokio::test]
async fn rules_choose_their_requests() {
    let gone = || What::Answer { status: 418, fields: Vec::new(), page: Page::Empty };
    let gets = |count: usize| vec![("GET", "/v2/"); count];
    let cases: Vec<Choice> = vec![
        (When::always().every(3), gets(7), &[false, false, true, false, false, true, false]),
        (When::always().times(2), gets(4), &[true, true, false, false]),
        (When::always().every(2).times(1), gets(5), &[false, true, false, false, false]),
        (When::always().later(), gets(3), &[false, true, true]),
        (When::always().method("POST"), vec![("GET", "/v2/"), ("POST", UPLOADS), ("GET", "/v2/")], &[false, true, false]),
        (When::writes().path("/uploads/"), vec![("POST", UPLOADS), ("POST", "/v2/"), ("GET", UPLOADS)], &[true, false, false]),
    ];
    for (when, asks, expected) in cases {
        let (_registry, proxy) = start(vec![Rule::new(when.clone(), gone())]);
        let mut client = Client::to(proxy.socket()).await;
        for ((method, target), refused) in asks.into_iter().zip(expected) {
            let answer = client.send(Ask::new(method, target)).await.expect("an answer");
            assert_eq!(answer.status() == 418, *refused, "{when:?}: {method} {target}");
        }
        assert_eq!(proxy.connections(), 1);
    }
    let (_registry, proxy) = start(vec![Rule::new(When::always().over(100), gone()), Rule::new(When::always().unlengthed(), gone())]);
    for (ask, status) in
        [(single(100), 201), (single(101), 418), (Ask::new("POST", UPLOADS).chunked("x"), 418), (Ask::new("GET", "/v2/"), 200)]
    {
        assert_eq!(once(proxy.socket(), ask).await.expect("an answer").status(), status);
    }
}

#[tokio::test]
async fn what_is_passed_on_arrives_byte_for_byte_also_in_chunks() {
    let (registry, proxy) = start(Vec::new());
    let mut client = Client::to(proxy.socket()).await;
    let body = blob(3 * MIB);
    let place = client.send(Ask::new("POST", UPLOADS)).await.unwrap().location();
    assert_eq!(client.send(Ask::new("PATCH", &*place).chunked(&*body)).await.unwrap().status(), 202);
    let put = client.send(Ask::new("PUT", format!("{place}?digest={}", digest(&body)))).await.unwrap();
    assert_eq!(put.status(), 201, "{}", put.text());
    let pulled = client.send(Ask::new("GET", format!("/v2/charts/blobs/{}", digest(&body)))).await.unwrap();
    assert!(pulled.body == body && pulled.whole);
    assert_eq!(client.send(Ask::new("HEAD", format!("/v2/charts/blobs/{}", digest(&body)))).await.unwrap().status(), 200);
    let lines = |all: Vec<crate::faults::ledger::Asked>| all.iter().map(|asked| (asked.line(), asked.received)).collect::<Vec<_>>();
    assert_eq!(lines(proxy.requests()), lines(registry.requests()));
    assert_eq!((proxy.connections(), registry.connections()), (1, 1));
}

#[tokio::test]
async fn a_request_that_takes_too_long_gets_504() {
    let (registry, proxy) = start(vec![Rule::new(When::always().path("/uploads/"), What::Limit(Duration::from_millis(300), 504))]);
    registry.set(Quirk::NoAnswer);
    let begin = Instant::now();
    let answer = once(proxy.socket(), Ask::new("POST", UPLOADS)).await.unwrap();
    assert!(answer.status() == 504 && begin.elapsed() >= Duration::from_millis(300), "{answer:?}");
    assert_eq!(once(proxy.socket(), Ask::new("GET", "/v2/")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn requests_are_shared_out_among_upstreams() {
    for (balanced, shares) in [(Balanced::ByRequest, [3, 3]), (Balanced::ByConnection, [4, 2])] {
        let registries = [(); 2].map(|()| ScriptedRegistry::start(&Ground::loopback()));
        let upstreams = registries.iter().map(|registry| Endpoint::loopback(registry.socket())).collect();
        let proxy = HttpProxy::start_balanced(&Ground::loopback(), upstreams, balanced, []);
        let mut first = Client::to(proxy.socket()).await;
        for _ in 0..4 {
            first.send(Ask::new("GET", "/v2/")).await.unwrap();
        }
        let mut second = Client::to(proxy.socket()).await;
        for _ in 0..2 {
            second.send(Ask::new("GET", "/v2/")).await.unwrap();
        }
        assert_eq!(registries.each_ref().map(|registry| registry.requests().len()), shares, "{balanced:?}");
    }
}

#[tokio::test]
async fn connections_are_cut_lost_and_slowed() {
    let half = MIB as u64 / 2;
    let cases: Vec<(Wire, Ask, &str)> = vec![
        (Wire::CutSent(half, Close::Reset), single(MIB), "reset"),
        (Wire::CutSent(half, Close::AtOnce), Ask::new("GET", "/v2/"), "200 "),
        (Wire::CutAnswers(30, Close::AtOnce), Ask::new("GET", "/v2/"), "unexpected end of file"),
        (Wire::CutAnswers(30, Close::Reset), Ask::new("GET", "/v2/"), "reset"),
        (Wire::StopReading(half), single(8 * MIB), "silence"),
        (Wire::StopReading(half), single(1000), "201 "),
        (Wire::LoseSent(half), single(MIB), "silence"),
        (Wire::LoseSent(half), single(1000), "201 "),
        (Wire::LoseAnswers(0), Ask::new("GET", "/v2/"), "silence"),
    ];
    for (fault, ask, shows) in cases {
        let registry = ScriptedRegistry::start(&Ground::loopback());
        let proxy = WireProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), &[fault]);
        let mut client = Client::to(proxy.socket()).await.patience(patience(shows));
        let text = describe(client.send(ask.clone()).await);
        assert!(text.contains(shows), "{fault:?} should show {shows:?}; it shows:\n{text}");
        proxy.set(&[]);
        assert!(once(proxy.socket(), ask).await.is_ok_and(|answer| answer.status() < 300), "{fault:?} does not go away");
        assert_eq!(proxy.connections(), 2);
    }
}

#[tokio::test]
async fn what_is_slow_takes_its_time() {
    let cases: Vec<(Wire, Ask, Duration)> = vec![
        (Wire::SlowSent(MIB as u64), single(MIB / 2), Duration::from_millis(450)),
        (Wire::Delay(Duration::from_millis(150)), Ask::new("GET", "/v2/"), Duration::from_millis(290)),
        (Wire::SlowAnswers(1000), Ask::new("GET", "/v2/"), Duration::from_millis(100)),
    ];
    for (fault, ask, least) in cases {
        let registry = ScriptedRegistry::start(&Ground::loopback());
        let proxy = WireProxy::start(&Ground::loopback(), Endpoint::loopback(registry.socket()), &[fault]);
        let begin = Instant::now();
        let answer = once(proxy.socket(), ask).await.unwrap();
        assert!(answer.status() < 300 && begin.elapsed() >= least, "{fault:?}: {} after {:?}", answer.status(), begin.elapsed());
    }
}

#[tokio::test]
async fn a_cut_body_is_told_to_the_registry_as_far_as_it_came() {
    let (registry, proxy) = start(vec![Rule::new(When::always().method("PATCH"), What::CutBody(MIB as u64, Close::Reset))]);
    let place = once(proxy.socket(), Ask::new("POST", UPLOADS)).await.unwrap().location();
    once(proxy.socket(), Ask::new("PATCH", &*place).body(blob(2 * MIB))).await.unwrap_err();
    eventually(SOON, "the registry has what came", async || {
        let asked = registry.ledger().of("PATCH").pop().ok_or("nothing")?;
        if (asked.received, asked.whole) == (1 << 20, false) { Ok(()) } else { Err("not all") }
    })
    .await;
    eventually(SOON, "the session says so", async || {
        let status = once(registry.socket(), Ask::new("GET", &*place)).await?;
        let range = status.field("range").map(str::to_owned);
        if range.as_deref() == Some("0-1048575") { Ok(()) } else { Err(format!("{range:?}")) }
    })
    .await;
}
