//! `kubectl port-forward`: what users do by hand where nothing else leads to a registry. Needs [`super::pods`].

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

use super::{
    eventually::{SOON, eventually},
    namespace::Namespace,
    process::{Launch, Process},
};

/// A running port-forward. Dropping it ends it.
pub struct PortForward {
    _process: Process,
    socket: SocketAddr,
}

impl Namespace {
    /// Forwards a free port of the host's loopback to `port` of `what`: `pod/NAME`, `service/NAME`.
    pub async fn port_forward(&self, what: &str, port: u16) -> PortForward {
        let bed = self.bed;
        let log = bed.folder("port-forward").join("log");
        let words = ["port-forward", "--address", "127.0.0.1", "--namespace", self.name(), what, &format!(":{port}")];
        let launch = Launch::new(bed.tool("kubectl"), &log).arguments(words).environment("KUBECONFIG", &bed.information.kubeconfig);
        let mut process = launch.start().expect("kubectl");
        let chosen = eventually(SOON, "kubectl says its port", async || {
            process.still_runs()?;
            let said = fs::read_to_string(&log).unwrap_or_default();
            let line = said.lines().find_map(|line| line.strip_prefix("Forwarding from 127.0.0.1:"));
            line.and_then(|line| line.split(' ').next()?.parse().ok()).ok_or(said)
        })
        .await;
        PortForward { _process: process, socket: SocketAddr::from((Ipv4Addr::LOCALHOST, chosen)) }
    }
}

impl PortForward {
    /// Where it listens, in the host's network namespace.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }
}
