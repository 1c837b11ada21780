//! Steps of a push, in the words of the tables, and what their answers show.

use std::time::Duration;

use serde_json::json;

use crate::{
    blob,
    faults::{
        client::{Answer, Ask, Client},
        ground::Ground,
        quirk::Quirk,
        registry::{ScriptedRegistry, store::digest},
    },
};

/// The repository of all steps.
pub const REPOSITORY: &str = "charts/large";

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `GET /v2/`
    Base,
    /// `POST` for a session.
    Post,
    /// `POST` for a mount.
    Mount,
    /// `POST` with a digest and a body.
    Single,
    /// A session and one chunk of 1,000 bytes.
    Patch,
    /// The second chunk, right behind the first.
    SecondPatch,
    /// What `GET` says of a session after one chunk.
    Status,
    /// A session and one chunk with `Transfer-Encoding: chunked`.
    Streamed,
    /// A session and a `PUT` with all of the body.
    Put,
    /// `HEAD` of a blob that was never there.
    HeadAbsent,
    /// `HEAD` of a blob that is there.
    Head,
    /// `GET` of a blob that is there.
    Get,
    /// `PUT` of a manifest whose blobs are there.
    Manifest,
    /// The same once more, to the same tag.
    ManifestAgain,
    /// `HEAD` of a manifest that is there.
    HeadManifest,
}

/// Does a step with the quirk; what must be there before is put there without.
pub async fn observe(step: Step, registry: &ScriptedRegistry, quirk: Option<&Quirk>) -> Result<Answer, String> {
    // Only where silence is what is to be seen, it is not waited for long.
    let patience = if quirk == Some(&Quirk::NoAnswer) { Duration::from_millis(700) } else { Duration::from_secs(20) };
    let mut client = Client::to(registry.socket()).await.patience(patience);
    let (body, uploads) = (blob(2000), format!("/v2/{REPOSITORY}/blobs/uploads/"));
    let own = digest(&body);
    let manifest = manifest(&own);
    if matches!(step, Step::Head | Step::Get | Step::Manifest | Step::ManifestAgain | Step::HeadManifest) {
        client.send(Ask::new("POST", format!("{uploads}?digest={own}")).body(body.clone())).await?;
    }
    if matches!(step, Step::ManifestAgain | Step::HeadManifest) {
        client.send(manifest.clone()).await?;
    }
    if let Some(quirk) = quirk {
        registry.set(quirk.clone());
    }
    let place = format!("/v2/{REPOSITORY}/blobs/{own}");
    match step {
        Step::Base => client.send(Ask::new("GET", "/v2/")).await,
        Step::Post => client.send(Ask::new("POST", uploads)).await,
        Step::Mount => client.send(Ask::new("POST", format!("{uploads}?mount={own}&from=other"))).await,
        Step::Single => client.send(Ask::new("POST", format!("{uploads}?digest={own}")).body(body)).await,
        Step::HeadAbsent | Step::Head => client.send(Ask::new("HEAD", place)).await,
        Step::Get => client.send(Ask::new("GET", place)).await,
        Step::Manifest | Step::ManifestAgain => client.send(manifest).await,
        Step::HeadManifest => client.send(Ask::new("HEAD", format!("/v2/{REPOSITORY}/manifests/1.0.0"))).await,
        Step::Patch | Step::SecondPatch | Step::Status | Step::Streamed | Step::Put => {
            let place = client.send(Ask::new("POST", uploads)).await?.location();
            in_session(step, &mut client, &place, &body).await
        }
    }
}

async fn in_session(step: Step, client: &mut Client, place: &str, body: &[u8]) -> Result<Answer, String> {
    let chunk = |place: &str, begin: usize| {
        let bytes = &body[begin..begin + 1000];
        Ask::new("PATCH", place).field("Content-Range", format!("{begin}-{}", begin + 999)).body(bytes)
    };
    match step {
        Step::SecondPatch => {
            let place = client.send(chunk(place, 0)).await?.location();
            client.send(chunk(&place, 1000)).await
        }
        Step::Status => {
            client.send(chunk(place, 0)).await?;
            client.send(Ask::new("GET", place)).await
        }
        Step::Streamed => client.send(Ask::new("PATCH", place).chunked(body)).await,
        Step::Put => {
            let join = if place.contains('?') { '&' } else { '?' };
            client.send(Ask::new("PUT", format!("{place}{join}digest={}", digest(body))).body(body)).await
        }
        _ => client.send(chunk(place, 0)).await,
    }
}

/// `PUT` of a manifest with one blob.
pub fn manifest(blob: &str) -> Ask {
    let content = json!({"schemaVersion": 2, "config": {"digest": blob}, "layers": [{"digest": blob}]}).to_string();
    let ask = Ask::new("PUT", format!("/v2/{REPOSITORY}/manifests/1.0.0"));
    ask.field("Content-Type", "application/vnd.oci.image.manifest.v1+json").body(content)
}

/// First line, fields and body in one line; the server's address is called HOST.
pub fn describe(answer: &Result<Answer, String>, registry: &ScriptedRegistry) -> String {
    let answer = match answer {
        Ok(answer) => answer,
        Err(problem) => return problem.clone(),
    };
    let host = registry.address();
    let fields = answer.head.line().replace(&host, "HOST");
    let body = answer.text().chars().take(200).collect::<String>();
    let whole = if answer.whole { "" } else { ", broken off" };
    format!("{}{fields} {} bytes{whole}: {body}", answer.status(), answer.body.len())
}

/// A row: a quirk, a step, and what its answer shows; `!` marks what it does not show.
pub type Row = (Quirk, Step, &'static [&'static str]);

/// Does the step with the quirk and without. Without it must not look the same, or the row says nothing.
pub async fn check(rows: &[Row]) {
    for (quirk, step, shows) in rows {
        let fits = |text: &str| {
            shows.iter().all(|part| match part.strip_prefix('!') {
                Some(absent) => !text.contains(absent),
                None => text.contains(part),
            })
        };
        let (registry, plain) = (ScriptedRegistry::start(&Ground::loopback()), ScriptedRegistry::start(&Ground::loopback()));
        let text = describe(&observe(*step, &registry, Some(quirk)).await, &registry);
        assert!(fits(&text), "{quirk:?} at {step:?} should show {shows:?}; it shows:\n{text}");
        assert!(registry.shown(quirk.number()) > 0, "{quirk:?} at {step:?} was not counted");
        let text = describe(&observe(*step, &plain, None).await, &plain);
        assert!(!fits(&text), "{step:?} shows {shows:?} without {quirk:?} too:\n{text}");
    }
}
