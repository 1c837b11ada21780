//! The Ingress route: each Ingress that leads to the Service, at its own address or at its controller's.

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::{
    core::v1::Service,
    networking::v1::{Ingress, IngressClass},
};

use super::{
    Controller, Via, body_limit, controllers,
    facts::{Facts, cluster_ips},
    ingress_rules::{Door, Reading, read},
    load_balancer::{dialled, entries, host},
    node_port::internal_ips,
    routes::{Candidate, Found},
};
use crate::{api::RouteKind, model::Scheme, net::Address};

/// More Ingresses than these are not tried.
const MOST_INGRESSES: usize = 3;
const IS_DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// The Ingresses that lead here, those with TLS first, then by age.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    let of_namespace = facts.exposure.ingresses.iter().filter(|ingress| ingress.metadata.namespace.as_deref() == Some(facts.namespace));
    let mut ingresses: Vec<&Ingress> = of_namespace.map(AsRef::as_ref).collect();
    ingresses.sort_by_key(|ingress| (ingress.metadata.creation_timestamp.clone(), ingress.metadata.name.clone()));
    let mut found = Found::default();
    for ingress in ingresses {
        let label = format!("Ingress \"{}/{}\"", facts.namespace, name(ingress));
        match candidate(ingress, &label, facts) {
            Ok(Some(way)) if !found.candidates.iter().any(|other| (&other.addresses, &other.origin) == (&way.addresses, &way.origin)) => {
                found.candidates.push(way);
            }
            Ok(_) => {}
            Err(why) => found.left_out.push(format!("{label}: {why}")),
        }
    }
    found.candidates.sort_by_key(|way| way.origin.scheme != Scheme::Https);
    for beyond in found.candidates.split_off(MOST_INGRESSES.min(found.candidates.len())) {
        let label = beyond.via.map(|via| via.name).unwrap_or_default();
        found.left_out.push(format!("Ingress \"{}/{label}\": {MOST_INGRESSES} others lead here as well", facts.namespace));
    }
    found
}

fn candidate(ingress: &Ingress, label: &str, facts: &Facts<'_>) -> Result<Option<Candidate>, String> {
    let door = match read(ingress, facts) {
        Reading::Elsewhere => return Ok(None),
        Reading::Closed(why) => return Err(why),
        Reading::Open(door) => door,
    };
    let scheme = scheme(&door, facts)?;
    let class = class_of(ingress, facts);
    let place = place(ingress, class, scheme, facts)?;
    let first = place.addresses.first().map(host).unwrap_or_default();
    let wildcard_or_any = door.host.as_deref().filter(|host| !host.starts_with('*'));
    let origin = facts.origin(scheme, wildcard_or_any.unwrap_or(&first), place.port);
    let readers = match place.readers_port {
        Some(port) if facts.target.hostname.is_none() => crate::model::Origin { port, ..origin.clone() }.authority(),
        _ => origin.authority(),
    };
    let spoken = if scheme == Scheme::Https { "over TLS" } else { "over plain HTTP" };
    let what = format!("{label} with host {}, {spoken}{}", origin.host, place.remark);
    let via = Via {
        kind: "Ingress",
        namespace: facts.namespace.to_owned(),
        name: name(ingress).to_owned(),
        controller: class.and_then(|class| class.spec.as_ref()?.controller.clone()),
    };
    let limit = body_limit::stated(ingress, via.controller.as_deref().and_then(Controller::of));
    Ok(Some(Candidate { kind: RouteKind::Ingress, addresses: place.addresses, origin, what, via: Some(via), limit, readers }))
}

fn scheme(door: &Door, facts: &Facts<'_>) -> Result<Scheme, String> {
    if door.tls {
        return Ok(Scheme::Https);
    }
    if facts.target.insecure {
        return Ok(Scheme::Http);
    }
    let host = door.host.as_deref().unwrap_or("*");
    Err(format!("it has no TLS entry for host \"{host}\": add one under `tls`, or allow plain HTTP with `insecure: true`"))
}

/// Where an Ingress is dialled.
struct Place {
    addresses: Vec<Address>,
    /// The port that requests name.
    port: u16,
    /// The port for readers outside, where it is another one.
    readers_port: Option<u16>,
    remark: String,
}

fn place(ingress: &Ingress, class: Option<&IngressClass>, scheme: Scheme, facts: &Facts<'_>) -> Result<Place, String> {
    let own = class.map(|class| controllers::services_of(class, facts.exposure.services)).unwrap_or_default();
    let own: Vec<(&Service, u16)> = own.into_iter().filter_map(|service| Some((service, port_number(service, scheme)?))).collect();
    let addresses = status_addresses(ingress, &own, scheme, facts);
    if let Some(first) = addresses.first() {
        let port = match first {
            Address::Socket(socket) => socket.port(),
            Address::Name { port, .. } => *port,
        };
        return Ok(Place { addresses, port, readers_port: None, remark: String::new() });
    }
    own.into_iter().find_map(|(service, port)| at_controller(service, port, scheme, facts)).ok_or_else(|| no_address(ingress, class))
}

/// The Service of the controller, by its address inside of the cluster.
fn at_controller(service: &Service, port: u16, scheme: Scheme, facts: &Facts<'_>) -> Option<Place> {
    let shared = cluster_ips(service).into_iter().filter(|ip| facts.exposure.families.have(*ip));
    let addresses: Vec<Address> = shared.map(|ip| Address::Socket(SocketAddr::new(ip, port))).collect();
    let node_port = controllers::port_for(service, scheme).and_then(|port| port.node_port).and_then(|port| u16::try_from(port).ok());
    let readers_port = node_port.filter(|port| *port != 0 && is_of_type(service, "NodePort"));
    let (namespace, name) =
        (service.metadata.namespace.as_deref().unwrap_or_default(), service.metadata.name.as_deref().unwrap_or_default());
    let remark =
        format!(", at the Service \"{namespace}/{name}\" of its controller, since its status gives no address that can be dialled");
    (!addresses.is_empty()).then_some(Place { addresses, port, readers_port, remark })
}

/// What the status gives: not loopback, which is where some clusters on one machine point their user, and not a node whose
/// port is only known to be the controller's node port.
fn status_addresses(ingress: &Ingress, own: &[(&Service, u16)], scheme: Scheme, facts: &Facts<'_>) -> Vec<Address> {
    let status = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let on_node_port = own.first().is_some_and(|(service, _)| is_of_type(service, "NodePort"));
    let is_node = |ip: IpAddr| facts.exposure.nodes.iter().any(|node| internal_ips(node).any(|other| other == ip));
    let dial = |ip: Option<&str>, name: Option<&str>| {
        let port = port_at(ip, name, own, scheme, facts);
        let address = dialled(ip, name, port)?;
        let usable = match &address {
            Address::Socket(socket) => {
                let ip = socket.ip();
                let leads_nowhere = ip.is_loopback() || ip.is_unspecified() || (on_node_port && is_node(ip));
                facts.exposure.families.have(ip) && !leads_nowhere
            }
            Address::Name { host, .. } => host != "localhost" && !host.ends_with(".localhost"),
        };
        usable.then_some(address)
    };
    let entries = status.iter().flat_map(|balancer| balancer.ingress.iter().flatten());
    entries.filter_map(|entry| dial(entry.ip.as_deref(), entry.hostname.as_deref())).collect()
}

/// The port of the Service that has this address, else the scheme's own.
fn port_at(ip: Option<&str>, hostname: Option<&str>, own: &[(&Service, u16)], scheme: Scheme, facts: &Facts<'_>) -> u16 {
    let has_address = |service: &Service| {
        let balanced = entries(service).iter().any(|entry| match (ip, hostname) {
            (Some(ip), _) => entry.ip.as_deref() == Some(ip),
            (None, Some(name)) => entry.hostname.as_deref() == Some(name),
            (None, None) => false,
        });
        let fixed = service.spec.iter().flat_map(|spec| spec.external_ips.iter().flatten()).any(|other| Some(other.as_str()) == ip);
        balanced || fixed || cluster_ips(service).iter().any(|other| Some(other.to_string().as_str()) == ip)
    };
    let of_controller = own.iter().find(|(service, _)| has_address(service)).map(|(_, port)| *port);
    let of_others =
        || facts.exposure.services.iter().filter(|service| has_address(service)).find_map(|service| port_number(service, scheme));
    of_controller.or_else(of_others).unwrap_or_else(|| scheme.default_port())
}

fn port_number(service: &Service, scheme: Scheme) -> Option<u16> {
    controllers::port_for(service, scheme).and_then(|port| u16::try_from(port.port).ok())
}

fn is_of_type(service: &Service, type_: &str) -> bool {
    service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some(type_)
}

fn no_address(ingress: &Ingress, class: Option<&IngressClass>) -> String {
    let asked = class_name(ingress);
    match (class, asked) {
        (Some(class), _) => {
            let (name, spec) = (class.metadata.name.as_deref().unwrap_or_default(), class.spec.as_ref());
            let controller = spec.and_then(|spec| spec.controller.as_deref()).unwrap_or("none");
            format!(
                "its status has no address that can be dialled, and the Service of its controller (IngressClass \"{name}\", {controller}) was not found: let the controller publish its address"
            )
        }
        (None, Some(asked)) => format!("its status has no address, and there is no IngressClass \"{asked}\": correct `ingressClassName`"),
        (None, None) => "its status has no address, and it names no `ingressClassName`, nor is one the default".to_owned(),
    }
}

fn class_name(ingress: &Ingress) -> Option<&str> {
    let annotation = || ingress.metadata.annotations.as_ref()?.get(CLASS_ANNOTATION).map(String::as_str);
    ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref()).or_else(annotation)
}

fn class_of<'a>(ingress: &Ingress, facts: &Facts<'a>) -> Option<&'a IngressClass> {
    let mut classes = facts.exposure.ingress_classes.iter().map(AsRef::as_ref);
    let is_default =
        |class: &&IngressClass| class.metadata.annotations.as_ref().and_then(|all| all.get(IS_DEFAULT)).is_some_and(|v| v == "true");
    match class_name(ingress) {
        Some(asked) => classes.find(|class| class.metadata.name.as_deref() == Some(asked)),
        None => classes.find(is_default),
    }
}

fn name(ingress: &Ingress) -> &str {
    ingress.metadata.name.as_deref().unwrap_or_default()
}
