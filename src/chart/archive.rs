//! Reads a packaged chart in memory: nothing is unpacked to disk.
//!
//! In: the bytes of a `.tgz` and limits. Out: the metadata files and the names of all files. What Helm's loader refuses is
//! refused; so is what tools read in different ways (links, devices, two `Chart.yaml`, data after the end), because the bytes
//! are published as they are and others will unpack them.

use std::io::{self, Cursor, Read};

use tar::{Entry, EntryType};

use super::{ChartError, ENTRIES, Limits, UNPACKED, meter::Meter, meter::Unpacked};

/// What an archive holds, as far as publishing asks.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// `Chart.yaml` and the time of its entry.
    pub(super) chart: Option<(Vec<u8>, Option<i64>)>,
    /// `requirements.yaml`, where charts of API version v1 name their dependencies.
    pub(super) requirements: Option<Vec<u8>>,
    /// Paths below the directory at the top, in the order of the archive.
    pub(super) files: Vec<String>,
    /// Bytes of all files.
    size: u64,
}

/// Reads to the end, so that damage anywhere is found.
pub(super) fn open(mut archive: impl Read, limits: &Limits) -> Result<Contents, ChartError> {
    let head = head(&mut archive)?;
    let meter = Meter::new(limits);
    let mut tar = tar::Archive::new(Unpacked::new(Cursor::new(head).chain(archive), &meter));
    let no_tar = |error: &io::Error| meter.reason(error, ChartError::Tar);
    let mut contents = Contents::default();
    let mut count = 0;
    for entry in tar.entries().map_err(|error| no_tar(&error))? {
        count += 1;
        if count > u64::from(limits.entries) {
            return Err(ChartError::TooLarge { what: ENTRIES, limit: limits.entries.into(), found: count });
        }
        let mut entry = entry.map_err(|error| no_tar(&error))?;
        meter.headers(false);
        if let Some(path) = path_of(&entry)? {
            contents.take(path, &mut entry, limits, &no_tar)?;
        } else {
            io::copy(&mut entry, &mut io::sink()).map_err(|error| no_tar(&error))?;
        }
        meter.headers(true);
    }
    meter.headers(false);
    only_zeros(tar.into_inner()).map_err(|error| no_tar(&error))?.then_some(()).ok_or(ChartError::TrailingData)?;
    if contents.files.is_empty() {
        return Err(ChartError::NoFiles);
    }
    Ok(contents)
}

impl Contents {
    /// Reads one file.
    fn take(
        &mut self,
        path: String,
        entry: &mut Entry<'_, impl Read>,
        limits: &Limits,
        no_tar: &impl Fn(&io::Error) -> ChartError,
    ) -> Result<(), ChartError> {
        let (found, total) = (entry.size(), self.size.saturating_add(entry.size()));
        if total >= limits.unpacked {
            return Err(ChartError::TooLarge { what: UNPACKED, limit: limits.unpacked, found: total });
        }
        if found > limits.file {
            return Err(ChartError::FileTooLarge { path, limit: limits.file, found });
        }
        let time = entry.header().mtime().ok().and_then(|time| i64::try_from(time).ok());
        let (mut text, mut sink) = (Vec::new(), io::sink());
        let kept = matches!(path.as_str(), "Chart.yaml" | "requirements.yaml");
        let target: &mut dyn io::Write = if kept { &mut text } else { &mut sink };
        let length = io::copy(&mut entry.take(found), target).map_err(|error| no_tar(&error))?;
        if length < found {
            return Err(ChartError::Cut);
        }
        self.size = total;
        if text.starts_with(b"\xEF\xBB\xBF") {
            text.drain(..3);
        }
        let twice = match path.as_str() {
            "Chart.yaml" => self.chart.replace((text, time)).is_some(),
            "requirements.yaml" => self.requirements.replace(text).is_some(),
            _ => false,
        };
        if twice {
            return Err(ChartError::Path { path, problem: "is in the archive twice" });
        }
        self.files.push(path);
        Ok(())
    }
}

/// The first bytes, which tell a gzip file from what servers send in place of one.
fn head(archive: &mut impl Read) -> Result<Vec<u8>, ChartError> {
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

/// The path of a file below the directory at the top, as Helm's loader has it. None for what it passes over.
fn path_of(entry: &Entry<'_, impl Read>) -> Result<Option<String>, ChartError> {
    let raw = entry.path_bytes();
    let shown = || String::from_utf8_lossy(&raw).chars().filter(|c| !c.is_control()).take(200).collect();
    let refuse = |problem| Err(ChartError::Path { path: shown(), problem });
    let header = entry.header();
    let has_mode_of_directory = header.mode().is_ok_and(|mode| mode & !0o7777 == 0o040_000);
    match header.entry_type() {
        EntryType::Directory | EntryType::XGlobalHeader => return Ok(None),
        EntryType::Symlink | EntryType::Link => return refuse("is a link"),
        EntryType::Block | EntryType::Char | EntryType::Fifo => return refuse("is a device or pipe"),
        _ if has_mode_of_directory || raw.ends_with(b"/") => return Ok(None),
        _ => {}
    }
    let Ok(text) = std::str::from_utf8(&raw) else { return refuse("is not UTF-8") };
    below_top(text).map(Some).or_else(refuse)
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

/// Whether nothing but padding is left.
fn only_zeros(mut rest: impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(true),
            count if buffer.iter().take(count).any(|byte| *byte != 0) => return Ok(false),
            _ => {}
        }
    }
}
