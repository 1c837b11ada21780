//! A release of the operator's chart, as an administrator makes it, and a controller started as its Deployment says.

use k8s_openapi::api::apps::v1::Deployment;

use super::{
    CHART,
    support::{Ran, controller::Controller, namespace::Namespace},
};

/// Release, ServiceAccount and Deployment.
pub const NAME: &str = "chart-publisher";

/// A release in a namespace. Dropping it uninstalls it, where that was not done.
pub struct Release<'a>(pub &'a Namespace);

impl Release<'_> {
    /// `helm VERB chart-publisher` in the namespace, with more words.
    pub fn helm(&self, verb: &str, words: &[&str]) -> Ran {
        self.0.bed.run_on_host(&[&["helm", verb, NAME, "--namespace", self.0.name()][..], words].concat())
    }

    /// Installs the chart of this repository. Returns what helm warned of.
    pub fn install(&self, words: &[&str]) -> String {
        let ran = self.helm("install", &[&[CHART][..], words].concat());
        let errors = ran.errors.clone();
        ran.expect_success();
        errors
    }

    pub async fn deployment(&self) -> Option<Deployment> {
        self.0.api::<Deployment>().get_opt(NAME).await.expect("an answer")
    }

    /// The flags of the Deployment's container, without those that say where a Pod has its folders and ports.
    pub async fn arguments(&self) -> Vec<String> {
        let pod = self.deployment().await.and_then(|deployment| deployment.spec).and_then(|spec| spec.template.spec).expect("a Pod");
        let arguments = pod.containers.into_iter().next().and_then(|container| container.args).expect("arguments");
        let mut arguments = arguments.into_iter();
        assert_eq!(arguments.next().as_deref(), Some("run"));
        arguments.filter(|argument| !argument.starts_with("--spool-dir=") && !argument.starts_with("--health-address=")).collect()
    }

    /// The controller, with flags and account of the Deployment.
    pub async fn controller(&self) -> Controller {
        let arguments = self.arguments().await;
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let kubeconfig = self.0.kubeconfig_of(NAME).await;
        let mut controller = self.0.bed.controller(&kubeconfig, &arguments).environment("POD_NAME", "chart-publisher-0").start();
        controller.wait_until_ready().await;
        controller
    }

    /// What `kubectl auth can-i --list` says of the account in a namespace, one right a line, with single blanks.
    pub async fn rights(&self, namespace: &str) -> String {
        let kubeconfig = self.0.kubeconfig_of(NAME).await.display().to_string();
        let list = ["kubectl", "--kubeconfig", &kubeconfig, "auth", "can-i", "--list", "--namespace", namespace];
        let printed = self.0.bed.run_in_pod(&list).expect_success();
        let mut lines: Vec<_> = printed.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        lines.sort();
        lines.join("\n") + "\n"
    }
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.helm("uninstall", &["--ignore-not-found"]);
    }
}
