//! A Lease and those who want it, against an API server that is a function. Time is moved by hand.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::*;

const LASTS: Duration = Duration::from_secs(15);

/// An API server that has one Lease at most.
#[derive(Clone, Default)]
pub(in crate::controller) struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    /// The next write is done, and its answer is lost.
    loses_an_answer: bool,
    /// It answers nothing.
    hangs: bool,
    /// It answers everything with this.
    refuses: Option<u16>,
}

impl Server {
    fn candidate(&self, identity: &str) -> LeaseObject {
        LeaseObject::new(self.client(), terms(identity, LASTS))
    }

    pub(in crate::controller) fn client(&self) -> Client {
        let server = self.clone();
        Client::new(service_fn(move |request: Request<Body>| server.clone().answer(request)), "default")
    }

    pub(in crate::controller) fn hangs(&self, hangs: bool) {
        self.0.lock().unwrap().hangs = hangs;
    }

    pub(in crate::controller) fn refuses(&self, code: Option<u16>) {
        self.0.lock().unwrap().refuses = code;
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, std::io::Error> {
        let (head, body) = request.into_parts();
        let sent: Value = serde_json::from_slice(&body.collect_bytes().await.unwrap()).unwrap_or_default();
        if self.0.lock().unwrap().hangs {
            return std::future::pending().await;
        }
        let mut state = self.0.lock().unwrap();
        let there = state.lease.as_ref().map(|lease| lease["metadata"]["resourceVersion"].clone());
        let code = match (&head.method, there) {
            _ if state.refuses.is_some() => state.refuses.unwrap(),
            (&Method::GET, Some(_)) => 200,
            (&Method::POST, None) => 201,
            (&Method::PUT, Some(version)) if version == sent["metadata"]["resourceVersion"] => 200,
            (&Method::GET | &Method::PUT, None) => 404,
            _ => 409,
        };
        if head.method != Method::GET && code < 300 {
            state.version += 1;
            let mut lease = sent;
            lease["metadata"]["resourceVersion"] = json!(state.version.to_string());
            state.lease = Some(lease);
            if std::mem::take(&mut state.loses_an_answer) {
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
        }
        let reason = if code == 404 { "NotFound" } else { "Conflict" };
        let failure = json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": "no"});
        let answer = if code < 300 { state.lease.clone().unwrap() } else { failure };
        Ok(Response::builder().status(code).body(Body::from(answer.to_string().into_bytes())).unwrap())
    }

    fn spec(&self) -> Value {
        self.0.lock().unwrap().lease.as_ref().expect("a Lease")["spec"].clone()
    }
}

pub(in crate::controller) fn terms(identity: &str, duration: Duration) -> LeaseTerms {
    let (namespace, name) = ("platform".to_owned(), "chart-publisher".to_owned());
    LeaseTerms { namespace, name, identity: identity.to_owned(), duration }
}

fn held(attempt: Attempt) -> Held {
    match attempt {
        Attempt::Ours(held) => *held,
        Attempt::Theirs(holder) => panic!("`{holder}` has it"),
    }
}

fn holder_of(attempt: &Attempt) -> &str {
    match attempt {
        Attempt::Ours(_) => "us",
        Attempt::Theirs(holder) => holder,
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_first_has_it_and_the_next_one_waits_for_a_whole_lease() {
    let server = Server::default();
    let (mut first, mut second) = (server.candidate("first"), server.candidate("second"));
    held(first.take().await.unwrap());
    assert_eq!(server.spec()["leaseTransitions"], 0);
    assert_eq!(server.spec()["leaseDurationSeconds"], 15);
    assert_eq!(holder_of(&second.take().await.unwrap()), "first");
    let a_moment = Duration::from_millis(1);
    tokio::time::advance(LASTS.saturating_sub(a_moment)).await;
    assert_eq!(holder_of(&second.take().await.unwrap()), "first");
    tokio::time::advance(a_moment).await;
    held(second.take().await.unwrap());
    assert_eq!((&server.spec()["holderIdentity"], &server.spec()["leaseTransitions"]), (&json!("second"), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn each_renewal_makes_the_others_wait_anew() {
    let server = Server::default();
    let (mut first, mut second) = (server.candidate("first"), server.candidate("second"));
    let mut ours = held(first.take().await.unwrap());
    let acquired = server.spec()["acquireTime"].clone();
    for _ in 0..4 {
        assert_eq!(holder_of(&second.take().await.unwrap()), "first");
        tokio::time::advance(LASTS / 2).await;
        ours = held(first.renew(&ours).await.unwrap());
        assert_eq!(ours.asked, Instant::now());
    }
    assert_eq!(server.spec()["acquireTime"], acquired, "a renewal begins no new term");
    assert_eq!(server.spec()["leaseTransitions"], 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_back_is_taken_at_once() {
    let server = Server::default();
    let (mut first, mut second) = (server.candidate("first"), server.candidate("second"));
    let ours = held(first.take().await.unwrap());
    first.release(&ours).await.unwrap();
    held(second.take().await.unwrap());
    first.release(&ours).await.unwrap();
    assert_eq!(server.spec()["holderIdentity"], "second", "who no longer has it gives nothing back");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_was_lost_is_no_loss() {
    let server = Server::default();
    let mut first = server.candidate("first");
    let ours = held(first.take().await.unwrap());
    server.0.lock().unwrap().loses_an_answer = true;
    assert!(matches!(first.renew(&ours).await, Err(LeaseError::Api(_))));
    let ours = held(first.renew(&ours).await.unwrap());
    server.0.lock().unwrap().loses_an_answer = true;
    assert!(first.renew(&ours).await.is_err());
    first.release(&ours).await.unwrap();
    assert_eq!(server.spec()["holderIdentity"], "", "nor does it hinder giving it back");
}

#[tokio::test(start_paused = true)]
async fn who_was_away_too_long_learns_who_has_it_now() {
    let server = Server::default();
    let (mut first, mut second) = (server.candidate("first"), server.candidate("second"));
    let ours = held(first.take().await.unwrap());
    second.take().await.unwrap();
    tokio::time::advance(LASTS).await;
    held(second.take().await.unwrap());
    assert_eq!(holder_of(&first.renew(&ours).await.unwrap()), "second");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nobody_took_is_renewed_late_and_one_that_was_deleted_is_made_anew() {
    let server = Server::default();
    let mut first = server.candidate("first");
    let ours = held(first.take().await.unwrap());
    tokio::time::advance(LASTS * 10).await;
    let ours = held(first.renew(&ours).await.unwrap());
    server.0.lock().unwrap().lease = None;
    held(first.renew(&ours).await.unwrap());
    assert_eq!(server.spec()["holderIdentity"], "first");
    server.0.lock().unwrap().lease = None;
    held(server.candidate("second").take().await.unwrap());
    assert_eq!(holder_of(&first.renew(&ours).await.unwrap()), "second", "somebody was faster");
}

#[tokio::test(start_paused = true)]
async fn a_holder_is_told_in_one_line_whatever_is_written_there() {
    let server = Server::default();
    let (mut first, mut second) = (server.candidate("first"), server.candidate("second"));
    let ours = held(first.take().await.unwrap());
    let forged = format!("x` leads\n2026-01-01T00:00:00Z ERROR \u{1b}[31m{}", "y".repeat(100_000));
    let mut lease = server.0.lock().unwrap().lease.clone().unwrap();
    (lease["spec"]["holderIdentity"], lease["metadata"]["resourceVersion"]) = (json!(forged), json!("forged"));
    server.0.lock().unwrap().lease = Some(lease);
    for attempt in [second.take().await.unwrap(), first.renew(&ours).await.unwrap()] {
        let holder = holder_of(&attempt);
        assert!(holder.starts_with("x` leads\u{fffd}2026") && holder.chars().count() == 300, "{holder}");
        assert!(!holder.contains(char::is_control), "{holder}");
    }
}
