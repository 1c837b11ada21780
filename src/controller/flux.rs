//! HelmRepositories of Flux's source-controller, as far as they say where charts lie and how they are asked for.

use std::borrow::Cow;

use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::Resource;
use serde::Deserialize;
use serde_json::Value;

/// A HelmRepository.
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
    pub(super) timeout: Option<String>,
}

impl Resource for FluxHelmRepository {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "HelmRepository".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "source.toolkit.fluxcd.io".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "helmrepositories".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
