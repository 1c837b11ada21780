//! Replicas of the controller that share a namespace and a Lease.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chart_publisher::api::ChartPublication;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::DeleteParams;
use serde_json::Value;

use super::support::{
    self, Bed,
    controller::{Controller, ControllerBuilder, Rights},
    eventually::{SOON, eventually},
    namespace::Namespace,
};

/// What two replicas share.
pub struct Pair {
    pub bed: &'static Bed,
    pub namespace: Namespace,
    kubeconfig: PathBuf,
    rights: Rights,
    seconds: u16,
}

impl Pair {
    /// A namespace, and the rights that the chart gives, the Lease's among them; the Lease is given for so many seconds.
    pub async fn set_up(seconds: u16) -> Self {
        let bed = support::control_plane();
        let namespace = bed.namespace().await;
        let rights = namespace.rights(&[]);
        let kubeconfig = namespace.kubeconfig_of(&rights.account).await;
        Self { bed, namespace, kubeconfig, rights, seconds }
    }

    /// A replica, not yet started.
    pub fn replica(&self, number: usize) -> ControllerBuilder {
        self.replica_with_lease(number, &self.rights.account)
    }

    /// The same for another Lease.
    pub fn replica_with_lease(&self, number: usize, lease: &str) -> ControllerBuilder {
        self.replica_by(number, lease, &self.kubeconfig)
    }

    /// The same that reaches the API server at another address.
    pub fn replica_through(&self, number: usize, api_server: SocketAddr) -> ControllerBuilder {
        let mut kubeconfig: Value = serde_json::from_str(&std::fs::read_to_string(&self.kubeconfig).expect("a file")).expect("JSON");
        *kubeconfig.pointer_mut("/clusters/0/cluster/server").expect("a server") = format!("https://{api_server}").into();
        let file = self.bed.folder("kubeconfig").join("through");
        std::fs::write(&file, kubeconfig.to_string()).expect("a file in the bed's folder");
        self.replica_by(number, &self.rights.account, &file)
    }

    fn replica_by(&self, number: usize, lease: &str, kubeconfig: &std::path::Path) -> ControllerBuilder {
        let (seconds, name) = (self.seconds.to_string(), Self::name(number));
        let namespace = self.namespace.name();
        let arguments = [
            ["--namespace", namespace, "--lease-namespace", namespace, "--lease-name", lease],
            ["--lease-seconds", &seconds, "--pod-name", &name, "--allow-address", "127.0.0.0/8"],
        ];
        self.bed.controller(kubeconfig, &arguments.concat())
    }

    /// Where the API server is.
    pub fn api_server(&self) -> SocketAddr {
        let kubeconfig: Value = serde_json::from_str(&std::fs::read_to_string(&self.kubeconfig).expect("a file")).expect("JSON");
        let server = kubeconfig.pointer("/clusters/0/cluster/server").and_then(Value::as_str).expect("a server");
        server.trim_start_matches("https://").parse().expect("an address")
    }

    fn name(number: usize) -> String {
        format!("replica-{number}")
    }

    /// Both replicas; the first one leads.
    pub async fn started(&self) -> (Controller, Controller) {
        let mut first = self.replica(0).start();
        self.is_led_by(0, SOON).await;
        first.wait_until_ready().await;
        let mut second = self.replica(1).start();
        second.wait_until_ready().await;
        eventually(
            SOON,
            "the second one stands by",
            async || {
                if second.log().contains("standing by") { Ok(()) } else { Err(second.log()) }
            },
        )
        .await;
        (first, second)
    }

    /// The number of the replica that has the Lease.
    pub async fn leader(&self) -> Option<usize> {
        let lease = self.namespace.api::<Lease>().get_opt(&self.rights.account).await.expect("an answer")?;
        lease.spec?.holder_identity?.strip_prefix("replica-")?.split('_').next()?.parse().ok()
    }

    /// Waits until a replica leads.
    pub async fn is_led_by(&self, number: usize, limit: Duration) {
        eventually(limit, &format!("{} leads", Self::name(number)), async || {
            let leader = self.leader().await;
            if leader == Some(number) { Ok(()) } else { Err(format!("{leader:?}")) }
        })
        .await;
    }
}

impl Namespace {
    /// Deletes a publication.
    pub async fn delete(&self, name: &str) {
        self.api::<ChartPublication>().delete(name, &DeleteParams::default()).await.expect("the publication");
    }
}
