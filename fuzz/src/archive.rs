//! A chart's archive. What is taken is whole, within its limits, and the same to whoever else reads tar files.

use std::io::{self, Read};

use chart_publisher::{
    chart::{self, ChartContent, Limits, Original},
    model::{Descriptor, Digest},
};
use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::{script, sentence};

/// Small, so that they are reached.
const LIMITS: Limits =
    Limits { compressed: 96 * 1024, unpacked: 64 * 1024, file: 12 * 1024, entries: 24, ratio: 100, ratio_from: 16 * 1024 };

/// The input is an archive.
pub fn bytes(input: &[u8]) {
    check(input);
}

/// The input is a script of its entries.
pub fn entries(input: &[u8]) {
    check(&script::archive(input));
}

fn check(archive: &[u8]) {
    let read = chart::read(archive, &LIMITS);
    let in_pieces = chart::read(Pieces(archive), &LIMITS);
    match (read, in_pieces) {
        (Ok(chart), Ok(again)) => {
            assert_eq!(chart, again, "what arrives in pieces is the same");
            taken(archive, &chart);
        }
        (Err(error), Err(again)) => {
            let (one, other) = (error.to_string(), again.to_string());
            // How much a damaged archive still gives depends on the pieces, and what it gives may be damaged in turn.
            let without_count = |text: &str| text.split(" (found ").next().unwrap_or_default().to_owned();
            let is_damaged = |text: &str| text.contains("the archive is damaged") || text.contains("the archive is cut");
            assert!(
                without_count(&one) == without_count(&other) || is_damaged(&one) || is_damaged(&other),
                "what arrives in pieces fails alike: {one}, {other}"
            );
            sentence::check(&error.to_string());
        }
        (one, other) => panic!("what arrives in pieces is judged otherwise: {one:?}, {other:?}"),
    }
}

fn taken(archive: &[u8], chart: &ChartContent) {
    content(chart);
    assert!(chart.files.len() <= LIMITS.entries as usize && archive.len() as u64 <= LIMITS.compressed, "the limits hold");
    for path in &chart.files {
        let is_plain = |segment: &str| !matches!(segment, "" | "." | "..");
        assert!(path.split('/').all(is_plain), "`{path}` stays within the chart");
    }
    assert!(chart::read(&archive[..archive.len() - 1], &LIMITS).is_err(), "what is cut is refused");
    assert!(chart::read(&[archive, b"x"].concat()[..], &LIMITS).is_err(), "what goes on after its end is refused");
    if let Some(files) = listed(archive) {
        assert_eq!(chart.files, files, "another reader finds the same files");
    }
}

/// What holds for each chart.
pub fn content(chart: &ChartContent) {
    assert!(!chart.name.is_empty() && !chart.name.contains('/') && chart.name != "." && chart.name != "..", "{:?}", chart.name);
    sentence::check(&chart.name.chars().take(1000).collect::<String>());
    let version = chart.version.as_str().parse();
    assert_eq!(version.as_ref(), Ok(&chart.version), "a version is read as it is written");
    let config: serde_json::Value = serde_json::from_slice(&chart.config).expect("the config is JSON");
    let field = |name: &str| config.get(name).and_then(serde_json::Value::as_str);
    assert_eq!((field("name"), field("version")), (Some(chart.name.as_str()), Some(chart.version.as_str())));
    let layer = Descriptor { digest: Digest::of(b"archive"), size: 7 };
    let manifest = chart::manifest(chart, &layer, None, chart.packaged);
    let original = Original::read(manifest.bytes).expect("the manifest is one of a chart");
    assert_eq!((original.archive, original.config.digest), (layer, Digest::of(&chart.config)));
}

/// What the crate `tar` finds; nothing where a path needs more than its first segment taken away.
fn listed(archive: &[u8]) -> Option<Vec<String>> {
    let mut tar = tar::Archive::new(MultiGzDecoder::new(archive));
    let mut files = Vec::new();
    for entry in tar.entries().expect("a tar file") {
        let entry = entry.expect("a whole entry");
        let header = entry.header();
        // Where the version is another one than 00, or the magic is missing, it knows no extension; Helm and all others do.
        let is_extension = !matches!(header.entry_type(), EntryType::Regular | EntryType::Directory);
        let is_unknown = header.as_ustar().is_none() && header.as_gnu().is_none();
        if is_unknown && (is_extension || header.as_bytes()[257..].starts_with(b"ustar")) {
            return None;
        }
        let is_file = matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous);
        let is_called_directory =
            entry.path_bytes().ends_with(b"/") || entry.header().mode().is_ok_and(|mode| mode & 0xFFFF_F000 == 0o040_000);
        if !is_file || is_called_directory {
            continue;
        }
        // A long name ends at a zero for Helm, as one in a header does.
        if entry.path_bytes().contains(&0) {
            return None;
        }
        let path = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
        let (_, below) = path.split_once('/')?;
        if path.contains('\\') || below.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return None;
        }
        files.push(below.to_owned());
    }
    Some(files)
}

/// A few bytes at a time.
struct Pieces<'a>(&'a [u8]);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = 1 + self.0.len() % 61;
        let length = buffer.len().min(most);
        self.0.read(&mut buffer[..length])
    }
}
