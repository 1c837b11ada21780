//! Sources of Flux's source-controller, as far as they say where charts lie and how they are asked for.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;

use super::kinds::kind;

/// A `HelmRepository`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct FluxHelmRepository {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    pub(super) spec: FluxHelmRepositorySpec,
}

/// What it says. All else of it is for Flux alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FluxHelmRepositorySpec {
    /// `default`, or `oci`.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) url: String,
    pub(super) secret_ref: Option<Value>,
    pub(super) cert_secret_ref: Option<Value>,
    pub(super) pass_credentials: bool,
    pub(super) insecure: bool,
    /// Of a registry: how Flux logs in.
    pub(super) provider: Option<String>,
    pub(super) timeout: Option<String>,
}

/// An `OCIRepository`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct FluxOciRepository {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    pub(super) spec: FluxOciRepositorySpec,
}

/// What it says. All else of it is for Flux alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FluxOciRepositorySpec {
    pub(super) url: String,
    #[serde(rename = "ref")]
    pub(super) reference: Option<FluxOciReference>,
    pub(super) layer_selector: Option<FluxLayerSelector>,
    pub(super) secret_ref: Option<Value>,
    pub(super) cert_secret_ref: Option<Value>,
    pub(super) proxy_secret_ref: Option<Value>,
    pub(super) service_account_name: Option<String>,
    pub(super) insecure: bool,
    pub(super) provider: Option<String>,
    pub(super) verify: Option<Value>,
    pub(super) timeout: Option<String>,
}

/// Which artifact of a repository: `digest` goes before `semver`, and that before `tag`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FluxOciReference {
    pub(super) digest: Option<String>,
    pub(super) semver: Option<String>,
    pub(super) semver_filter: Option<String>,
    pub(super) tag: Option<String>,
}

/// Which layer of an artifact Flux hands on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FluxLayerSelector {
    pub(super) media_type: Option<String>,
}

const GROUP: &str = "source.toolkit.fluxcd.io";

kind!(FluxHelmRepository, GROUP, "v1", "HelmRepository", "helmrepositories");
kind!(FluxOciRepository, GROUP, "v1", "OCIRepository", "ocirepositories");
