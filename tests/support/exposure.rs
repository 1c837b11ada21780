//! Services in front of servers of the tests, as users have them in front of registry Pods.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use k8s_openapi::api::{core::v1::Service, discovery::v1::EndpointSlice};
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{
    eventually::{SOON, eventually},
    http,
    namespace::Namespace,
};

/// The port of every Service here.
pub const SERVICE_PORT: u16 = 5000;

/// How a Service shows a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// An address inside of the cluster.
    ClusterIp,
    /// A port of every node.
    NodePort,
    /// An address of a load balancer.
    LoadBalancer,
    /// No address at all: the endpoints themselves.
    Headless,
}

impl Exposure {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ClusterIp, Self::NodePort, Self::LoadBalancer, Self::Headless];

    fn kind(self) -> &'static str {
        match self {
            Self::ClusterIp | Self::Headless => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}

/// A Service that answers. It goes with its namespace.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// The Service as the API server has it.
    pub service: Service,
    /// Where the exposure points its users: the first node's port, the balancer's address, the Service's or the endpoint's own.
    pub socket: SocketAddr,
}

impl Namespace {
    /// Exposes servers as the Service `name` with the port `http` and waits until a Pod gets through to them.
    pub async fn expose(&self, name: &str, exposure: Exposure, servers: &[SocketAddr]) -> Exposed {
        self.expose_with(name, exposure, servers, json!({})).await
    }

    /// The same, with more fields of the Service's spec, for example `{"externalTrafficPolicy": "Local"}`.
    pub async fn expose_with(&self, name: &str, exposure: Exposure, servers: &[SocketAddr], spec: Value) -> Exposed {
        let exposed = self.declare(name, exposure, servers, spec).await;
        if self.bed.has_nodes() {
            self.wait_until_open(name, &exposed).await;
        }
        exposed
    }

    /// Waits until a Pod gets through to a server of the Service.
    pub async fn wait_until_open(&self, name: &str, exposed: &Exposed) {
        let pod = self.bed.client_namespace();
        eventually(SOON, &format!("{name} answers at {}", exposed.socket), async || {
            http::connect_within(Duration::from_millis(200), pod, exposed.socket).await.map(drop)
        })
        .await;
    }

    /// The same without waiting; called again with another exposure it changes the Service, with other servers it moves the endpoints.
    pub async fn declare(&self, name: &str, exposure: Exposure, servers: &[SocketAddr], spec: Value) -> Exposed {
        let exposed = self.declare_service(name, exposure, servers, spec).await;
        self.set_endpoints(name, servers).await;
        exposed
    }

    /// The same for the Pods with these labels: the cluster itself finds them.
    pub async fn declare_selected(&self, name: &str, exposure: Exposure, labels: &Value, pods: &[SocketAddr], mut spec: Value) -> Exposed {
        spec["selector"] = labels.clone();
        self.declare_service(name, exposure, pods, spec).await
    }

    /// Waits until the cluster has found these Pods for a Service, and no others.
    pub async fn wait_for_endpoints(&self, service: &str, pods: &[SocketAddr]) {
        let slices = self.api::<EndpointSlice>();
        let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
        let wanted: BTreeSet<_> = pods.iter().map(|pod| pod.ip().to_string()).collect();
        eventually(SOON, &format!("{service} has its endpoints"), async || {
            let slices = slices.list(&of_service).await.map_err(|problem| problem.to_string())?;
            let endpoints = slices.items.into_iter().flat_map(|slice| slice.endpoints);
            let ready = endpoints.filter(|endpoint| endpoint.conditions.as_ref().is_some_and(|conditions| conditions.ready == Some(true)));
            let found: BTreeSet<_> = ready.flat_map(|endpoint| endpoint.addresses).collect();
            if found == wanted { Ok(()) } else { Err(format!("{found:?} instead of {wanted:?}")) }
        })
        .await;
    }

    async fn declare_service(&self, name: &str, exposure: Exposure, servers: &[SocketAddr], spec: Value) -> Exposed {
        let mut wanted = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {
                "type": exposure.kind(),
                "ports": [{"name": "http", "port": SERVICE_PORT, "protocol": "TCP", "targetPort": server_port(servers)}],
            },
        });
        if exposure == Exposure::Headless {
            wanted["spec"]["clusterIP"] = json!("None");
        }
        for (field, value) in spec.as_object().expect("an object") {
            wanted["spec"][field] = value.clone();
        }
        let mut service: Service = self.apply(wanted).await;
        if exposure == Exposure::LoadBalancer && balancer_address(&service).is_none() {
            service = self.set_balancer_addresses(name, &[&self.bed.balancer_address().to_string()]).await;
        }
        let socket = self.shown_at(&service, exposure, servers);
        Exposed { service, socket }
    }

    /// Replaces the endpoints of a Service; none is what a registry without a ready Pod looks like.
    pub async fn set_endpoints(&self, service: &str, servers: &[SocketAddr]) {
        let endpoint = |server: &SocketAddr| json!({"addresses": [server.ip()], "conditions": {"ready": true}, "nodeName": "node-1"});
        let endpoints: Vec<_> = servers.iter().map(endpoint).collect();
        self.apply::<EndpointSlice>(json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": format!("{service}-1"), "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4", "endpoints": endpoints,
            "ports": [{"name": "http", "port": server_port(servers), "protocol": "TCP"}],
        }))
        .await;
    }

    /// Says in the Service's status which addresses its load balancer has; none is a pending one.
    pub async fn set_balancer_addresses(&self, service: &str, addresses: &[&str]) -> Service {
        let ingress: Vec<_> = addresses.iter().map(|address| json!({"ip": address, "ipMode": "VIP"})).collect();
        let status = json!({"status": {"loadBalancer": {"ingress": ingress}}});
        let services = self.api::<Service>();
        services.patch_status(service, &PatchParams::default(), &Patch::Merge(status)).await.expect("a Service of type LoadBalancer")
    }

    fn shown_at(&self, service: &Service, exposure: Exposure, servers: &[SocketAddr]) -> SocketAddr {
        let spec = service.spec.as_ref().expect("a Service has a spec");
        let port = spec.ports.as_ref().and_then(|ports| ports.first()).expect("a Service has a port");
        let at = |address: &str, port: i32| SocketAddr::new(address.parse().expect("an address"), u16::try_from(port).expect("a port"));
        match exposure {
            Exposure::ClusterIp => at(spec.cluster_ip.as_deref().expect("a ClusterIP"), port.port),
            Exposure::LoadBalancer => at(&balancer_address(service).expect("an address"), port.port),
            Exposure::Headless => *servers.first().expect("a server"),
            Exposure::NodePort => {
                let node =
                    self.bed.information.networks.as_ref().map_or(IpAddr::from([127, 0, 0, 1]), |networks| networks.node_address.into());
                at(&node.to_string(), port.node_port.expect("a node port"))
            }
        }
    }
}

fn server_port(servers: &[SocketAddr]) -> u16 {
    servers.first().map_or(SERVICE_PORT, SocketAddr::port)
}

fn balancer_address(service: &Service) -> Option<String> {
    service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?.first()?.ip.clone()
}
