//! What the planner is given: the Service, and the objects around it as the watches' stores hold them. Borrowed, never fetched.

use std::{net::IpAddr, sync::Arc};

use k8s_openapi::api::{
    core::v1::{Node, Service},
    discovery::v1::EndpointSlice,
    networking::v1::{Ingress, IngressClass},
};

use super::{GatewayObjects, RelayPossibility};

/// The IP families that a side can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

impl Families {
    /// Dual stack.
    pub const BOTH: Self = Self { v4: true, v6: true };

    /// Whether `ip` is of a family that is there.
    pub fn have(self, ip: IpAddr) -> bool {
        if ip.is_ipv4() { self.v4 } else { self.v6 }
    }

    /// As it stands in a sentence.
    pub fn as_str(self) -> &'static str {
        match (self.v4, self.v6) {
            (true, true) => "IPv4 and IPv6",
            (true, false) => "IPv4",
            (false, true) => "IPv6",
            (false, false) => "no IP family",
        }
    }
}

/// How a Service can be reached: everything that a route is made of.
#[derive(Debug, Clone, Copy)]
pub struct Exposure<'a> {
    /// The Service of the target.
    pub service: &'a Service,
    /// `EndpointSlices`; those of other Services are passed over.
    pub slices: &'a [Arc<EndpointSlice>],
    /// All nodes.
    pub nodes: &'a [Arc<Node>],
    /// Ingresses; those of other namespaces are passed over, since a backend lies in the Ingress's own.
    pub ingresses: &'a [Arc<Ingress>],
    /// All classes.
    pub ingress_classes: &'a [Arc<IngressClass>],
    /// What there is of the Gateway API.
    pub gateway: GatewayObjects<'a>,
    /// All Services, to find the one of an Ingress controller or Gateway.
    pub services: &'a [Arc<Service>],
    /// Whether ports of Pods may be forwarded.
    pub relay: RelayPossibility,
    /// The node that this process runs on.
    pub own_node: Option<&'a str>,
    /// What this process can dial.
    pub families: Families,
}
