//! The socket as HTTP sees it: it notes when bytes last went out, and lets an early answer through.
//!
//! A server that refuses a body often answers and closes while the body is still being written. The write then fails with
//! ECONNRESET or EPIPE although the answer lies in the receive buffer, which Linux keeps readable. hyper stops at the error
//! of the write, so such an error becomes *pending* here, and hyper goes on to read: first the answer, then the end.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::tunnel::{TunnelIo, TunnelStream, Tunneled};

/// What passed over one connection.
#[derive(Debug)]
pub(super) struct Meter {
    last_write: Mutex<Instant>,
    /// Cancelled when a write has failed: only what is still to be read may come of the connection.
    broken: CancellationToken,
    /// Whether an exchange was given up in its middle.
    given_up: AtomicBool,
}

impl Meter {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { last_write: Mutex::new(Instant::now()), broken: CancellationToken::new(), given_up: AtomicBool::new(false) })
    }

    /// When bytes were last taken by the kernel, or a request began.
    pub(super) fn last_write(&self) -> Instant {
        *self.last_write.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A request begins: silence before it does not count.
    pub(super) fn touch(&self) {
        *self.last_write.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }

    /// An exchange is given up in its middle: what lies in buffers shall not be sent when the connection is closed.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Whether nothing more can be sent.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_cancelled()
    }

    /// Ends when nothing more can be sent.
    pub(super) async fn broken(&self) {
        self.broken.cancelled().await;
    }
}

/// What bytes go through.
pub(super) enum Socket {
    Tcp(TcpStream),
    Tunnel(Tunneled),
    /// To a proxy, or through one.
    Through(TunnelStream),
}

impl Socket {
    fn io(&mut self) -> Pin<&mut dyn TunnelIo> {
        match self {
            Self::Tcp(socket) => Pin::new(socket),
            Self::Tunnel(tunnel) => Pin::new(tunnel),
            Self::Through(stream) => Pin::new(stream),
        }
    }
}

/// A [`Socket`] with a [`Meter`].
pub(super) struct PatientStream {
    inner: Socket,
    meter: Arc<Meter>,
}

impl PatientStream {
    pub(super) fn new(inner: Socket, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }

    fn judged(&mut self, context: &Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(bytes)) => {
                self.meter.touch();
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
                if !self.meter.is_broken() {
                    self.meter.broken.cancel();
                    context.waker().wake_by_ref();
                }
                Poll::Pending
            }
            other => other,
        }
    }
}

/// An ordinary close would have the kernel send what is left of a body, for as long as that takes: the other side would take the upload for
/// alive meanwhile, and keep it from being left.
impl Drop for PatientStream {
    fn drop(&mut self) {
        if let Socket::Tcp(socket) = &self.inner
            && self.meter.given_up.load(Ordering::Relaxed)
        {
            let _ = socket.set_zero_linger();
        }
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.inner.io().poll_read(context, buffer)
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.inner.io().poll_write(context, bytes);
        self.judged(context, result)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let result = self.inner.io().poll_write_vectored(context, bytes);
        self.judged(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        matches!(&self.inner, Socket::Tcp(socket) if socket.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.io().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.io().poll_shutdown(context)
    }
}
