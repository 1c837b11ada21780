//! The software in the cluster: its kinds, and its Helm chart with the account that a Pod of it would have.

use std::{fs, path::PathBuf};

use k8s_openapi::{
    api::rbac::v1::{ClusterRole, ClusterRoleBinding},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::Value;

use super::{
    Bed, background,
    controller::ControllerBuilder,
    eventually::{SOON, eventually},
    namespace::Namespace,
};

/// The Helm chart of the repository.
pub const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/chart-publisher");
/// Release and account of [`Namespace::install`].
pub const NAME: &str = "chart-publisher";

/// The chart, installed for one namespace. Dropping it removes what lies in no namespace.
pub struct Installation {
    bed: &'static Bed,
    namespace: String,
    kubeconfig: PathBuf,
}

impl Bed {
    /// Applies the CRDs of the repository and waits until they are served. Any number of tests may do so at once.
    pub async fn define_kinds(&self) {
        let all = Api::<CustomResourceDefinition>::all(self.client().await);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
        for file in fs::read_dir(folder).expect("the folder of the CRDs").flatten() {
            let text = fs::read_to_string(file.path()).expect("a CRD");
            let crd: Value = serde_saphyr::from_str(&text).expect("a CRD is YAML");
            let name = crd["metadata"]["name"].as_str().expect("a CRD has a name").to_owned();
            all.patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&crd)).await.expect("a CRD that the API server takes");
            eventually(SOON, &format!("{name} is established"), async || {
                let status = all.get_status(&name).await.map_err(|problem| problem.to_string())?.status;
                let conditions = status.and_then(|status| status.conditions).unwrap_or_default();
                let established = conditions.iter().any(|condition| condition.type_ == "Established" && condition.status == "True");
                if established { Ok(()) } else { Err("it is not".to_owned()) }
            })
            .await;
        }
    }
}

impl Namespace {
    /// Installs the Helm chart for this namespace alone. The CRDs, which all tests share, are applied beside it.
    pub async fn install(&self) -> Installation {
        self.bed.define_kinds().await;
        let only = format!("watchNamespaces={{{}}}", self.name());
        let set = ["--set", &only, "--set", "crds.install=false", "--set", "rbac.aggregate=false"];
        let install = ["helm", "install", NAME, CHART, "--namespace", self.name()];
        self.bed.run_on_host(&[&install[..], &set[..]].concat()).expect_success();
        let kubeconfig = self.kubeconfig_of(NAME).await;
        Installation { bed: self.bed, namespace: self.name().to_owned(), kubeconfig }
    }
}

impl Installation {
    /// A kubeconfig of the chart's account, for use inside of the cluster's network.
    pub fn kubeconfig(&self) -> &PathBuf {
        &self.kubeconfig
    }

    /// A controller for this namespace, with the rights of the chart. Sources and URLs may lead to any address of the bed.
    pub fn controller(&self, arguments: &[&str]) -> ControllerBuilder {
        let own = ["--namespace", &self.namespace, "--allow-address", "127.0.0.0/8"];
        self.bed.controller(&self.kubeconfig, &[&own[..], arguments].concat())
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let (bed, name) = (self.bed, format!("{}-{NAME}", self.namespace));
        background::finish(async move {
            let client = bed.client().await;
            let _ = Api::<ClusterRoleBinding>::all(client.clone()).delete(&name, &DeleteParams::default()).await;
            let _ = Api::<ClusterRole>::all(client).delete(&name, &DeleteParams::default()).await;
        });
    }
}
