//! `fluxRef`: an object of Flux that says where charts lie.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::publication::yes;

/// An object of Flux in this namespace.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct FluxReference {
    /// Its kind.
    pub kind: FluxKind,

    /// The name of the object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// As in `oci`, where the charts lie in a registry.
    #[serde(default = "yes")]
    pub referrers: bool,
}

/// A kind of Flux's source-controller.
#[derive(JsonSchema, Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub enum FluxKind {
    /// A Helm repository: a server with an index, or of type `oci` a registry.
    HelmRepository,
    /// One chart in a registry: its `ref` says which.
    #[serde(rename = "OCIRepository")]
    OciRepository,
}
