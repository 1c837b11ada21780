//! Engines with a bug: each breaks one invariant, and the matrix must find just that.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chart_publisher::{
    model::{RepositoryName, Tag},
    net::Address,
    publish::FailedAttempt,
};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    charts::{Chart, TAKEN},
    engine::{Claim, Engine},
    faults::{
        client::{Ask, once},
        registry::store::digest,
        watch::ACCEPT,
    },
    invariants::Invariant,
    scene::{PASSWORD, Route, Scene, USER},
};

/// What is wrong with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// It writes a manifest without a layer under the tag first, to see whether it may.
    ManifestFirst,
    /// It takes the answer to the manifest for proof, whatever the pull-back finds.
    BelievesTheAnswer,
    /// After a failure it never asks again.
    NeverAsksAgain,
    /// It tries everything ten times in one run.
    HotLoop,
    /// It leaves a session open.
    LeavesSession,
    /// It goes where a `Location` leads, and says who it is.
    FollowsLocation,
    /// It writes over what a tag holds.
    Clobbers,
}

impl Bug {
    /// All of them, each with the invariant that it breaks.
    pub const ALL: [(Self, Invariant); 7] = [
        (Self::ManifestFirst, Invariant::Atomic),
        (Self::BelievesTheAnswer, Invariant::Honest),
        (Self::NeverAsksAgain, Invariant::Live),
        (Self::HotLoop, Invariant::Named),
        (Self::LeavesSession, Invariant::Clean),
        (Self::FollowsLocation, Invariant::Contained),
        (Self::Clobbers, Invariant::NoClobber),
    ];
}

/// One run of the engine, with its bug where it has one.
pub async fn run(engine: &Engine, routes: &[Route], chart: &Chart, scene: &Scene<'_>, repository: &str) -> (Claim, Vec<FailedAttempt>) {
    let Some(bug) = engine.bug else { return engine.run(routes, chart).await };
    let seeded = Seeded { engine, routes, chart, scene, repository };
    match bug {
        Bug::ManifestFirst => {
            seeded.write_another().await;
            engine.run(routes, chart).await
        }
        Bug::BelievesTheAnswer => seeded.believing().await,
        Bug::NeverAsksAgain => seeded.resigned().await,
        Bug::HotLoop => seeded.often().await,
        Bug::LeavesSession => {
            seeded.begin().await;
            engine.run(routes, chart).await
        }
        Bug::FollowsLocation => {
            seeded.follow().await;
            engine.run(routes, chart).await
        }
        Bug::Clobbers => {
            let result = engine.run(routes, chart).await;
            if chart.tag == TAKEN.tag {
                seeded.write_another().await;
            }
            result
        }
    }
}

struct Seeded<'a> {
    engine: &'a Engine,
    routes: &'a [Route],
    chart: &'a Chart,
    scene: &'a Scene<'a>,
    repository: &'a str,
}

impl Seeded<'_> {
    /// A manifest that names nothing but a blob that is there.
    async fn write_another(&self) {
        let blob = b"{}";
        let descriptor = json!({"mediaType": "application/octet-stream", "digest": digest(blob), "size": blob.len()});
        let content = json!({"schemaVersion": 2, "mediaType": ACCEPT, "config": descriptor, "layers": []}).to_string();
        let names = (self.repository.parse::<RepositoryName>(), self.chart.tag.parse::<Tag>());
        let (Ok(repository), Ok(tag)) = names else { panic!("names that are none") };
        for route in self.routes {
            if self.engine.client(route).write_manifest(&repository, &tag, &content.clone().into()).await.is_ok() {
                return;
            }
        }
    }

    async fn believing(&self) -> (Claim, Vec<FailedAttempt>) {
        let (claim, attempts) = self.engine.run(self.routes, self.chart).await;
        let manifest = self.scene.held().tag(self.repository, self.chart.tag).ok().flatten();
        match (claim, manifest) {
            (Claim::Failed { .. }, Some(manifest)) if self.chart.tag != TAKEN.tag => {
                (Claim::Ready { manifest, method: String::new(), route: String::new() }, attempts)
            }
            (claim, _) => (claim, attempts),
        }
    }

    async fn resigned(&self) -> (Claim, Vec<FailedAttempt>) {
        let mut kept = self.engine.failed.lock().await;
        if self.chart.tag != TAKEN.tag
            && let Some(kept) = kept.clone()
        {
            return kept;
        }
        let result = self.engine.run(self.routes, self.chart).await;
        if !result.0.is_ready() {
            *kept = Some(result.clone());
        }
        result
    }

    async fn often(&self) -> (Claim, Vec<FailedAttempt>) {
        let mut last = self.engine.run(self.routes, self.chart).await;
        for _ in 0..19 {
            if !last.0.is_ready() && self.chart.tag != TAKEN.tag {
                let (asked, prefix) = (self.engine.asked, self.engine.prefix.clone());
                last = Engine::new(asked, prefix, self.engine.patience.stall, None).run(self.routes, self.chart).await;
            }
        }
        last
    }

    async fn begin(&self) {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")));
        let Some(Address::Socket(socket)) = self.routes.last().map(|route| route.address.clone()) else { return };
        let begin = Ask::new("POST", format!("/v2/{}/blobs/uploads/", self.repository)).field("Authorization", basic.clone());
        let Ok(session) = once(socket, begin).await else { return };
        if session.field("location").is_some() {
            let _ = once(socket, Ask::new("PATCH", session.location()).field("Authorization", basic).body(*b"half")).await;
        }
    }

    async fn follow(&self) {
        if let Ok(mut stream) = TcpStream::connect(self.scene.trap.socket).await {
            let line = format!("PUT /v2/ HTTP/1.1\r\nauthorization: {USER}:{PASSWORD}\r\n\r\n");
            let _ = stream.write_all(line.as_bytes()).await;
        }
    }
}
