//! Engines with a bug: each breaks one invariant, and the matrix must find just that.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use chart_publisher::{
    model::{MANIFEST_TYPE, RepositoryName, Tag},
    net::Address,
    publish::FailedAttempt,
    registry::{Registry, Writing},
};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    charts::{Chart, FIRST, TAKEN},
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
    /// It writes a manifest without a layer under the tag before it writes the right one.
    HollowManifest,
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
        (Self::HollowManifest, Invariant::Atomic),
        (Self::BelievesTheAnswer, Invariant::Honest),
        (Self::NeverAsksAgain, Invariant::Live),
        (Self::HotLoop, Invariant::Named),
        (Self::LeavesSession, Invariant::Clean),
        (Self::FollowsLocation, Invariant::Contained),
        (Self::Clobbers, Invariant::NoClobber),
    ];
}

impl Bug {
    /// The cell in which it shows.
    pub fn cell(self) -> &'static str {
        match self {
            Self::HollowManifest | Self::LeavesSession => "P02 proxy: Location without scheme and host before distribution 3 by Buffered",
            Self::Clobbers => "P02 registry: RelativeLocation before scripted by Buffered",
            Self::BelievesTheAnswer => "T04 registry: BlobCorrupt before scripted by Buffered",
            Self::NeverAsksAgain | Self::HotLoop => {
                "T15 proxy: 413 above 1 MiB, after 0 bytes of it (Lingering) before scripted by Buffered"
            }
            Self::FollowsLocation => "P05 registry: ForeignHost(\"registry.invalid:5000\") before scripted by Buffered",
        }
    }
}

/// One run of the engine, with its bug where it has one.
pub async fn run(engine: &Engine, routes: &[Route], chart: &Chart, scene: &Scene<'_>, repository: &str) -> (Claim, Vec<FailedAttempt>) {
    let Some(bug) = engine.bug else { return engine.run(routes, chart).await };
    let seeded = Seeded { engine, routes, chart, scene, repository };
    match bug {
        Bug::HollowManifest => {
            let result = engine.run(routes, chart).await;
            seeded.write_twice().await;
            result
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
            seeded.clobber().await;
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
    async fn write_twice(&self) {
        let blob = b"{}";
        let descriptor = json!({"mediaType": "application/octet-stream", "digest": digest(blob), "size": blob.len()});
        let hollow = json!({"schemaVersion": 2, "mediaType": ACCEPT, "config": descriptor, "layers": []}).to_string();
        if let Some(right) = self.read(self.chart.tag).await {
            self.write(hollow.into()).await;
            self.write(right).await;
        }
    }

    async fn clobber(&self) {
        if self.chart.tag == TAKEN.tag
            && let Some(other) = self.read(FIRST.tag).await
        {
            self.write(other).await;
        }
    }

    fn client(&self) -> (Registry, RepositoryName) {
        let route = self.routes.last().expect("there is a route");
        (self.engine.client(route), self.repository.parse().expect("a repository"))
    }

    async fn read(&self, tag: &str) -> Option<Bytes> {
        let (client, repository) = self.client();
        let tag: Tag = tag.parse().expect("a tag");
        client.manifest(&repository, &tag).await.ok().flatten().map(|manifest| manifest.bytes)
    }

    async fn write(&self, manifest: Bytes) {
        let (client, repository) = self.client();
        let tag: Tag = self.chart.tag.parse().expect("a tag");
        let writing = Writing { bytes: &manifest, media_type: MANIFEST_TYPE };
        client.write(&repository, (&tag).into(), writing).await.expect("the registry takes it");
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
