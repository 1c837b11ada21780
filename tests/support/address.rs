//! Addresses of their own for servers and load balancers, unique over all tests of a bed.
//!
//! On a node a server gets an address of its own on the bridge and the port that it wants. Without nodes it gets a free port of
//! loopback.

use std::{
    fs::OpenOptions,
    io::{Read, Seek, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
};

use super::Bed;

/// Where a server listens. Dropping it takes the address off the node.
pub struct Place {
    bed: &'static Bed,
    socket: SocketAddr,
}

impl Place {
    /// The address and port.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// Binds the listener of a server that runs in this process.
    pub fn listen(&self) -> TcpListener {
        let listener = super::network::inside(self.bed.server_namespace(), || TcpListener::bind(self.socket)).expect("a fresh address");
        listener.set_nonblocking(true).expect("a listener");
        listener
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(networks) = &self.bed.information.networks {
            let address = format!("{}/32", self.socket.ip());
            self.bed.run_on_host(&["ip", "-n", &networks.node, "address", "del", &address, "dev", "bridge"]);
        }
    }
}

impl Bed {
    /// A place for a server that would like to have `port`.
    pub fn place(&'static self, port: u16) -> Place {
        let Some(networks) = &self.information.networks else {
            let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            return Place { bed: self, socket: taken.expect("a free port") };
        };
        let number = self.next_number();
        let [high, low] = u16::try_from(number).expect("fewer than 65536 servers").to_be_bytes();
        let address = Ipv4Addr::new(10, 90, high + 1, low);
        let line = ["ip", "-n", &networks.node, "address", "add", &format!("{address}/32"), "dev", "bridge"];
        self.run_on_host(&line).expect_success();
        Place { bed: self, socket: SocketAddr::new(IpAddr::V4(address), port) }
    }

    /// An address for a load balancer: kube-proxy answers on it, no interface has it.
    pub fn balancer_address(&self) -> Ipv4Addr {
        let [high, low] = u16::try_from(self.next_number()).expect("fewer than 65536 addresses").to_be_bytes();
        Ipv4Addr::new(10, 91, high, low)
    }

    /// Gives an address a host name that programs in the cluster's network resolve; the name must be this test's own
    /// ([`super::random_word`]).
    pub fn name(&self, host: &str, address: IpAddr) {
        let Some(networks) = &self.information.networks else { return };
        name_in(&[&networks.pod, &networks.node], host, address);
    }

    /// The same for programs on the first node alone: those in Pods do not know the name.
    pub fn name_for_servers(&self, host: &str, address: IpAddr) {
        name_in(&[&self.networks().node], host, address);
    }

    /// A number that no other test of this bed gets; begins at 1.
    pub fn next_number(&self) -> u32 {
        let path = self.information.state.join("numbers");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).expect("the counter");
        file.lock().expect("the counter's lock");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("the counter");
        let number = text.trim().parse().unwrap_or(0) + 1;
        file.rewind().and_then(|()| write!(file, "{number}")).expect("the counter");
        number
    }
}

fn name_in(namespaces: &[&String], host: &str, address: IpAddr) {
    for namespace in namespaces {
        let mut hosts = OpenOptions::new().append(true).open(format!("/etc/netns/{namespace}/hosts")).expect("the namespace's hosts");
        hosts.write_all(format!("{address} {host}\n").as_bytes()).expect("a line of the namespace's hosts");
    }
}
