//! Many publications over a slow path, while the API server is killed and started anew again and again.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    etcd,
    support::{
        self, Bed, api_server,
        controller::{Controller, Rights},
        eventually::{SOON, eventually},
        helm_repository::HelmRepository,
        namespace::Namespace,
        publication::{ready, spec, url_target},
        registry::{Registry, Version},
        say,
        slow_path::SlowPath,
    },
    way::{Counts, TroubledWay},
};

/// 6 MB take twelve seconds: longer than an API server is away.
const RATE: u64 = 500_000;
/// All are Ready so long after the last restart.
const READY_WITHIN: Duration = Duration::from_mins(4);

/// How long it goes on.
struct Course {
    publications: usize,
    restarts: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_published_exactly_once_while_the_api_server_is_in_trouble() {
    let Some(bed) = support::own_with_node() else { return };
    go(bed, Course { publications: 24, restarts: 4 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes six minutes: `make api-server`"]
async fn twenty_restarts() {
    let Some(bed) = support::own_with_node() else { return };
    go(bed, Course { publications: 100, restarts: 20 }).await;
}

async fn go(bed: &'static Bed, course: Course) {
    let begin = Instant::now();
    let scene = Scene::set_up(bed, course.publications).await;
    let controller = scene.controller().await;
    scene.publish_all().await;
    let mut in_work = 0;
    for round in 0..course.restarts {
        scene.is_at_work(round).await;
        if round % 2 == 0 {
            etcd::compact(bed).await;
        }
        let before = scene.path.passed();
        api_server::restart(&bed.information).await;
        in_work += usize::from(scene.path.passed() > before);
    }
    scene.all_are_ready().await;
    scene.each_was_published_once();
    let counts = scene.way.counts();
    say(&format!(
        "{} publications, {} restarts of the API server, {in_work} of them while bodies went on: {counts:?}; {:.0} s",
        course.publications,
        course.restarts,
        begin.elapsed().as_secs_f64()
    ));
    assert!(in_work * 2 > course.restarts, "{in_work} restarts fell into transfers");
    for (what, count) in [
        ("409", &counts.conflicts),
        ("429", &counts.too_many),
        ("slow", &counts.slow),
        ("lost", &counts.lost),
        ("410", &counts.gone),
        ("unanswered", &counts.unanswered),
    ] {
        assert!(Counts::of(count) > 0, "{what} did not occur: {counts:?}");
    }
    let (status, _, log) = controller.stop();
    let refused = log.lines().filter(|line| line.contains("could not be written") && line.contains("forbidden")).count();
    say(&format!("{refused} writes were forbidden by an API server that knew no rights yet"));
    assert!(status.is_some_and(|status| status.success()), "{log}");
}

/// Fields go in their order: what is used goes last.
struct Scene {
    namespace: Namespace,
    path: SlowPath,
    registry: Registry,
    source: HelmRepository,
    publications: usize,
    way: TroubledWay,
    _rights: Rights,
}

impl Scene {
    async fn set_up(bed: &'static Bed, publications: usize) -> Self {
        bed.install_crds();
        let namespace = bed.namespace().await;
        let source = bed.helm_repository(&["large-3.0.0"]).start().await;
        let registry = bed.registry(Version::V3).start().await;
        let path = bed.slow_path(registry.socket(), RATE);
        let rights = namespace.rights(&[]);
        let way = TroubledWay::of(bed, &namespace.kubeconfig_of(&rights.account).await);
        Self { namespace, path, registry, source, publications, way, _rights: rights }
    }

    async fn controller(&self) -> Controller {
        let arguments = ["--namespace", self.namespace.name(), "--allow-address", "127.0.0.0/8"];
        let mut controller = self.namespace.bed.controller(self.way.kubeconfig(), &arguments).start();
        controller.wait_until_ready().await;
        controller
    }

    async fn publish_all(&self) {
        for number in 0..self.publications {
            let target = json!([url_target(self.path.socket(), &format!("path-{number}"))]);
            let spec: Value = spec(&self.source.url(), &json!([{"name": "large"}]), &target);
            self.namespace.publish(&format!("troubled-{number}"), &spec).await;
        }
    }

    /// Bodies are under way, and since the last restart something was written into the API server.
    async fn is_at_work(&self, round: usize) {
        let counts = self.way.counts();
        let (sent, written) = (self.path.passed(), Counts::of(&counts.written));
        eventually(SOON, &format!("work goes on after {round} restarts"), async || {
            let now = (self.path.passed(), Counts::of(&counts.written));
            if now.0 > sent && now.1 > written { Ok(()) } else { Err(format!("{now:?} after {:?}", (sent, written))) }
        })
        .await;
    }

    async fn all_are_ready(&self) {
        for number in 0..self.publications {
            let name = format!("troubled-{number}");
            self.namespace.becomes_within(READY_WITHIN, &name, "it is Ready", |status| ready(status) == "True Succeeded").await;
            let entries = eventually(READY_WITHIN, "its record is written", async || match self.namespace.inventory(&name).await {
                Some(inventory) if inventory.spec.count > 0 => Ok(inventory.spec.entries),
                other => Err(format!("{name}: {other:?}")),
            })
            .await;
            assert_eq!((entries.len(), entries[0].repository.as_str()), (1, format!("path-{number}/large").as_str()));
        }
    }

    /// By the registry's own log: each manifest and each of its two blobs was written once.
    fn each_was_published_once(&self) {
        let mut written: BTreeMap<String, usize> = BTreeMap::new();
        for request in self.registry.requests().iter().filter(|request| request.method == "PUT") {
            let (path, what) = request.path().trim_start_matches("/v2/").split_once("/large/").expect("a path of ours");
            let what = what.split('/').next().expect("manifests or blobs");
            *written.entry(format!("{path} {what} {}", request.status)).or_default() += 1;
        }
        let expected = (0..self.publications)
            .flat_map(|number| [(format!("path-{number} blobs 201"), 2), (format!("path-{number} manifests 201"), 1)]);
        assert_eq!(written, expected.collect());
    }
}
