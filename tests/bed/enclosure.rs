//! The place where containers run: a PID and a mount namespace of their own, in the node's network namespace. Shared by the
//! supervisor and by the tests.
//!
//! *Invariant:* one process holds both, the first one in the PID namespace. When it ends, however it ends, the kernel kills every
//! process there (containerd, its shims, all containers), and with the last of them all mounts are gone.

use serde::{Deserialize, Serialize};

/// An enclosure that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// The process (`unshare`) whose child is the first one of the PID namespace.
    pub holder: u32,
    /// The network namespace.
    pub network: String,
}

impl Enclosure {
    /// What `nsenter` is told, so that the program whose words follow runs in it.
    pub fn arguments(&self) -> [String; 4] {
        let Self { holder, network } = self;
        [
            format!("--net=/run/netns/{network}"),
            format!("--mount=/proc/{holder}/ns/mnt"),
            format!("--pid=/proc/{holder}/ns/pid_for_children"),
            "--".to_owned(),
        ]
    }
}
