//! The record of a publication against an API server that is a function: what it is asked, and nothing else.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::*;

/// An API server that has some inventories, and the requests that it got: method, name, number of entries.
#[derive(Clone, Default)]
struct Server {
    objects: Arc<Mutex<Vec<Value>>>,
    requests: Arc<Mutex<Vec<String>>>,
    /// What it does with the next writes, one after the other, instead of what it should.
    troubles: Arc<Mutex<Vec<Trouble>>>,
}

/// What an API server does that is in trouble.
#[derive(Clone, Copy)]
enum Trouble {
    Refuses(u16),
    IsSilent,
}

impl Server {
    fn client(&self) -> Client {
        let server = self.clone();
        Client::new(service_fn(move |request: Request<Body>| server.clone().answer(request)), "default")
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, std::convert::Infallible> {
        let (head, body) = request.into_parts();
        let name = head.uri.path().rsplit('/').next().unwrap().to_owned();
        let body: Value = serde_json::from_slice(&body.collect_bytes().await.unwrap()).unwrap_or_default();
        let entries = body.pointer("/spec/entries").and_then(Value::as_array).map(Vec::len);
        let mut silent = false;
        if head.method != Method::GET {
            let entries = entries.map(|count| format!(" {count}")).unwrap_or_default();
            self.requests.lock().unwrap().push(format!("{} {name}{entries}", head.method));
            match self.troubles.lock().unwrap().pop() {
                None => {}
                Some(Trouble::Refuses(code)) => {
                    let status = json!({"kind": "Status", "status": "Failure", "reason": "", "code": code, "message": "in trouble"});
                    return Ok(Response::builder().status(code).body(Body::from(status.to_string().into_bytes())).unwrap());
                }
                Some(Trouble::IsSilent) => silent = true,
            }
        }
        if silent {
            std::future::pending::<()>().await;
        }
        let found = match head.method {
            Method::GET => self.objects.lock().unwrap().iter().find(|object| object["metadata"]["name"] == *name).cloned(),
            Method::DELETE => Some(json!({"kind": "Status", "status": "Success"})),
            _ => Some(body),
        };
        let missing = json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "not found"});
        let (code, answer) = found.map_or((404, missing), |object| (200, object));
        Ok(Response::builder().status(code).body(Body::from(answer.to_string().into_bytes())).unwrap())
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

fn publication() -> ChartPublication {
    let object = json!({
        "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication",
        "metadata": {"name": "many", "namespace": "platform", "uid": "of-many"},
        "spec": {"source": {"archive": {"url": "https://example.com/a.tgz"}}, "targets": [{"name": "main", "url": "oci://r"}]},
    });
    serde_json::from_value(object).unwrap()
}

fn entries(count: usize) -> Vec<InventoryEntry> {
    let entry = |number| {
        json!({
            "target": "main", "registry": "oci://r", "chart": "a", "version": "1", "repository": "a", "tag": format!("{number:05}"),
            "manifest": "m", "layer": "l", "proved": "2026-01-02T03:04:05Z",
        })
    };
    (0..count).map(|number| serde_json::from_value(entry(number)).unwrap()).collect()
}

#[tokio::test]
async fn the_record_is_split_at_two_thousand_entries_and_only_what_changed_is_written() {
    let (server, publication, mut memory) = (Server::default(), publication(), Memory::default());
    let inventory = Inventory::of(server.client(), &publication);
    let mut wanted = entries(4500);
    inventory.write(&publication, wanted.clone(), &mut memory).await.unwrap();
    assert_eq!(server.requests(), ["PATCH many 2000", "PATCH many.of.1 2000", "PATCH many.of.2 500"]);
    inventory.write(&publication, wanted.clone(), &mut memory).await.unwrap();
    assert!(server.requests().is_empty(), "nothing has changed");
    wanted[2000].manifest = "another".to_owned();
    inventory.write(&publication, wanted.clone(), &mut memory).await.unwrap();
    assert_eq!(server.requests(), ["PATCH many.of.1 2000"]);
    wanted.truncate(2000);
    inventory.write(&publication, wanted, &mut memory).await.unwrap();
    assert_eq!(server.requests(), ["DELETE many.of.1", "DELETE many.of.2"]);
    inventory.write(&publication, Vec::new(), &mut memory).await.unwrap();
    assert_eq!(server.requests(), ["DELETE many"]);
}

#[tokio::test]
async fn the_record_is_read_once_up_to_the_first_object_that_is_not_its_own() {
    let (server, publication) = (Server::default(), publication());
    let object = |name: &str, owner: &str, entries: Vec<InventoryEntry>| {
        json!({
            "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartInventory",
            "metadata": {
                "name": name, "namespace": "platform",
                "ownerReferences": [{"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "name": "many", "uid": owner}],
            },
            "spec": {"count": entries.len(), "entries": entries},
        })
    };
    let (first, second) = (entries(2000), entries(2003).split_off(2000));
    *server.objects.lock().unwrap() =
        vec![object("many", "of-many", first), object("many.of.1", "of-many", second), object("many.of.2", "of-another", entries(1))];
    let inventory = Inventory::of(server.client(), &publication);
    let mut memory = Memory::default();
    assert_eq!(inventory.entries(&publication, &mut memory).await.unwrap(), entries(2003));
    server.objects.lock().unwrap().clear();
    assert_eq!(inventory.entries(&publication, &mut memory).await.unwrap().len(), 2003, "it is remembered");
    assert!(server.requests().is_empty());
    // What two objects held fits into one; the other's is left alone.
    inventory.write(&publication, entries(1), &mut memory).await.unwrap();
    assert_eq!(server.requests(), ["PATCH many 1", "DELETE many.of.1"]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_written_counts_and_is_written_whole_the_next_time() {
    for trouble in [Trouble::Refuses(409), Trouble::Refuses(429), Trouble::Refuses(500), Trouble::IsSilent] {
        let (server, publication, mut memory) = (Server::default(), publication(), Memory::default());
        let inventory = Inventory::of(server.client(), &publication);
        inventory.write(&publication, entries(1), &mut memory).await.unwrap();
        server.requests();
        // One of the two objects of the record is written, the other is not.
        *server.troubles.lock().unwrap() = vec![trouble];
        inventory.write(&publication, entries(2001), &mut memory).await.unwrap_err();
        assert_eq!(server.requests(), ["PATCH many 2000"]);
        assert_eq!(inventory.entries(&publication, &mut memory).await.unwrap(), entries(2001), "what is published is known");
        inventory.write(&publication, entries(2001), &mut memory).await.unwrap();
        assert_eq!(server.requests(), ["PATCH many 2000", "PATCH many.of.1 1"]);

        *server.troubles.lock().unwrap() = vec![trouble];
        inventory.write(&publication, entries(1), &mut memory).await.unwrap_err();
        assert_eq!(server.requests(), ["PATCH many 1"]);
        inventory.write(&publication, entries(1), &mut memory).await.unwrap();
        assert_eq!(server.requests(), ["PATCH many 1", "DELETE many.of.1"], "what is too much goes as well");
        inventory.write(&publication, entries(1), &mut memory).await.unwrap();
        assert!(server.requests().is_empty(), "all is written");
    }
}

/// What a run gives for the one tag of [`entries`]: nothing, or why it failed.
fn outcome(failed: Option<(Reason, bool)>) -> Outcome {
    use crate::publish::{Failed, Known};
    let digest = crate::model::Digest::of(b"m");
    let failed = failed.map(|(reason, passing)| Failed { reason, sentence: String::new(), passing });
    let known = Known { manifest: digest, layer: digest, proved: Some(1), doubted: true, signer: None };
    let chart = ChartOutcome {
        chart: "a".to_owned(),
        version: "1".to_owned(),
        place: Some(("a".parse().unwrap(), "00000".parse().unwrap())),
        created: None,
        used: None,
        signer: None,
        result: failed.map_or_else(|| Ok(Done::Unchanged(known)), Err),
    };
    let target = TargetOutcome { name: "main".to_owned(), registry: "oci://r".to_owned(), charts: vec![chart], ..TargetOutcome::default() };
    Outcome { targets: vec![target], cancelled: false }
}

#[test]
fn what_a_proof_disproved_is_marked_until_one_holds_again() {
    use k8s_openapi::jiff::Timestamp;
    let at = |second| Time(Timestamp::from_second(second).unwrap());
    let before = entries(1);
    for reason in Reason::ALL.iter().copied() {
        let is_of_content = matches!(reason, Reason::RegistryContentCorrupt | Reason::ProofFailed | Reason::Drifted);
        let after = updated(&before, &outcome(Some((reason, false))), &at(10));
        assert_eq!(after[0].failed, is_of_content.then(|| at(10)), "{reason}");
        assert_eq!(after[0].proved, before[0].proved, "{reason}");
        let passing = updated(&before, &outcome(Some((reason, true))), &at(10));
        assert_eq!(passing, before, "{reason} that passes says nothing of the content");
    }
    let marked = updated(&before, &outcome(Some((Reason::Drifted, false))), &at(10));
    assert_eq!(updated(&marked, &outcome(Some((Reason::Drifted, false))), &at(20)), marked, "it is written once");
    assert_eq!(updated(&marked, &outcome(Some((Reason::RouteUnreachable, true))), &at(20)), marked, "nothing new is known");
    assert_eq!(updated(&marked, &outcome(None), &at(20))[0].failed, None);
}
