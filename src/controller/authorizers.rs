//! The identities at registries, kept from run to run: tokens and what was learnt of challenges live in them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    model::{Credential, Digest, Origin},
    registry::{AllowedHosts, Authorizer},
};

/// Beyond this number all are forgotten: each is learnt anew with one request.
const MOST: usize = 10_000;

#[derive(PartialEq, Eq, Hash)]
struct Key {
    /// Where: the registry as the spec names it, and the origin that is spoken to.
    registry: String,
    origin: Origin,
    /// As whom.
    credential: Option<Digest>,
    allowed: AllowedHosts,
}

/// One [`Authorizer`] for each identity at each registry.
#[derive(Default)]
pub(super) struct Authorizers(Mutex<HashMap<Key, Arc<Authorizer>>>);

impl Authorizers {
    pub(super) fn of(&self, registry: &str, origin: &Origin, credential: Option<&Credential>, allowed: &AllowedHosts) -> Arc<Authorizer> {
        let key = Key {
            registry: registry.to_owned(),
            origin: origin.clone(),
            credential: credential.map(Credential::fingerprint),
            allowed: allowed.clone(),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(key).or_insert_with(|| Arc::new(Authorizer::new(credential.cloned(), allowed.clone()))).clone()
    }
}
