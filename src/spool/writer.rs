//! A body that is arriving.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    sync::Arc,
};

use super::{Body, Content, Shared, SpoolError, Spooled, budget::Share};
use crate::model::DigestWriter;

/// Bytes are handed to the file system in pieces of this size.
const PIECE: usize = 256 * 1024;

/// A body that is arriving. Dropped before [`SpoolWriter::finish`], it leaves nothing behind.
pub struct SpoolWriter {
    spool: Arc<Shared>,
    limit: u64,
    length: u64,
    digest: DigestWriter,
    pending: Vec<u8>,
    file: Option<Arc<File>>,
    share: Share,
}

impl SpoolWriter {
    pub(super) async fn begin(spool: Arc<Shared>, promised: Option<u64>, limit: u64) -> Result<Self, SpoolError> {
        let too_large = SpoolError::TooLarge { limit };
        if promised.is_some_and(|length| length > limit) {
            return Err(too_large);
        }
        let mut writer = Self {
            limit,
            length: 0,
            digest: DigestWriter::default(),
            pending: Vec::new(),
            file: None,
            share: Share::none(spool.memory.clone()),
            spool,
        };
        if let Some(length) = promised.filter(|length| *length > writer.spool.budget.memory_of_one) {
            let disk = writer.spool.budget.disk;
            if length > disk {
                return Err(SpoolError::NeverFits { length, limit: disk });
            }
            let full = SpoolError::Full { limit: disk };
            writer.share = Share::none(writer.spool.disk.clone());
            if !writer.grow_to(length) {
                writer.share = Share::wait_for(writer.spool.disk.clone(), length).await.ok_or(full)?;
            }
            writer.open_file().await?;
        }
        Ok(writer)
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`SpoolError`]; the body is lost.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.length += bytes.len() as u64;
        if self.length > self.limit {
            return Err(SpoolError::TooLarge { limit: self.limit });
        }
        self.digest.update(bytes);
        self.make_room().await?;
        self.pending.extend_from_slice(bytes);
        if self.file.is_some() && self.pending.len() >= PIECE {
            self.flush().await?;
        }
        Ok(())
    }

    async fn make_room(&mut self) -> Result<(), SpoolError> {
        let fits_in_memory = self.file.is_none() && self.length <= self.spool.budget.memory_of_one && self.share.grow_to(self.length);
        if fits_in_memory {
            return Ok(());
        }
        if self.file.is_none() {
            self.share = Share::none(self.spool.disk.clone());
            self.open_file().await?;
        }
        let limit = self.spool.budget.disk;
        match self.grow_to(self.length) {
            true => Ok(()),
            false if self.length > limit => Err(SpoolError::NeverFits { length: self.length, limit }),
            false => Err(SpoolError::Full { limit }),
        }
    }

    /// Room on disk, of what is merely kept where that is all there is.
    fn grow_to(&mut self, bytes: u64) -> bool {
        if self.share.grow_to(bytes) {
            return true;
        }
        self.spool.shelf.clear();
        self.share.grow_to(bytes)
    }

    async fn open_file(&mut self) -> Result<(), SpoolError> {
        let directory = self.spool.directory.clone();
        self.file = Some(Arc::new(on_disk(move || tempfile::tempfile_in(directory)).await?));
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), SpoolError> {
        if let Some(file) = self.file.clone() {
            let pending = std::mem::take(&mut self.pending);
            self.pending = on_disk(move || {
                (&*file).write_all(&pending)?;
                let mut pending = pending;
                pending.clear();
                Ok(pending)
            })
            .await?;
        }
        Ok(())
    }

    /// The body has arrived whole.
    ///
    /// # Errors
    /// [`SpoolError::NoSpace`] and [`SpoolError::Disk`].
    pub async fn finish(mut self) -> Result<Spooled, SpoolError> {
        self.flush().await?;
        let (digest, length) = self.digest.finish();
        let content = match self.file {
            Some(file) => Content::File(file),
            None => Content::Memory(self.pending.into()),
        };
        Ok(Spooled(Arc::new(Body { content, digest, length, _share: self.share })))
    }
}

fn refused(error: &std::io::Error) -> SpoolError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => SpoolError::NoSpace,
        _ => SpoolError::Disk(error.to_string()),
    }
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T, SpoolError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(refused(&error)),
        Err(_) => Err(SpoolError::Disk("the task that wrote was ended".to_owned())),
    }
}
