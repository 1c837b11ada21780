//! What the administrator decides, once, at the start.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::{source::SourceLimits, spool::Budget};

/// How the controller runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespaces whose resources it acts on; empty for all.
    pub namespaces: Vec<String>,
    /// Where spool files lie.
    pub spool_directory: PathBuf,
    /// How much the spool may hold.
    pub spool: Budget,
    /// How large what sources send may be.
    pub limits: SourceLimits,
    /// Publications at once.
    pub concurrency: u16,
    /// Charts of one publication that are sent at once.
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
    /// By which replicas agree who of them works; nothing where there is only one.
    pub lease: Option<LeaseTerms>,
}

/// A Lease of the API server by which replicas agree who of them works.
#[derive(Debug, Clone)]
pub struct LeaseTerms {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Names this process, and no other one that there ever was.
    pub identity: String,
    /// How long it is given for, in whole seconds: a leader that is gone is missed for so long.
    pub duration: Duration,
}
