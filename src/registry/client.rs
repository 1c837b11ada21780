//! One registry by one way: where it is dialled, as whom, and how patiently. Each protocol step is a function in a file of its own.

use std::sync::Arc;

use super::{AllowedHosts, Authorizer, Observer, Pause, Permit, Witness};
use crate::net::{Endpoint, Patience, Proxy, Transport};

/// A registry, reached by one way.
#[derive(Clone)]
pub struct Registry {
    pub(super) transport: Transport,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) authorizer: Arc<Authorizer>,
    pub(super) allowed: AllowedHosts,
    pub(super) patience: Patience,
    pub(super) witness: Option<Arc<Witness>>,
    pub(super) pause: Pause,
    pub(super) permit: Permit,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) follows: bool,
}

impl Registry {
    /// Nothing is connected yet.
    pub fn new(transport: Transport, endpoint: Endpoint, authorizer: Arc<Authorizer>, allowed: AllowedHosts, patience: Patience) -> Self {
        let (endpoint, pause, permit) = (Arc::new(endpoint), Pause::default(), Permit::default());
        Self { transport, endpoint, authorizer, allowed, patience, pause, permit, witness: None, observer: None, follows: false }
    }

    /// The same, heeding what others who talk to this registry were asked to wait.
    #[must_use]
    pub fn with_pause(self, pause: Pause) -> Self {
        Self { pause, ..self }
    }

    /// The same for work that may be ended, or may have to wait before it writes a tag.
    #[must_use]
    pub fn with_permit(self, permit: Permit) -> Self {
        Self { permit, ..self }
    }

    /// The same by connections with TCP segments of at most this length.
    #[must_use]
    pub fn with_segment(&self, segment: Option<u32>) -> Self {
        let mut other = self.clone();
        if other.endpoint.segment != segment {
            other.endpoint = Arc::new(Endpoint { segment, ..(*self.endpoint).clone() });
        }
        other
    }

    /// The same by a proxy, also to whatever it names: token services and storage hosts.
    #[must_use]
    pub fn through(self, proxy: Option<Arc<Proxy>>) -> Self {
        Self { endpoint: Arc::new(Endpoint { proxy, ..(*self.endpoint).clone() }), ..self }
    }

    /// The same, where what is read may lie in another registry that it leads to: lists and manifests, as blobs everywhere. Of a registry
    /// that is written to, a redirect is a fault, and has a cure.
    #[must_use]
    pub fn following(self) -> Self {
        Self { follows: true, ..self }
    }

    /// The same, seen by `witness`.
    #[must_use]
    pub fn before(&self, witness: Arc<Witness>) -> Self {
        Self { witness: Some(witness), ..self.clone() }
    }

    /// The same with HTTP/2 offered in the TLS handshake.
    #[must_use]
    pub fn offering_http2(&self) -> Self {
        let tls = self.endpoint.tls.offering_http2();
        Self { endpoint: Arc::new(Endpoint { tls, ..(*self.endpoint).clone() }), ..self.clone() }
    }

    /// How long it is waited for.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Where it is dialled.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}
