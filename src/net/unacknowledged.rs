//! Why bytes do not go out: whether packets are lost, or the other side takes no more. Linux tells both of each connection in
//! `/proc/net/tcp` (`Documentation/networking/proc_net_tcp.rst`), as `TCP_INFO` does, and without unsafe code.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// What the kernel knows of bytes that were sent and not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unacknowledged {
    /// They were sent again, and nobody says that they came: packets are lost.
    SentAgain,
    /// The other side announces no room for more: it does not read.
    NoRoom,
}

impl fmt::Display for Unacknowledged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without a number: the same failure is told in the same words by each run.
        formatter.write_str(match self {
            Self::SentAgain => "packets were sent again and again, and not acknowledged",
            Self::NoRoom => "the other side acknowledges all and announces no room for more",
        })
    }
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) own: SocketAddr,
    pub(super) peer: SocketAddr,
}

impl Ends {
    /// What is known now; nothing where all is acknowledged, or the system does not tell.
    pub(super) async fn unacknowledged(self) -> Option<Unacknowledged> {
        let table = if self.own.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
        let table = tokio::fs::read_to_string(table).await.ok()?;
        self.found_in(&table)
    }

    /// A row: number, own address, peer, state, queues, timer and when it ends, how often something was sent again, and more.
    fn found_in(self, table: &str) -> Option<Unacknowledged> {
        let (own, peer) = (in_hexadecimal(self.own), in_hexadecimal(self.peer));
        let row = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = row.into_iter().find(|row| row.get(1) == Some(&own.as_str()) && row.get(2) == Some(&peer.as_str()))?;
        let (timer, _) = row.get(5)?.split_once(':')?;
        let sent_again = u32::from_str_radix(row.get(6)?, 16).ok()?;
        match timer {
            "01" if sent_again > 0 => Some(Unacknowledged::SentAgain),
            "04" => Some(Unacknowledged::NoRoom),
            _ => None,
        }
    }
}

/// As the kernel writes it: each 32 bits of an address as a number of this machine, the port as a number.
fn in_hexadecimal(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.chunks_exact(4).filter_map(|word| word.try_into().ok().map(u32::from_ne_bytes));
    let words: Vec<_> = words.map(|word| format!("{word:08X}")).collect();
    format!("{}:{:04X}", words.concat(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0B005A0A:A6F2 0100007F:7D00 01 000AF200:00000000 TIMER     0        0 2 2 0 23 4 30 10 -1";

    #[test]
    fn lost_packets_and_a_closed_window_are_told_apart() {
        let ends = Ends { own: "10.90.0.11:42738".parse().unwrap(), peer: "127.0.0.1:32000".parse().unwrap() };
        let check = |timer: &str, expected| assert_eq!(ends.found_in(&V4.replace("TIMER", timer)), expected, "{timer}");
        check("01:00000033 00000006", Some(Unacknowledged::SentAgain));
        check("04:00000033 00000000", Some(Unacknowledged::NoRoom));
        // On its way, and nothing wrong yet; a keep-alive.
        check("01:00000033 00000000", None);
        check("02:00000033 00000000", None);
        let other = Ends { peer: "127.0.0.1:32001".parse().unwrap(), ..ends };
        assert_eq!(other.found_in(&V4.replace("TIMER", "04:00000033 00000000")), None, "another connection");
    }

    #[test]
    fn addresses_are_written_as_the_kernel_does() {
        let v6: SocketAddr = "[2001:db8::1]:80".parse().unwrap();
        if cfg!(target_endian = "little") {
            assert_eq!(in_hexadecimal(v6), "B80D0120000000000000000001000000:0050");
        }
    }
}
