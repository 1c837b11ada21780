//! Connections, made and kept: a small pool of idle ones, leased to one exchange at a time.
//!
//! # Guarantees
//! * A lease is one TCP connection: everything sent through it reaches the same peer.
//! * A connection is shared only between endpoints with the same addresses, origin, trust, address policy and proxy.
//! * A connection that was idle for 25 s is closed and never used again: the shortest idle time of common load balancers is 60 s,
//!   and some drop silently.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::{Instant, timeout};

use super::{
    Address, AddressPolicy, Answered, Endpoint, NetError, OpenBody, TunnelAddress, TunnelError, TunnelFailure, WatchedBody,
    dial::dial,
    handshake::secured,
    lease::{Connection, Lease, Sender},
    proxy::led,
    stream::{Meter, PatientStream, Socket},
    tls::HTTP2,
    tunnel::{Gate, Lane, Tunnels},
    unacknowledged::Ends,
};
use crate::model::{Digest, Origin, Scheme};

const LONGEST_IDLE: Duration = Duration::from_secs(25);
const IDLE_OF_ONE_ENDPOINT: usize = 16;
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Patience {
    /// The longest wait for an answer, and the longest time that a body may make no progress.
    pub stall: Duration,
}

impl Patience {
    pub(super) fn connect(self) -> Duration {
        self.stall.min(LONGEST_CONNECT)
    }
}

/// Whether an idle connection may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// It may.
    Idle,
    /// A new one: what is asked through it owes nothing to what was sent before.
    Never,
}

/// What two requests must have in common to go over one connection.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    addresses: Vec<Address>,
    origin: Origin,
    tls: Option<Digest>,
    policy: AddressPolicy,
    segment: Option<u32>,
    proxy: Option<Digest>,
}

impl Key {
    fn of(endpoint: &Endpoint) -> Self {
        Self {
            addresses: endpoint.addresses.clone(),
            origin: endpoint.origin.clone(),
            tls: (endpoint.origin.scheme == Scheme::Https).then_some(endpoint.tls.fingerprint),
            policy: endpoint.policy.clone(),
            segment: endpoint.segment,
            proxy: endpoint.proxy.as_ref().map(|proxy| proxy.fingerprint()),
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    fn is_of_tunnels(&self) -> bool {
        self.addresses.iter().any(|address| matches!(address, Address::Tunnel(_)))
    }
}

/// The idle connections, and where tunnels come from.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<HashMap<Key, Vec<(Instant, Connection)>>>,
    gate: Option<Gate>,
}

impl Pool {
    pub(super) fn give_back(&self, key: Key, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked under the lock: who begins to wait after this finds it among the idle ones.
        if key.is_of_tunnels() && self.gate.as_ref().is_some_and(Gate::is_crowded) {
            return;
        }
        let connections = idle.entry(key).or_default();
        if connections.len() < IDLE_OF_ONE_ENDPOINT {
            connections.push((Instant::now(), connection));
        }
    }

    fn take(&self, key: &Key) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.get_mut(key)?;
        while let Some((since, connection)) = connections.pop() {
            if since.elapsed() < LONGEST_IDLE && connection.is_open() {
                return Some(connection);
            }
        }
        None
    }

    fn close_idle_tunnels(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| !key.is_of_tunnels());
    }

    fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, connections| {
            connections.retain(|(since, connection)| since.elapsed() < LONGEST_IDLE && connection.is_open());
            !connections.is_empty()
        });
    }
}

/// All connections of this program to registries and sources.
#[derive(Clone, Default)]
pub struct Transport {
    pool: Arc<Pool>,
    lane: Lane,
    /// Bytes of bodies that went out, over all connections.
    sent: Arc<AtomicU64>,
}

impl Transport {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with somebody who opens tunnels.
    pub fn with_tunnels(tunnels: Arc<dyn Tunnels>) -> Self {
        let pool = Pool { idle: Mutex::default(), gate: Some(Gate::new(tunnels)) };
        Self { pool: Arc::new(pool), ..Self::default() }
    }

    /// For a short exchange of its own in the middle of another one, as that for a token is: it waits for no tunnel that one of the
    /// others holds. Nobody may begin yet another exchange inside of it.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { lane: Lane::Beside, ..self.clone() }
    }

    /// A connection to `endpoint`, for one exchange after another.
    ///
    /// # Errors
    /// [`NetError::Resolve`], [`NetError::AddressRefused`], [`NetError::Connect`], [`NetError::Tunnel`], [`NetError::Proxy`],
    /// [`NetError::Tls`]: no byte of a request was sent.
    pub async fn lease(&self, endpoint: &Endpoint, patience: Patience, reuse: Reuse) -> Result<Lease, NetError> {
        let key = Key::of(endpoint);
        if reuse == Reuse::Idle
            && let Some(connection) = self.pool.take(&key)
        {
            return Ok(Lease::new(connection, key, self.pool.clone(), self.sent.clone(), true).by(endpoint.proxy.clone()));
        }
        let connection = self.connect(endpoint, patience).await?;
        Ok(Lease::new(connection, key, self.pool.clone(), self.sent.clone(), false).by(endpoint.proxy.clone()))
    }

    /// Sends over `lease`, or over a connection leased as `reuse` says; once more over a new one where an idle one had been closed.
    ///
    /// # Errors
    /// As [`Transport::lease`] and [`Lease::send`].
    pub async fn send(
        &self,
        endpoint: &Endpoint,
        lease: Option<Lease>,
        reuse: Reuse,
        head: http::request::Parts,
        body: &dyn OpenBody,
        patience: Patience,
    ) -> Result<Answered, NetError> {
        match self.send_once(endpoint, lease, reuse, head.clone(), body, patience).await {
            // A new connection is never stale.
            Err(NetError::StaleConnection) => {
                let mut answered = self.send_once(endpoint, None, Reuse::Never, head, body, patience).await?;
                answered.was_stale = true;
                Ok(answered)
            }
            other => other,
        }
    }

    /// The same for what may not be sent twice.
    ///
    /// # Errors
    /// As [`Transport::lease`] and [`Lease::send`].
    pub async fn send_once(
        &self,
        endpoint: &Endpoint,
        lease: Option<Lease>,
        reuse: Reuse,
        head: http::request::Parts,
        body: &dyn OpenBody,
        patience: Patience,
    ) -> Result<Answered, NetError> {
        let lease = match lease {
            Some(lease) => lease,
            None => self.lease(endpoint, patience, reuse).await?,
        };
        lease.send(head, body, patience).await
    }

    /// Bytes of bodies that went out so far, over all connections: how far a transfer is.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Closes connections that were idle for too long. Called from time to time, so that a program at rest holds none.
    pub fn sweep(&self) {
        self.pool.sweep();
    }

    /// Closes all idle connections: where they lead may have moved since they were made.
    pub fn close_idle(&self) {
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn connect(&self, endpoint: &Endpoint, patience: Patience) -> Result<Connection, NetError> {
        let (socket, ends) = match &endpoint.proxy {
            None => self.socket(endpoint, patience).await?,
            Some(proxy) => led(proxy, endpoint, patience).await?,
        };
        let meter = Meter::new();
        let stream = PatientStream::new(socket, meter.clone());
        if endpoint.origin.scheme == Scheme::Http {
            return handshake(TokioIo::new(stream), meter, ends).await;
        }
        let host = &endpoint.origin.host;
        let stream = timeout(patience.connect(), secured(stream, host, &endpoint.tls))
            .await
            .unwrap_or_else(|_| Err(NetError::NoAnswer { after: patience.connect(), seen: None }))?;
        if stream.get_ref().1.alpn_protocol() == Some(HTTP2) {
            return handshake_of_http2(TokioIo::new(stream), meter, ends).await;
        }
        handshake(TokioIo::new(stream), meter, ends).await
    }

    async fn socket(&self, endpoint: &Endpoint, patience: Patience) -> Result<(Socket, Option<Ends>), NetError> {
        let peers: Vec<&TunnelAddress> = endpoint.addresses.iter().filter_map(Address::tunnel).collect();
        let (Some(first), gate) = (peers.first(), &self.pool.gate) else {
            let (socket, peer) = dial(endpoint, patience.connect()).await?;
            let ends = socket.local_addr().ok().map(|own| Ends { own, peer });
            return Ok((Socket::Tcp(socket), ends));
        };
        let not_offered = || TunnelError { to: first.to_string(), failure: TunnelFailure::NotOffered };
        let gate = gate.as_ref().ok_or_else(not_offered)?;
        let tunnel = gate.enter(self.lane, &peers, patience.connect(), || self.pool.close_idle_tunnels()).await?;
        Ok((Socket::Tunnel(tunnel), None))
    }
}

async fn handshake<S>(stream: S, meter: Arc<Meter>, ends: Option<Ends>) -> Result<Connection, NetError>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(256 * 1024)
        .handshake::<_, WatchedBody>(stream)
        .await
        .map_err(|error| NetError::NotHttp { detail: error.to_string() })?;
    Ok(Connection::new(Sender::Http1(sender), tokio::spawn(connection), meter, ends))
}

async fn handshake_of_http2<S>(stream: S, meter: Arc<Meter>, ends: Option<Ends>) -> Result<Connection, NetError>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake::<_, WatchedBody>(stream)
        .await
        .map_err(|error| NetError::NotHttp { detail: error.to_string() })?;
    Ok(Connection::new(Sender::Http2(sender), tokio::spawn(connection), meter, ends))
}
