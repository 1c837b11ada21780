//! The leader is stopped in the middle of its work, for longer than its Lease lasts, and goes on when another one leads.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::join_all;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    pair::Pair,
    support::{
        controller::Controller,
        eventually::{SOON, eventually},
        helm_repository::HelmRepository,
        publication::{ready, spec, url_target},
        registry::{Registry, Version},
        say,
    },
    tally::Tally,
};

/// As short as it can be told from the usual delays of a busy machine.
const LEASE_SECONDS: u16 = 2;
const PUBLICATIONS: usize = 10;
/// What the controllers have by default: tags that one process may be writing at once.
const WORKERS: usize = 8;

/// What came of all rounds.
#[derive(Debug, Default)]
struct Figures {
    stops: usize,
    /// Stops after which the other replica had tags left to write.
    in_the_middle: usize,
    /// Tags that the stopped one wrote after it had lost the Lease.
    written_after_the_loss: usize,
    most_of_one_stop: usize,
    longest_takeover: Duration,
    by_strangers: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_was_stopped_past_its_lease_writes_no_tag_when_it_goes_on() {
    go(6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes 25 minutes: `make leader`"]
async fn stops() {
    let figures = go(200).await;
    assert!(figures.in_the_middle * 2 >= figures.stops, "half of the stops fall into work: {figures:#?}");
}

async fn go(stops: usize) -> Figures {
    let scene = Scene::set_up().await;
    let (first, second) = scene.pair.started().await;
    let mut replicas = [first, second];
    scene.lead_to(0).await;
    let begin = Instant::now();
    scene.all_are_ready(0).await;
    let work = begin.elapsed();
    let mut figures = Figures { stops, ..Figures::default() };
    for round in 1..=stops {
        scene.round(round, work.mul_f64(fastrand::f64()), &mut replicas, &mut figures).await;
    }
    figures.by_strangers = scene.tally.tags_of_strangers().len();
    say(&format!("{figures:#?}"));
    assert!(figures.most_of_one_stop <= WORKERS, "{figures:#?}");
    assert!(figures.in_the_middle > 0, "no stop fell into work: {figures:#?}");
    assert_eq!(figures.by_strangers, 0, "each tag was written by somebody");
    figures
}

/// Publications that are sent to another place in each round.
struct Scene {
    pair: Pair,
    source: HelmRepository,
    tally: Tally,
    _registry: Registry,
}

impl Scene {
    async fn set_up() -> Self {
        let pair = Pair::set_up(LEASE_SECONDS).await;
        let source = pair.bed.helm_repository(&["small-1.2.2", "large-3.0.0"]).start().await;
        let registry = pair.bed.registry(Version::V3).start().await;
        let tally = Tally::before(pair.bed, registry.socket());
        Self { pair, source, tally, _registry: registry }
    }

    /// Every fifth chart is a large one.
    fn chart(number: usize) -> &'static str {
        if number.is_multiple_of(5) { "large" } else { "small" }
    }

    async fn lead_to(&self, round: usize) {
        let each = (0..PUBLICATIONS).map(async |number| {
            let name = format!("stopped-{number}");
            let target = json!([url_target(self.tally.socket(), &format!("round-{round}/path-{number}"))]);
            if round == 0 {
                let spec: Value = spec(&self.source.url(), &json!([{"name": Self::chart(number)}]), &target);
                self.pair.namespace.publish(&name, &spec).await;
            } else {
                self.pair.namespace.change(&name, &json!({"targets": target})).await;
            }
        });
        join_all(each).await;
    }

    async fn all_are_ready(&self, round: usize) {
        let place = format!("round-{round}/");
        for number in 0..PUBLICATIONS {
            let name = format!("stopped-{number}");
            let is_there = |status: &chart_publisher::api::ChartPublicationStatus| {
                let pull = status.targets.first().and_then(|target| target.pull.as_deref());
                ready(status) == "True Succeeded" && pull.is_some_and(|pull| pull.contains(&place))
            };
            self.pair.namespace.becomes_within(SOON * 2, &name, "it is Ready at its new place", is_there).await;
        }
    }

    /// Stops the leader at `moment`, and lets it go on when the other one has published everything.
    async fn round(&self, round: usize, moment: Duration, replicas: &mut [Controller; 2], figures: &mut Figures) {
        let leader = self.pair.leader().await.expect("somebody leads");
        let other = 1 - leader;
        let (stopped, successor) = (replicas[leader].id(), replicas[other].id());
        let lost_before = times_lost(&replicas[leader]);
        let by_successor = self.tally.tags_of(successor).len();
        self.lead_to(round).await;
        // Not a wait for something: the moment is what the test varies.
        tokio::time::sleep(moment).await;
        replicas[leader].signal(Signal::STOP);
        let begin = Instant::now();
        self.pair.is_led_by(other, SOON).await;
        figures.longest_takeover = figures.longest_takeover.max(begin.elapsed());
        self.all_are_ready(round).await;
        // All that was on its way when it was stopped has long arrived.
        let before = self.tally.tags_of(stopped).len();
        replicas[leader].signal(Signal::CONT);
        eventually(SOON, "it learns that it has lost the Lease", async || {
            if times_lost(&replicas[leader]) > lost_before { Ok(()) } else { Err(replicas[leader].log()) }
        })
        .await;
        self.stands_by(&replicas[leader]).await;
        let after = self.tally.tags_of(stopped).len() - before;
        figures.written_after_the_loss += after;
        figures.most_of_one_stop = figures.most_of_one_stop.max(after);
        figures.in_the_middle += usize::from(self.tally.tags_of(successor).len() > by_successor);
        self.each_is_written_at_most_twice(round, stopped, successor);
    }

    /// Nothing of the term that it has lost is left to be done.
    async fn stands_by(&self, replica: &Controller) {
        eventually(SOON, "it stands by", async || {
            let log = replica.log();
            let (lost, standing) = (log.rfind("the Lease was lost"), log.rfind("standing by"));
            if standing > lost { Ok(()) } else { Err(log) }
        })
        .await;
    }

    /// By the one that was stopped, whose proof did not come any more, and by its successor.
    fn each_is_written_at_most_twice(&self, round: usize, stopped: u32, successor: u32) {
        let mut written = BTreeMap::<String, usize>::new();
        for tag in self.tally.tags_of(stopped).into_iter().chain(self.tally.tags_of(successor)) {
            *written.entry(tag).or_default() += 1;
        }
        let of_round = written.into_iter().filter(|(tag, _)| tag.contains(&format!("/round-{round}/"))).collect::<Vec<_>>();
        assert_eq!(of_round.len(), PUBLICATIONS, "{of_round:?}");
        assert!(of_round.iter().all(|(_, times)| *times <= 2), "{of_round:?}");
    }
}

fn times_lost(replica: &Controller) -> usize {
    replica.log().matches("the Lease was lost").count()
}
