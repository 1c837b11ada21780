//! The identities at registries, kept from run to run: tokens and what was learnt of challenges live in them.

use std::sync::Arc;

use super::kept::Kept;
use crate::{
    model::{Credential, Digest, Origin},
    plan::Strategy,
    publish::Identities,
    registry::{AllowedHosts, Authorizer},
};

#[derive(PartialEq, Eq, Hash)]
struct Key {
    /// Where: the registry as the spec names it, and the origin that is spoken to.
    registry: String,
    origin: Origin,
    /// As whom.
    credential: Option<Digest>,
    allowed: AllowedHosts,
    /// Whether nothing is written there.
    reads: bool,
    /// By which proxy: another one may lead elsewhere under the same name.
    proxy: Option<Digest>,
}

/// One [`Authorizer`] for each identity at each registry.
#[derive(Default)]
pub(super) struct Authorizers(Kept<Key, Arc<Authorizer>>);

impl Authorizers {
    /// Those at one registry, as the spec names it.
    pub(super) fn at<'a>(&'a self, registry: &'a str) -> AtRegistry<'a> {
        AtRegistry { all: self, registry, reads: false, proxy: None }
    }

    /// Those at one that charts come from, and that `proxy` leads to where there is one.
    pub(super) fn at_source<'a>(&'a self, registry: &'a str, proxy: Option<Digest>) -> AtRegistry<'a> {
        AtRegistry { all: self, registry, reads: true, proxy }
    }
}

/// The identities at one registry.
pub(super) struct AtRegistry<'a> {
    all: &'a Authorizers,
    registry: &'a str,
    reads: bool,
    proxy: Option<Digest>,
}

impl Identities for AtRegistry<'_> {
    fn of(&self, strategy: &Strategy, credential: Option<&Credential>, allowed: &AllowedHosts) -> Arc<Authorizer> {
        let key = Key {
            registry: self.registry.to_owned(),
            origin: strategy.origin.clone(),
            credential: credential.map(Credential::fingerprint),
            allowed: allowed.clone(),
            reads: self.reads,
            proxy: self.proxy,
        };
        let make = if self.reads { Authorizer::reading } else { Authorizer::new };
        self.all.0.of(key, || Arc::new(make(credential.cloned(), allowed.clone())))
    }
}
