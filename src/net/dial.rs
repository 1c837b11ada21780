//! From an [`Endpoint`] to a socket: names are resolved, each resolved address is checked, connects are raced.

use std::{io, net::SocketAddr, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep_until, timeout_at},
};

use super::{Address, AddressPolicy, ConnectFailure, Endpoint, NetError};

/// RFC 8305, section 5, recommends 250 ms; the field's proxies use 300.
const HEAD_START: Duration = Duration::from_millis(300);
/// Finds out about a dead peer before the shortest idle time of common load balancers (60 s).
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Bytes that the kernel may hold beyond what is on the wire before it takes no more.
const MOST_UNSENT: u32 = 128 * 1024;
/// More addresses of one name than this are not tried.
const MOST_ADDRESSES: usize = 16;

/// Connects to the first address that answers, within `limit` in all.
pub(super) async fn dial(endpoint: &Endpoint, limit: Duration) -> Result<(TcpStream, SocketAddr), NetError> {
    let deadline = Instant::now() + limit;
    let addresses = resolved(endpoint, deadline).await?;
    let authority = || addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let failed = |failure| NetError::Connect { authority: authority(), failure };
    let mut waiting = addresses.iter().copied();
    let mut running = FuturesUnordered::new();
    let mut last = ConnectFailure::Other;
    let mut next_start = Instant::now();
    loop {
        if running.is_empty() || Instant::now() >= next_start {
            match waiting.next() {
                Some(address) => {
                    running.push(connect(address, endpoint.segment));
                    next_start = Instant::now() + HEAD_START;
                }
                None if running.is_empty() => return Err(failed(last)),
                None => {}
            }
        }
        tokio::select! {
            () = sleep_until(deadline) => return Err(failed(ConnectFailure::TimedOut)),
            () = sleep_until(next_start), if waiting.len() > 0 => {}
            Some(result) = running.next() => match result {
                Ok(connected) => return Ok(connected),
                Err(failure) => {
                    last = failure;
                    next_start = Instant::now();
                }
            },
        }
    }
}

async fn connect(address: SocketAddr, segment: Option<u32>) -> Result<(TcpStream, SocketAddr), ConnectFailure> {
    let attempt = async {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_nodelay(true)?;
        let keep_alive = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE / 4);
        let options = socket2::SockRef::from(&socket);
        options.set_tcp_keepalive(&keep_alive)?;
        // What a kernel queues has not gone out: without this a slow body would look sent, and its silence like a missing answer.
        options.set_tcp_notsent_lowat(MOST_UNSENT)?;
        if let Some(segment) = segment {
            // Before the handshake, so that the other side hears of it and keeps to it as well.
            options.set_tcp_mss(segment)?;
        }
        socket.connect(address).await
    };
    attempt.await.map(|stream| (stream, address)).map_err(|error| failure(&error))
}

fn failure(error: &io::Error) -> ConnectFailure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => ConnectFailure::Refused,
        io::ErrorKind::TimedOut => ConnectFailure::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => ConnectFailure::Unreachable,
        _ => ConnectFailure::Other,
    }
}

/// All addresses in the order given, each of them allowed; a name that has a forbidden address is refused as a whole.
async fn resolved(endpoint: &Endpoint, deadline: Instant) -> Result<Vec<SocketAddr>, NetError> {
    let mut found = Vec::new();
    for address in &endpoint.addresses {
        match address {
            Address::Socket(socket) => found.push(allowed(&endpoint.policy, &socket.ip().to_string(), *socket)?),
            Address::Name { host, port } => {
                let addresses = lookup(host, *port, deadline).await?;
                for socket in addresses.into_iter().take(MOST_ADDRESSES) {
                    found.push(allowed(&endpoint.policy, host, socket)?);
                }
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|address| seen.insert(*address));
    Ok(found)
}

async fn lookup(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, NetError> {
    let unresolved = |detail: &str| NetError::Resolve { host: host.to_owned(), detail: detail.to_owned() };
    match timeout_at(deadline, tokio::net::lookup_host((host, port))).await {
        Err(_) => Err(unresolved("no answer of the name server")),
        Ok(Err(error)) => Err(unresolved(error.to_string().trim_start_matches("failed to lookup address information: "))),
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.collect();
            if addresses.is_empty() { Err(unresolved("the name has no address")) } else { Ok(addresses) }
        }
    }
}

fn allowed(policy: &AddressPolicy, host: &str, address: SocketAddr) -> Result<SocketAddr, NetError> {
    match policy.refusal(address) {
        None => Ok(address),
        Some(why) => Err(NetError::AddressRefused { host: host.to_owned(), address, why }),
    }
}
