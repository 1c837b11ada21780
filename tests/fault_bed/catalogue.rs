//! The list of faults is whole, and each of its makings shows when a client does all that a push may do.

use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    blob,
    faults::{
        catalogue::{self, Making},
        client::{Answer, Ask, Client},
        origin::Origin,
        path::Path,
        registry::store::digest,
    },
    steps::manifest,
    support::{self, eventually::eventually},
};

const MIB: usize = 1 << 20;

#[test]
fn every_fault_is_there_once_and_made_somewhere() {
    let faults = catalogue::all();
    let ids: Vec<_> = (1..=32).map(|number| format!("P{number:02}")).chain((1..=24).map(|number| format!("T{number:02}"))).collect();
    for id in &ids {
        assert_eq!(faults.iter().filter(|fault| fault.id == id).count(), 1, "{id}");
    }
    assert_eq!(faults.len(), ids.len());
    for fault in &faults {
        let is_made = !fault.makings(Origin::V3).is_empty();
        assert!(is_made || fault.otherwise.is_some(), "{}: nothing makes it and nothing says why", fault.id);
        assert!(fault.quirks.iter().all(|quirk| quirk.number() == fault.id), "{}: a quirk of another fault", fault.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_making_shows_to_a_client_that_does_all_that_a_push_may_do() {
    let bed = support::on_loopback();
    let makings =
        catalogue::all().into_iter().flat_map(|fault| fault.makings(Origin::Scripted).into_iter().map(move |making| (fault.id, making)));
    let tried = makings.map(async |(id, making)| {
        let path = Path::with_fault(bed, Origin::Scripted, &making).await;
        let statuses = exercise(&path, Duration::from_millis(600)).await;
        let shown = match &making {
            Making::Quirk(_) => path.upstream().scripted().map_or(0, |registry| registry.shown(id)) > 0,
            Making::Rule(_) => path.proxy().is_some_and(|proxy| proxy.acted() > 0),
            // A wire has no requests to choose from: it shows in what came of them.
            Making::Wire(_) => !statuses.iter().all(is_usual),
        };
        assert!(shown, "{id}: {making:?} did not show: {statuses:?}");
        1
    });
    let number: usize = stream::iter(tried).buffer_unordered(12).fold(0, async |sum, one| sum + one).await;
    assert!(number > 100, "{number} makings");
    // Where nothing is wrong, all of it is as usual.
    let statuses = exercise(&Path::plain(bed, Origin::Scripted).await, Duration::from_secs(20)).await;
    assert!(statuses.iter().all(is_usual), "{statuses:?}");
}

fn is_usual(status: &Result<String, String>) -> bool {
    matches!(status.as_deref(), Ok("200" | "201" | "202" | "404"))
}

/// All that pushes do, each on a connection of its own and once more on a kept one; what became of each.
async fn exercise(path: &Path, patience: Duration) -> Vec<Result<String, String>> {
    let body = blob(2 * MIB + 100_000);
    let own = digest(&body);
    let uploads = "/v2/charts/large/blobs/uploads/";
    let place = format!("/v2/charts/large/blobs/{own}");
    let token = token(path, patience).await;
    let field = token.map(|token| format!("Bearer {token}"));
    let with_token = |ask: Ask| field.as_ref().map_or_else(|| ask.clone(), |field| ask.clone().field("Authorization", field.clone()));
    let mut found = Vec::new();
    let mut asks = vec![Ask::new("HEAD", &*place), Ask::new("POST", format!("{uploads}?mount={own}&from=other"))];
    asks.push(Ask::new("POST", format!("{uploads}?digest={own}")).body(&*body));
    asks.extend([Ask::new("HEAD", &*place), Ask::new("GET", &*place), manifest(&own), manifest(&own)]);
    asks.push(Ask::new("HEAD", "/v2/charts/large/manifests/1.0.0"));
    for ask in asks {
        found.push(once(path, patience, with_token(ask)).await.map(|answer| answer.status().to_string()));
    }
    let half = body.len() / 2;
    for (method, streamed) in [("PUT", false), ("PATCH", true), ("PATCH", false)] {
        let Ok(session) = once(path, patience, with_token(Ask::new("POST", uploads))).await else { continue };
        let Some(location) = session.field("location").map(|_| session.location()) else { continue };
        let join = if location.contains('?') { '&' } else { '?' };
        let target = if method == "PUT" { format!("{location}{join}digest={own}") } else { location.clone() };
        let ask = Ask::new(method, target);
        let ask = if streamed { ask.chunked(&*body) } else { ask.body(&body[..if method == "PUT" { body.len() } else { half }]) };
        found.push(once(path, patience, with_token(ask)).await.map(|answer| answer.status().to_string()));
        if method == "PATCH" && !streamed {
            let second = Ask::new("PATCH", &*location).field("Content-Range", format!("{half}-{}", body.len() - 1)).body(&body[half..]);
            found.push(once(path, patience, with_token(second)).await.map(|answer| answer.status().to_string()));
        }
        break_off(path, &location).await;
    }
    let mut kept = Client::to(path.socket()).await.patience(patience);
    for _ in 0..2 {
        found.push(kept.send(Ask::new("GET", "/v2/")).await.map(|answer| answer.status().to_string()));
    }
    found
}

async fn once(path: &Path, patience: Duration, ask: Ask) -> Result<Answer, String> {
    Client::to(path.socket()).await.patience(patience).send(ask).await
}

/// A token for whoever needs one; others have no use for it.
async fn token(path: &Path, patience: Duration) -> Option<String> {
    let ask = Ask::new("GET", "/token?scope=repository:charts/large:pull,push").field("Authorization", "Basic dXNlcjpzZWNyZXQ=");
    let body = once(path, patience, ask).await.ok()?.body;
    serde_json::from_slice::<serde_json::Value>(&body).ok()?["token"].as_str().map(str::to_owned)
}

/// Begins a chunk and goes away; returns once the registry has noticed, where one gets to see it at all.
async fn break_off(path: &Path, location: &str) {
    let Some(registry) = path.upstream().scripted().filter(|_| path.proxy().is_none()) else { return };
    let before = registry.ledger().count();
    let Ok(mut stream) = TcpStream::connect(path.socket()).await else { return };
    let head = format!("PATCH {location} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\n\r\nno more", path.address());
    if stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    if registry.socket() != path.socket() {
        return;
    }
    eventually(
        support::eventually::SOON,
        "the request is there",
        async || {
            if registry.ledger().count() > before { Ok(()) } else { Err("not yet") }
        },
    )
    .await;
}
