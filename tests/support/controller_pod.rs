//! The software under test as users run it: a Pod of its image, installed by helm from its chart. Needs [`super::pods`].

use std::{fs, path::Path, sync::OnceLock, time::Duration};

use chart_publisher::model::Digest;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams};

use super::{Bed, controller::Rights, eventually::eventually, image::Image, namespace::Namespace};

/// Its probe asks every five seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// A controller that runs in a Pod. Dropping it uninstalls the release.
pub struct ControllerPod<'a> {
    namespace: &'a Namespace,
    rights: Rights,
}

impl Namespace {
    /// The CRDs and the operator's Helm chart, whose Deployment runs in this namespace and acts on it alone; `values` are more of
    /// helm's `--set`. Waits until its Pod is ready.
    pub async fn controller_pod(&self, values: &[&str]) -> ControllerPod<'_> {
        let tag = format!("image.tag={}", self.bed.import_controller());
        let rights = self.rights(&[&[&*tag], values].concat());
        let controller = ControllerPod { namespace: self, rights };
        controller.wait_until_ready().await;
        controller
    }
}

impl ControllerPod<'_> {
    /// Waits until one Pod is there and ready.
    pub async fn wait_until_ready(&self) {
        eventually(PATIENCE, "the controller's Pod is ready", async || {
            let pods = self.pods().await;
            let [pod] = &pods[..] else { return Err(format!("{} Pods", pods.len())) };
            let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
            let ready = conditions.clone().any(|condition| condition.type_ == "Ready" && condition.status == "True");
            if ready { Ok(()) } else { Err(format!("{:?}\n{}", pod.status, self.log().await)) }
        })
        .await;
    }

    /// The name of the release, of its Deployment and of its ServiceAccount.
    pub fn name(&self) -> &str {
        &self.rights.account
    }

    /// What its Pod has logged, by `kubectl logs`.
    pub async fn log(&self) -> String {
        let names: Vec<_> = self.pods().await.into_iter().filter_map(|pod| pod.metadata.name).collect();
        let log = |name: &String| self.namespace.bed.run_on_host(&["kubectl", "logs", "--namespace", self.namespace.name(), name]).output;
        names.iter().map(log).collect()
    }

    /// Deletes its Pod and waits for another one that is ready.
    pub async fn restart(&self) {
        for pod in self.pods().await {
            let name = pod.metadata.name.expect("a Pod has a name");
            self.namespace.api::<Pod>().delete(&name, &DeleteParams::default()).await.expect("the Pod");
        }
        self.wait_until_ready().await;
    }

    async fn pods(&self) -> Vec<Pod> {
        let selector = ListParams::default().labels(&format!("app.kubernetes.io/instance={}", self.name()));
        let pods = self.namespace.api::<Pod>().list(&selector).await.expect("the Pods").items;
        pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect()
    }
}

impl Bed {
    /// Gives the cluster the image of the program that is tested; its tag.
    pub fn import_controller(&self) -> &'static str {
        static TAG: OnceLock<String> = OnceLock::new();
        TAG.get_or_init(|| {
            let program = Path::new(env!("CARGO_BIN_EXE_chart-publisher"));
            let digest = Digest::of(&fs::read(program).expect("the program under test")).hex();
            // With letters in front, helm does not take it for a number.
            let tag = format!("test-{}", &digest[..12]);
            self.import(&Image::new(&format!("docker.io/library/chart-publisher:{tag}"), program));
            tag
        })
    }

    /// Gives the cluster an image of programs of this machine.
    pub fn import(&self, image: &Image) {
        let enclosure = self.information.enclosure.as_ref().expect("this test needs `support::pods()`");
        image.import(enclosure, &self.tool("ctr"), &self.folder("image")).expect("an image");
    }
}
