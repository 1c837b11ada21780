//! What is known of a Service once its port is found: read from the objects in one place, so that the routes need not.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use k8s_openapi::api::{
    core::v1::{Service, ServicePort, ServiceSpec},
    discovery::v1::{Endpoint, EndpointSlice},
};

use super::{Exposure, PlanError};
use crate::{
    api::Target,
    model::{Origin, Scheme},
    net::Address,
};

/// The label by which an `EndpointSlice` belongs to a Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// A Pod, or another place, that is ready to answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadyEndpoint {
    pub(super) address: SocketAddr,
    pub(super) node: Option<String>,
    /// The Pod of the Service's namespace, if it is one.
    pub(super) pod: Option<String>,
}

/// The Service, its port and what stands behind it.
pub(super) struct Facts<'a> {
    pub(super) target: &'a Target,
    pub(super) exposure: &'a Exposure<'a>,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) port: &'a ServicePort,
    pub(super) port_number: u16,
    pub(super) endpoints: BTreeSet<ReadyEndpoint>,
}

impl<'a> Facts<'a> {
    /// Reads the objects, and refuses what no route can lead to.
    pub(super) fn gather(target: &'a Target, namespace: &'a str, exposure: &'a Exposure<'a>) -> Result<Self, PlanError> {
        let wanted = target.service.as_ref().ok_or(PlanError::NoTarget)?;
        let service = format!("{namespace}/{}", wanted.name);
        check_hostname(target)?;
        let spec = exposure.service.spec.as_ref().ok_or_else(|| PlanError::NoService { service: service.clone() })?;
        if spec.type_.as_deref() == Some("ExternalName") {
            return Err(PlanError::ExternalName { service, external: spec.external_name.clone().unwrap_or_default() });
        }
        let (port, port_number) = choose_port(spec, &service, wanted.port.as_deref())?;
        let endpoints = ready_endpoints(exposure, namespace, &wanted.name, port);
        if endpoints.is_empty() {
            return Err(nothing_behind(spec, service, port));
        }
        Ok(Self { target, exposure, namespace, name: &wanted.name, port, port_number, endpoints })
    }

    /// `namespace/name`.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// `LoadBalancer`, `NodePort` or `ClusterIP`.
    pub(super) fn service_type(&self) -> &'a str {
        self.spec().and_then(|spec| spec.type_.as_deref()).unwrap_or("ClusterIP")
    }

    /// The name of the Service in the cluster's DNS.
    pub(super) fn dns_name(&self) -> String {
        format!("{}.{}.svc", self.name, self.namespace)
    }

    /// The scheme of all routes that lead to the Service itself.
    pub(super) fn scheme(&self) -> Scheme {
        if self.target.insecure { Scheme::Http } else { Scheme::Https }
    }

    /// The Service's own addresses, the preferred family first.
    pub(super) fn cluster_ips(&self) -> Vec<IpAddr> {
        cluster_ips(self.exposure.service)
    }

    /// Whether it has no address of its own.
    pub(super) fn is_headless(&self) -> bool {
        self.spec().is_some_and(|spec| spec.cluster_ip.as_deref() == Some("None"))
    }

    /// Whether its own address leads only to Pods of the node that is asked from.
    pub(super) fn is_internal_local(&self) -> bool {
        self.spec().is_some_and(|spec| spec.internal_traffic_policy.as_deref() == Some("Local"))
    }

    /// Whether a node answers only for the Pods that it runs.
    pub(super) fn is_external_local(&self) -> bool {
        self.spec().is_some_and(|spec| spec.external_traffic_policy.as_deref() == Some("Local"))
    }

    /// Whether a Pod that is ready runs on this node.
    pub(super) fn has_endpoint_on(&self, node: &str) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.node.as_deref() == Some(node))
    }

    /// The families that the Service and this process share, as tests of an address, the Service's preferred one first.
    pub(super) fn families(&self) -> Vec<fn(&IpAddr) -> bool> {
        let own = self.exposure.families;
        let named = self.spec().and_then(|spec| spec.ip_families.clone()).unwrap_or_else(|| self.families_of_addresses());
        let mut families: Vec<fn(&IpAddr) -> bool> = Vec::new();
        for family in named {
            match family.as_str() {
                "IPv4" if own.v4 => families.push(IpAddr::is_ipv4),
                "IPv6" if own.v6 => families.push(IpAddr::is_ipv6),
                _ => {}
            }
        }
        families
    }

    /// The name that requests and the TLS handshake carry: the target's `hostname`, else what the route offers.
    pub(super) fn origin(&self, scheme: Scheme, host: &str, port: u16) -> Origin {
        named_origin(self.target, scheme).unwrap_or_else(|| Origin::new(scheme, host, port))
    }

    /// The names under which a credential may be kept: what requests name, what is dialled, the name inside of the cluster.
    pub(super) fn credential_hosts(&self, origin: &Origin, addresses: &[Address]) -> Vec<String> {
        let inside = Origin::new(self.scheme(), &self.dns_name(), self.port_number).host_and_port();
        // No Secret names the peer of a tunnel.
        let dialled: Vec<Address> = addresses.iter().filter(|address| address.tunnel().is_none()).cloned().collect();
        let prefix = self.target.service.as_ref().map_or("", |service| service.repository.as_str());
        credential_hosts(origin, &dialled, Some(inside), prefix)
    }

    fn families_of_addresses(&self) -> Vec<String> {
        let name = |ip: &IpAddr| if ip.is_ipv4() { "IPv4".to_owned() } else { "IPv6".to_owned() };
        let addresses = self.cluster_ips();
        if addresses.is_empty() { vec!["IPv4".to_owned(), "IPv6".to_owned()] } else { addresses.iter().map(name).collect() }
    }

    fn spec(&self) -> Option<&'a ServiceSpec> {
        self.exposure.service.spec.as_ref()
    }
}

/// The target's `hostname` as an origin.
pub(super) fn named_origin(target: &Target, scheme: Scheme) -> Option<Origin> {
    target.hostname.as_deref().and_then(|name| Origin::parse(scheme, name).ok())
}

/// Refuses a `hostname` that cannot be read.
pub(super) fn check_hostname(target: &Target) -> Result<(), PlanError> {
    match &target.hostname {
        Some(hostname) if named_origin(target, Scheme::Https).is_none() => Err(PlanError::InvalidHostname { hostname: hostname.clone() }),
        _ => Ok(()),
    }
}

/// In the order of the design: the name, with and without its port where that is the scheme's own; the addresses; the rest. Each of them
/// with the path that charts are published below first, then with what is above it, then alone (containers-auth.json(5)).
pub(super) fn credential_hosts(
    origin: &Origin,
    addresses: &[Address],
    rest: impl IntoIterator<Item = String>,
    prefix: &str,
) -> Vec<String> {
    let paths =
        || std::iter::successors(Some(prefix.trim_matches('/')).filter(|path| !path.is_empty()), |path| Some(path.rsplit_once('/')?.0));
    let mut hosts: Vec<String> = Vec::new();
    let named = [origin.authority(), origin.host_and_port()];
    for host in named.into_iter().chain(addresses.iter().map(ToString::to_string)).chain(rest) {
        if !hosts.contains(&host) {
            hosts.extend(paths().map(|path| format!("{host}/{path}")));
            hosts.push(host);
        }
    }
    hosts
}

/// The addresses of a Service inside of the cluster; none when it is headless.
pub(super) fn cluster_ips(service: &Service) -> Vec<IpAddr> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let texts = spec.cluster_ips.clone().unwrap_or_else(|| spec.cluster_ip.iter().cloned().collect());
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// `http (5000)`, or `5000` for a port without a name.
pub(super) fn port_label(port: &ServicePort) -> String {
    match port.name.as_deref() {
        Some(name) if !name.is_empty() => format!("{name} ({})", port.port),
        _ => port.port.to_string(),
    }
}

fn is_tcp(protocol: Option<&str>) -> bool {
    protocol.is_none_or(|protocol| protocol == "TCP")
}

fn choose_port<'a>(spec: &'a ServiceSpec, service: &str, wanted: Option<&str>) -> Result<(&'a ServicePort, u16), PlanError> {
    let ports: Vec<&ServicePort> = spec.ports.iter().flatten().filter(|port| is_tcp(port.protocol.as_deref())).collect();
    let listed = || match ports.as_slice() {
        [] => "none".to_owned(),
        some => some.iter().map(|port| port_label(port)).collect::<Vec<_>>().join(", "),
    };
    let unknown = |port: &str| PlanError::UnknownPort { service: service.to_owned(), port: port.to_owned(), ports: listed() };
    let found = match (wanted, ports.as_slice()) {
        (None, [only]) => only,
        (None, []) => return Err(unknown("of a registry")),
        (None, _) => return Err(PlanError::PortNotNamed { service: service.to_owned(), ports: listed() }),
        (Some(wanted), ports) => ports.iter().find(|port| is_named(port, wanted)).ok_or_else(|| unknown(wanted))?,
    };
    let number = u16::try_from(found.port).map_err(|_| unknown(&found.port.to_string()))?;
    Ok((found, number))
}

/// By number or by name: the name of a port always has a letter.
fn is_named(port: &ServicePort, wanted: &str) -> bool {
    wanted.parse::<i32>().map_or_else(|_| port.name.as_deref() == Some(wanted), |number| port.port == number)
}

fn nothing_behind(spec: &ServiceSpec, service: String, port: &ServicePort) -> PlanError {
    let selector: Vec<String> = spec.selector.iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    let port = port_label(port);
    if selector.is_empty() {
        PlanError::NoEndpointByHand { service, port }
    } else {
        PlanError::NoEndpoint { service, port, selector: selector.join(",") }
    }
}

fn ready_endpoints(exposure: &Exposure<'_>, namespace: &str, name: &str, port: &ServicePort) -> BTreeSet<ReadyEndpoint> {
    let belongs = |slice: &&Arc<EndpointSlice>| {
        let of_service = slice.metadata.labels.as_ref().and_then(|labels| labels.get(SERVICE_NAME));
        slice.metadata.namespace.as_deref() == Some(namespace) && of_service.is_some_and(|service| service == name)
    };
    exposure.slices.iter().filter(belongs).flat_map(|slice| ready_in(slice, port)).collect()
}

fn ready_in(slice: &EndpointSlice, port: &ServicePort) -> Vec<ReadyEndpoint> {
    let name = port.name.as_deref().unwrap_or_default();
    let same = |name: &str, other: Option<&str>| other.unwrap_or_default() == name;
    let found = slice.ports.iter().flatten().find(|other| is_tcp(other.protocol.as_deref()) && same(name, other.name.as_deref()));
    let Some(number) = found.and_then(|found| found.port.or(Some(port.port))).and_then(|number| u16::try_from(number).ok()) else {
        return Vec::new();
    };
    let ready =
        slice.endpoints.iter().filter(|endpoint| endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false));
    ready
        .flat_map(|endpoint| endpoint.addresses.iter().map(move |address| (address, endpoint)))
        .filter_map(|(address, endpoint)| Some((address.parse::<IpAddr>().ok()?, endpoint)))
        .map(|(ip, endpoint)| ReadyEndpoint {
            address: SocketAddr::new(ip, number),
            node: endpoint.node_name.clone(),
            pod: pod(endpoint, slice.metadata.namespace.as_deref()),
        })
        .collect()
}

/// The Pod behind an endpoint. One of another namespace is none of the Service's, whatever a slice made by hand says.
fn pod(endpoint: &Endpoint, namespace: Option<&str>) -> Option<String> {
    let target = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"))?;
    let is_own = target.namespace.as_deref().is_none_or(|other| Some(other) == namespace);
    target.name.clone().filter(|name| is_own && !name.is_empty())
}
