//! A client that reaches what a test opens and nothing else: whatever else it tries is dropped, and counted.

use std::{fmt::Write, net::SocketAddr};

use super::{
    Bed, Ran,
    counter::packets,
    lossy_path::{LossyPath, Lost},
};

/// No packet is as long.
const NONE_LOST: u16 = u16::MAX;

/// A network namespace of such a client. Dropping it removes it.
pub struct AirGap {
    path: LossyPath,
}

impl Bed {
    /// A client that may connect to these and to nobody else, itself included: a question to a name server would be one to itself.
    pub fn air_gap(&'static self, open: &[SocketAddr]) -> AirGap {
        let gap = AirGap { path: self.lossy_path(Lost::Answers, NONE_LOST) };
        let opened = open.iter().fold(String::new(), |mut rules, socket| {
            let _ = write!(rules, "ip daddr {} tcp dport {} accept; ", socket.ip(), socket.port());
            rules
        });
        // The kernel's own packets (neighbours, groups) are nobody's attempt.
        gap.nft(&format!(
            "table inet gap {{ chain out {{ type filter hook output priority 0; policy accept; \
             {opened}meta l4proto {{ tcp, udp }} counter drop; drop; }}; }}"
        ));
        gap
    }
}

impl AirGap {
    /// Runs a program there.
    pub fn run(&self, words: &[&str]) -> Ran {
        self.path.run(words)
    }

    /// How many packets it tried to send to anybody else.
    pub fn tried(&self) -> u64 {
        packets(&self.nft("list table inet gap"))
    }

    fn nft(&self, line: &str) -> String {
        self.path.run(&["nft", "-j", line]).expect_success()
    }
}
