//! In which steps of its runs a controller was when it ended, read from its log.

use std::collections::{BTreeMap, BTreeSet};

use chart_publisher::steps::Step;
use serde_json::Value;

/// What a controller is started with so that its log tells its steps.
pub const TOLD: [&str; 4] = ["--log-format", "json", "--log-level", "info,chart_publisher::steps=trace"];

/// The steps that a publication over plain HTTP consists of, anonymous or not.
pub const OF_A_RUN: [Step; 10] = [
    Step::ReadInventory,
    Step::AskSource,
    Step::ListTags,
    Step::OpenUpload,
    Step::SendBlob,
    Step::WriteManifest,
    Step::PullManifest,
    Step::PullBlob,
    Step::WriteInventory,
    Step::WriteStatus,
];

/// The steps that had begun and not ended.
pub fn open_at_the_end(log: &str) -> BTreeSet<&'static str> {
    let mut open = BTreeMap::new();
    for line in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let Some(number) = line["number"].as_u64().filter(|_| line["target"] == "chart_publisher::steps") else { continue };
        let step = Step::ALL.iter().find(|step| line["step"] == step.as_str()).expect("a step");
        match line["message"].as_str() {
            Some("begins") => drop(open.insert(number, step.as_str())),
            Some("ends") => drop(open.remove(&number)),
            other => panic!("{other:?} is said of a step"),
        }
    }
    open.into_values().collect()
}
