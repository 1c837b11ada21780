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

/// A chart with one file more than the limit, all of them empty.
pub fn chart_with_many_files() -> Vec<u8> {
    let metadata = metadata("small", "1.0.0");
    let names: Vec<_> = (0..10_000).map(|number| format!("small/files/{number}")).collect();
    let files = names.iter().map(|name| (name.as_str(), b"".as_slice()));
    archive(&std::iter::once(("small/Chart.yaml", metadata.as_bytes())).chain(files).collect::<Vec<_>>())
}

/// A chart of files that are each small enough, and all together are not: the same 5 MiB twenty times, as members of gzip.
pub fn chart_that_unpacks_to_too_much() -> Vec<u8> {
    let mut file = vec![0; 5 << 20];
    // As much noise as keeps it below the limit for bombs, and out of the spool's files.
    file.chunks_mut(400).for_each(|piece| piece[0] = fastrand::u8(..));
    let member = gzip(&entries(&[("small/files/large.bin", &file)]));
    let metadata = gzip(&entries(&[("small/Chart.yaml", metadata("small", "1.0.0").as_bytes())]));
    let end = gzip(&[0; 1024]);
    [metadata, member.repeat(20), end].concat()
}

/// A chart with 4 MiB of nothing, which is a small archive.
pub fn bomb() -> Vec<u8> {
    archive(&[("small/Chart.yaml", metadata("small", "1.0.0").as_bytes()), ("small/files/zeros", &vec![0; 4 << 20])])
}

/// A chart with a file whose name has 300 KiB.
pub fn chart_with_a_long_name() -> Vec<u8> {
    let name = format!("small/{}", "a".repeat(300 << 10));
    archive(&[("small/Chart.yaml", metadata("small", "1.0.0").as_bytes()), (&name, b"")])
}

/// A chart whose `Chart.yaml` goes on with `more`.
pub fn chart_that_says(more: &str) -> Vec<u8> {
    archive(&[("small/Chart.yaml", format!("{}{more}", metadata("small", "1.0.0")).as_bytes())])
}

/// A chart with this much of noise in it.
pub fn chart_of(bytes: usize) -> Vec<u8> {
    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(bytes).collect();
    archive(&[("small/Chart.yaml", metadata("small", "1.0.0").as_bytes()), ("small/files/noise", &noise)])
}

/// A chart with one more file.
pub fn chart_with(path: &str, content: &str) -> Vec<u8> {
    let metadata = metadata("small", "1.0.0");
    archive(&[("small/Chart.yaml", metadata.as_bytes()), (&format!("small/{path}"), content.as_bytes())])
}

/// No chart: its `Chart.yaml` is missing.
pub fn without_metadata() -> Vec<u8> {
    archive(&[("small/values.yaml", b"a: 1\n")])
}

fn metadata(name: &str, version: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: {version}\n")
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    gzip(&[entries(files), vec![0; 1024]].concat())
}

/// Without the end of the archive.
fn entries(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        tar.append_data(&mut header, path, *content).expect("an entry");
    }
    let mut whole = tar.into_inner().expect("an archive");
    whole.truncate(whole.len() - 1024);
    whole
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("gzip")
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
