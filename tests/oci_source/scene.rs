//! Two registries, charts in the first, and what tools say of both.

use std::{net::SocketAddr, path::Path};

use serde_json::{Value, json};

use super::support::{
    self, Bed,
    access_log::Request,
    eventually::{SOON, eventually},
    namespace::Namespace,
    publication::url_target,
    registry::{Registry, Version},
};

/// Without nodes, registries have addresses of loopback.
pub const ANYWHERE: [&str; 2] = ["--allow-address", "127.0.0.0/8"];

/// Charts lie below `upstream` of one registry, and are published below `charts` of another.
pub struct Scene {
    pub namespace: Namespace,
    pub from: Registry,
    pub to: Registry,
}

impl Scene {
    pub async fn create(from: Version, to: Version) -> Self {
        let bed = support::shared();
        bed.install_crds();
        Self { namespace: bed.namespace().await, from: bed.registry(from).start().await, to: bed.registry(to).start().await }
    }

    pub fn bed(&self) -> &'static Bed {
        self.namespace.bed
    }

    /// Has helm push archives, with the signatures beside them.
    pub fn push(&self, archives: &[&Path]) {
        for archive in archives {
            push(self.bed(), archive, &format!("oci://{}/upstream", self.from.socket()));
        }
    }

    /// A spec with these charts of the first registry.
    pub fn spec(&self, charts: &Value) -> Value {
        spec(self.from.socket(), charts, self.to.socket())
    }

    /// What crane says of a chart of the source, and of the target.
    pub fn digests(&self, chart: &str) -> [String; 2] {
        [format!("{}/upstream/{chart}", self.from.socket()), format!("{}/charts/{chart}", self.to.socket())]
            .map(|reference| crane(self.bed(), &["digest", &reference]))
    }

    /// Deletes what a tag of the target holds.
    pub fn delete(&self, chart: &str) {
        let [_, digest] = self.digests(chart);
        let repository = chart.split(':').next().unwrap_or_default();
        crane(self.bed(), &["delete", &format!("{}/charts/{repository}@{digest}", self.to.socket())]);
    }

    /// What the controller has asked of the first registry.
    pub fn asked(&self) -> Vec<String> {
        lines(self.from.requests())
    }
}

/// A spec from the path `upstream` of one registry to `charts` of another.
pub fn spec(from: SocketAddr, charts: &Value, to: SocketAddr) -> Value {
    json!({
        "interval": "1h",
        "source": {"oci": {"url": format!("oci://{from}/upstream"), "insecure": true}},
        "charts": charts,
        "targets": [url_target(to, "charts")],
    })
}

/// Has helm push an archive by plain HTTP.
pub fn push(bed: &Bed, archive: &Path, address: &str) {
    bed.run_in_pod(&["helm", "push", "--plain-http", &archive.display().to_string(), address]).expect_success();
}

/// What crane prints.
pub fn crane(bed: &Bed, words: &[&str]) -> String {
    bed.run_in_pod(&[&["crane", "--insecure"], words].concat()).expect_success().trim().to_owned()
}

/// The requests of chart-publisher.
pub fn ours(requests: Vec<Request>) -> Vec<Request> {
    requests.into_iter().filter(|request| request.user_agent.starts_with("chart-publisher/")).collect()
}

/// The same as lines, sorted, with words for digests.
pub fn lines(requests: Vec<Request>) -> Vec<String> {
    let general = |line: String| match line.split_once("/sha256:") {
        Some((before, after)) => format!("{before}/DIGEST {}", after.rsplit(' ').next().unwrap_or_default()),
        None => line,
    };
    let mut lines: Vec<_> = ours(requests).into_iter().map(|request| general(request.line())).collect();
    lines.sort();
    lines
}

/// Waits until a log has these lines and no others: a server writes a line after its answer.
pub async fn logged(who: &str, expected: &[&str], asked: impl Fn() -> Vec<String>) {
    let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    expected.sort();
    eventually(SOON, &format!("{who} was asked what is expected, and nothing else"), async || {
        let found = asked();
        if found == expected { Ok(()) } else { Err(format!("expected {expected:#?}, found {found:#?}")) }
    })
    .await;
}
