//! What to connect to, and under which name.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use crate::model::Origin;

/// One place to dial.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// An address that is known.
    Socket(SocketAddr),
    /// A name that is resolved at each connect.
    Name {
        /// A DNS name, or an address as text.
        host: String,
        /// The port.
        port: u16,
    },
    /// A peer that only a tunnel leads to.
    Tunnel(TunnelAddress),
}

impl Address {
    /// Where `origin` is by its own name.
    pub fn of(origin: &Origin) -> Self {
        Self::Name { host: origin.host.clone(), port: origin.port }
    }

    /// The host, without brackets; the peer of a tunnel.
    pub fn host(&self) -> String {
        match self {
            Self::Socket(socket) => socket.ip().to_string(),
            Self::Name { host, .. } => host.clone(),
            Self::Tunnel(address) => address.peer.clone(),
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        match self {
            Self::Socket(socket) => socket.port(),
            Self::Name { port, .. } => *port,
            Self::Tunnel(address) => address.port,
        }
    }

    /// Where a tunnel leads, if it is one.
    pub fn tunnel(&self) -> Option<&TunnelAddress> {
        match self {
            Self::Socket(_) | Self::Name { .. } => None,
            Self::Tunnel(address) => Some(address),
        }
    }
}

/// A peer, by the name that [`Tunnels`](super::Tunnels) knows it by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TunnelAddress {
    /// The peer.
    pub peer: String,
    /// The port at the peer.
    pub port: u16,
}

impl std::fmt::Display for TunnelAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.peer, self.port)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(formatter),
            Self::Name { host, port } => write!(formatter, "{host}:{port}"),
            Self::Tunnel(address) => address.fmt(formatter),
        }
    }
}

/// Which resolved addresses may be dialled. It is asked after name resolution, for the very address that is dialled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum AddressPolicy {
    /// Any address: the command line, and routes that the planner computed from objects of the cluster.
    #[default]
    Any,
    /// What a user's `url` of a registry may reach: no loopback, unspecified, link-local, multicast or metadata address.
    Registry {
        /// Ranges that the administrator allows all the same.
        allowed: Arc<[ipnet::IpNet]>,
    },
    /// What a user's source may reach: as `Registry`, and not the API server.
    Source {
        /// Ranges that the administrator allows all the same.
        allowed: Arc<[ipnet::IpNet]>,
        /// Addresses and ports of the API server.
        forbidden: Arc<[SocketAddr]>,
    },
}

impl AddressPolicy {
    /// The refusal that no administrator can lift.
    pub const API_SERVER: &str = "it is the address of the API server";

    /// Says why `address` may not be dialled, in words that end a sentence, or nothing when it may.
    pub fn refusal(&self, address: SocketAddr) -> Option<&'static str> {
        let (allowed, forbidden): (&[ipnet::IpNet], &[SocketAddr]) = match self {
            Self::Any => return None,
            Self::Registry { allowed } => (allowed, &[]),
            Self::Source { allowed, forbidden } => (allowed, forbidden),
        };
        let ip = address.ip().to_canonical();
        if forbidden.iter().any(|other| (other.ip().to_canonical(), other.port()) == (ip, address.port())) {
            return Some(Self::API_SERVER);
        }
        if allowed.iter().any(|range| range.contains(&ip)) { None } else { special_purpose(embedded_v4(ip)) }
    }
}

/// NAT64 (RFC 6052) and 6to4 (RFC 3056) addresses carry an IPv4 address, which is what would be reached.
fn embedded_v4(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let octets = v6.octets();
    match octets {
        [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] | [0x20, 0x02, a, b, c, d, ..] => IpAddr::from([a, b, c, d]),
        _ => ip,
    }
}

/// The addresses that are of no use to an honest user (IANA's special-purpose registries, and the clouds' metadata services).
fn special_purpose(ip: IpAddr) -> Option<&'static str> {
    let metadata_v6 = IpAddr::from([0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254]);
    match ip {
        _ if ip.is_loopback() => Some("it is a loopback address"),
        _ if ip.is_unspecified() => Some("it is the unspecified address"),
        _ if ip.is_multicast() => Some("it is a multicast address"),
        _ if ip == metadata_v6 => Some("it is the address of a cloud's metadata service"),
        IpAddr::V4(v4) if v4.is_link_local() => Some("it is a link-local address, where clouds keep their metadata service"),
        IpAddr::V4(v4) if v4.is_broadcast() || v4.octets().first() == Some(&0) => Some("it is no address of a host"),
        IpAddr::V6(v6) if v6.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80) => Some("it is a link-local address"),
        _ => None,
    }
}

/// A server: the places where it can be reached, and the name by which it is spoken to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Tried in this order, each 300 ms after the one before (RFC 8305); the first that connects is used.
    pub addresses: Vec<Address>,
    /// `Host`, the name in the TLS handshake and the scheme, whatever is dialled.
    pub origin: Origin,
    /// Roots and client certificate; used when the origin's scheme is https.
    pub tls: super::TlsConfig,
    /// Which resolved addresses may be dialled.
    pub policy: AddressPolicy,
    /// The longest TCP segment that is sent and asked for (`TCP_MAXSEG`), where a path loses long ones.
    pub segment: Option<u32>,
    /// The proxy that leads there; then it is dialled, and `addresses` are not.
    pub proxy: Option<Arc<super::Proxy>>,
}

impl Endpoint {
    /// A server that was named by another one, with what holds for both.
    pub fn named(origin: Origin, tls: super::TlsConfig, policy: AddressPolicy, proxy: Option<Arc<super::Proxy>>) -> Self {
        Self { addresses: vec![Address::of(&origin)], origin, tls, policy, segment: None, proxy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(ip: &str) -> SocketAddr {
        SocketAddr::new(ip.parse().unwrap(), 443)
    }

    #[test]
    fn a_source_may_not_reach_what_only_the_cluster_should() {
        let policy = AddressPolicy::Source { allowed: Arc::new([]), forbidden: Arc::new([socket("10.0.0.1")]) };
        for ip in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "64:ff9b::169.254.169.254",
            "2002:7f00:0001::1",
            "10.0.0.1",
            "::ffff:10.0.0.1",
        ] {
            assert!(policy.refusal(socket(ip)).is_some(), "{ip}");
        }
        for ip in ["10.0.0.2", "192.168.1.1", "8.8.8.8", "fd00::1", "2001:db8::1"] {
            assert_eq!(policy.refusal(socket(ip)), None, "{ip}");
        }
    }

    #[test]
    fn the_administrator_may_allow_a_range_but_never_the_api_server() {
        let allowed: Arc<[ipnet::IpNet]> = Arc::new(["127.0.0.0/8".parse().unwrap()]);
        let policy = AddressPolicy::Source { allowed, forbidden: Arc::new([socket("127.0.0.9")]) };
        assert_eq!(policy.refusal(socket("127.0.0.1")), None);
        assert!(policy.refusal(socket("127.0.0.9")).is_some());
    }
}
