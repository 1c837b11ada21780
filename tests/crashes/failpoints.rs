//! The program ends at each step of a run, before it and after it; the next one brings it to the same end.

use std::{fs, os::unix::process::ExitStatusExt, path::PathBuf, time::Duration};

use chart_publisher::{api::ChartPublication, steps::Step};
use kube::api::DeleteParams;
use serde_json::{Value, json};

use super::{
    steps::OF_A_RUN,
    support::{
        self, Bed,
        controller::{Controller, Rights},
        helm_repository::HelmRepository,
        namespace::Namespace,
        publication::spec,
        registry::{Registry, Version},
        token_server::TokenServer,
    },
};

const SIGKILL: i32 = 9;
const ENDS_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wherever_it_ends_on_distribution_3_the_next_one_comes_to_the_same() {
    ended_everywhere(Version::V3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wherever_it_ends_on_distribution_2_the_next_one_comes_to_the_same() {
    ended_everywhere(Version::V2).await;
}

async fn ended_everywhere(version: Version) {
    let scene = Scene::set_up(version).await;
    let expected = scene.published("whole", &[]).await;
    let mut cases: Vec<(Option<&str>, Step, usize)> = OF_A_RUN.iter().map(|step| (None, *step, 1)).collect();
    cases.extend([
        (None, Step::ReadSecret, 1),
        (None, Step::AskToken, 1),
        // The config, after the archive.
        (None, Step::SendBlob, 2),
        // The result, after the news that a run has begun.
        (None, Step::WriteStatus, 2),
        // What an earlier end left unrecorded is looked at before it is published again.
        (Some("kill:write-inventory:before"), Step::ReadManifest, 1),
    ]);
    for (number, (first, step, count)) in cases.iter().enumerate() {
        for moment in ["before", "after"] {
            let name = format!("ended-{number}-{moment}");
            let last = format!("kill:{}:{moment}:{count}", step.as_str());
            let ends: Vec<_> = first.map(str::to_owned).into_iter().chain([last]).collect();
            assert_eq!(scene.published(&name, &ends).await, expected, "{ends:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_whose_reconcile_panics_leaves_the_others_working() {
    let scene = Scene::set_up(Version::V3).await;
    let bad = format!("panic:reconcile:{}/bad", scene.namespace.name());
    scene.publish("bad").await;
    scene.publish("before").await;
    let mut controller = scene.controller(Some(&bad));
    scene.namespace.becomes_ready("before").await;
    scene.publish("after").await;
    scene.namespace.becomes_ready("after").await;
    assert!(controller.log().contains("the reconcile panicked"), "{}", controller.log());
    assert_eq!(scene.namespace.status("bad").await.conditions, [], "nothing is said of what could not be done");
    controller.still_runs().expect("it runs");
}

struct Scene {
    bed: &'static Bed,
    namespace: Namespace,
    source: HelmRepository,
    registry: Registry,
    tokens: TokenServer,
    kubeconfig: PathBuf,
    _rights: Rights,
}

impl Scene {
    async fn set_up(version: Version) -> Self {
        let bed = support::control_plane();
        let namespace = bed.namespace().await;
        let source = bed.helm_repository(&["large-3.0.0"]).start().await;
        let tokens = bed.token_server().user("user", "password", &["pull", "push"]).start();
        let registry = bed.registry(version).bearer(&tokens).start().await;
        namespace.secret("login", &[("username", "user"), ("password", "password")]).await;
        let rights = namespace.rights(&[]);
        let kubeconfig = namespace.kubeconfig_of(&rights.account).await;
        Self { bed, namespace, source, registry, tokens, kubeconfig, _rights: rights }
    }

    fn controller(&self, ends: Option<&String>) -> Controller {
        let arguments = ["--namespace", self.namespace.name(), "--allow-address", "127.0.0.0/8"];
        let controller = self.bed.controller(&self.kubeconfig, &arguments);
        let controller = ends.into_iter().fold(controller, |controller, end| controller.environment("CHART_PUBLISHER_FAIL", end));
        controller.start()
    }

    async fn publish(&self, name: &str) {
        let target = json!([{
            "name": "main", "url": format!("oci://{}/{name}", self.registry.socket()), "insecure": true,
            "secretRef": {"name": "login"}, "allowedHosts": [self.tokens.socket().to_string()],
        }]);
        let spec: Value = spec(&self.source.url(), &json!([{"name": "large"}]), &target);
        self.namespace.publish(name, &spec).await;
    }

    /// Publishes under `name`, by controllers that end there one after the other, and by one that does not; gives what the record says.
    async fn published(&self, name: &str, ends: &[String]) -> (String, String) {
        self.publish(name).await;
        for end in ends {
            let mut controller = self.controller(Some(end));
            let status = controller.ended(ENDS_WITHIN).unwrap_or_else(|| panic!("it did not end at {end}: {}", controller.log()));
            assert_eq!(status.signal(), Some(SIGKILL), "{end}: {}", controller.log());
            assert_eq!(fs::read_dir(controller.spool()).expect("the spool").count(), 0, "{end}");
        }
        let _controller = self.controller(None);
        self.namespace.becomes_ready(name).await;
        let inventory = self.namespace.inventory(name).await.expect("a record").spec;
        let [entry] = &inventory.entries[..] else { panic!("{inventory:?}") };
        self.namespace.api::<ChartPublication>().delete(name, &DeleteParams::default()).await.expect("it was there");
        (entry.manifest.clone(), entry.layer.clone())
    }
}
