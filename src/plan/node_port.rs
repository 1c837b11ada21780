//! The `NodePort` route: a few nodes, with the port that each of them opens for the Service.

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::Node;

use super::{
    facts::Facts,
    routes::{Candidate, Found},
};
use crate::{api::RouteKind, net::Address};

/// More nodes than these tell nothing new, and each one that drops packets costs time.
const MOST_NODES: usize = 3;

/// A label or taint that marks a node on which no kube-proxy runs: key, and value where it matters.
const WITHOUT_KUBE_PROXY_LABELS: [(&str, Option<&str>); 4] = [
    ("type", Some("virtual-kubelet")),
    ("kubernetes.azure.com/role", Some("virtual-kubelet")),
    ("eks.amazonaws.com/compute-type", Some("fargate")),
    ("virtual-kubelet.io/provider", None),
];
const WITHOUT_KUBE_PROXY_TAINTS: [&str; 3] =
    ["virtual-kubelet.io/provider", "virtual-kubelet.io/compute-type", "eks.amazonaws.com/compute-type"];

/// The `InternalIPs` of at most three nodes, the preferred family of all of them first; our own node last.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    let Some(port) = facts.port.node_port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0) else {
        return Found::none(format!("the Service is of type {} and has no node port", facts.service_type()));
    };
    let mut nodes: Vec<&Node> = facts.exposure.nodes.iter().map(AsRef::as_ref).filter(|node| is_serving(node)).collect();
    if nodes.is_empty() {
        return Found::none(format!("none of {} nodes is Ready and runs kube-proxy", facts.exposure.nodes.len()));
    }
    if facts.is_external_local() {
        nodes.retain(|node| facts.has_endpoint_on(name(node)));
        if nodes.is_empty() {
            return Found::none("externalTrafficPolicy is Local, and no node that is Ready runs a ready Pod of the Service");
        }
    }
    let families = facts.families();
    nodes.retain(|node| internal_ips(node).any(|ip| families.iter().any(|is_of| is_of(&ip))));
    nodes.sort_by_key(|node| (facts.exposure.own_node == Some(name(node)), rank(&facts.label(), name(node))));
    nodes.truncate(MOST_NODES);
    let of_family = |is_of: &fn(&IpAddr) -> bool| nodes.iter().filter_map(|node| internal_ips(node).find(is_of)).collect::<Vec<_>>();
    let ips: Vec<IpAddr> = families.iter().flat_map(of_family).collect();
    let Some(first) = ips.first() else {
        return Found::none("no node has an InternalIP of a family that the Service and this program both have");
    };
    let origin = facts.origin(facts.scheme(), &first.to_string(), port);
    let readers = origin.authority();
    let local = if facts.is_external_local() { ", of nodes with a ready Pod (externalTrafficPolicy Local)" } else { "" };
    let what = format!("node addresses with port {port}{local}");
    let addresses = ips.into_iter().map(|ip| Address::Socket(SocketAddr::new(ip, port))).collect();
    Found::one(Candidate { kind: RouteKind::NodePort, addresses, origin, what, via: None, limit: None, readers })
}

/// All addresses under which a node is known inside of the cluster.
pub(super) fn internal_ips(node: &Node) -> impl Iterator<Item = IpAddr> {
    let addresses = node.status.iter().flat_map(|status| status.addresses.iter().flatten());
    addresses.filter(|address| address.type_ == "InternalIP").filter_map(|address| address.address.parse().ok())
}

fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

fn is_serving(node: &Node) -> bool {
    let conditions = || node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let is_true = |type_: &str| conditions().any(|condition| condition.type_ == type_ && condition.status == "True");
    let leaving = node.metadata.deletion_timestamp.is_some();
    is_true("Ready") && !is_true("NetworkUnavailable") && !leaving && runs_kube_proxy(node)
}

fn runs_kube_proxy(node: &Node) -> bool {
    let labels = node.metadata.labels.as_ref();
    let labelled = WITHOUT_KUBE_PROXY_LABELS.iter().any(|(key, wanted)| {
        let value = labels.and_then(|labels| labels.get(*key));
        value.is_some_and(|value| wanted.is_none_or(|wanted| value == wanted))
    });
    let mut taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    !labelled && !taints.any(|taint| WITHOUT_KUBE_PROXY_TAINTS.contains(&taint.key.as_str()))
}

/// Spreads the Services over the nodes, the same way each time (FNV-1a): a node that comes or goes moves only its own share.
fn rank(service: &str, node: &str) -> u64 {
    let bytes = service.bytes().chain([0]).chain(node.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
