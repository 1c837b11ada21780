//! The life of a release: installed in a namespace that takes restricted Pods only, publishing, upgraded, uninstalled, installed again.

use std::fs;

use k8s_openapi::{
    api::{core::v1::Pod, rbac::v1::ClusterRole},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{Api, ResourceExt, api::ListParams};
use serde_json::{Value, json};

use super::{
    CHART,
    release::{NAME, Release},
    support::{
        Bed,
        eventually::{SOON, eventually},
        exposure::Exposure,
        namespace::Namespace,
        publication::{spec, url_target},
        registry::{Registry, Version},
    },
};

const CRD: &str = "chartpublications.chartpublisher.io";
/// Without nodes a registry has an address of loopback.
const ALLOW: [&str; 2] = ["--set", "controller.allowAddresses={127.0.0.0/8}"];

/// A namespace that takes Pods of the standard `restricted`, and nothing else.
pub async fn restricted(bed: &'static Bed) -> Namespace {
    let namespace = bed.namespace().await;
    let labels = ["pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/warn=restricted"];
    bed.run_on_host(&["kubectl", "label", "namespace", namespace.name(), labels[0], labels[1]]).expect_success();
    let refused = bed.run_on_host(&["kubectl", "run", "x", "--image=x", "--dry-run=server", "--namespace", namespace.name()]);
    assert!(!refused.success && refused.errors.contains("violates PodSecurity"), "{refused:?}");
    namespace
}

/// Installs the chart and sees its Pod pass the admission of the namespace.
pub async fn install(release: &Release<'_>) {
    let warnings = release.install(&ALLOW);
    assert!(!warnings.contains("PodSecurity"), "{warnings}");
    let established = ["kubectl", "wait", "--for=condition=Established", "--timeout=30s"];
    let kinds = ["crd/chartpublications.chartpublisher.io", "crd/chartinventories.chartpublisher.io"];
    release.0.bed.run_on_host(&[&established[..], &kinds].concat()).expect_success();
    let pods = release.0.api::<Pod>();
    let own = ListParams::default().labels("app.kubernetes.io/name=chart-publisher");
    eventually(SOON, "the Deployment has its Pod", async || {
        let count = pods.list(&own).await.map_err(|problem| problem.to_string())?.items.len();
        if count == 1 { Ok(()) } else { Err(format!("{count} Pods")) }
    })
    .await;
}

/// A tenant's namespace, with a registry in it.
pub struct Tenant {
    pub namespace: Namespace,
    _registry: Registry,
    target: Value,
}

impl Tenant {
    pub async fn new(bed: &'static Bed) -> Self {
        let namespace = bed.namespace().await;
        let registry = bed.registry(Version::V3).start().await;
        let target = if bed.has_nodes() {
            namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
            json!({"name": "main", "insecure": true, "service": {"name": "registry"}})
        } else {
            url_target(registry.socket(), "charts")
        };
        Self { namespace, _registry: registry, target }
    }

    /// Applies a publication of the small chart.
    pub async fn publish(&self, charts: &str) {
        self.namespace.publish("small", &spec(charts, &json!([{"name": "small"}]), &json!([self.target]))).await;
    }

    /// What uninstalling must not touch.
    pub async fn state(&self) -> Value {
        let publication = self.namespace.publication("small").await;
        let inventory = self.namespace.inventory("small").await.expect("an inventory");
        json!({"uid": publication.uid(), "status": publication.status, "inventory": [inventory.uid(), json!(inventory.spec)]})
    }
}

async fn crd(bed: &Bed) -> CustomResourceDefinition {
    Api::all(bed.client().await).get(CRD).await.expect("the CRD")
}

/// An upgrade brings the CRDs of the new version, and keeps what users have.
pub async fn upgrade(release: &Release<'_>, tenant: &Tenant) {
    let bed = release.0.bed;
    let (before, kept) = (crd(bed).await, tenant.state().await);
    let chart = bed.folder("newer").join(NAME);
    bed.run_on_host(&["cp", "-r", CHART, &chart.display().to_string()]).expect_success();
    let file = chart.join("files/crds/chartpublications.yaml");
    let text = fs::read_to_string(&file).expect("the chart's CRD");
    let newer = text.replace("    - chartpub\n", "    - chartpub\n    - newerpub\n");
    assert_ne!(text, newer);
    fs::write(&file, newer).expect("a file in the bed's folder");
    release
        .helm("upgrade", &[&[&*chart.display().to_string()][..], &ALLOW, &["--set", "controller.concurrency=3"]].concat())
        .expect_success();
    let after = crd(bed).await;
    assert_eq!(after.uid(), before.uid());
    assert!(after.spec.names.short_names.is_some_and(|names| names.contains(&"newerpub".to_owned())), "the CRD is upgraded");
    let arguments = release.deployment().await.and_then(|deployment| deployment.spec?.template.spec?.containers[0].args.clone());
    assert!(arguments.is_some_and(|arguments| arguments.contains(&"--concurrency=3".to_owned())));
    assert_eq!(tenant.state().await, kept);
}

/// Uninstalling takes the controller and its rights, and nothing else; installing again goes on.
pub async fn uninstall_and_install_again(release: &Release<'_>, tenant: &Tenant) {
    let bed = release.0.bed;
    let (before, kept) = (crd(bed).await, tenant.state().await);
    let roles = Api::<ClusterRole>::all(bed.client().await);
    let role = format!("{}-{NAME}", release.0.name());
    assert!(roles.get_opt(&role).await.expect("an answer").is_some());
    release.helm("uninstall", &["--wait"]).expect_success();
    assert_eq!(release.deployment().await, None);
    assert_eq!(roles.get_opt(&role).await.expect("an answer"), None);
    assert_eq!((crd(bed).await.uid(), tenant.state().await), (before.uid(), kept.clone()));
    install(release).await;
    let after = crd(bed).await;
    assert_eq!((after.uid(), tenant.state().await), (before.uid(), kept));
    assert!(after.spec.names.short_names.is_some_and(|names| names == ["chartpub"]));
}
