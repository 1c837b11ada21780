//! Where each route to a Service leads, as the bed knows it, and how many requests went there.

use std::{collections::BTreeMap, net::SocketAddr};

use k8s_openapi::api::core::v1::Service;

use super::support::{Bed, counter::Counter};

/// For each route, by its name in the status, the sockets behind it.
pub type Doors = BTreeMap<&'static str, Vec<SocketAddr>>;

/// The routes that lead to the Service itself.
pub fn of_service(bed: &Bed, service: &Service, endpoint: SocketAddr) -> Doors {
    let spec = service.spec.as_ref().expect("a Service has a spec");
    let port = spec.ports.as_ref().and_then(|ports| ports.first()).expect("a Service has a port");
    let at = |address: &str, port: i32| SocketAddr::new(address.parse().expect("an address"), u16::try_from(port).expect("a port"));
    let mut doors = Doors::from([("Endpoint", vec![endpoint])]);
    // A headless Service has none.
    if let Some(address) = spec.cluster_ip.as_deref().filter(|address| *address != "None") {
        doors.insert("ClusterIP", vec![at(address, port.port)]);
    }
    if let Some(node_port) = port.node_port {
        let networks = bed.networks();
        let nodes = [networks.node_address, networks.second_node_address];
        doors.insert("NodePort", nodes.map(|node| at(&node.to_string(), node_port)).to_vec());
    }
    let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref()?.first()?.ip.clone());
    if let Some(address) = balancer {
        doors.insert("LoadBalancer", vec![at(&address, port.port)]);
    }
    doors
}

/// Counts the packets that carry a request, or a part of one, from the Pod's view to each door.
pub struct Traffic(BTreeMap<&'static str, Counter>);

impl Traffic {
    /// Counts from now on.
    pub fn watch(bed: &'static Bed, doors: &Doors) -> Self {
        let rule = |sockets: &[SocketAddr]| {
            let sockets: Vec<_> = sockets.iter().map(|socket| format!("{} . {}", socket.ip(), socket.port())).collect();
            // Handshakes, acknowledgements and the end of an idle connection are shorter than any request.
            format!("ip daddr . tcp dport {{ {} }} meta length > 120", sockets.join(", "))
        };
        Self(doors.iter().map(|(route, sockets)| (*route, bed.count_from_pod(&rule(sockets)))).collect())
    }

    /// Whether requests went by this route, and none by another.
    pub fn went_only_by(&self, wanted: &str) -> Result<(), String> {
        let packets: BTreeMap<_, _> = self.0.iter().map(|(route, counter)| (*route, counter.packets())).collect();
        let as_wanted = packets.iter().all(|(route, packets)| (*packets > 0) == (*route == wanted)) && packets.contains_key(wanted);
        if as_wanted { Ok(()) } else { Err(format!("packets by each route, which should be {wanted}: {packets:?}")) }
    }
}
