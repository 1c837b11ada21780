//! Charts of noise in any number and size, packed here and not by helm, which takes seconds for each 90 MiB; and a repository of them.
//!
//! Archives are gzip files that hold their tar as it is: noise does not shrink.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use crate::support::helm_repository::HelmRepository;

/// Helm refuses files above 5 MiB.
const MOST_OF_A_FILE: u64 = 4 << 20;

/// A chart that is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The bytes of its archive.
    pub length: u64,
    /// Of its archive: `sha256:…`.
    pub digest: String,
}

impl Chart {
    /// The name of its archive.
    pub fn file(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }

    /// Packs a chart with `noise` bytes of noise in it into `folder`.
    pub fn pack(folder: &Path, name: &str, version: &str, noise: u64) -> Self {
        let file = folder.join(format!("{name}-{version}.tgz"));
        let (length, digest) = packed(&file, name, version, noise).unwrap_or_else(|problem| panic!("{}: {problem}", file.display()));
        Self { name: name.to_owned(), version: version.to_owned(), length, digest }
    }
}

fn packed(file: &Path, name: &str, version: &str, noise: u64) -> io::Result<(u64, String)> {
    let gzip = GzBuilder::new().write(Hashed::new(BufWriter::new(File::create(file)?)), Compression::none());
    let mut tar = Builder::new(gzip);
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\ndescription: Noise\n");
    append(&mut tar, &format!("{name}/Chart.yaml"), metadata.as_bytes())?;
    let (mut left, mut number) = (noise, 0);
    let mut bytes = vec![0; usize::try_from(MOST_OF_A_FILE.min(noise)).unwrap_or_default()];
    fastrand::fill(&mut bytes);
    while left > 0 {
        let length = left.min(MOST_OF_A_FILE);
        // No two files of a chart are alike, nor two charts.
        let stamp = format!("{name} {version} {number} {}", fastrand::u64(..));
        bytes.splice(..stamp.len().min(bytes.len()), stamp.bytes().take(bytes.len()));
        append(&mut tar, &format!("{name}/files/{number}.bin"), &bytes[..usize::try_from(length).unwrap_or_default()])?;
        left -= length;
        number += 1;
    }
    tar.into_inner()?.finish()?.finish()
}

fn append(tar: &mut Builder<impl Write>, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(1_767_225_600);
    tar.append_data(&mut header, path, bytes)
}

/// Hashes and counts what is written.
struct Hashed<W> {
    inner: W,
    hash: Sha256,
    length: u64,
}

impl<W: Write> Hashed<W> {
    fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), length: 0 }
    }

    fn finish(mut self) -> io::Result<(u64, String)> {
        self.inner.flush()?;
        Ok((self.length, hexadecimal(&self.hash.finalize())))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes the index of a repository in whose folder these charts lie. Helm would read each of them first.
pub fn index(repository: &HelmRepository, charts: &[Chart]) {
    let mut text = "apiVersion: v1\nentries:\n".to_owned();
    let mut last = "";
    for chart in charts {
        if chart.name != last {
            let _ = writeln!(text, "  {}:", chart.name);
            last = &chart.name;
        }
        let (name, version, file) = (&chart.name, &chart.version, chart.file());
        let digest = chart.digest.trim_start_matches("sha256:");
        let _ = write!(
            text,
            "  - apiVersion: v2\n    name: {name}\n    version: {version}\n    created: \"2026-01-01T00:00:00Z\"\n    digest: {digest}\n    urls: [{file}]\n"
        );
    }
    std::fs::write(repository.site().join("index.yaml"), text).expect("a file in the bed's folder");
}

/// The length and the digest of a file.
pub fn measured(file: &Path) -> io::Result<(u64, String)> {
    let mut hashed = Hashed::new(io::sink());
    io::copy(&mut File::open(file)?, &mut hashed)?;
    hashed.finish()
}
