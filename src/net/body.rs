//! What is sent as a body: complete before its first byte goes out, with an exact length, and it can be opened again.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};

/// A body of our own that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub String);

/// A body that is ready to be sent.
pub type ReadyBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body that can be opened as often as it has to be sent.
pub trait OpenBody: Send + Sync {
    /// Its exact length.
    fn length(&self) -> u64;
    /// `length` bytes from `offset` on, or as many as there are.
    fn range(&self, offset: u64, length: u64) -> ReadyBody;

    /// The bytes from `offset` to the end.
    fn open(&self, offset: u64) -> ReadyBody {
        self.range(offset, self.length().saturating_sub(offset))
    }
}

/// A part of a body, sent as a body of its own.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The whole.
    pub of: &'a dyn OpenBody,
    /// Where the part begins.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

impl OpenBody for Part<'_> {
    fn length(&self) -> u64 {
        self.length
    }

    fn range(&self, offset: u64, length: u64) -> ReadyBody {
        self.of.range(self.offset + offset, length.min(self.length.saturating_sub(offset)))
    }
}

/// A body that does not tell its length, so that HTTP sends it in chunked transfer encoding (RFC 9112, section 7.1).
#[derive(Clone, Copy)]
pub struct Untold<'a>(pub &'a dyn OpenBody);

impl OpenBody for Untold<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn range(&self, offset: u64, length: u64) -> ReadyBody {
        Hidden(self.0.range(offset, length)).boxed_unsync()
    }
}

/// Passes a body on and keeps its length to itself.
struct Hidden(ReadyBody);

impl Body for Hidden {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }
}

impl OpenBody for Bytes {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn range(&self, offset: u64, length: u64) -> ReadyBody {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(self.len());
        Pieces(self.slice(start..end)).boxed_unsync()
    }
}

/// Bytes are handed over in pieces, so that it can be seen how far they got.
struct Pieces(Bytes);

const PIECE: usize = 64 * 1024;

impl Body for Pieces {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

/// How far a body got.
#[derive(Debug, Default)]
pub(super) struct Progress {
    handed_over: AtomicU64,
    failure: Mutex<Option<BodyError>>,
}

impl Progress {
    /// Bytes that HTTP took.
    pub(super) fn handed_over(&self) -> u64 {
        self.handed_over.load(Ordering::Relaxed)
    }

    /// Why our own body could not be read.
    pub(super) fn failure(&self) -> Option<BodyError> {
        self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// A body whose progress can be watched.
pub(super) struct WatchedBody {
    inner: ReadyBody,
    progress: Arc<Progress>,
    /// Counts all bodies of the transport.
    total: Arc<AtomicU64>,
}

impl WatchedBody {
    pub(super) fn new(inner: ReadyBody, total: Arc<AtomicU64>) -> (Self, Arc<Progress>) {
        let progress = Arc::new(Progress::default());
        (Self { inner, progress: progress.clone(), total }, progress)
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.progress.handed_over.fetch_add(length as u64, Ordering::Relaxed);
                self.total.fetch_add(length as u64, Ordering::Relaxed);
            }
            Poll::Ready(Some(Err(error))) => {
                *self.progress.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error.clone());
            }
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
