//! The `ClusterIP` route: the Service's own address inside of the cluster.

use std::net::SocketAddr;

use super::{
    facts::Facts,
    routes::{Candidate, Found},
};
use crate::{api::RouteKind, net::Address};

/// The Service's addresses of the families that both sides have.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    if facts.is_headless() {
        return Found::none("the Service is headless and has no address of its own");
    }
    let here = facts.exposure.own_node.is_some_and(|node| facts.has_endpoint_on(node));
    if facts.is_internal_local() && !here {
        return Found::none(
            "the Service has internalTrafficPolicy Local, so its address leads only to Pods of the same node, and none of them is there",
        );
    }
    let families = facts.exposure.families;
    let shared = facts.cluster_ips().into_iter().filter(|ip| families.have(*ip));
    let addresses: Vec<Address> = shared.map(|ip| Address::Socket(SocketAddr::new(ip, facts.port_number))).collect();
    if addresses.is_empty() {
        return Found::none(format!("the Service has no address of a family that this program has ({})", families.as_str()));
    }
    let origin = facts.origin(facts.scheme(), &facts.dns_name(), facts.port_number);
    let readers = origin.authority();
    let what = format!("the Service's own address inside the cluster with port {}", facts.port_number);
    Found::one(Candidate { kind: RouteKind::ClusterIp, addresses, origin, what, via: None, limit: None, readers })
}
