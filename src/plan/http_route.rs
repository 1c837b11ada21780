//! HTTPRoutes that lead to the Service, each at the addresses of its Gateways: ways of the kind Ingress.

use std::net::SocketAddr;

use k8s_openapi::api::core::v1::Service;

use super::{
    Via, body_limit,
    doors::{Door, Reading, Wildcard, choose, takes},
    facts::{Facts, cluster_ips},
    gateway_api::{GROUP, Gateway, HttpRoute, Listener, ParentReference, ParentStatus},
    http_route_rules::{Lead, lead, namespace},
    ingress::leads_somewhere,
    load_balancer::dialled,
    routes::{Candidate, Found},
};
use crate::{
    api::RouteKind,
    model::{Origin, Scheme},
    net::Address,
};

/// By which controllers of Gateways mark the Services that they make (Gateway API, GEP-1762).
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// All that lead here, by age.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    let mut routes: Vec<&HttpRoute> = facts.exposure.gateway.routes.to_vec();
    routes.sort_by_key(|route| (route.metadata.creation_timestamp.clone(), route.metadata.namespace.clone(), route.metadata.name.clone()));
    let mut found = Found::default();
    for route in routes {
        let label = format!("HTTPRoute \"{}/{}\"", namespace(route), name(route));
        match lead(route, facts) {
            Lead::Elsewhere => {}
            Lead::Refused(why) => found.left_out.push(format!("{label}: {why}")),
            Lead::Here if route.spec.parent_refs.is_empty() => found.left_out.push(format!("{label}: it names no Gateway in `parentRefs`")),
            Lead::Here => {
                for parent in &route.spec.parent_refs {
                    match candidate(route, parent, &label, facts) {
                        Ok(way) => found.candidates.push(way),
                        Err(why) => found.left_out.push(format!("{label}: {why}")),
                    }
                }
            }
        }
    }
    found
}

fn candidate(route: &HttpRoute, parent: &ParentReference, label: &str, facts: &Facts<'_>) -> Result<Candidate, String> {
    let gateway = gateway_of(route, parent, facts)?;
    let said = accepted(route, parent)?;
    let door = door(route, parent, gateway, facts)?;
    let scheme = if door.tls { Scheme::Https } else { Scheme::Http };
    let place = place(gateway, door.port.unwrap_or(scheme.default_port()), facts)?;
    let first = place.addresses.first().map(Address::host).unwrap_or_default();
    let host = door.host.as_deref().filter(|host| !host.starts_with('*'));
    let origin = facts.origin(scheme, host.unwrap_or(&first), place.port);
    let readers = match place.readers_port {
        Some(port) if facts.target.hostname.is_none() => Origin { port, ..origin.clone() }.authority(),
        _ => origin.authority(),
    };
    let spoken = if door.tls { "over TLS" } else { "over plain HTTP" };
    let what = format!("{label} of {} with host {}, {spoken}{}", shown(gateway), origin.host, place.remark);
    let via = Via {
        kind: "HTTPRoute",
        namespace: namespace(route).to_owned(),
        name: name(route).to_owned(),
        controller: Some(said.controller_name.clone()).filter(|name| !name.is_empty()),
    };
    let limit = body_limit::of_gateway(&said.controller_name);
    Ok(Candidate { kind: RouteKind::Ingress, addresses: place.addresses, origin, what, via: Some(via), limit, readers })
}

fn gateway_of<'a>(route: &HttpRoute, parent: &ParentReference, facts: &Facts<'a>) -> Result<&'a Gateway, String> {
    let kind = parent.kind.as_deref().unwrap_or("Gateway");
    if parent.group.as_deref().unwrap_or(GROUP) != GROUP || kind != "Gateway" {
        return Err(format!("it hangs on the {kind} \"{}\", and only on a Gateway requests come in from outside", parent.name));
    }
    let lies = parent.namespace.as_deref().unwrap_or_else(|| namespace(route));
    let is_meant = |gateway: &&&Gateway| {
        (gateway.metadata.namespace.as_deref(), gateway.metadata.name.as_deref()) == (Some(lies), Some(&*parent.name))
    };
    let found = facts.exposure.gateway.gateways.iter().find(is_meant);
    found.copied().ok_or_else(|| format!("there is no Gateway \"{lies}/{}\": create it, or correct `parentRefs`", parent.name))
}

/// What the Gateway's controller says of the route, which is whether requests get to it at all.
fn accepted<'a>(route: &'a HttpRoute, parent: &ParentReference) -> Result<&'a ParentStatus, String> {
    let place = |reference: &ParentReference| {
        let namespace = reference.namespace.clone().unwrap_or_else(|| namespace(route).to_owned());
        (namespace, reference.name.clone(), reference.section_name.clone(), reference.port)
    };
    let said: Vec<&ParentStatus> = route.status.parents.iter().filter(|said| place(&said.parent_ref) == place(parent)).collect();
    let of = |said: &ParentStatus| said.conditions.iter().find(|condition| condition.type_ == "Accepted").cloned();
    if let Some(said) = said.iter().copied().find(|said| of(said).is_some_and(|condition| condition.status == "True")) {
        return Ok(said);
    }
    Err(match said.into_iter().find_map(of) {
        Some(condition) => format!("the Gateway \"{}\" does not accept it: {} ({})", parent.name, condition.message, condition.reason),
        None => format!("no controller has accepted it for the Gateway \"{}\" yet: look whether one runs for its class", parent.name),
    })
}

/// The name, port and scheme by which the Gateway takes requests for the route.
fn door(route: &HttpRoute, parent: &ParentReference, gateway: &Gateway, facts: &Facts<'_>) -> Result<Door, String> {
    let is_own = namespace(route) == gateway.metadata.namespace.as_deref().unwrap_or_default();
    let is_meant = |listener: &&Listener| {
        let from = listener.allowed_routes.namespaces.from.as_deref().unwrap_or("Same");
        parent.section_name.as_ref().is_none_or(|name| *name == listener.name)
            && parent.port.is_none_or(|port| port == listener.port)
            && (is_own || from != "Same")
    };
    let doors: Vec<Door> = gateway.spec.listeners.iter().filter(is_meant).flat_map(|listener| doors_of(route, listener)).collect();
    if doors.is_empty() {
        return Err(format!("no listener of {} for HTTP or HTTPS takes routes of its namespace for one of its hosts", shown(gateway)));
    }
    let usable: Vec<Door> = doors.into_iter().filter(|door| door.tls || facts.target.insecure).collect();
    if usable.is_empty() {
        return Err(format!(
            "{} takes its requests by plain HTTP alone: add a listener with protocol HTTPS, or allow plain HTTP with `insecure: true`",
            shown(gateway)
        ));
    }
    match choose(usable, Wildcard::AnyLabels, facts) {
        Reading::Open(door) => Ok(door),
        Reading::Closed(why) => Err(why),
        Reading::Elsewhere => Err(format!("{} has no host for it", shown(gateway))),
    }
}

fn doors_of(route: &HttpRoute, listener: &Listener) -> Vec<Door> {
    let tls = match listener.protocol.as_str() {
        "HTTPS" | "TLS" => true,
        "HTTP" => false,
        _ => return Vec::new(),
    };
    let Some(port) = u16::try_from(listener.port).ok().filter(|port| *port != 0) else { return Vec::new() };
    let own = listener.hostname.as_deref().filter(|host| !host.is_empty());
    let hosts: Vec<Option<String>> = match own {
        _ if route.spec.hostnames.is_empty() => vec![own.map(str::to_owned)],
        None => route.spec.hostnames.iter().cloned().map(Some).collect(),
        Some(own) => route.spec.hostnames.iter().filter_map(|host| shared(own, host)).map(Some).collect(),
    };
    hosts.into_iter().map(|host| Door { host, tls, port: Some(port) }).collect()
}

/// What two names have in common: the narrower of them.
fn shared(one: &str, other: &str) -> Option<String> {
    match () {
        () if takes(one, other, Wildcard::AnyLabels) => Some(other.to_owned()),
        () if takes(other, one, Wildcard::AnyLabels) => Some(one.to_owned()),
        () => None,
    }
}

/// Where a Gateway is dialled.
struct Place {
    addresses: Vec<Address>,
    port: u16,
    /// The port for readers outside, where it is another one.
    readers_port: Option<u16>,
    remark: String,
}

/// What its status gives; where that leads nowhere from here, the Service that its controller has made for it.
fn place(gateway: &Gateway, port: u16, facts: &Facts<'_>) -> Result<Place, String> {
    let own = own_service(gateway, facts);
    let on_node_port = own.is_some_and(|service| service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("NodePort"));
    let entries = gateway.status.addresses.iter();
    let addresses: Vec<Address> = entries
        .filter_map(|entry| match entry.type_.as_deref() {
            None | Some("IPAddress") => dialled(Some(&entry.value), None, port),
            Some("Hostname") => dialled(None, Some(&entry.value), port),
            Some(_) => None,
        })
        .filter(|address| leads_somewhere(address, on_node_port, facts))
        .collect();
    if !addresses.is_empty() {
        return Ok(Place { addresses, port, readers_port: None, remark: String::new() });
    }
    own.and_then(|service| at_service(service, port, facts))
        .ok_or_else(|| format!("the status of {} has no address that can be dialled: let its controller publish one", shown(gateway)))
}

fn own_service<'a>(gateway: &Gateway, facts: &Facts<'a>) -> Option<&'a Service> {
    let is_own = |service: &&Service| {
        let named = service.metadata.labels.as_ref().and_then(|labels| labels.get(GATEWAY_NAME));
        named.is_some() && named == gateway.metadata.name.as_ref() && service.metadata.namespace == gateway.metadata.namespace
    };
    facts.exposure.services.iter().map(AsRef::as_ref).find(is_own)
}

fn at_service(service: &Service, port: u16, facts: &Facts<'_>) -> Option<Place> {
    let spec = service.spec.as_ref()?;
    let own = spec.ports.iter().flatten().find(|own| own.port == i32::from(port))?;
    let shared = cluster_ips(service).into_iter().filter(|ip| facts.exposure.families.have(*ip));
    let addresses: Vec<Address> = shared.map(|ip| Address::Socket(SocketAddr::new(ip, port))).collect();
    let node_port = own.node_port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
    let readers_port = node_port.filter(|_| spec.type_.as_deref() == Some("NodePort"));
    let (namespace, name) =
        (service.metadata.namespace.as_deref().unwrap_or_default(), service.metadata.name.as_deref().unwrap_or_default());
    let remark = format!(", at its Service \"{namespace}/{name}\", since its status gives no address that can be dialled");
    (!addresses.is_empty()).then_some(Place { addresses, port, readers_port, remark })
}

fn name(route: &HttpRoute) -> &str {
    route.metadata.name.as_deref().unwrap_or_default()
}

fn shown(gateway: &Gateway) -> String {
    let (namespace, name) =
        (gateway.metadata.namespace.as_deref().unwrap_or_default(), gateway.metadata.name.as_deref().unwrap_or_default());
    format!("Gateway \"{namespace}/{name}\"")
}
