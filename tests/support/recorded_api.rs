//! The API server behind a recorder: what a controller asks of it is seen, request by request.

use std::{fs, net::SocketAddr, path::PathBuf};

use serde_json::json;

use super::{
    controller::{Controller, Rights},
    eventually::{SOON, eventually},
    namespace::Namespace,
    process::{Launch, Process},
    recorder::{Head, Recorder},
};

/// The API server behind a recorder, as the account of the chart.
pub struct RecordedApi {
    recorder: Recorder,
    file: PathBuf,
    _process: Process,
    _rights: Rights,
}

impl Namespace {
    /// A way to the API server on which all requests are seen.
    pub async fn recorded_api(&self) -> RecordedApi {
        let bed = self.bed;
        let rights = self.rights(&[]);
        let account = self.kubeconfig_of(&rights.account).await;
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

impl RecordedApi {
    /// A controller that speaks to the API server by this way.
    pub async fn controller(&self, namespace: &Namespace, arguments: &[&str]) -> Controller {
        let own = ["--namespace", namespace.name()];
        let mut controller = namespace.bed.controller(&self.file, &[&own[..], arguments].concat()).start();
        controller.wait_until_ready().await;
        controller
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Head> {
        self.recorder.heads()
    }

    /// The requests that write something.
    pub fn writes(&self) -> Vec<Head> {
        self.requests().into_iter().filter(|head| head.method != "GET").collect()
    }
}
