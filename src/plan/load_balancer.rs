//! The `LoadBalancer` route: the addresses and names that the load balancer's controller wrote into the Service's status.

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::{LoadBalancerIngress, Service};

use super::{
    facts::Facts,
    routes::{Candidate, Found},
};
use crate::{api::RouteKind, net::Address};

/// The balancer's addresses with the Service's port; names are dialled as names.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    let port = facts.port_number;
    if facts.service_type() != "LoadBalancer" {
        return Found::none(format!("the Service is of type {}", facts.service_type()));
    }
    let entries = entries(facts.exposure.service);
    if entries.is_empty() {
        return Found::none(
            "the Service's status has no load balancer address yet: look at its Events and at the load balancer's controller",
        );
    }
    let usable: Vec<&LoadBalancerIngress> = entries.iter().filter(|entry| !has_port_error(entry, port)).collect();
    let addresses: Vec<Address> =
        usable.iter().filter_map(|entry| address(entry, port)).filter(|address| is_shared(address, facts)).collect();
    let Some(first) = addresses.first() else {
        return Found::none(format!(
            "the load balancer reports an error for port {port}, or has no address of a family that this program has"
        ));
    };
    let origin = facts.origin(facts.scheme(), &first.host(), port);
    let readers = origin.authority();
    let what = format!("the address of its load balancer with port {port}{}", remarks(facts, &usable));
    Found::one(Candidate { kind: RouteKind::LoadBalancer, addresses, origin, what, via: None, limit: None, readers })
}

/// What the status lists.
pub(super) fn entries(service: &Service) -> &[LoadBalancerIngress] {
    let status = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    status.and_then(|balancer| balancer.ingress.as_deref()).unwrap_or_default()
}

/// An address as a status gives it: an IP address, or a name.
pub(super) fn dialled(ip: Option<&str>, hostname: Option<&str>, port: u16) -> Option<Address> {
    let ip = ip.and_then(|text| text.parse::<IpAddr>().ok());
    let name = hostname.filter(|name| !name.is_empty());
    match (ip, name) {
        (Some(ip), _) => Some(Address::Socket(SocketAddr::new(ip, port))),
        (None, Some(host)) => Some(Address::Name { host: host.to_owned(), port }),
        (None, None) => None,
    }
}

/// Whether kube-proxy answers for one of its addresses itself (mode VIP), so that a Pod's packets never reach the balancer.
pub(super) fn is_shortened(service: &Service) -> bool {
    entries(service).iter().any(is_entry_shortened)
}

fn is_entry_shortened(entry: &LoadBalancerIngress) -> bool {
    entry.ip.is_some() && entry.ip_mode.as_deref() != Some("Proxy")
}

fn address(entry: &LoadBalancerIngress, port: u16) -> Option<Address> {
    dialled(entry.ip.as_deref(), entry.hostname.as_deref(), port)
}

fn is_shared(address: &Address, facts: &Facts<'_>) -> bool {
    match address {
        Address::Socket(socket) => facts.exposure.families.have(socket.ip()),
        Address::Name { .. } | Address::Tunnel(_) => true,
    }
}

fn has_port_error(entry: &LoadBalancerIngress, port: u16) -> bool {
    entry.ports.iter().flatten().any(|status| status.port == i32::from(port) && status.error.is_some())
}

/// What a reader of the status should know of this way: kube-proxy answers for addresses of mode VIP itself, and the
/// balancer's source ranges hold for Pods as well.
fn remarks(facts: &Facts<'_>, entries: &[&LoadBalancerIngress]) -> String {
    let shortened = entries.iter().any(|entry| is_entry_shortened(entry));
    let ranged = facts.exposure.service.spec.as_ref().and_then(|spec| spec.load_balancer_source_ranges.as_ref());
    let mut remarks = String::new();
    if shortened {
        remarks.push_str(", as seen from inside the cluster, where kube-proxy may answer for it");
    }
    if ranged.is_some_and(|ranges| !ranges.is_empty()) {
        remarks.push_str("; loadBalancerSourceRanges may refuse this program");
    }
    remarks
}
