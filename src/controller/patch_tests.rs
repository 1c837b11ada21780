//! The status against an API server that is a function, and in trouble.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::client::Body;
use tower::service_fn;

use super::*;

/// Answers one after the other, the last one for ever; gives what came of writing, the number of requests and how long it took.
async fn check(answers: &[(u16, &str)]) -> (Written, usize, Duration) {
    let (answers, count) = (answers.iter().map(|(code, body)| (*code, (*body).to_owned())).collect::<Vec<_>>(), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&count);
    let service = service_fn(move |_: Request<Body>| {
        let mut count = counted.lock().unwrap();
        let (code, body) = answers[(*count).min(answers.len() - 1)].clone();
        *count += 1;
        async move { Ok::<_, std::convert::Infallible>(Response::builder().status(code).body(Body::from(body.into_bytes())).unwrap()) }
    });
    let writer = StatusWriter::of(Client::new(service, "default"), Tenure::of_one(), Arc::default(), "platform", "charts");
    let begin = Instant::now();
    let written = writer.write(&ChartPublicationStatus::default(), &CancellationToken::new()).await;
    let count = *count.lock().unwrap();
    (written, count, begin.elapsed())
}

const DONE: &str = r#"{
    "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "charts"},
    "spec": {"source": {"archive": {"url": "https://example.com/a.tgz"}}, "targets": [{"name": "main", "url": "oci://r"}]}
}"#;
const GONE: &str = r#"{"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "not found"}"#;
const FORBIDDEN: &str = r#"{"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "not yet"}"#;
const INVALID: &str = r#"{"kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422, "message": "no"}"#;

#[tokio::test(start_paused = true)]
async fn the_result_of_a_run_is_written_once_the_api_server_takes_it() {
    for (answers, requests) in [
        (&[(200, DONE)][..], 1),
        // One that has just begun does not know its rights, nor all its paths.
        (&[(403, FORBIDDEN), (403, FORBIDDEN), (404, "404 page not found"), (200, DONE)], 4),
        (&[(500, ""), (409, ""), (401, ""), (200, DONE)], 4),
        // Nobody is there to read it, or nobody who could.
        (&[(404, GONE)], 1),
        (&[(422, INVALID)], 1),
    ] {
        let (written, count, _) = check(answers).await;
        assert_eq!((written, count), (Written::Done, requests), "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_missing_keeps_no_run_for_ever() {
    let (written, _, took) = check(&[(403, FORBIDDEN)]).await;
    assert_eq!(written, Written::Refused);
    assert!((KNOWS_RIGHTS..KNOWS_RIGHTS + LONGEST_PAUSE * 2).contains(&took), "{took:?}");
}
