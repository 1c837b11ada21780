//! The Endpoint route: the Pods behind the Service, past kube-proxy.

use super::{
    facts::Facts,
    routes::{Candidate, Found},
};
use crate::{api::RouteKind, net::Address};

/// The ready addresses of the families that this program has, with the port that the Pods listen on.
///
/// Requests name the Service, not the Pod: a Pod's address is in no certificate, and it changes.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    let families = facts.exposure.families;
    let mut sockets: Vec<_> =
        facts.endpoints.iter().map(|endpoint| endpoint.address).filter(|address| families.have(address.ip())).collect();
    let preferred = facts.families();
    sockets.sort_by_key(|address| preferred.iter().position(|is_of| is_of(&address.ip())).unwrap_or(usize::MAX));
    let Some(first) = sockets.first().copied() else {
        return Found::none(format!("no Pod of the Service has an address of a family that this program has ({})", families.as_str()));
    };
    // The DNS name of a headless Service stands for the Pods, so that their port is the one to name.
    let port = if facts.is_headless() { first.port() } else { facts.port_number };
    let origin = facts.origin(facts.scheme(), &facts.dns_name(), port);
    let readers = origin.authority();
    let what = format!("the addresses of its ready Pods with port {}", first.port());
    let addresses = sockets.into_iter().map(Address::Socket).collect();
    Found::one(Candidate { kind: RouteKind::Endpoint, addresses, origin, what, via: None, limit: None, readers })
}
