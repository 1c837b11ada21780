//! The routes that readers of a registry take, planned each by itself: whatever `routes` says of the ways that uploads may take.

use super::{
    Exposure, Route, Strategy,
    facts::Facts,
    load_balancer, node_port,
    routes::{candidates, strategies},
};
use crate::{
    api::{RouteKind, Target},
    net::Address,
};

/// A route that readers take.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    /// The route.
    pub route: Route,
    /// The ways of this kind; none where the Service is not to be had by it.
    pub ways: Vec<Strategy>,
    /// Where there is no way: what is missing, and what would cure it.
    pub missing: String,
    /// Whether kube-proxy may answer for it, so that from inside of the cluster less of it is seen than from outside.
    pub in_cluster: bool,
}

/// Plans the routes `kinds` to the Service of `target`; nothing where the Service cannot be planned for at all.
pub fn readers(target: &Target, namespace: &str, exposure: &Exposure<'_>, kinds: &[RouteKind]) -> Vec<Reader> {
    let Ok(facts) = Facts::gather(target, namespace, exposure) else { return Vec::new() };
    kinds.iter().map(|kind| reader(*kind, &facts)).collect()
}

fn reader(kind: RouteKind, facts: &Facts<'_>) -> Reader {
    let found = candidates(kind, facts);
    let missing = match found.left_out.as_slice() {
        [] => format!("no Ingress of namespace \"{}\" and no HTTPRoute leads to the Service", facts.namespace),
        left_out => left_out.join("; "),
    };
    let ways = strategies(found.candidates, facts);
    let in_cluster = match kind {
        RouteKind::LoadBalancer => load_balancer::is_shortened(facts.exposure.service),
        RouteKind::NodePort => is_of_own_node(&ways, facts),
        RouteKind::Ingress | RouteKind::ClusterIp | RouteKind::Endpoint | RouteKind::Relay => false,
    };
    Reader { route: Route::Service(kind), ways, missing, in_cluster }
}

/// A node port of our own node never leaves it; where it is not known which one that is, it may be any.
fn is_of_own_node(ways: &[Strategy], facts: &Facts<'_>) -> bool {
    let Some(own) = facts.exposure.own_node else { return true };
    let is_own = |address: &Address| match address {
        Address::Socket(socket) => facts
            .exposure
            .nodes
            .iter()
            .any(|node| node.metadata.name.as_deref() == Some(own) && node_port::internal_ips(node).any(|ip| ip == socket.ip())),
        Address::Name { .. } | Address::Tunnel(_) => false,
    };
    ways.iter().flat_map(|way| &way.addresses).any(is_own)
}
