//! A path that loses large packets: two network namespaces, a veth pair between, and a rule that drops what is too long.
//!
//! Small requests pass, large bodies hang for ever. This is one reading of the vSphere reports; `TCP_MAXSEG` before connect cures it.
//! Needs root. Dropping it takes the namespaces away; those of a killed test go with its bed's leftovers.

use std::net::Ipv4Addr;

use super::ground::Ground;
use crate::support::{Bed, random_word, say};

/// Packets longer than this are lost.
const LONGEST: u32 = 1300;

/// The two sides.
pub struct LossyNetwork {
    bed: &'static Bed,
    /// Where clients run.
    pub near: Ground,
    /// Where servers listen.
    pub far: Ground,
}

impl LossyNetwork {
    /// Makes it; `None` without root.
    pub fn create(bed: &'static Bed) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            say("SKIPPED: a path that loses large packets needs network namespaces, which only root can make; run it as root");
            return None;
        }
        let stem = format!("chartpub-{}-{}", bed.information.supervisor, random_word());
        let (near, far) = (format!("{stem}-near"), format!("{stem}-far"));
        let address = |last| Ipv4Addr::new(10, 92, 0, last).into();
        let network = Self {
            bed,
            near: Ground { namespace: Some(near.clone()), address: address(1) },
            far: Ground { namespace: Some(far.clone()), address: address(2) },
        };
        for line in [
            format!("ip netns add {near}"),
            format!("ip netns add {far}"),
            format!("ip -n {near} link add veth type veth peer name veth netns {far}"),
            format!("ip -n {near} address add 10.92.0.1/24 dev veth"),
            format!("ip -n {far} address add 10.92.0.2/24 dev veth"),
            format!("ip -n {near} link set lo up"),
            format!("ip -n {near} link set veth up"),
            format!("ip -n {far} link set lo up"),
            format!("ip -n {far} link set veth up"),
            // Otherwise nftables sees segments before they are cut.
            format!("ip -n {near} link set veth gso_max_segs 1"),
            format!("ip -n {near} link set veth gso_max_size 1500"),
            format!("ip netns exec {far} nft add table inet lossy"),
            format!("ip netns exec {far} nft add chain inet lossy prerouting {{ type filter hook prerouting priority -300 ; }}"),
            format!("ip netns exec {far} nft add rule inet lossy prerouting iifname veth meta length > {LONGEST} counter drop"),
        ] {
            network.bed.run_on_host(&line.split(' ').collect::<Vec<_>>()).expect_success();
        }
        Some(network)
    }

    /// How many packets were lost.
    pub fn lost(&self) -> u64 {
        let far = self.far.namespace.as_deref().unwrap_or_default();
        let listed = self.bed.run_on_host(&["ip", "netns", "exec", far, "nft", "list", "table", "inet", "lossy"]).expect_success();
        let number = listed.split("counter packets ").nth(1).and_then(|rest| rest.split(' ').next());
        number.and_then(|number| number.parse().ok()).expect("a counter")
    }
}

impl Drop for LossyNetwork {
    fn drop(&mut self) {
        for ground in [&self.near, &self.far] {
            let namespace = ground.namespace.as_deref().unwrap_or_default();
            self.bed.run_on_host(&["ip", "netns", "del", namespace]);
        }
    }
}
