//! What most tests here begin with: a namespace, a registry, a Helm repository.

use std::{fs, net::SocketAddr};

use serde_json::{Value, json};

use super::{
    ANYWHERE,
    support::{
        self,
        controller::Controller,
        eventually::{SOON, eventually},
        helm_repository::HelmRepository,
        http,
        namespace::Namespace,
        process::{Launch, Process},
        publication::{spec, url_target},
        recorder::{Head, Recorder},
        registry::{Registry, Version},
    },
    witness::Witness,
};

/// A namespace, a registry and a Helm repository. Fields go in their order: what is used goes last.
pub struct Scene {
    pub namespace: Namespace,
    pub registry: Registry,
    pub charts: HelmRepository,
}

/// A scene with some of the bed's charts in its repository.
pub async fn scene(charts: &[&str]) -> Scene {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    Scene { namespace, registry, charts: bed.helm_repository(charts).start().await }
}

impl Scene {
    /// A controller for this namespace that has its chart's rights.
    pub async fn controller(&self) -> Controller {
        self.namespace.controller(&ANYWHERE).await
    }

    /// The Helm repository as a `source`.
    pub fn source(&self) -> Value {
        json!({"helmRepository": {"url": self.charts.url()}})
    }

    /// The registry as a target.
    pub fn target(&self) -> Value {
        url_target(self.registry.socket(), "charts")
    }

    /// The newest version of one chart, from the repository to the registry.
    pub fn spec(&self, chart: &str) -> Value {
        spec(&self.charts.url(), &json!([{"name": chart}]), &json!([self.target()]))
    }

    /// A watch on the publications of the namespace.
    pub async fn witness(&self) -> Witness {
        Witness::of(&self.namespace).await
    }

    /// Whether the registry has a manifest under this tag.
    pub async fn registry_has(&self, repository: &str, tag: &str) -> bool {
        has_manifest(self.namespace.bed, self.registry.socket(), repository, tag).await
    }

    /// A way to the API server on which all requests are seen.
    pub async fn recorded_api(&self) -> RecordedApi {
        let bed = self.namespace.bed;
        let rights = self.namespace.rights(&[]);
        let account = self.namespace.kubeconfig_of(&rights.account).await;
        let folder = bed.folder("api-proxy");
        let log = folder.join("log");
        let launch = Launch::new(bed.tool("kubectl"), &log)
            .arguments(["--kubeconfig", &account.display().to_string(), "proxy", "--port=0", "--accept-hosts=.*"])
            .namespace(bed.server_namespace());
        let mut process = launch.start().expect("kubectl proxy");
        let socket: SocketAddr = eventually(SOON, "kubectl proxy serves", async || {
            process.still_runs()?;
            let said = fs::read_to_string(&log).unwrap_or_default();
            said.lines().find_map(|line| line.strip_prefix("Starting to serve on ")?.parse().ok()).ok_or(said)
        })
        .await;
        let recorder = bed.recorder(socket);
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "recorded", "users": [{"name": "nobody", "user": {}}],
            "clusters": [{"name": "recorded", "cluster": {"server": format!("http://{}", recorder.socket())}}],
            "contexts": [{"name": "recorded", "context": {"cluster": "recorded", "user": "nobody"}}],
        });
        let file = folder.join("kubeconfig");
        fs::write(&file, kubeconfig.to_string()).expect("a file in the bed's folder");
        RecordedApi { recorder, file, _process: process, _rights: rights }
    }
}

/// Whether a registry has a manifest under this tag.
pub async fn has_manifest(bed: &support::Bed, registry: SocketAddr, repository: &str, tag: &str) -> bool {
    let path = format!("/v2/{repository}/tags/list");
    let answer = http::get(bed.server_namespace(), registry, &registry.to_string(), &path).await.expect("an answer");
    let list: Value = serde_json::from_slice(&answer.body).expect("JSON");
    list["tags"].as_array().is_some_and(|tags| tags.contains(&json!(tag)))
}

/// The API server behind a recorder, as the account of the chart.
pub struct RecordedApi {
    recorder: Recorder,
    file: std::path::PathBuf,
    _process: Process,
    _rights: support::controller::Rights,
}

impl RecordedApi {
    /// A controller that speaks to the API server by this way.
    pub async fn controller(&self, namespace: &Namespace, arguments: &[&str]) -> Controller {
        let own = ["--namespace", namespace.name()];
        let mut controller = namespace.bed.controller(&self.file, &[&own[..], arguments].concat()).start();
        controller.wait_until_ready().await;
        controller
    }

    /// The requests that write something.
    pub fn writes(&self) -> Vec<Head> {
        self.recorder.heads().into_iter().filter(|head| head.method != "GET").collect()
    }
}
