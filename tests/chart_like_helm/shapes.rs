//! Archives of all shapes: as Helm makes them, as other tools make them, and as nobody should.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

use super::metadata::{BASE, TEXTS};

/// A packaged chart, or what goes for one.
pub struct Archive {
    pub label: String,
    pub bytes: Vec<u8>,
    pub provenance: Option<String>,
}

/// Builds a tar file, entry by entry.
struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// With exactly this name, however odd.
    fn entry(mut self, kind: EntryType, name: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_600_000_000);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, name, content.as_bytes())
    }

    fn chart(self) -> Self {
        self.file("web/Chart.yaml", BASE)
    }

    fn long_name(mut self, name: &str) -> Self {
        let mut header = Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        self.0.append_data(&mut header, name, &b"x"[..]).unwrap();
        self
    }

    fn done(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }

    fn zipped(self) -> Vec<u8> {
        zip(&self.done())
    }
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn labelled(archives: Vec<(&str, Vec<u8>)>) -> Vec<Archive> {
    archives.into_iter().map(|(label, bytes)| Archive { label: label.to_owned(), bytes, provenance: None }).collect()
}

/// Archives that Helm pushes.
pub fn archives() -> Vec<Archive> {
    let whole = |text: &str| match text.strip_prefix('=') {
        Some(text) => text.to_owned(),
        None if text.starts_with("apiVersion") => text.to_owned(),
        None => format!("{BASE}{text}"),
    };
    let texts = TEXTS.iter().map(|(label, text)| (*label, Tar::new().file("web/Chart.yaml", &whole(text)).zipped())).collect();
    let mut archives = labelled(texts);
    archives.extend(labelled(shapes()));
    for (label, provenance) in [("provenance", "-----BEGIN PGP SIGNED MESSAGE-----\n"), ("empty provenance", ""), ("other provenance", "x")]
    {
        archives.push(Archive { label: label.to_owned(), bytes: Tar::new().chart().zipped(), provenance: Some(provenance.to_owned()) });
    }
    archives
}

fn shapes() -> Vec<(&'static str, Vec<u8>)> {
    let requirements = "dependencies: [{name: b, version: '2'}]\ndescription: on top\n";
    let v1 = "apiVersion: v1\nname: web\nversion: 1.2.3\n";
    let with = "dependencies: [{name: a, version: '1', alias: kept}, {name: z}]\n";
    let half = Tar::new().chart().file("web/values.yaml", "a: 1\n").done();
    let (first, second) = half.split_at(700);
    vec![
        ("requirements of v1", Tar::new().file("web/Chart.yaml", v1).file("web/requirements.yaml", requirements).zipped()),
        ("requirements first", Tar::new().file("web/requirements.yaml", requirements).file("web/Chart.yaml", v1).zipped()),
        (
            "requirements onto dependencies",
            Tar::new().file("web/Chart.yaml", &format!("{BASE}{with}")).file("web/requirements.yaml", requirements).zipped(),
        ),
        ("Chart.yaml last", Tar::new().file("web/values.yaml", "a: 1\n").file("web/templates/a.yaml", "{{ broken").chart().zipped()),
        (
            "directories",
            Tar::new().entry(EntryType::Directory, "web/", b"").chart().entry(EntryType::Directory, "web/charts/", b"").zipped(),
        ),
        ("another top directory", Tar::new().file("top/Chart.yaml", BASE).file("other/values.yaml", "a: 1\n").zipped()),
        ("backslashes", Tar::new().file("web\\Chart.yaml", BASE).file("web\\templates\\a.yaml", "").zipped()),
        ("dots in paths", Tar::new().file("web/./a/../Chart.yaml", BASE).zipped()),
        ("long names", Tar::new().chart().long_name(&format!("web/templates/{}.yaml", "long".repeat(50))).zipped()),
        ("global header", Tar::new().entry(EntryType::XGlobalHeader, "pax_global_header", b"19 comment=abcdefg\n").chart().zipped()),
        ("two gzip members", [zip(first), zip(second)].concat()),
        ("no end of the tar file", zip(&half[..half.len() - 1024])),
        ("padding", zip(&[half.as_slice(), &[0; 20_000]].concat())),
        ("stored without compression", {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
            encoder.write_all(&half).unwrap();
            encoder.finish().unwrap()
        }),
        (
            "a chart inside",
            Tar::new()
                .chart()
                .file("web/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n")
                .file("web/charts/sub/values.yaml", "a: 1\n")
                .zipped(),
        ),
        ("a name in a name", Tar::new().chart().file("web/crds/Chart.yaml", "@ not read").zipped()),
    ]
}

/// Archives that neither Helm nor we take.
pub fn refused() -> Vec<Archive> {
    let mut archives: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("a web page", b"<!DOCTYPE html><html></html>".to_vec()),
        ("tar without gzip", Tar::new().chart().done()),
        ("gzip without tar", zip(&b"no tar file at all, but long enough to be a header ".repeat(20))),
        ("gzip of nothing", zip(b"")),
        ("no files", Tar::new().zipped()),
        ("no Chart.yaml", Tar::new().file("web/values.yaml", "a: 1\n").zipped()),
        ("Chart.yaml at the top", Tar::new().file("Chart.yaml", BASE).zipped()),
        ("Chart.yaml too deep", Tar::new().file("./web/Chart.yaml", BASE).zipped()),
        ("a file at the top", Tar::new().chart().file("README", "").zipped()),
        ("parent directory", Tar::new().chart().file("web/../../etc/passwd", "").zipped()),
        ("parent directory with backslashes", Tar::new().chart().file("web\\..\\..\\x", "").zipped()),
        ("absolute path", Tar::new().chart().file("web//etc/passwd", "").zipped()),
        ("drive", Tar::new().chart().file("web/c:/x", "").zipped()),
        ("Chart.yaml is empty", Tar::new().file("web/Chart.yaml", "").zipped()),
    ];
    let cut = Tar::new().chart().zipped();
    archives.push(("cut", cut[..cut.len() / 2].to_vec()));
    for (label, text) in [
        ("no YAML", "a: b: c\n"),
        ("a list", "- a\n"),
        ("no name", "apiVersion: v2\nversion: 1.0.0\n"),
        ("no version", "apiVersion: v2\nname: web\n"),
        ("a path as name", "apiVersion: v2\nname: a/b\nversion: 1.0.0\n"),
        ("dots as name", "apiVersion: v2\nname: ..\nversion: 1.0.0\n"),
        ("version is no version", "apiVersion: v2\nname: web\nversion: latest\n"),
        ("version with four numbers", "apiVersion: v2\nname: web\nversion: 1.2.3.4\n"),
        ("unknown type", "apiVersion: v2\nname: web\nversion: 1.0.0\ntype: service\n"),
        ("quoted boolean", "apiVersion: v2\nname: web\nversion: 1.0.0\ndeprecated: 'true'\n"),
        ("empty maintainer", "apiVersion: v2\nname: web\nversion: 1.0.0\nmaintainers: [~]\n"),
        ("same dependency twice", "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: a}, {name: a}]\n"),
        ("alias with a dot", "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: a, alias: b.c}]\n"),
        ("infinity", "apiVersion: v2\nname: web\nversion: 1.0.0\nother: .inf\n"),
        ("null as key", "apiVersion: v2\nname: web\nversion: 1.0.0\n~: a\n"),
        ("list as key", "apiVersion: v2\nname: web\nversion: 1.0.0\n? [a]\n: b\n"),
        ("control character", "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: a\u{7}\n"),
        ("unknown anchor", "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: *a\n"),
    ] {
        archives.push((label, Tar::new().file("web/Chart.yaml", text).zipped()));
    }
    labelled(archives)
}

/// Archives that Helm takes and that other tools read in another way, and what we say.
pub fn ambiguous() -> Vec<(Archive, &'static str)> {
    let good = Tar::new().chart().zipped();
    let after = "the archive has data after its end: package it again with `helm package`";
    let (labels, expected): (Vec<_>, Vec<_>) = [
        (
            "a link",
            Tar::new().chart().entry(EntryType::Symlink, "web/a", b"").zipped(),
            "`web/a` is a link: package the chart again with `helm package`",
        ),
        (
            "a pipe",
            Tar::new().chart().entry(EntryType::Fifo, "web/a", b"").zipped(),
            "`web/a` is a device or pipe: package the chart again with `helm package`",
        ),
        (
            "Chart.yaml twice",
            Tar::new().chart().chart().zipped(),
            "`Chart.yaml` is in the archive twice: package the chart again with `helm package`",
        ),
        ("bytes after gzip", [good.as_slice(), b"\n"].concat(), after),
        ("bytes after tar", zip(&[Tar::new().chart().done(), b"x".repeat(512)].concat()), after),
        ("cut in the checksum", good[..good.len() - 3].to_vec(), "the archive is cut: it ends within the data"),
    ]
    .into_iter()
    .map(|(label, bytes, expected)| ((label, bytes), expected))
    .unzip();
    labelled(labels).into_iter().zip(expected).collect()
}
