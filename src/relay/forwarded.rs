//! One forwarded port as a stream. When it ends because the kubelet could not go on, reading says so in the kubelet's words.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use kube::api::Portforwarder;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::failure::of_kubelet;
use crate::net::{TunnelAddress, TunnelError};

type Complaint = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// Both ways of one forwarded port. Dropping it ends the port-forward at once, whatever was not sent.
pub(super) struct Forwarded {
    stream: DuplexStream,
    /// What the kubelet has to say; taken once it was heard.
    complaint: Option<Complaint>,
    forwarder: Portforwarder,
    to: String,
}

impl Forwarded {
    /// Takes the one port of `forwarder`.
    pub(super) fn new(mut forwarder: Portforwarder, to: &TunnelAddress) -> Option<Self> {
        let stream = forwarder.take_stream(to.port)?;
        let complaint = forwarder.take_error(to.port)?;
        Some(Self { stream, complaint: Some(Box::pin(complaint)), forwarder, to: to.to_string() })
    }

    /// The kubelet tells what went wrong before it closes, so that at the end of the stream it is there.
    fn complaint(&mut self, context: &mut Context<'_>) -> Option<io::Error> {
        let Poll::Ready(message) = self.complaint.as_mut()?.as_mut().poll(context) else { return None };
        self.complaint = None;
        let failure = of_kubelet(&message?);
        Some(io::Error::other(TunnelError { to: self.to.clone(), failure }))
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        // It would wait for the other side to close as well.
        self.forwarder.abort();
    }
}

impl AsyncRead for Forwarded {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) if buffer.filled().len() == before && buffer.remaining() > 0 => {
                Poll::Ready(self.complaint(context).map_or(Ok(()), Err))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
