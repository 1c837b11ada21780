//! Reads a packaged chart in memory: nothing is unpacked to disk.
//!
//! In: the bytes of a `.tgz` and limits. Out: the files that are read, and the names of all files. What Helm's loader refuses is
//! refused; so is what tools read in different ways (links, devices, two `Chart.yaml`, data after the end), because the bytes
//! are published as they are and others will unpack them. Archives in `charts/` are read as they pass by, within the same limits.

use std::{
    cell::Cell,
    io::{self, Cursor, Read},
};

use tar::Entry;

use super::{
    ChartError, ENTRIES, Limits, UNPACKED,
    folder::{Folder, Place},
    header::{Extended, Part, shown},
    meter::Meter,
    meter::Unpacked,
};

/// Bytes of `Chart.yaml` and `requirements.yaml` that are kept, of all charts within each other.
const KEPT: u64 = 16 * super::MIB;

/// What an archive holds, as far as publishing asks.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The files that are read.
    pub(super) root: Folder,
    /// Paths below the directory at the top, in the order of the archive.
    pub(super) files: Vec<String>,
}

/// What was spent, in an archive and in those within it.
#[derive(Debug, Default)]
pub(super) struct Spent {
    entries: Cell<u64>,
    unpacked: Cell<u64>,
    kept: Cell<u64>,
}

/// Reads to the end, so that damage anywhere is found.
pub(super) fn open(archive: &mut dyn Read, limits: &Limits) -> Result<Contents, ChartError> {
    Walk { limits, spent: &Spent::default(), level: 1 }.open(archive)
}

/// One archive, at its level among those within each other.
#[derive(Clone, Copy)]
struct Walk<'a> {
    limits: &'a Limits,
    spent: &'a Spent,
    level: u64,
}

impl Walk<'_> {
    fn open(self, archive: &mut dyn Read) -> Result<Contents, ChartError> {
        let head = head(archive)?;
        let meter = Meter::new(self.limits);
        let mut tar = tar::Archive::new(Unpacked::new(Cursor::new(head).chain(archive), &meter));
        let no_tar = |error: &io::Error| meter.reason(error, ChartError::Tar);
        let (mut contents, mut extended) = (Contents::default(), Extended::default());
        for entry in tar.entries().map_err(|error| no_tar(&error))?.raw(true) {
            let mut entry = entry.map_err(|error| no_tar(&error))?;
            let part = extended.next(&mut entry, no_tar)?;
            if part == Part::Extension {
                continue;
            }
            self.count_entry()?;
            meter.headers(false);
            if let Part::File(path) = part {
                let path = path_of(&path)?;
                self.take(&mut contents.root, &path, &mut entry, &no_tar)?;
                contents.files.push(path);
            } else {
                io::copy(&mut entry, &mut io::sink()).map_err(|error| no_tar(&error))?;
            }
            meter.headers(true);
        }
        extended.end()?;
        meter.headers(false);
        check_padding(tar.into_inner()).map_err(|error| no_tar(&error))??;
        if contents.files.is_empty() {
            return Err(ChartError::NoFiles);
        }
        Ok(contents)
    }

    fn count_entry(self) -> Result<(), ChartError> {
        let found = self.spent.entries.get() + 1;
        self.spent.entries.set(found);
        let limit = self.limits.entries.into();
        if found > limit { Err(ChartError::TooLarge { what: ENTRIES, limit, found }) } else { Ok(()) }
    }

    /// Reads one file.
    fn take(
        self,
        root: &mut Folder,
        path: &str,
        entry: &mut Entry<'_, impl Read>,
        no_tar: &impl Fn(&io::Error) -> ChartError,
    ) -> Result<(), ChartError> {
        let (found, total) = (entry.size(), self.spent.unpacked.get().saturating_add(entry.size()));
        if total >= self.limits.unpacked {
            return Err(ChartError::TooLarge { what: UNPACKED, limit: self.limits.unpacked, found: total });
        }
        if found > self.limits.file {
            return Err(ChartError::FileTooLarge { path: path.to_owned(), limit: self.limits.file, found });
        }
        self.spent.unpacked.set(total);
        let time = entry.header().mtime().ok().and_then(|time| i64::try_from(time).ok());
        let whole = |length: u64| if length < found { Err(ChartError::Cut) } else { Ok(()) };
        match root.place(path, self.level)? {
            Place::Unread => whole(io::copy(&mut entry.take(found), &mut io::sink()).map_err(|error| no_tar(&error))?),
            Place::Archive(level) => Walk { level, ..self }.nested(path, entry, no_tar),
            Place::Text(folder, name) => {
                let mut text = Vec::new();
                whole(io::copy(&mut entry.take(found), &mut text).map_err(|error| no_tar(&error))?)?;
                if text.starts_with(b"\xEF\xBB\xBF") {
                    text.drain(..3);
                }
                let kept = self.spent.kept.get() + folder.take(name, path, text, time)?;
                self.spent.kept.set(kept);
                if kept > KEPT { Err(ChartError::TooLarge { what: "bytes of metadata", limit: KEPT, found: kept }) } else { Ok(()) }
            }
        }
    }

    /// Reads the archive of a chart within the chart, as it passes by.
    fn nested(self, path: &str, entry: &mut Entry<'_, impl Read>, no_tar: &impl Fn(&io::Error) -> ChartError) -> Result<(), ChartError> {
        let mut passing = Passing { from: entry, failed: None };
        let read = self.open(&mut passing).and_then(|contents| contents.root.finish(""));
        if let Some(error) = &passing.failed {
            return Err(no_tar(error));
        }
        match read {
            Ok(_) => Ok(()),
            Err(cause) => Err(ChartError::Within { archive: path.to_owned(), cause: Box::new(cause) }),
        }
    }
}

/// An archive within an archive. What breaks around it is not its own fault.
struct Passing<R> {
    from: R,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Passing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.from.read(buffer).map_err(|error| {
            let shown = io::Error::from(error.kind());
            self.failed = Some(error);
            shown
        })
    }
}

/// The first bytes, which tell a gzip file from what servers send in place of one.
fn head(archive: &mut dyn Read) -> Result<Vec<u8>, ChartError> {
    let mut head = Vec::with_capacity(64);
    archive.take(64).read_to_end(&mut head).map_err(ChartError::Read)?;
    let text = head.trim_ascii_start();
    match head.as_slice() {
        [0x1F, 0x8B, 8, ..] => Ok(head),
        [] => Err(ChartError::NotGzip("empty")),
        [0x1F, 0x8B] | [0x1F] => Err(ChartError::Cut),
        [b'P', b'K', 3 | 5, ..] => Err(ChartError::NotGzip("a ZIP file")),
        _ if text.starts_with(b"<") => Err(ChartError::NotGzip("an HTML or XML page")),
        _ if text.starts_with(b"{") => Err(ChartError::NotGzip("JSON")),
        _ if text.starts_with(b"version https://git-lfs") => Err(ChartError::NotGzip("a pointer of Git LFS")),
        bytes if bytes.iter().all(|byte| matches!(byte, b'\t'..=b'\r' | b' '..=b'~')) => Err(ChartError::NotGzip("text")),
        _ => Err(ChartError::NotGzip("something else")),
    }
}

/// The path of a file below the directory at the top, as Helm's loader has it.
fn path_of(path: &[u8]) -> Result<String, ChartError> {
    let refuse = |problem| ChartError::Path { path: shown(path), problem };
    let text = std::str::from_utf8(path).map_err(|_| refuse("is not UTF-8"))?;
    below_top(text).map_err(refuse)
}

/// Takes the first segment away and resolves the rest. Archives made on Windows may have backslashes throughout.
fn below_top(path: &str) -> Result<String, &'static str> {
    let delimiter = if path.contains('\\') { '\\' } else { '/' };
    let (top, rest) = path.split_once(delimiter).unwrap_or((path, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return Err("is an absolute path");
    }
    let rest = resolved(&rest);
    match rest.as_bytes() {
        _ if top == "Chart.yaml" => Err("is not in a directory"),
        [] => Err("is outside of the chart's directory"),
        [b'.', b'.', ..] => Err("leads to a parent directory"),
        [drive, b':', b'/', ..] if drive.is_ascii_alphabetic() => Err("names a drive"),
        _ => Ok(rest),
    }
}

/// Without empty and `.` segments, and with `..` taking the segment before it away.
fn resolved(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." if segments.last().is_some_and(|last| *last != "..") => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    segments.join("/")
}

/// Nothing but zeros may be left, and of a block of them no part.
fn check_padding(mut rest: impl Read) -> io::Result<Result<(), ChartError>> {
    let (mut buffer, mut length) = (vec![0; 16 * 1024], 0);
    loop {
        match rest.read(&mut buffer)? {
            0 if (1..512).contains(&length) => return Ok(Err(ChartError::Cut)),
            0 => return Ok(Ok(())),
            count if buffer.iter().take(count).any(|byte| *byte != 0) => return Ok(Err(ChartError::TrailingData)),
            count => length += count,
        }
    }
}
