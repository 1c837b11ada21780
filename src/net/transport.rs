//! Connections, made and kept: a small pool of idle ones, leased to one exchange at a time.
//!
//! # Guarantees
//! * A lease is one TCP connection: everything sent through it reaches the same peer.
//! * A connection is shared only between endpoints with the same addresses, origin, trust and address policy.
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

use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};

use super::{
    Address, AddressPolicy, Endpoint, NetError, WatchedBody,
    dial::dial,
    handshake::secured,
    lease::{Connection, Lease},
    stream::{Meter, PatientStream},
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
    fn connect(self) -> Duration {
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
}

impl Key {
    fn of(endpoint: &Endpoint) -> Self {
        Self {
            addresses: endpoint.addresses.clone(),
            origin: endpoint.origin.clone(),
            tls: (endpoint.origin.scheme == Scheme::Https).then_some(endpoint.tls.fingerprint),
            policy: endpoint.policy.clone(),
            segment: endpoint.segment,
        }
    }
}

/// The idle connections.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<HashMap<Key, Vec<(Instant, Connection)>>>,
}

impl Pool {
    pub(super) fn give_back(&self, key: Key, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
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
    /// Bytes of bodies that went out, over all connections.
    sent: Arc<AtomicU64>,
}

impl Transport {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection to `endpoint`, for one exchange after another.
    ///
    /// # Errors
    /// [`NetError::Resolve`], [`NetError::AddressRefused`], [`NetError::Connect`], [`NetError::Tls`]: no byte of a request was sent.
    pub async fn lease(&self, endpoint: &Endpoint, patience: Patience, reuse: Reuse) -> Result<Lease, NetError> {
        let key = Key::of(endpoint);
        if reuse == Reuse::Idle
            && let Some(connection) = self.pool.take(&key)
        {
            return Ok(Lease::new(connection, key, self.pool.clone(), self.sent.clone(), true));
        }
        let connection = self.connect(endpoint, patience).await?;
        Ok(Lease::new(connection, key, self.pool.clone(), self.sent.clone(), false))
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
        let (socket, peer) = dial(endpoint, patience.connect()).await?;
        let meter = Meter::new();
        let stream = PatientStream::new(socket, meter.clone());
        if endpoint.origin.scheme == Scheme::Http {
            return handshake(TokioIo::new(stream), meter, peer).await;
        }
        let host = &endpoint.origin.host;
        let stream = timeout(patience.connect(), secured(stream, host, &endpoint.tls))
            .await
            .unwrap_or_else(|_| Err(NetError::NoAnswer { after: patience.connect() }))?;
        handshake(TokioIo::new(stream), meter, peer).await
    }
}

async fn handshake<S>(stream: S, meter: Arc<Meter>, peer: std::net::SocketAddr) -> Result<Connection, NetError>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(256 * 1024)
        .handshake::<_, WatchedBody>(stream)
        .await
        .map_err(|error| NetError::NotHttp { detail: error.to_string() })?;
    Ok(Connection::new(sender, tokio::spawn(connection), meter, peer))
}
