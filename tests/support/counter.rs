//! Counts packets by rules of nftables: proof of the way that a connection took, from outside of the software that is tested.

use serde_json::Value;

use super::{Bed, random_word};

/// A counter. Dropping it removes its table.
pub struct Counter {
    bed: &'static Bed,
    namespace: String,
    table: String,
}

impl Bed {
    /// Counts what leaves the Pod's view and matches `rule`, a match of nft as `ip daddr 10.90.0.1 tcp dport 30123 tcp flags syn / syn,ack`.
    pub fn count_from_pod(&'static self, rule: &str) -> Counter {
        self.count(&self.networks().pod, "output", rule)
    }

    /// Counts what arrives at a node (a namespace of [`Bed::networks`]), before kube-proxy changes it.
    pub fn count_at_node(&'static self, namespace: &str, rule: &str) -> Counter {
        self.count(namespace, "prerouting", rule)
    }

    fn count(&'static self, namespace: &str, hook: &str, rule: &str) -> Counter {
        let table = format!("test_{}", random_word());
        let counter = Counter { bed: self, namespace: namespace.to_owned(), table };
        let table = &counter.table;
        counter.nft(&format!(
            "table inet {table} {{ chain watch {{ type filter hook {hook} priority raw; policy accept; {rule} counter; }}; }}"
        ));
        counter
    }
}

impl Counter {
    /// The packets that matched so far.
    pub fn packets(&self) -> u64 {
        packets(&self.nft(&format!("list table inet {}", self.table)))
    }

    fn nft(&self, line: &str) -> String {
        self.bed.run_on_host(&["ip", "netns", "exec", &self.namespace, "nft", "-j", line]).expect_success()
    }
}

/// The sum of the counters in what nft lists, as JSON.
pub fn packets(listing: &str) -> u64 {
    let listing: Value = serde_json::from_str(listing).expect("nft writes JSON");
    let rules = listing["nftables"].as_array().expect("a list").iter().filter_map(|item| item.get("rule"));
    let expressions = rules.filter_map(|rule| rule["expr"].as_array()).flatten();
    expressions.filter_map(|expression| expression.pointer("/counter/packets")?.as_u64()).sum()
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.bed.run_on_host(&["ip", "netns", "exec", &self.namespace, "nft", "delete", "table", "inet", &self.table]);
    }
}
