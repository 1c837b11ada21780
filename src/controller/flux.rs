//! Sources of Flux's source-controller, as far as they say where charts lie and how they are asked for. A `spec` is read by itself, so that
//! a field that cannot be read is named.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::kinds::kind;
use crate::api::LocalReference;

/// A `HelmRepository`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct FluxHelmRepository {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    pub(super) spec: Value,
}

/// What it says. All else of it is for Flux alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FluxHelmRepositorySpec {
    /// `default`, or `oci`.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) url: String,
    pub(super) secret_ref: Option<LocalReference>,
    pub(super) cert_secret_ref: Option<LocalReference>,
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
    pub(super) spec: Value,
}

/// What it says. All else of it is for Flux alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FluxOciRepositorySpec {
    pub(super) url: String,
    #[serde(rename = "ref")]
    pub(super) reference: Option<FluxOciReference>,
    pub(super) layer_selector: Option<FluxLayerSelector>,
    pub(super) secret_ref: Option<LocalReference>,
    pub(super) cert_secret_ref: Option<LocalReference>,
    pub(super) proxy_secret_ref: Option<LocalReference>,
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

/// A field that holds something else than is read of it.
#[derive(Debug, thiserror::Error)]
#[error("has a `{field}` that cannot be read: {cause}")]
pub(super) struct InvalidField {
    field: String,
    cause: serde_json::Error,
}

/// Reads a `spec`, of which every field may be missing.
pub(super) fn read_spec<S: DeserializeOwned>(spec: Value) -> Result<S, InvalidField> {
    let spec = if spec.is_null() { json!({}) } else { spec };
    S::deserialize(&spec).map_err(|cause| {
        let named = first_invalid(&spec, &|alone| S::deserialize(alone).err());
        let (field, cause) = named.unwrap_or_else(|| ("spec".to_owned(), cause));
        InvalidField { field, cause }
    })
}

/// The first field that cannot be read even when it stands alone, as `ref.tag`, and why.
fn first_invalid(whole: &Value, failure: &dyn Fn(Value) -> Option<serde_json::Error>) -> Option<(String, serde_json::Error)> {
    whole.as_object()?.iter().find_map(|(name, value)| {
        let within = |value: Value| failure(json!({ name: value }));
        let cause = within(value.clone())?;
        // Where nothing may be missing, no field of it can stand alone.
        let inner = if within(json!({})).is_none() { first_invalid(value, &within) } else { None };
        Some(inner.map_or_else(|| (name.clone(), cause), |(inner, cause)| (format!("{name}.{inner}"), cause)))
    })
}

const GROUP: &str = "source.toolkit.fluxcd.io";

kind!(FluxHelmRepository, GROUP, "v1", "HelmRepository", "helmrepositories");
kind!(FluxOciRepository, GROUP, "v1", "OCIRepository", "ocirepositories");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_cannot_be_read_is_named() {
        let helm = |spec: Value| read_spec::<FluxHelmRepositorySpec>(spec).map(|_| ()).map_err(|error| error.to_string());
        let oci = |spec: Value| read_spec::<FluxOciRepositorySpec>(spec).map(|_| ()).map_err(|error| error.to_string());
        for read in [Value::Null, json!({}), json!({"url": "https://charts.example.com", "accessFrom": 5, "interval": 5})] {
            assert_eq!((helm(read.clone()), oci(read)), (Ok(()), Ok(())));
        }
        for (found, begin) in [
            (helm(json!({"type": "oci", "url": 5})), "has a `url` that cannot be read: invalid type: integer `5`"),
            (helm(json!({"url": "x", "passCredentials": "yes"})), "has a `passCredentials` that cannot be read: "),
            (helm(json!({"secretRef": {"name": 5}})), "has a `secretRef` that cannot be read: "),
            (helm(json!({"secretRef": {}})), "has a `secretRef` that cannot be read: missing field `name`"),
            (helm(json!("https://charts.example.com")), "has a `spec` that cannot be read: "),
            (oci(json!({"ref": {"digest": "sha256:0", "tag": 120}})), "has a `ref.tag` that cannot be read: invalid type: integer `120`"),
            (oci(json!({"layerSelector": "copy"})), "has a `layerSelector` that cannot be read: "),
        ] {
            let sentence = found.unwrap_err();
            assert!(sentence.starts_with(begin), "{sentence}");
        }
    }
}
