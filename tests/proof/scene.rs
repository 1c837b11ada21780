//! What the tests here begin with: a registry whose disk is at hand, and a record that can be made older.

use chart_publisher::{
    api::{ChartInventory, ChartPublicationStatus},
    model::Digest,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::PostParams;

use super::support::namespace::Namespace;

/// Without nodes, sources and registries have addresses of loopback.
pub const ANYWHERE: [&str; 2] = ["--allow-address", "127.0.0.0/8"];

/// The digest of what a file holds.
pub fn digest_of(file: &std::path::Path) -> String {
    Digest::of(&std::fs::read(file).expect("a blob of the registry")).to_string()
}

/// Makes all proofs of a publication a few days older. The controller must not run: it remembers.
pub async fn age(namespace: &Namespace, name: &str) {
    let mut inventory = namespace.inventory(name).await.expect("an inventory");
    for entry in &mut inventory.spec.entries {
        entry.proved = serde_json::from_value(serde_json::json!("2026-01-02T03:04:05Z")).expect("a time");
    }
    namespace.api::<ChartInventory>().replace(name, &PostParams::default(), &inventory).await.expect("the inventory");
}

/// `ReaderRoute` of the first target.
pub fn reader_route(status: &ChartPublicationStatus) -> Option<&Condition> {
    status.targets.first()?.conditions.iter().find(|condition| condition.type_ == "ReaderRoute")
}

/// `False NoRoute`: status and reason of `ReaderRoute`; empty without it.
pub fn readers(status: &ChartPublicationStatus) -> String {
    reader_route(status).map(|condition| format!("{} {}", condition.status, condition.reason)).unwrap_or_default()
}
