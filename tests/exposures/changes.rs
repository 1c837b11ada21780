//! What happens to a Service while its publication runs, and the route that must follow.

use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use super::{
    front::{Case, Front},
    scene::Scene,
    support::exposure::Exposure,
};

/// A change of the objects that a route is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The Service gets another type.
    Type(Exposure),
    /// The load balancer has no address any more.
    BalancerTaken,
    /// It has one again.
    BalancerGiven,
    /// The Ingress is deleted.
    IngressTaken,
    /// It is made again.
    IngressGiven,
}

/// The changes of a case, each with the route that follows from it.
pub fn of(case: Case) -> Vec<(Change, &'static str)> {
    let changes = match case.front {
        Front::NodePort => [(Change::Type(Exposure::ClusterIp), "ClusterIP"), (Change::Type(Exposure::NodePort), "NodePort")],
        Front::ClusterIp => [(Change::Type(Exposure::NodePort), "NodePort"), (Change::Type(Exposure::ClusterIp), "ClusterIP")],
        Front::LoadBalancer => [(Change::BalancerTaken, "NodePort"), (Change::BalancerGiven, "LoadBalancer")],
        Front::Ingress => [(Change::IngressTaken, "ClusterIP"), (Change::IngressGiven, "Ingress")],
    };
    // Where one route is allowed, no other can follow.
    if case.only { Vec::new() } else { changes.to_vec() }
}

impl Scene<'_> {
    /// Makes the change. Does not wait for kube-proxy, as nobody does.
    pub async fn make(&mut self, change: Change) {
        let (namespace, name) = (self.namespace, self.case.name);
        match change {
            Change::Type(exposure) => {
                namespace.declare(name, exposure, &[self.registry().socket()], json!({})).await;
            }
            Change::BalancerTaken => {
                namespace.set_balancer_addresses(name, &[]).await;
            }
            Change::BalancerGiven => {
                let address = namespace.bed.balancer_address().to_string();
                namespace.set_balancer_addresses(name, &[&address]).await;
            }
            Change::IngressTaken => {
                let ingresses = namespace.api::<Ingress>();
                self.taken = Some(ingresses.get(name).await.expect("the Ingress"));
                ingresses.delete(name, &DeleteParams::default()).await.expect("the Ingress");
            }
            Change::IngressGiven => {
                let mut ingress = self.taken.take().expect("an Ingress that was taken");
                let status = json!({"status": ingress.status.take()});
                ingress.metadata.resource_version = None;
                ingress.metadata.uid = None;
                let ingresses = namespace.api::<Ingress>();
                ingresses.create(&PostParams::default(), &ingress).await.expect("a new Ingress");
                ingresses.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.expect("its status");
            }
        }
    }

    /// Moves the Service's endpoint to the other registry, which has nothing yet.
    pub async fn move_endpoint(&mut self) {
        self.current = 1 - self.current;
        self.namespace.set_endpoints(self.case.name, &[self.registry().socket()]).await;
    }
}
