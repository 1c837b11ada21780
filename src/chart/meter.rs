//! Counts what passes through the readers of an archive, and stops them at the limits.
//!
//! The readers lie below the tar reader, so that what it reads on its own (long names, extended headers) counts too. A reader
//! that stops gives a plain I/O error; why it stopped stands in the [`Meter`], where no layer above can lose it.

use std::{
    cell::{Cell, RefCell},
    io::{self, BufRead, BufReader, Read},
};

use flate2::bufread::GzDecoder;

use super::{ChartError, IN_HEADER, Limits, UNPACKED};

/// Bytes that names and headers between two files may have.
const HEADERS: u64 = 256 * 1024;
/// Bytes of tar headers and padding that each entry may bring, and the end of the archive once more.
const ENTRY: u64 = 4 * 1024;

/// The counts, shared by the readers.
pub(super) struct Meter<'a> {
    limits: &'a Limits,
    compressed: Cell<u64>,
    unpacked: Cell<u64>,
    headers: Cell<u64>,
    in_headers: Cell<bool>,
    stopped: RefCell<Option<ChartError>>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            compressed: Cell::new(0),
            unpacked: Cell::new(0),
            headers: Cell::new(0),
            in_headers: Cell::new(true),
            stopped: RefCell::new(None),
        }
    }

    /// Tells whether what is read next is headers (true) or the content of a file, which has a limit of its own.
    pub(super) fn headers(&self, begin: bool) {
        self.in_headers.set(begin);
        self.headers.set(0);
    }

    /// Why reading stopped: what a reader noted, else what `error` of the layers above says.
    pub(super) fn reason(&self, error: &io::Error, otherwise: impl FnOnce(String) -> ChartError) -> ChartError {
        match self.stopped.take() {
            Some(reason) => reason,
            None if error.kind() == io::ErrorKind::UnexpectedEof => ChartError::Cut,
            None => otherwise(error.to_string()),
        }
    }

    fn stop(&self, reason: ChartError) -> io::Error {
        self.stopped.replace(Some(reason));
        io::Error::other("stopped")
    }

    fn count_compressed(&self, count: usize) -> io::Result<usize> {
        let found = self.compressed.get() + count as u64;
        self.compressed.set(found);
        let limit = self.limits.compressed;
        if found > limit {
            return Err(self.stop(ChartError::TooLarge { what: "bytes", limit, found }));
        }
        Ok(count)
    }

    fn count_unpacked(&self, count: usize) -> io::Result<usize> {
        let (unpacked, compressed) = (self.unpacked.get() + count as u64, self.compressed.get());
        self.unpacked.set(unpacked);
        let Limits { ratio, ratio_from, unpacked: limit, entries, .. } = *self.limits;
        if unpacked > ratio_from && unpacked > compressed.saturating_mul(ratio) {
            return Err(self.stop(ChartError::Ratio { limit: ratio, unpacked, compressed }));
        }
        if unpacked > limit.saturating_add(HEADERS).saturating_add(u64::from(entries) * ENTRY) {
            return Err(self.stop(ChartError::TooLarge { what: UNPACKED, limit, found: unpacked }));
        }
        if self.in_headers.get() {
            self.headers.set(self.headers.get() + count as u64);
            if self.headers.get() > HEADERS {
                return Err(self.stop(ChartError::TooLarge { what: IN_HEADER, limit: HEADERS, found: self.headers.get() }));
            }
        }
        Ok(count)
    }
}

/// Reads the archive as it lies.
pub(super) struct Compressed<'a, R> {
    inner: R,
    meter: &'a Meter<'a>,
}

impl<R: Read> Read for Compressed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Ok(count) => return self.meter.count_compressed(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.meter.stop(ChartError::Read(error))),
            }
        }
    }
}

/// Unpacks: one gzip member after the other, and nothing after them.
pub(super) struct Unpacked<'a, R> {
    decoder: Option<GzDecoder<BufReader<Compressed<'a, R>>>>,
    meter: &'a Meter<'a>,
}

impl<'a, R: Read> Unpacked<'a, R> {
    pub(super) fn new(archive: R, meter: &'a Meter<'a>) -> Self {
        let compressed = BufReader::new(Compressed { inner: archive, meter });
        Self { decoder: Some(GzDecoder::new(compressed)), meter }
    }

    /// Begins the next member; false at the end.
    fn next_member(&mut self) -> io::Result<bool> {
        let Some(decoder) = self.decoder.take() else { return Ok(false) };
        let mut compressed = decoder.into_inner();
        match compressed.fill_buf()?.first() {
            None => Ok(false),
            Some(0x1F) => {
                self.decoder = Some(GzDecoder::new(compressed));
                Ok(true)
            }
            Some(_) => Err(self.meter.stop(ChartError::TrailingData)),
        }
    }
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(0) };
            let result = decoder.read(buffer);
            // Go, which Helm reads with, stops at names that are longer.
            let is_long = |name: Option<&[u8]>| name.is_some_and(|name| name.len() >= 512);
            let has_long_name = decoder.header().is_some_and(|header| is_long(header.filename()) || is_long(header.comment()));
            let count = result.map_err(|error| self.damaged(error))?;
            if has_long_name {
                return Err(self.meter.stop(ChartError::Gzip("a name in the header is too long".to_owned())));
            }
            if count > 0 {
                return self.meter.count_unpacked(count);
            }
            if !self.next_member()? {
                return Ok(0);
            }
        }
    }
}

impl<R> Unpacked<'_, R> {
    /// Notes that it is the compression that is damaged, and not the tar file in it.
    fn damaged(&self, error: io::Error) -> io::Error {
        let noted = self.meter.stopped.borrow().is_some();
        if noted || error.kind() == io::ErrorKind::UnexpectedEof { error } else { self.meter.stop(ChartError::Gzip(error.to_string())) }
    }
}
