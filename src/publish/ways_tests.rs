//! How a search goes on, from run to run.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    net::{AddressPolicy, Endpoint, Patience, SystemRoots, TlsConfig, Transport},
    plan::Bodies,
    publish::learnt::tests::strategy,
    registry::{AllowedHosts, Answer, Authorizer, BodyKind, Failure, Registry, SeenOfChunks, Stage},
    remedy::Audience,
};

const BODY: u64 = 6 << 20;

fn way(bodies: Bodies, port: u16) -> Way {
    let mut strategy = Strategy { bodies, ..strategy() };
    strategy.origin.port = port;
    let origin = strategy.origin.clone();
    let tls = TlsConfig::new(&SystemRoots::load(), None, None).expect("no certificates are given");
    let endpoint = Endpoint { addresses: Vec::new(), origin, tls, policy: AddressPolicy::Any, segment: None, proxy: None };
    let authorizer = Arc::new(Authorizer::new(None, AllowedHosts::default()));
    Way {
        strategy,
        registry: Registry::new(
            Transport::new(),
            endpoint,
            authorizer,
            AllowedHosts::default(),
            Patience { stall: Duration::from_secs(1) },
        ),
    }
}

fn no_session() -> Failure {
    let answer = Answer {
        status: 404,
        body: BodyKind::OciError,
        codes: vec!["BLOB_UPLOAD_UNKNOWN".to_owned()],
        message: String::new(),
        server: None,
        from_registry: true,
        retry_after: None,
        redirect: None,
        sent: BODY,
    };
    Failure::new(Stage::SendBlob, answer)
}

/// What a proxy says that has nobody to ask.
fn bad_gateway() -> Failure {
    let answer = no_session().answer().cloned().expect("an answer");
    Failure::new(
        Stage::OpenUpload,
        Answer { status: 502, body: BodyKind::Html, codes: Vec::new(), from_registry: false, sent: 0, ..answer },
    )
}

fn subject() -> Subject {
    Subject { registry: "oci://registry.example".to_owned(), secret: None, cert_secret: None, insecure: true, audience: Audience::Resource }
}

/// The ports that each of some charts is tried by in one run: those of `works` take it, all others are proxies with nobody behind them.
async fn tried(ways: &[u16], works: &[&[u16]]) -> Vec<Vec<u16>> {
    let ways = Ways::new(ways.iter().map(|port| way(Bodies::default(), *port)).collect(), subject(), Learnt::default());
    let mut all = Vec::new();
    for works in works {
        let asked = Mutex::new(Vec::new());
        let work = |attempt: Attempt| {
            let port = attempt.registry.endpoint().origin.port;
            asked.lock().expect("no panic").push(port);
            let result = if works.contains(&port) { Ok(()) } else { Err(bad_gateway()) };
            async move { Tried { result, sent: 0, seen: SeenOfChunks::default() } }
        };
        let found = ways.through("registry.example/app:1", BODY, work).await;
        assert_eq!(found.is_ok(), !works.is_empty());
        all.push(asked.into_inner().expect("no panic"));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn what_one_request_is_answered_keeps_nothing_from_the_next() {
    let works: &[u16] = &[1];
    assert_eq!(tried(&[1], &[&[], works, &[], works]).await, [[1], [1], [1], [1]]);
}

#[tokio::test(start_paused = true)]
async fn a_way_that_another_one_had_to_stand_in_for_is_left_alone() {
    let works: &[u16] = &[2];
    assert_eq!(tried(&[1, 2], &[&[], works, works]).await, [vec![1, 2], vec![1, 2], vec![2]]);
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_again_and_again_counts_for_all() {
    assert_eq!(tried(&[1], &[&[], &[], &[], &[]]).await, [vec![1], vec![1], vec![1], vec![]]);
}

/// One run, each attempt of which sends `cost` bytes in vain; gives what was tried.
async fn run(learnt: &Learnt, bodies: Bodies, cost: u64) -> Vec<&'static str> {
    let ways = Ways::new(vec![way(bodies, 5000)], subject(), learnt.clone());
    let tried = Mutex::new(Vec::new());
    let work = |attempt: Attempt| {
        tried.lock().expect("no panic").push(attempt.tactic.method().as_str());
        async move { Tried::<()> { result: Err(no_session()), sent: cost, seen: SeenOfChunks::default() } }
    };
    ways.through("registry.example/app:1", BODY, work).await.map(|_| ()).expect_err("nothing works");
    tried.into_inner().expect("no panic")
}

#[tokio::test(start_paused = true)]
async fn what_may_be_tried_again_and_costs_too_much_is_not_what_the_next_run_begins_with() {
    let learnt = Learnt::default();
    assert_eq!(run(&learnt, Bodies::default(), 2 * BODY).await, ["Buffered"], "no body goes out a third time");
    let next = run(&learnt, Bodies::default(), 2 * BODY).await;
    assert!(!next.is_empty() && !next.contains(&"Buffered"), "the next run goes on: {next:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_be_tried_again_is_tried_again_while_that_is_paid_for() {
    let tried = run(&Learnt::default(), Bodies::default(), BODY / 2).await;
    assert_eq!(tried[..2], ["Buffered", "Buffered"], "{tried:?}");
}

#[tokio::test(start_paused = true)]
async fn the_only_method_that_the_spec_allows_is_tried_by_each_run() {
    let (learnt, only) = (Learnt::default(), Bodies { fixed: Some(crate::model::Method::SinglePost), ..Bodies::default() });
    assert_eq!(run(&learnt, only.clone(), 2 * BODY).await, ["SinglePost"]);
    assert_eq!(run(&learnt, only, 2 * BODY).await, ["SinglePost"], "it may work by now");
}
