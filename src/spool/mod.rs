//! Where bodies live between source and registry: in memory up to a budget, above it in files without a name.
//!
//! # Guarantees
//! * The digest and the length of a [`Spooled`] body are those of the bytes that were written, computed while they arrived.
//! * A body can be opened again at any offset, as often as it has to be sent: all methods and all retries read the same bytes.
//! * Files have no name once they are open, so the kernel removes them with the process, also after `kill -9`.
//! * Memory and disk are bounded by [`Budget`], whatever the number and size of charts.
//! * Who waits for room waits for bodies that are on their way. Who holds a body that lies in a file must not wait for another one's room:
//!   two of them would wait for each other. What is merely [kept](Spool::keep) gives way.

mod body;
mod budget;
mod shelf;
mod usage;
mod writer;

use std::{fs::File, os::unix::fs::FileExt, path::PathBuf, sync::Arc};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::model::Digest;

pub use budget::{Budget, SpoolError};
pub use shelf::Kept;
pub use usage::{Room, Usage};
pub use writer::SpoolWriter;

/// All spooled bodies of this program.
#[derive(Clone)]
pub struct Spool(Arc<Shared>);

struct Shared {
    directory: PathBuf,
    budget: Budget,
    memory: Arc<Semaphore>,
    disk: Arc<Semaphore>,
    shelf: shelf::Shelf,
}

/// A body that has arrived whole.
#[derive(Clone)]
pub struct Spooled(Arc<Body>);

struct Body {
    content: Content,
    digest: Digest,
    length: u64,
    /// Gives its share of the budget back when the last user is gone.
    _share: budget::Share,
}

enum Content {
    Memory(Bytes),
    File(Arc<File>),
}

impl Spool {
    /// A spool whose files lie in `directory`, which must exist.
    pub fn new(directory: PathBuf, budget: Budget) -> Self {
        let memory = Arc::new(Semaphore::new(budget::units(budget.memory)));
        let disk = Arc::new(Semaphore::new(budget::units(budget.disk)));
        Self(Arc::new(Shared { directory, budget, memory, disk, shelf: shelf::Shelf::default() }))
    }

    /// A place for a body of at most `limit` bytes. When its length is `promised`, room for it is awaited now, so that many
    /// bodies at once wait for each other and none fails half-way.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`] when it can never fit.
    pub async fn writer(&self, promised: Option<u64>, limit: u64) -> Result<SpoolWriter, SpoolError> {
        SpoolWriter::begin(self.0.clone(), promised, limit).await
    }
}

impl Spooled {
    /// The SHA-256 of its bytes.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The number of its bytes.
    pub fn length(&self) -> u64 {
        self.0.length
    }

    /// Whether it lies in memory, and not in a file.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.0.content, Content::Memory(_))
    }

    /// For code that reads without awaiting.
    pub fn reader(&self) -> SpooledReader {
        SpooledReader { body: self.clone(), offset: 0 }
    }
}

impl std::fmt::Debug for Spooled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Spooled({}, {} bytes)", self.0.digest, self.0.length)
    }
}

/// Reads a spooled body from its beginning.
pub struct SpooledReader {
    body: Spooled,
    offset: u64,
}

impl std::io::Read for SpooledReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = match &self.body.0.content {
            Content::File(file) => file.read_at(buffer, self.offset)?,
            Content::Memory(bytes) => {
                let start = usize::try_from(self.offset).unwrap_or(usize::MAX).min(bytes.len());
                let rest = bytes.get(start..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
                    to.copy_from_slice(from);
                }
                count
            }
        };
        self.offset += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
