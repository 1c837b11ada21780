//! Archives and indexes as nobody should publish them.

use std::io::Write;

use chart_publisher::model::Digest;
use flate2::{Compression, write::GzEncoder};

/// A chart that Helm takes.
pub fn chart(name: &str, version: &str) -> Vec<u8> {
    archive(&[(&format!("{name}/Chart.yaml"), metadata(name, version).as_bytes())])
}

/// A chart with another content than [`chart`].
pub fn changed_chart(name: &str, version: &str) -> Vec<u8> {
    archive(&[(&format!("{name}/Chart.yaml"), metadata(name, version).as_bytes()), (&format!("{name}/values.yaml"), b"changed: true\n")])
}

/// A chart with a file of 6 MiB, which Helm does not take.
pub fn chart_with_a_large_file() -> Vec<u8> {
    // Enough noise that it is no bomb, and not so much that it needs the spool's disk.
    let mut file = vec![0; 6 << 20];
    file.chunks_mut(64).for_each(|piece| piece[0] = fastrand::u8(..));
    archive(&[("small/Chart.yaml", metadata("small", "1.0.0").as_bytes()), ("small/files/large.bin", &file)])
}

/// No chart: its `Chart.yaml` is missing.
pub fn without_metadata() -> Vec<u8> {
    archive(&[("small/values.yaml", b"a: 1\n")])
}

fn metadata(name: &str, version: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: {version}\n")
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        tar.append_data(&mut header, path, *content).expect("an entry");
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&tar.into_inner().expect("an archive")).and_then(|()| gzip.finish()).expect("gzip")
}

/// An index with one version of one chart, whose archive lies beside it as `chart.tgz` and is `archive`.
pub fn index(name: &str, version: &str, archive: &[u8]) -> String {
    index_that_promises(name, version, &Digest::of(archive).hex())
}

/// The same, with a digest of one's own.
pub fn index_that_promises(name: &str, version: &str, digest: &str) -> String {
    format!(
        "apiVersion: v1\nentries:\n  {name}:\n  - apiVersion: v2\n    name: {name}\n    version: {version}\n    created: \"2024-01-02T03:04:05Z\"\n    digest: {digest}\n    urls: [chart.tgz]\n"
    )
}
