//! `kill -9` at random moments while many publications are worked on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::{Value, json};

use super::{
    faults::{puller::Puller, watch::pull},
    steps::{OF_A_RUN, TOLD, open_at_the_end},
    support::{
        self, Bed,
        controller::{Controller, Rights},
        eventually::{SOON, eventually},
        helm_repository::HelmRepository,
        namespace::Namespace,
        publication::{ready, spec, url_target},
        registry::{Registry, Version},
    },
};

const READY_WITHIN: Duration = Duration::from_mins(1);

/// How long it goes on.
struct Course {
    publications: usize,
    kills: usize,
}

/// What was seen, to be told.
#[derive(Debug)]
#[expect(dead_code, reason = "printed")]
struct Figures {
    publications: usize,
    kills: usize,
    /// Kills while such a step was under way; several may be at once.
    kills_by_step: BTreeMap<&'static str, usize>,
    /// Kills between two steps, or while nothing was left to do.
    kills_in_none: usize,
    looks: usize,
    pulled: usize,
    /// Looks that were answered at once when they were repeated, and not before.
    blinked: Vec<String>,
    longest_until_all_ready: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whenever_it_is_killed_all_become_ready_and_nothing_was_half_published() {
    let figures = join_all([Version::V2, Version::V3].map(|version| go(version, Course { publications: 10, kills: 4 }))).await;
    let fell = figures.iter().any(|figures| !figures.kills_by_step.is_empty());
    assert!(fell, "no kill fell into work: {figures:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes 40 minutes: `make crashes`"]
#[expect(clippy::print_stdout, reason = "the figures are the product")]
async fn kills() {
    for version in [Version::V2, Version::V3] {
        let figures = go(version, Course { publications: 50, kills: 200 }).await;
        println!("{}: {figures:#?}", version.program());
        let missed: Vec<_> = OF_A_RUN.iter().filter(|step| !figures.kills_by_step.contains_key(step.as_str())).collect();
        assert!(missed.is_empty(), "no kill fell into {missed:?}");
    }
}

async fn go(version: Version, course: Course) -> Figures {
    let scene = Scene::set_up(version, course.publications).await;
    let puller = Puller::default();
    let rounds = async {
        let (first, done) = scene.first_round(&puller).await;
        let mut figures = Figures {
            publications: course.publications,
            kills: course.kills,
            kills_by_step: BTreeMap::new(),
            kills_in_none: 0,
            looks: 0,
            pulled: 0,
            blinked: Vec::new(),
            longest_until_all_ready: Duration::ZERO,
        };
        for round in 1..=course.kills {
            let moment = first + done.saturating_sub(first).mul_f64(fastrand::f64());
            let open = scene.killed_round(round, moment, &puller, &mut figures.longest_until_all_ready).await;
            figures.kills_in_none += usize::from(open.is_empty());
            for step in open {
                *figures.kills_by_step.entry(step).or_default() += 1;
            }
        }
        let seen = puller.seen();
        Figures { looks: seen.looks, pulled: seen.pulled, blinked: seen.blinked, ..figures }
    };
    let figures = tokio::select! {
        figures = rounds => figures,
        () = puller.clone().poll(scene.registry.socket()) => unreachable!("it polls for ever"),
    };
    puller.all_whole().expect("no broken pull");
    assert!(figures.pulled > 0, "{figures:?}");
    figures
}

/// Publications that are sent to another place in each round, so that there is work to be killed in.
struct Scene {
    bed: &'static Bed,
    namespace: Namespace,
    source: HelmRepository,
    registry: Registry,
    publications: usize,
    kubeconfig: PathBuf,
    _rights: Rights,
}

impl Scene {
    async fn set_up(version: Version, publications: usize) -> Self {
        let bed = support::control_plane();
        let namespace = bed.namespace().await;
        let source = bed.helm_repository(&["small-1.2.2", "large-3.0.0"]).start().await;
        let registry = bed.registry(version).start().await;
        let rights = namespace.rights(&[]);
        let kubeconfig = namespace.kubeconfig_of(&rights.account).await;
        Self { bed, namespace, source, registry, publications, kubeconfig, _rights: rights }
    }

    fn controller(&self) -> Controller {
        let arguments = [&["--namespace", self.namespace.name(), "--allow-address", "127.0.0.0/8"], &TOLD[..]].concat();
        self.bed.controller(&self.kubeconfig, &arguments).start()
    }

    /// Every fifth chart is a large one.
    fn chart(number: usize) -> (&'static str, &'static str) {
        if number.is_multiple_of(5) { ("large", "3.0.0") } else { ("small", "1.2.2") }
    }

    fn place(round: usize, number: usize) -> String {
        format!("round-{round}/path-{number}")
    }

    /// Where the publications lead from now on.
    async fn lead_to(&self, round: usize, puller: &Puller) {
        let each = (0..self.publications).map(async |number| {
            let (name, path) = (format!("killed-{number}"), Self::place(round, number));
            let target = json!([url_target(self.registry.socket(), &path)]);
            if round == 0 {
                let charts = json!([{"name": Self::chart(number).0}]);
                let spec: Value = spec(&self.source.url(), &charts, &target);
                self.namespace.publish(&name, &spec).await;
            } else {
                self.namespace.change(&name, &json!({"targets": target})).await;
            }
            let (chart, version) = Self::chart(number);
            puller.awaits(format!("{path}/{chart}"), version);
        });
        join_all(each).await;
    }

    /// Without a kill: when the first step begins, and when the work is done.
    async fn first_round(&self, puller: &Puller) -> (Duration, Duration) {
        self.lead_to(0, puller).await;
        let begin = Instant::now();
        let controller = self.controller();
        eventually(
            SOON,
            "it works",
            async || {
                if controller.log().contains("chart_publisher::steps") { Ok(()) } else { Err("no step has begun") }
            },
        )
        .await;
        let first = begin.elapsed();
        self.all_say_that_they_are_ready().await;
        let work = (first, begin.elapsed());
        self.all_are_ready(0).await;
        self.holds_nothing(&controller).await;
        work
    }

    /// Kills at `moment` after the start; gives the steps that were under way. Then all is published by the next one.
    async fn killed_round(&self, round: usize, moment: Duration, puller: &Puller, longest: &mut Duration) -> BTreeSet<&'static str> {
        self.lead_to(round, puller).await;
        let mut controller = self.controller();
        // Not a wait for something: the moment is what the test varies.
        tokio::time::sleep(moment).await;
        controller.kill();
        let open = open_at_the_end(&controller.log());
        self.holds_nothing(&controller).await;
        let begin = Instant::now();
        let next = self.controller();
        self.all_are_ready(round).await;
        *longest = (*longest).max(begin.elapsed());
        self.holds_nothing(&next).await;
        open
    }

    async fn all_say_that_they_are_ready(&self) {
        for number in 0..self.publications {
            let name = format!("killed-{number}");
            self.namespace.becomes_within(READY_WITHIN, &name, "it is Ready", |status| ready(status) == "True Succeeded").await;
        }
    }

    /// All are Ready, and hold the very manifests of the first round.
    async fn all_are_ready(&self, round: usize) {
        self.all_say_that_they_are_ready().await;
        for number in 0..self.publications {
            let (chart, version) = Self::chart(number);
            let repository = |round| format!("{}/{chart}", Self::place(round, number));
            let pulled =
                async |round| pull(self.registry.socket(), &repository(round), version).await.expect("whole").expect("Ready, so there");
            assert_eq!(pulled(round).await.digest, pulled(0).await.digest, "{chart} in round {round}");
        }
    }

    /// Nothing lies in the spool that has a name; what has none goes with the process.
    async fn holds_nothing(&self, controller: &Controller) {
        eventually(SOON, "the spool is empty", async || {
            let left: Vec<_> = fs::read_dir(controller.spool()).expect("the spool").flatten().map(|entry| entry.file_name()).collect();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
    }
}
