//! What is reported of a publication. The rules are kstatus's: `Ready` always, `Reconciling` and `Stalled` only while True.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reason;

/// What was observed at the last run.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ChartPublicationStatus {
    /// The generation of the spec that this status speaks of; -1 before the first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,

    /// `Ready`, and while they are true `Reconciling` and `Stalled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// Versions published and proven, of those that are wanted, over all targets: `12/12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,

    /// The route that was taken; `mixed` where targets differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,

    /// The method that was used; `mixed` where targets differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,

    /// What the source offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceStatus>,

    /// Each target by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub targets: Vec<TargetStatus>,
}

/// What the source offered.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// The digest of the index or archive that was read.
    pub revision: String,
    /// How many charts of it are wanted.
    pub charts: u32,
    /// How many versions of these are wanted.
    pub versions: u32,
    /// When its content was last seen to change.
    pub last_update_time: Time,
}

/// What happened at one target.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TargetStatus {
    /// The target's name in the spec.
    pub name: String,

    /// `Ready` for this target, and `ReaderRoute`: whether readers of the registry get what was published by the route that is theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// The route that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,

    /// The address that was dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,

    /// The method that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,

    /// Why this route and method, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,

    /// What failed on the way there, and the remedy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,

    /// What was learnt of the ways to this registry, and saves the next chart from finding it out again. Forgotten after an hour, and
    /// when a run is forced (`reconcile.fluxcd.io/forceAt`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learnt: Vec<LearntOfRoute>,

    /// The address for `helm pull`, for readers of the Service's own exposure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<String>,

    /// Versions published and proven, of those that are wanted: `12/12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,

    /// Everything that is published was pulled back and compared at this time, or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_proved: Option<Time>,

    /// What the newest download by each of the routes of `proof.routes` gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<RouteProof>,

    /// The newest 20 versions. The whole record is the `ChartInventory` of the same name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<PublishedVersion>,
}

/// A route that did not work.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The route.
    pub route: String,
    /// The address that was dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The method.
    pub method: String,
    /// Why it did not work: one of the reasons that conditions have.
    pub reason: String,
    /// What was seen, and what to mend.
    pub message: String,
}

impl Attempt {
    /// Whether the route answers, and only a body did not get through.
    pub fn is_of_bodies(&self) -> bool {
        !Reason::ALL.iter().any(|reason| reason.leads_nowhere() && reason.as_str() == self.reason)
    }
}

/// A download by a route that readers take.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RouteProof {
    /// The route.
    pub route: String,
    /// The address that was dialled; nothing where the route is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `Succeeded`, or one of the other reasons that conditions have.
    pub result: String,
    /// What was downloaded; or what was seen instead, and what to mend.
    pub message: String,
    /// When.
    pub time: Time,
}

/// What was learnt of one way to a registry.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LearntOfRoute {
    /// The route.
    pub route: String,
    /// Scheme, host and port.
    pub origin: String,
    /// What stands between: `Ingress platform/registry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// How large chunks may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<LearntOfChunks>,
    /// What was refused, and is not tried again until its time is over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedMethod>,
}

/// How large chunks may be.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LearntOfChunks {
    /// The largest that was taken, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<i64>,
    /// The smallest that was refused, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<i64>,
    /// Whether each needs a connection of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_connections: bool,
    /// When this is forgotten.
    pub until: Time,
}

/// A method that was refused for bodies of some size.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RefusedMethod {
    /// The method.
    pub method: String,
    /// Whether each chunk had a connection of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_connections: bool,
    /// The longest TCP segment, in bytes, where it was made shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<i32>,
    /// For bodies of this many bytes and more.
    pub from: i64,
    /// The remedy: a row of `docs/remedies.md`.
    pub remedy: String,
    /// What was seen, and what to mend.
    pub message: String,
    /// When this is forgotten.
    pub until: Time,
}

/// A version that is published and proven.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PublishedVersion {
    /// The chart.
    pub chart: String,
    /// As the source spells it.
    pub version: String,
    /// The digest of the manifest.
    pub digest: String,
    /// Whose signature its provenance has, where `verify` asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<SignedBy>,
}

/// A key that signed a chart.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SignedBy {
    /// The fingerprint of the primary key.
    pub fingerprint: String,
    /// That of the subkey, where one has signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subkey: Option<String>,
    /// The user id that the key calls its primary one.
    pub user: String,
}
