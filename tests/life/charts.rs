//! Many charts, made in an instant: each a `Chart.yaml` and some noise, with the index that names them.

use std::{fmt::Write, fs, path::Path};

use chart_publisher::model::Digest;
use flate2::{Compression, write::GzEncoder};

use super::support::{Bed, nginx::Site, web_server::WebServer};

/// Serves `count` charts `chart-0`, `chart-1`, ... of version 1.0.0 with `size` bytes each, as nginx with further directives.
pub async fn serve(bed: &'static Bed, count: usize, size: usize, directives: &str) -> WebServer {
    let folder = bed.folder("many-charts");
    let mut index = "apiVersion: v1\nentries:\n".to_owned();
    for number in 0..count {
        let name = format!("chart-{number}");
        let digest = Digest::of(&archive(&folder, &name, size)).to_string();
        let digest = digest.trim_start_matches("sha256:");
        let entry = format!("apiVersion: v2, name: {name}, version: 1.0.0, digest: {digest}, urls: [{name}-1.0.0.tgz]");
        writeln!(index, "  {name}:\n  - {{{entry}, created: \"2026-01-02T03:04:05Z\"}}").expect("a string");
    }
    fs::write(folder.join("index.yaml"), index).expect("a file in the bed's folder");
    bed.nginx(bed.place(80), Site { identity: None, directives: format!("root {}; {directives}", folder.display()) }).await
}

fn archive(folder: &Path, name: &str, size: usize) -> Vec<u8> {
    let mut noise = vec![0; size];
    fastrand::fill(&mut noise);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let chart = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    for (path, bytes) in [("Chart.yaml", chart.as_bytes()), ("noise.bin", &noise)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{name}/{path}"), bytes).expect("an entry");
    }
    let bytes = tar.into_inner().and_then(GzEncoder::finish).expect("an archive");
    fs::write(folder.join(format!("{name}-1.0.0.tgz")), &bytes).expect("a file in the bed's folder");
    bytes
}
