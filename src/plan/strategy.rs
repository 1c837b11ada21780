//! One way to send: where to, under which name, with which framing, and the sentence that says why.

use super::Bodies;
use crate::{api::RouteKind, model::Origin, net::Address};

/// How a registry is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// By the Service of the target.
    Service(RouteKind),
    /// By the target's `url`.
    Url,
}

impl Route {
    /// All of them, those by a Service first.
    pub fn all() -> impl Iterator<Item = Self> {
        RouteKind::ALL.into_iter().map(Self::Service).chain([Self::Url])
    }

    /// As it stands in the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service(kind) => kind.as_str(),
            Self::Url => "URL",
        }
    }
}

/// The object that stands between, where a remedy has to name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Via {
    /// `Ingress`, `HTTPRoute`, `Service` or `Pod`.
    pub kind: &'static str,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// What serves it: the `controller` of its `IngressClass`, for example `k8s.io/ingress-nginx`, or of its Gateway. Decides which
    /// setting cures.
    pub controller: Option<String>,
}

/// One way to send.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Strategy {
    /// The way.
    pub route: Route,
    /// Dialled in this order, 300 ms apart; never empty.
    pub addresses: Vec<Address>,
    /// Scheme, and the host and port that `Host` and the TLS handshake name.
    pub origin: Origin,
    /// Names under which a credential of a dockerconfigjson is looked up, in this order: `host` or `host:port`, with a path before that without.
    pub credential_hosts: Vec<String>,
    /// How bodies are framed.
    pub bodies: Bodies,
    /// Why this route and method, in a sentence: stands in the status.
    pub reason: String,
    /// What stands between.
    pub via: Option<Via>,
}
