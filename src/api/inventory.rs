//! `ChartInventory`: the whole record of what a publication has published and proven.
//!
//! It is owned by the publication, has its name (and `NAME.UID.1`, `NAME.UID.2` where it is split at 2,000 entries), is written
//! only when something changed, and restores after a restart what is known. It is no input: the controller checks it
//! against the registry.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SignedBy;

/// What a ChartPublication has published and proven. Written by the controller.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[kube(
    group = "chartpublisher.io",
    version = "v1alpha1",
    kind = "ChartInventory",
    plural = "chartinventories",
    shortname = "chartinv",
    category = "charts",
    namespaced,
    doc = "What a ChartPublication has published and proven. Written by the controller; deleted with its publication.",
    derive = "PartialEq",
    printcolumn(name = "Entries", type_ = "integer", json_path = ".spec.count"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ChartInventorySpec {
    /// How many entries this object holds.
    #[serde(default)]
    pub count: u32,
    /// One for each tag that was published and pulled back.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub entries: Vec<InventoryEntry>,
}

/// One tag.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntry {
    /// The target's name in the spec.
    pub target: String,
    /// Where the target pointed when it was published: a Service and port, or a URL.
    pub registry: String,
    /// The chart.
    pub chart: String,
    /// As the source spells it.
    pub version: String,
    /// The repository in the registry.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The digest of the manifest.
    pub manifest: String,
    /// The digest of the layer: of the archive.
    pub layer: String,
    /// When it was pulled back and compared.
    pub proved: Time,
    /// When a later proof found it missing, damaged or overwritten. Gone as soon as one holds again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Time>,
    /// Whose signature the archive has, where `verify` asks for one. It counts for as long as the keyring has the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<SignedBy>,
}
