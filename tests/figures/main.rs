//! Figures: what a push costs in time, memory and bytes. What must not grow is asserted: memory and bytes in each `cargo test`, in
//! small; times as ratios only in the long forms, which `make bench` runs on a release build.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
#[path = "../faults/mod.rs"]
mod faults;
#[expect(dead_code, reason = "each test uses a part of the bed")]
#[path = "../support/mod.rs"]
mod support;

mod bare;
mod charts;
mod cuts;
mod index;
mod large;
mod many;
mod memory;
mod program;
mod table;
mod thousand;
mod tokens;

use serde_json::json;
use support::{
    Bed,
    registry::{Registry, Version},
};

/// A registry that logs nothing, with an empty folder on a real disk. What was written, or removed, before has reached the disk: it
/// burdens none of those who are measured.
async fn quiet(bed: &'static Bed) -> Registry {
    let registry = bed.registry(Version::V3).setting("/log", json!({"level": "error", "accesslog": {"disabled": true}})).start().await;
    tokio::task::spawn_blocking(rustix::fs::sync).await.expect("a sync");
    registry
}

/// A source of chance, and the seed that it can be repeated with: `FIGURES_SEED`, or a new one.
#[expect(clippy::disallowed_methods, reason = "who repeats a test names its seed in the environment")]
fn seed() -> (u64, fastrand::Rng) {
    let seed = std::env::var("FIGURES_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    (seed, fastrand::Rng::with_seed(seed))
}
