//! `spec.verify`: what a chart must have before it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LocalReference;

/// What a chart must have before it is published.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    /// The provenance beside its archive (`helm package --sign`), as `helm verify` holds it against a keyring.
    pub provenance: VerifyProvenance,
}

/// Whose signatures are taken.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VerifyProvenance {
    /// A Secret of this namespace with the public keys of those who sign, under whatever names: each entry is what `gpg --export` gives, with
    /// `--armor` or without.
    pub secret_ref: LocalReference,
}
