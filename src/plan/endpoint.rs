//! The Endpoint route: the Pods behind the Service, past kube-proxy.

use std::{collections::BTreeSet, net::SocketAddr};

use super::{
    Via,
    facts::{Facts, ReadyEndpoint},
    routes::{Candidate, Found},
};
use crate::{api::RouteKind, net::Address};

/// The ready addresses of the families that this program has, with the port that the Pods listen on.
///
/// Requests name the Service, not the Pod: a Pod's address is in no certificate, and it changes.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    let families = facts.exposure.families;
    let sockets: Vec<_> = in_order(facts).into_iter().map(|endpoint| endpoint.address).collect();
    let Some(first) = sockets.first().copied() else {
        return Found::none(format!("no Pod of the Service has an address of a family that this program has ({})", families.as_str()));
    };
    let what = format!("the addresses of its ready Pods with port {}", first.port());
    Found::one(candidate(sockets, first, what, None, facts))
}

/// Each Pod by itself, where there are several.
pub(super) fn each(facts: &Facts<'_>) -> Vec<Candidate> {
    let mut pods: BTreeSet<&str> = BTreeSet::new();
    let mut endpoints = in_order(facts);
    // A Pod of two families stands there twice.
    endpoints.retain(|endpoint| endpoint.pod.as_deref().is_none_or(|pod| pods.insert(pod)));
    if endpoints.len() < 2 {
        return Vec::new();
    }
    let pod = |name: &String| Via { kind: "Pod", namespace: facts.namespace.to_owned(), name: name.clone(), controller: None };
    let each = |endpoint: &ReadyEndpoint| {
        let what = "one of its endpoints".to_owned();
        candidate(vec![endpoint.address], endpoint.address, what, endpoint.pod.as_ref().map(pod), facts)
    };
    endpoints.into_iter().map(each).collect()
}

/// Those that can be dialled, the Service's preferred family first.
fn in_order<'f>(facts: &'f Facts<'_>) -> Vec<&'f ReadyEndpoint> {
    let families = facts.exposure.families;
    let mut endpoints: Vec<_> = facts.endpoints.iter().filter(|endpoint| families.have(endpoint.address.ip())).collect();
    let preferred = facts.families();
    endpoints.sort_by_key(|endpoint| preferred.iter().position(|is_of| is_of(&endpoint.address.ip())).unwrap_or(usize::MAX));
    endpoints
}

fn candidate(sockets: Vec<SocketAddr>, first: SocketAddr, what: String, via: Option<Via>, facts: &Facts<'_>) -> Candidate {
    // The DNS name of a headless Service stands for the Pods, so that their port is the one to name.
    let port = if facts.is_headless() { first.port() } else { facts.port_number };
    let origin = facts.origin(facts.scheme(), &facts.dns_name(), port);
    let readers = origin.authority();
    let addresses = sockets.into_iter().map(Address::Socket).collect();
    Candidate { kind: RouteKind::Endpoint, addresses, origin, what, via, limit: None, readers }
}
