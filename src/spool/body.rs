//! A spooled body as HTTP sends it: read at an offset in pieces of 256 KiB, one ahead of what is sent, with its exact length.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::task::JoinHandle;

use super::{Content, Spooled};
use crate::net::{BodyError, OpenBody, ReadyBody};

const PIECE: u64 = 256 * 1024;

impl OpenBody for Spooled {
    fn length(&self) -> u64 {
        self.0.length
    }

    fn range(&self, offset: u64, length: u64) -> ReadyBody {
        let end = offset.saturating_add(length).min(self.0.length);
        match &self.0.content {
            Content::Memory(bytes) => bytes.range(offset, length),
            Content::File(file) => FileBody { file: file.clone(), offset, end, reading: None, _keep: self.clone() }.boxed_unsync(),
        }
    }
}

struct FileBody {
    file: Arc<File>,
    offset: u64,
    end: u64,
    reading: Option<JoinHandle<std::io::Result<Bytes>>>,
    /// Holds its share of the budget until the last byte is sent.
    _keep: Spooled,
}

impl FileBody {
    /// Begins to read the next piece, unless there is none.
    fn start(&self) -> Option<JoinHandle<std::io::Result<Bytes>>> {
        let (file, offset) = (self.file.clone(), self.offset);
        let length = usize::try_from(PIECE.min(self.end.saturating_sub(self.offset))).unwrap_or_default();
        let read = move || {
            let mut piece = vec![0; length];
            file.read_exact_at(&mut piece, offset)?;
            Ok(piece.into())
        };
        (length > 0).then(|| tokio::task::spawn_blocking(read))
    }
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(mut reading) = self.reading.take().or_else(|| self.start()) else { return Poll::Ready(None) };
        match Pin::new(&mut reading).poll(context) {
            Poll::Pending => {
                self.reading = Some(reading);
                Poll::Pending
            }
            Poll::Ready(Ok(Ok(piece))) => {
                self.offset += piece.len() as u64;
                self.reading = self.start();
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Poll::Ready(Ok(Err(error))) => Poll::Ready(Some(Err(BodyError(error.to_string())))),
            Poll::Ready(Err(_)) => Poll::Ready(Some(Err(BodyError("the task that read was ended".to_owned())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.offset >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.offset))
    }
}
