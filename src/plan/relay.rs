//! The Relay route: a ready Pod behind the Service by the API server's port-forward, past all networks of the cluster.

use super::{
    facts::Facts,
    routes::{Candidate, Found},
};
use crate::{
    api::RouteKind,
    model::Scheme,
    net::{Address, TunnelAddress},
};

/// Whether the API server may be asked to forward ports of Pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RelayPossibility {
    /// Not in the Service's namespace: the administrator has not granted it.
    #[default]
    NotGranted,
    /// In the Service's namespace.
    Granted,
}

/// More Pods than these are not tried: each that does not answer costs time.
const MOST_PODS: usize = 3;

/// Up to three ready Pods, by TLS and then in plain HTTP, which leaves neither the tunnel nor the Pod's node: so it needs no
/// `insecure`. With `insecure` plain HTTP alone, as everywhere else.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    if facts.exposure.relay == RelayPossibility::NotGranted {
        return Found::none(format!(
            "it needs the right to forward ports of Pods in namespace \"{}\", which the administrator grants by `relay.namespaces` of the Helm chart",
            facts.namespace
        ));
    }
    let mut peers: Vec<TunnelAddress> = Vec::new();
    for endpoint in &facts.endpoints {
        let Some(pod) = &endpoint.pod else { continue };
        let peer = TunnelAddress { peer: format!("{}/{pod}", facts.namespace), port: endpoint.address.port() };
        // A Pod of two families stands there twice.
        if !peers.contains(&peer) {
            peers.push(peer);
        }
    }
    peers.truncate(MOST_PODS);
    let Some(first) = peers.first() else {
        return Found::none(format!(
            "the EndpointSlices of the Service name no Pod of namespace \"{}\", and only Pods can be forwarded to",
            facts.namespace
        ));
    };
    let port = if facts.is_headless() { first.port } else { facts.port_number };
    let schemes: &[Scheme] = if facts.target.insecure { &[Scheme::Http] } else { &[Scheme::Https, Scheme::Http] };
    let pods = peers.iter().map(|peer| format!("\"{}\"", peer.peer)).collect::<Vec<_>>().join(", ");
    let candidate = |scheme: &Scheme| {
        let spoken = match scheme {
            Scheme::Https => "over TLS",
            Scheme::Http => "in plain HTTP inside of the tunnel",
        };
        let origin = facts.origin(*scheme, &facts.dns_name(), port);
        Candidate {
            kind: RouteKind::Relay,
            addresses: peers.iter().cloned().map(Address::Tunnel).collect(),
            readers: origin.authority(),
            origin,
            what: format!("port {} of its ready Pod {pods}, forwarded by the API server, {spoken}", first.port),
            via: None,
            limit: None,
        }
    };
    Found { candidates: schemes.iter().map(candidate).collect(), left_out: Vec::new() }
}
