//! Tunnels: streams to peers that have no address of their own here. Who opens them is handed in; how many there are is decided here.
//!
//! # Guarantees
//! * At most [`MOST_TUNNELS`] at once, whoever asks. Who waits is served in the order of asking, and an idle tunnel is closed for him.
//! * One of them is kept for short exchanges beside one that is under way, so that who holds a tunnel never waits for one that only
//!   he, or others who wait like him, could give up.
//! * The write side is never closed alone: it would end reading too (<https://github.com/kube-rs/kube>, `Portforwarder`).

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{NetError, TunnelAddress};

/// A tunnel costs some MiB here and a stream at whoever passes it on.
pub const MOST_TUNNELS: usize = 8;
const MOST_BESIDE: usize = 1;

/// Both ways of a tunnel.
pub trait TunnelIo: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> TunnelIo for T {}

/// An open tunnel. What breaks it may be told by an [`std::io::Error`] that holds a [`TunnelError`].
pub type TunnelStream = Box<dyn TunnelIo>;

/// Opens tunnels.
pub trait Tunnels: Send + Sync {
    /// One tunnel to `to`, within `limit`: after that the future is dropped.
    fn open<'a>(&'a self, to: &'a TunnelAddress, limit: Duration) -> BoxFuture<'a, Result<TunnelStream, TunnelError>>;
}

/// A tunnel that was not opened, or that broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tunnel to `{to}` {failure}")]
pub struct TunnelError {
    /// Where it leads.
    pub to: String,
    /// Why.
    pub failure: TunnelFailure,
}

/// Why there is no tunnel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TunnelFailure {
    /// We may not.
    #[error("may not be opened: {0}")]
    Forbidden(String),
    /// There is no such peer any more.
    #[error("leads nowhere: {0}")]
    Gone(String),
    /// The peer is there and does not listen on the port.
    #[error("is refused by its peer: {0}")]
    Refused(String),
    /// Anything else.
    #[error("could not be opened: {0}")]
    Failed(String),
    /// Nothing happened.
    #[error("was not open within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// This program has nothing that opens tunnels.
    #[error("cannot be opened by this program")]
    NotOffered,
}

/// Which tunnels are counted together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Lane {
    #[default]
    Through,
    Beside,
}

/// Where tunnels come from, and how many there are.
pub(super) struct Gate {
    tunnels: Arc<dyn Tunnels>,
    through: Arc<Semaphore>,
    beside: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Gate {
    pub(super) fn new(tunnels: Arc<dyn Tunnels>) -> Self {
        let of = |count| Arc::new(Semaphore::new(count));
        Self { tunnels, through: of(MOST_TUNNELS - MOST_BESIDE), beside: of(MOST_BESIDE), waiting: Arc::default() }
    }

    /// Whether somebody waits: then no tunnel is kept idle.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Waits for a place, then opens a tunnel to the first of `peers` that has one. Only opening has a `limit`: a place becomes free
    /// when somebody's exchange ends, and each of these has its own.
    pub(super) async fn enter(
        &self,
        lane: Lane,
        peers: &[&TunnelAddress],
        limit: Duration,
        close_idle: impl Fn(),
    ) -> Result<Tunneled, NetError> {
        let place = self.place(lane, close_idle).await;
        let mut last = None;
        for peer in peers {
            let failed = |failure| TunnelError { to: peer.to_string(), failure };
            match timeout(limit, self.tunnels.open(peer, limit)).await {
                Ok(Ok(stream)) => return Ok(Tunneled { stream, _place: place }),
                Ok(Err(error)) if matches!(error.failure, TunnelFailure::Forbidden(_)) => return Err(error.into()),
                Ok(Err(error)) => last = Some(error),
                Err(_) => last = Some(failed(TunnelFailure::TimedOut(limit))),
            }
        }
        Err(last.unwrap_or(TunnelError { to: "nowhere".to_owned(), failure: TunnelFailure::NotOffered }).into())
    }

    async fn place(&self, lane: Lane, close_idle: impl Fn()) -> Option<OwnedSemaphorePermit> {
        let places = match lane {
            Lane::Through => &self.through,
            Lane::Beside => &self.beside,
        };
        if let Ok(place) = places.clone().try_acquire_owned() {
            return Some(place);
        }
        let _waiting = Waiting::of(&self.waiting);
        close_idle();
        // An error would say that the semaphore was closed, which nobody does.
        places.clone().acquire_owned().await.ok()
    }
}

/// One who waits, also when he gives up.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn of(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A tunnel with its place, which becomes free with it.
pub(super) struct Tunneled {
    stream: TunnelStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Tunneled {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Tunneled {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Both ways end together, when the stream is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.poll_flush(context)
    }
}
