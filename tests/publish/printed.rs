//! What the program prints: these fields and no others.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};

use super::support::{Bed, Ran, access_log::Request, registry::Registry};

/// The whole.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Printed {
    pub result: String,
    pub published: usize,
    pub unchanged: usize,
    pub missing: usize,
    pub publications: Vec<Publication>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    pub namespace: String,
    pub name: String,
    pub result: String,
    pub source: Option<Source>,
    pub failures: Vec<Failure>,
    pub targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub revision: String,
    pub charts: usize,
    pub versions: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    pub reason: String,
    pub message: String,
    pub passing: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub name: String,
    pub pull: Option<String>,
    pub wanted: usize,
    pub proven: usize,
    pub route: Option<String>,
    pub address: Option<String>,
    pub method: Option<String>,
    pub how: Option<String>,
    pub failure: Option<Failure>,
    pub attempts: Vec<Attempt>,
    pub charts: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    pub route: String,
    pub address: String,
    pub method: String,
    pub tactic: String,
    pub reason: String,
    pub message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub chart: String,
    pub version: String,
    pub reference: Option<String>,
    pub digest: Option<String>,
    pub layer: Option<String>,
    pub action: String,
    #[serde(rename = "signedBy")]
    pub signed_by: Option<Value>,
    pub route: Option<String>,
    pub method: Option<String>,
    pub failure: Option<Failure>,
}

impl Printed {
    pub fn of(ran: &Ran) -> Self {
        serde_json::from_str(&ran.output).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Published, unchanged and missing.
    pub fn counts(&self) -> [usize; 3] {
        [self.published, self.unchanged, self.missing]
    }

    /// `main podinfo 6.5.0 Published`, each.
    pub fn lines(&self) -> Vec<String> {
        let targets = self.publications.iter().flat_map(|publication| &publication.targets);
        let charts = targets.flat_map(|target| target.charts.iter().map(move |chart| (target, chart)));
        charts.map(|(target, chart)| format!("{} {} {} {}", target.name, chart.chart, chart.version, chart.action)).collect()
    }
}

/// A document.
pub fn publication(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": name}, "spec": spec})
}

/// Its text in a file of this folder.
pub fn file(folder: &Path, documents: &str) -> String {
    let file = folder.join("publication.yaml");
    fs::write(&file, documents).expect("a file");
    file.display().to_string()
}

/// Runs it on such a file, with a Pod's view of the network.
pub fn publish(bed: &'static Bed, documents: &str, flags: &[&str]) -> Ran {
    let file = file(&bed.folder("publish"), documents);
    bed.run_in_pod(&[&[env!("CARGO_BIN_EXE_chart-publisher"), "publish", "-f", file.as_str()], flags].concat())
}

/// What changes something, after so many requests.
pub fn writes(registry: &Registry, before: usize) -> Vec<Request> {
    registry.requests().into_iter().skip(before).filter(|request| !["GET", "HEAD"].contains(&request.method.as_str())).collect()
}

/// The blobs that were taken, by repository and digest; the manifests that were written.
pub fn taken(registry: &Registry) -> (Vec<String>, Vec<String>) {
    let requests: Vec<Request> =
        registry.requests().into_iter().filter(|request| (request.method == "PUT") && request.status == 201).collect();
    let digest = |request: &Request| {
        let (path, query) = request.target.split_once('?')?;
        let repository = path.split_once("/blobs/uploads/")?.0.to_owned();
        let mut fields = url::form_urlencoded::parse(query.as_bytes());
        let (_, digest) = fields.find(|(name, _)| name == "digest")?;
        Some(format!("{repository} {digest}"))
    };
    let manifests = requests.iter().filter(|request| request.path().contains("/manifests/")).map(|request| request.path().to_owned());
    (requests.iter().filter_map(digest).collect(), manifests.collect())
}
