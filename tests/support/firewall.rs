//! A path that drops packets, as firewalls and policies do: a rule of nftables at the node.

use super::{Bed, random_word};

/// A rule. Dropping it removes it.
pub struct Firewall {
    bed: &'static Bed,
    table: String,
}

impl Bed {
    /// Drops what arrives at a server on the first node and matches `rule`, a match of nft as `ip daddr 10.90.1.7 tcp dport 5000`: after
    /// kube-proxy has put the server's address in place of the Service's.
    pub fn drop_at_node(&'static self, rule: &str) -> Firewall {
        let firewall = Firewall { bed: self, table: format!("test_{}", random_word()) };
        let table = &firewall.table;
        let line = format!("table inet {table} {{ chain drops {{ type filter hook input priority 0; {rule} drop; }}; }}");
        firewall.nft(&line).expect_success();
        firewall
    }
}

impl Firewall {
    fn nft(&self, line: &str) -> super::Ran {
        self.bed.run_on_host(&["ip", "netns", "exec", &self.bed.networks().node, "nft", line])
    }
}

impl Drop for Firewall {
    fn drop(&mut self) {
        self.nft(&format!("delete table inet {}", self.table));
    }
}
