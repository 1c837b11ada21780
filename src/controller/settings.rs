//! What the administrator decides, once, at the start.

use std::{net::SocketAddr, path::PathBuf};

use crate::spool::Budget;

/// How the controller runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespaces whose resources it acts on; empty for all.
    pub namespaces: Vec<String>,
    /// Where spool files lie.
    pub spool_directory: PathBuf,
    /// How much the spool may hold.
    pub spool: Budget,
    /// Publications at once.
    pub concurrency: u16,
    /// Charts of one publication at once.
    pub workers: usize,
    /// Where `/healthz`, `/readyz` and `/metrics` answer.
    pub health: SocketAddr,
    /// Addresses that sources and `url` targets may reach although they are special.
    pub allowed_addresses: Vec<ipnet::IpNet>,
    /// The namespaces in which this process may forward ports of Pods.
    pub relay_namespaces: Vec<String>,
    /// The node that this process runs on.
    pub own_node: Option<String>,
    /// Names this replica in Events.
    pub identity: Option<String>,
}
