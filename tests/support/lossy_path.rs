//! A client whose path to the cluster loses IP packets over a length while small ones pass: requests without a body work, large
//! bodies hang for ever. What a wrong MTU or a broken offload does to users.

use std::net::{IpAddr, Ipv4Addr};

use super::{Bed, Ran, counter::packets};

/// Packets to the API server are spared: the client is to fail at registries.
const API_SERVER: &str = "10.90.0.1 tcp";

/// Which packets are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// What the client sends.
    Requests,
    /// What the client is sent.
    Answers,
}

/// A network namespace of a client, behind such a path. Dropping it removes it; what runs in it must have ended.
pub struct LossyPath {
    bed: &'static Bed,
    namespace: String,
    address: Ipv4Addr,
    /// Where the rule is, and the name of its table.
    guard: String,
    table: String,
}

impl Bed {
    /// A client whose packets of more than `limit` bytes, with IP header, are lost in one direction.
    pub fn lossy_path(&'static self, lost: Lost, limit: u16) -> LossyPath {
        let networks = self.networks();
        let number = self.next_number();
        let bed = networks.node.trim_end_matches("-node");
        let (namespace, device) = (format!("{bed}-lossy{number}"), format!("lossy{number}"));
        let [high, low] = u16::try_from(number * 4).expect("fewer than 16384 paths").to_be_bytes();
        let (near, address) = (Ipv4Addr::new(10, 92, high, low + 1), Ipv4Addr::new(10, 92, high, low + 2));
        let node = &networks.node;
        // Else rules see what becomes many packets as one.
        let cut = "gso_max_segs 1 gso_max_size 1500";
        for line in [
            format!("netns add {namespace}"),
            format!("-n {namespace} link set lo up"),
            format!("-n {node} link add {device} type veth peer name eth0 netns {namespace}"),
            format!("-n {node} address add {near}/30 dev {device}"),
            format!("-n {node} link set {device} {cut} up"),
            format!("-n {namespace} address add {address}/30 dev eth0"),
            format!("-n {namespace} link set eth0 {cut} up"),
            format!("-n {namespace} route add default via {near}"),
        ] {
            self.run_on_host(&["ip"].into_iter().chain(line.split(' ')).collect::<Vec<_>>()).expect_success();
        }
        // The names of hosts are those that Pods know, also those to come.
        let names = format!("/etc/netns/{namespace}");
        let linked = std::os::unix::fs::symlink(format!("/etc/netns/{}", networks.pod), &names);
        linked.unwrap_or_else(|problem| panic!("{names}: {problem}"));
        let (guard, arrives) = match lost {
            Lost::Requests => (node.clone(), format!("iifname {device}")),
            Lost::Answers => (namespace.clone(), "iifname eth0".to_owned()),
        };
        let path = LossyPath { bed: self, namespace, address, guard, table: device };
        path.lose(&arrives, limit);
        path
    }
}

impl LossyPath {
    /// The name of the client's network namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The bed that it is in.
    pub fn bed(&self) -> &'static Bed {
        self.bed
    }

    /// The client's address.
    pub fn address(&self) -> IpAddr {
        self.address.into()
    }

    /// Runs a program as the client; `timeout 10 …` ends one that hangs.
    pub fn run(&self, words: &[&str]) -> Ran {
        self.bed.run(Some(&self.namespace), words)
    }

    /// Runs a command that names an INTERFACE at both ends of the client's wire.
    pub fn run_at_both_ends(&self, command: &str) {
        for (namespace, device) in [(self.bed.networks().node.as_str(), self.table.as_str()), (self.namespace(), "eth0")] {
            let command = command.replace("INTERFACE", device);
            self.bed.run(Some(namespace), &command.split(' ').collect::<Vec<_>>()).expect_success();
        }
    }

    /// How many packets were lost so far.
    pub fn lost(&self) -> u64 {
        packets(&self.nft(&format!("list table inet {}", self.table)))
    }

    fn lose(&self, arrives: &str, limit: u16) {
        let table = &self.table;
        self.nft(&format!(
            "table inet {table} {{ chain path {{ type filter hook prerouting priority raw; policy accept; \
             ip daddr {API_SERVER} dport 6443 accept; ip saddr {API_SERVER} sport 6443 accept; \
             {arrives} meta length > {limit} counter drop; }}; }}"
        ));
    }

    fn nft(&self, line: &str) -> String {
        self.bed.run_on_host(&["ip", "netns", "exec", &self.guard, "nft", "-j", line]).expect_success()
    }
}

impl Drop for LossyPath {
    fn drop(&mut self) {
        self.bed.run_on_host(&["ip", "netns", "exec", &self.guard, "nft", "delete", "table", "inet", &self.table]);
        let _ = std::fs::remove_file(format!("/etc/netns/{}", self.namespace));
        // Its end of the wire goes with it, and with that the other.
        self.bed.run_on_host(&["ip", "netns", "del", &self.namespace]);
    }
}
