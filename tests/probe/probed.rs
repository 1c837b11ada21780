//! The program itself, run against something, and what it printed.

use std::{collections::BTreeSet, net::SocketAddr};

use serde_json::Value;

use crate::{
    faults::path::Path,
    support::{Bed, Ran},
};

/// What came of a probe with `--output json`.
pub struct Probed {
    /// The exit code.
    pub code: Option<i32>,
    /// What was printed.
    pub json: Value,
    /// On standard error.
    pub errors: String,
}

/// Runs `chart-publisher probe` where the clients of a namespace stand.
pub async fn run(bed: &'static Bed, namespace: Option<&str>, words: &[&str]) -> Ran {
    let (namespace, words) = (namespace.map(str::to_owned), words.iter().map(ToString::to_string).collect::<Vec<_>>());
    let run = move || {
        let words: Vec<&str> =
            [env!("CARGO_BIN_EXE_chart-publisher"), "probe"].into_iter().chain(words.iter().map(String::as_str)).collect();
        bed.run_inside(namespace.as_deref(), &words)
    };
    tokio::task::spawn_blocking(run).await.expect("the program")
}

impl Probed {
    /// Along a path, with more flags.
    pub async fn along(path: &Path, flags: &[&str]) -> Self {
        let url = format!("oci://{}/charts", path.address());
        let authority = path.authority().map(|pem| {
            let file = path.bed().folder("authority").join("ca.crt");
            std::fs::write(&file, pem).expect("a file in the bed's folder");
            file.display().to_string()
        });
        let trust = authority.as_deref().map_or(vec!["--insecure"], |file| vec!["--ca", file]);
        let words = [&[url.as_str(), "--output", "json"], &trust[..], flags].concat();
        Self::of(run(path.bed(), path.namespace(), &words).await)
    }

    /// Of a registry that speaks plain HTTP.
    pub async fn of_registry(bed: &'static Bed, socket: SocketAddr, flags: &[&str]) -> Self {
        let url = format!("oci://{socket}/charts");
        let words = [&[url.as_str(), "--output", "json", "--insecure"], flags].concat();
        Self::of(run(bed, bed.server_namespace(), &words).await)
    }

    /// What was printed.
    pub fn of(ran: Ran) -> Self {
        let json =
            serde_json::from_str(&ran.output).unwrap_or_else(|error| panic!("{error}: `{}`\n{}{}", ran.words, ran.output, ran.errors));
        Self { code: ran.code, json, errors: ran.errors }
    }

    /// All cells of all routes.
    pub fn cells(&self) -> impl Iterator<Item = &Value> {
        self.json["routes"].as_array().into_iter().flatten().flat_map(|route| route["cells"].as_array().into_iter().flatten())
    }

    /// All that cells found, what was overcome included: reason and remedy.
    pub fn found(&self) -> BTreeSet<(String, String)> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings =
            self.cells().flat_map(|cell| cell["notes"].as_array().into_iter().flatten().chain((cell["result"] == "fail").then_some(cell)));
        findings.map(|finding| (word(&finding["reason"]), word(&finding["remedy"]))).collect()
    }

    /// The reasons of the faults that are named.
    pub fn faults(&self) -> Vec<&str> {
        self.json["faults"].as_array().into_iter().flatten().filter_map(|fault| fault["reason"].as_str()).collect()
    }

    /// Whether bodies of each size went up, and came down again, by a method.
    pub fn arrives(&self, method: &str) -> bool {
        let mut cells = self.cells().filter(|cell| cell["method"] == method && cell["protocol"] == "HTTP/1.1");
        cells.all(|cell| cell["result"] == "pass")
    }

    /// `Buffered/1024/upload pass`, for messages.
    pub fn lines(&self) -> Vec<String> {
        let line = |cell: &Value| {
            let notes: Vec<_> =
                cell["notes"].as_array().into_iter().flatten().map(|note| note["remedy"].as_str().unwrap_or_default()).collect();
            format!(
                "{} {} {} {} {} {} {notes:?} {}",
                cell["protocol"], cell["method"], cell["bytes"], cell["action"], cell["result"], cell["remedy"], cell["message"]
            )
        };
        self.cells().map(line).collect()
    }
}
