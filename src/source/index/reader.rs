//! The bytes of an index: counted, and looked at before they are parsed.

use std::{
    cell::{Cell, RefCell},
    io::{self, Read},
};

use super::{BYTES, IndexError};

/// What begins so, as `Content-Encoding` calls it (RFC 1952, RFC 8878). That of `br` cannot be told.
const COMPRESSIONS: [(&[u8], &str); 2] = [(&[0x1f, 0x8b], "`gzip`"), (&[0x28, 0xb5, 0x2f, 0xfd], "`zstd`")];

/// What happened while reading, where no parser can lose it.
#[derive(Default)]
pub(super) struct Notes {
    over: Cell<bool>,
    error: RefCell<Option<io::Error>>,
}

impl Notes {
    /// Why reading failed, if it did.
    pub(super) fn failure(&self, limit: u64) -> Option<IndexError> {
        let over = self.over.get().then_some(IndexError::TooLarge { what: BYTES, limit });
        over.or_else(|| self.error.take().map(IndexError::Read))
    }
}

/// A reader with a limit that can be looked into.
pub(super) struct Source<'a, R> {
    inner: R,
    head: io::Cursor<Vec<u8>>,
    left: u64,
    notes: &'a Notes,
}

impl<'a, R: Read> Source<'a, R> {
    pub(super) fn new(inner: R, limit: u64, notes: &'a Notes) -> Self {
        Self { inner, head: io::Cursor::new(Vec::new()), left: limit, notes }
    }

    /// The first byte that is no white space, without the byte order mark, of the first KiB; None when there is none.
    pub(super) fn begin(&mut self) -> Option<u8> {
        let mut head = Vec::new();
        let _ = Read::by_ref(self).take(1024).read_to_end(&mut head);
        if let Some(rest) = head.strip_prefix(b"\xEF\xBB\xBF") {
            head = rest.to_vec();
        }
        let first = head.trim_ascii_start().first().copied();
        self.head = io::Cursor::new(head);
        first
    }

    /// How the bytes are compressed, by what [`Source::begin`] has seen of them.
    pub(super) fn compression(&self) -> Option<&'static str> {
        let head = self.head.get_ref();
        COMPRESSIONS.iter().find(|(begin, _)| head.starts_with(begin)).map(|(_, name)| *name)
    }
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.head.read(buffer)? {
            0 => {}
            count => return Ok(count),
        }
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.notes.error.replace(Some(error));
                return Err(io::Error::other("stopped"));
            }
        };
        let Some(left) = self.left.checked_sub(count as u64) else {
            self.notes.over.set(true);
            return Err(io::Error::other("stopped"));
        };
        self.left = left;
        Ok(count)
    }
}
