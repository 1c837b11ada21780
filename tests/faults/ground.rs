//! Where a server of the fault bed stands: a network namespace (or the host's own), and an address in it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
};

use tokio::net::TcpStream;

use crate::support::{http, network};

/// A server that stands somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it stands.
    pub ground: Ground,
    /// Where it listens there.
    pub socket: SocketAddr,
}

impl Endpoint {
    /// A server on the host's loopback.
    pub fn loopback(socket: SocketAddr) -> Self {
        Self { ground: Ground::loopback(), socket }
    }

    /// Opens a connection to it, from its own namespace.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        let stream = if self.ground.namespace.is_none() {
            TcpStream::connect(self.socket).await?
        } else {
            http::connect(self.ground.namespace.as_deref(), self.socket).await?
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// A network namespace and the address that servers get in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The namespace; `None` is the host's own.
    pub namespace: Option<String>,
    /// The address.
    pub address: IpAddr,
}

impl Ground {
    /// Loopback of the host.
    pub fn loopback() -> Self {
        Self { namespace: None, address: Ipv4Addr::LOCALHOST.into() }
    }

    /// Listens on a free port.
    pub fn listen(&self) -> (SocketAddr, TcpListener) {
        let bind = || TcpListener::bind((self.address, 0));
        let listener = network::inside(self.namespace.as_deref(), bind).expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        (listener.local_addr().expect("an address"), listener)
    }
}
