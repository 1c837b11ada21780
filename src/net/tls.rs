//! Trust: the roots and the client certificate of one endpoint.

use std::sync::Arc;

/// A rustls configuration, with what tells two of them apart.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// The configuration: HTTP/1.1 only, ring.
    pub(super) client: Arc<rustls::ClientConfig>,
    /// Of the PEM files that it was made of: connections are shared only under the same.
    pub(super) fingerprint: crate::model::Digest,
}
