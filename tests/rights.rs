//! The chart of the operator installs, and its rights are those that the controller needs: no less, and no more.
#![cfg(test)]

#[path = "rights/lifecycle.rs"]
mod lifecycle;
#[path = "rights/release.rs"]
mod release;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "rights/trials.rs"]
mod trials;
#[path = "rights/users.rs"]
mod users;
#[path = "rights/world.rs"]
mod world;

use std::{collections::BTreeSet, panic::AssertUnwindSafe};

use futures::{FutureExt, future::join_all};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use lifecycle::Tenant;
use release::Release;
use support::{Bed, publication::ready};
use trials::{Effect, TRIALS};
use world::{Right, Shared, World};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/chart-publisher");

/// Compares with a file beside this one, which a change of the rights must change too.
macro_rules! golden {
    ($file:literal, $actual:expr) => {
        assert_eq!($actual, include_str!(concat!("rights/", $file)), "tests/rights/{}", $file)
    };
}

#[tokio::test]
async fn the_chart_installs_publishes_upgrades_and_leaves_what_users_have() {
    let bed = support::own();
    bed.run_on_host(&["helm", "lint", "--strict", CHART]).expect_success();
    bed.run_on_host(&["helm", "lint", "--strict", CHART, "--set", "watchNamespaces={a,b}"]).expect_success();
    let namespace = lifecycle::restricted(bed).await;
    let release = Release(&namespace);
    lifecycle::install(&release).await;
    let tenant = Tenant::new(bed).await;
    golden!("everywhere.txt", release.rights(tenant.namespace.name()).await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    tenant.publish(&charts.url()).await;
    let controller = release.controller().await;
    tenant.namespace.becomes_ready("small").await;
    let (status, _, log) = controller.stop();
    assert!(status.is_some_and(|status| status.success()), "{log}");
    assert!(!log.contains("forbidden"), "{log}");
    lifecycle::upgrade(&release, &tenant).await;
    lifecycle::uninstall_and_install_again(&release, &tenant).await;
}

#[tokio::test]
async fn the_rendered_manifests_are_taken_by_a_restricted_namespace() {
    let bed = support::own();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/chart-publisher.yaml");
    let text = std::fs::read_to_string(file).expect("the manifests");
    let namespace = text.split("\n---\n").find(|document| document.contains("kind: Namespace")).expect("a Namespace");
    assert!(namespace.contains("pod-security.kubernetes.io/enforce: restricted"), "{namespace}");
    let own = bed.folder("manifests").join("namespace.yaml");
    std::fs::write(&own, namespace).expect("a file in the bed's folder");
    bed.run_on_host(&["kubectl", "apply", "--server-side", "-f", &own.display().to_string()]).expect_success();
    bed.run_on_host(&["kubectl", "label", "namespace", "chart-publisher", "pod-security.kubernetes.io/warn=restricted"]).expect_success();
    let applied = bed.run_on_host(&["kubectl", "apply", "--dry-run=server", "--server-side", "--force-conflicts", "-f", file]);
    assert!(applied.success && !applied.errors.contains("Warning"), "{applied:?}");
    for kind in ["namespace", "customresourcedefinition", "clusterrole", "clusterrolebinding", "serviceaccount", "deployment"] {
        assert!(applied.output.lines().any(|line| line.starts_with(kind)), "{kind}: {}", applied.output);
    }
}

#[tokio::test]
async fn a_release_for_some_namespaces_has_no_rights_in_others() {
    let bed = support::shared();
    bed.install_crds();
    let (own, watched, other) = (bed.namespace().await, Tenant::new(bed).await, Tenant::new(bed).await);
    let release = Release(&own);
    let namespaces = format!("watchNamespaces={{{},{}}}", own.name(), watched.namespace.name());
    release.install(&["--set", &namespaces, "--set", "crds.install=false", "--set", "controller.allowAddresses={127.0.0.0/8}"]);
    // Its own namespace has the Lease, too.
    let rights = release.rights(own.name()).await;
    let (leases, others): (Vec<_>, Vec<_>) = rights.split_inclusive('\n').partition(|line| line.starts_with("leases"));
    golden!("watched.txt", others.concat());
    let expected = ["leases.coordination.k8s.io [] [] [create]\n", "leases.coordination.k8s.io [] [chart-publisher] [get update]\n"];
    assert_eq!(leases, expected);
    golden!("watched.txt", release.rights(watched.namespace.name()).await);
    golden!("unwatched.txt", release.rights(other.namespace.name()).await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    other.publish(&charts.url()).await;
    watched.publish(&charts.url()).await;
    let controller = release.controller().await;
    watched.namespace.becomes_ready("small").await;
    assert_eq!(ready(&other.namespace.status("small").await), "", "another namespace's publication is left alone");
    let (_, _, log) = controller.stop();
    assert!(!log.contains("forbidden"), "{log}");
}

#[tokio::test]
async fn ports_of_pods_are_forwarded_in_the_namespaces_that_are_named_and_in_no_others() {
    let bed = support::shared();
    bed.install_crds();
    let (named, other) = (bed.namespace().await, bed.namespace().await);
    let release = Release(&named);
    let namespaces = format!("relay.namespaces={{{}}}", named.name());
    let without = ["--set", "crds.install=false", "--set"];
    release.install(&[&without[..], &[&namespaces]].concat());
    let may = async |namespace: &str| {
        let rights = release.rights(namespace).await;
        rights.lines().filter(|line| line.starts_with("pods")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(may(named.name()).await.is_empty(), "without `relay.enabled` nothing is granted");
    let unnamed = release.helm("upgrade", &[&[CHART][..], &without, &["relay.enabled=true"]].concat());
    assert!(!unnamed.success && unnamed.errors.contains("relay.enabled needs relay.namespaces"), "{unnamed:?}");
    release.helm("upgrade", &[&[CHART][..], &without, &["relay.enabled=true", "--set", &namespaces]].concat()).expect_success();
    assert_eq!(may(named.name()).await, ["pods/portforward [] [] [create get]"]);
    assert!(may(other.name()).await.is_empty());
    assert!(release.arguments().await.contains(&format!("--relay-namespace={}", named.name())));
    release.helm("uninstall", &[]).expect_success();
}

#[tokio::test]
async fn whoever_may_view_or_edit_a_namespace_may_do_so_with_its_publications() {
    let bed = support::shared();
    bed.install_crds();
    let namespace = bed.namespace().await;
    let release = Release(&namespace);
    release.install(&["--set", "crds.install=false"]);
    users::may_do_what_their_role_says(&namespace).await;
}

/// The rights that the chart gives, as helm renders them.
fn rules(bed: &Bed) -> Vec<PolicyRule> {
    let template = ["helm", "template", "chart-publisher", CHART, "--show-only", "templates/rbac.yaml"];
    let rendered = bed.run_on_host(&template).expect_success();
    let mut documents = rendered.split("\n---\n").filter(|document| document.contains("\nkind: ClusterRole\n"));
    let role: ClusterRole = serde_saphyr::from_str(documents.next().expect("a ClusterRole")).expect("a ClusterRole");
    assert_eq!(documents.next(), None);
    role.rules.expect("rules")
}

#[tokio::test]
async fn each_right_taken_away_is_missed() {
    let Some(bed) = support::with_node() else { return };
    let rules = rules(bed);
    let given: BTreeSet<(String, String, String)> = rules.iter().flat_map(each).collect();
    let tried = TRIALS.iter().map(|(right, _)| (right.group.to_owned(), right.resource.to_owned(), right.verb.to_owned()));
    assert_eq!(given, tried.collect(), "each right of the chart has a trial");
    let shared = Shared::start(bed, rules).await;
    let run = async |(right, effect): &(Right, Effect)| {
        let mut world = World::without(&shared, *right).await;
        AssertUnwindSafe(trials::run(&mut world, *effect)).catch_unwind().await.map_err(|_| format!("{right:?}"))
    };
    // These begin in a cluster without the Gateway API; they and the others leave one with it.
    let (first, others): (Vec<_>, Vec<_>) = TRIALS.iter().partition(|(_, effect)| *effect == Effect::GatewayApiFollowed);
    let mut ended = join_all(first.into_iter().map(&run)).await;
    ended.extend(join_all(others.into_iter().map(&run)).await);
    let failed: Vec<String> = ended.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

fn each(rule: &PolicyRule) -> Vec<(String, String, String)> {
    let (groups, resources) = (rule.api_groups.iter().flatten(), rule.resources.iter().flatten());
    let pairs = groups.flat_map(|group| resources.clone().map(move |resource| (group, resource)));
    pairs.flat_map(|(group, resource)| rule.verbs.iter().map(move |verb| (group.clone(), resource.clone(), verb.clone()))).collect()
}
