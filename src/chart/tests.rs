//! Archives over the limits, and damaged ones. What Helm says to the shapes is in `tests/chart_like_helm.rs`.

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};

use super::{metadata::Metadata, *};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in [("web/Chart.yaml", CHART.as_bytes().to_vec())].iter().chain(files) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_600_000_000);
        tar.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    zipped(&tar.into_inner().unwrap())
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..length).map(|_| random.u8(..)).collect()
}

fn check(archive: &[u8], limits: &Limits, expected: &str) {
    let found = read(archive, limits).map_or_else(|error| error.to_string(), |chart| format!("{} {}", chart.name, chart.version));
    assert_eq!(found, expected);
}

#[test]
fn a_chart_is_read_with_its_time_and_files() {
    let chart = read(packed(&[("web/values.yaml", b"a: 1".to_vec())]).as_slice(), &Limits::default()).unwrap();
    assert_eq!((chart.name.as_str(), chart.version.as_str(), chart.packaged), ("web", "1.2.3", Some(1_600_000_000)));
    assert_eq!(chart.files, ["Chart.yaml", "values.yaml"]);
    assert_eq!(&chart.config[..], br#"{"name":"web","version":"1.2.3","apiVersion":"v2"}"#);
}

#[test]
fn a_sentence_is_one_line_whatever_stands_in_the_archive() {
    let long = format!("\"{}\": .inf", "a".repeat(900));
    for (path, text) in [
        ("web/values.yaml", "\"a\\e[2J\": .nan"),
        ("web/values.yaml", &long),
        ("web/charts/a\u{7}b/values.yaml", "["),
        ("web/charts/a\u{1b}b.tgz", "x"),
        ("web/Chart.lock", "dependencies: [{\"name\\n\": .nan}]"),
    ] {
        let error = read(packed(&[(path, text.as_bytes().to_vec())]).as_slice(), &Limits::default()).unwrap_err().to_string();
        assert!(!error.contains(char::is_control) && error.len() < 400, "{error:?}");
    }
}

#[test]
fn each_limit_is_held_and_named() {
    let limits = Limits { compressed: 40_000, unpacked: 30_000, file: 20_000, entries: 3, ratio: 20, ratio_from: 50_000 };
    check(&packed(&[("web/a", noise(20_000))]), &limits, "web 1.2.3");
    check(&packed(&[("web/a", noise(20_001))]), &limits, "`a` has 20001 bytes, and a file in a chart may have 20000");
    check(
        &packed(&[("web/a", noise(15_000)), ("web/b", noise(15_000))]),
        &limits,
        "the archive has more than 30000 bytes unpacked (found 30040)",
    );
    let tiny = |name| (name, Vec::new());
    check(&packed(&[tiny("web/a"), tiny("web/b")]), &limits, "web 1.2.3");
    check(&packed(&[tiny("web/a"), tiny("web/b"), tiny("web/c")]), &limits, "the archive has more than 3 entries (found 4)");
    let large = Limits { compressed: 10_000, ..limits.clone() };
    let error = read(packed(&[("web/a", noise(20_000))]).as_slice(), &large).unwrap_err();
    assert!(matches!(error, ChartError::TooLarge { what: "bytes", limit: 10_000, .. }), "{error}");
}

#[test]
fn bombs_are_stopped_before_they_unfold() {
    let zeros = zipped(&vec![0; 30 << 20]);
    let error = read(zeros.as_slice(), &Limits::default()).unwrap_err();
    assert!(matches!(error, ChartError::Ratio { limit: 200, unpacked, .. } if unpacked < 2 << 20), "{error}");
    let named = packed(&[(&format!("web/{}", "a/".repeat(300_000)), Vec::new())]);
    let error = read(named.as_slice(), &Limits { ratio: u64::MAX, ..Limits::default() }).unwrap_err();
    assert!(matches!(error, ChartError::TooLarge { what: "bytes in the header of a file", .. }), "{error}");
    let aliases = format!("{CHART}x: &a [{}]\ny: [{}]\n", "b,".repeat(10_000), "*a,".repeat(10_000));
    let mut metadata = Metadata::default();
    let error = folder::fill(&mut metadata, "Chart.yaml", aliases.as_bytes()).unwrap_err();
    assert!(matches!(error, ChartError::Yaml { source: YamlError::Limit { .. }, .. }), "{error}");
    let deep = format!("{CHART}x: {}", "[".repeat(100_000));
    assert!(folder::fill(&mut metadata, "Chart.yaml", deep.as_bytes()).is_err());
}

#[test]
fn an_archive_that_is_cut_anywhere_is_no_chart() {
    let archive = packed(&[("web/noise", noise(3_000))]);
    for length in (0..archive.len()).step_by(7).chain([1, 2, 3, archive.len() - 1]) {
        let error = read(&archive[..length], &Limits::default()).unwrap_err();
        assert!(matches!(error, ChartError::Cut | ChartError::NotGzip("empty")), "{length}: {error}");
    }
}

#[test]
fn a_damaged_archive_is_no_chart() {
    let mut archive = packed(&[]);
    let checksum = archive.len() - 8;
    archive[checksum] ^= 1;
    assert!(matches!(read(archive.as_slice(), &Limits::default()), Err(ChartError::Gzip(_))));
}

#[test]
fn what_came_in_place_of_an_archive_is_named() {
    for (bytes, found) in [
        (&b""[..], "empty"),
        (b"\n <html>", "an HTML or XML page"),
        (b"{\"error\": 1}", "JSON"),
        (b"PK\x03\x04", "a ZIP file"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"),
        (b"not found\n", "text"),
        (b"\xff\xfe\x00", "something else"),
    ] {
        check(bytes, &Limits::default(), &format!("the archive is no gzip file but {found}"));
    }
}

/// A reader that fails after some bytes.
struct Broken(Vec<u8>, usize);
impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[self.1..];
        if rest.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "gone"));
        }
        let count = (&rest[..]).read(buffer)?;
        self.1 += count;
        Ok(count)
    }
}

#[test]
fn a_reader_that_fails_is_no_bad_archive() {
    let archive = packed(&[("web/noise", noise(30_000))]);
    for length in [0, 10, 200, 20_000] {
        let error = read(Broken(archive[..length].to_vec(), 0), &Limits::default()).unwrap_err();
        assert!(matches!(error, ChartError::Read(_)), "{length}: {error}");
    }
}

#[test]
fn charts_within_the_chart_are_checked_as_folders_and_archives() {
    let child = "apiVersion: v2\nname: child\nversion: 0.1.0\n";
    let text = |text: &str| text.as_bytes().to_vec();
    let within = packed(&[("web/values.yaml", text("- a\n"))]);
    let good = packed(&[("web/charts/_x/a", text("")), ("web/charts/.y", text("")), ("web/charts/z.tgz.prov", text(""))]);
    let limits = Limits::default();
    for (files, expected) in [
        (vec![("web/charts/child/Chart.yaml", text(child)), ("web/charts/z.tgz", good)], "web 1.2.3"),
        (vec![("web/charts/z.tgz", within)], "`charts/z.tgz`: `values.yaml`: `the document` must be a mapping, not a list"),
        (vec![("web/charts/z.tgz", text("<html>"))], "`charts/z.tgz`: the archive is no gzip file but an HTML or XML page"),
        (
            vec![("web/charts/z.tgz/a", text(""))],
            "`charts/z.tgz/a` lies in a directory with the name of an archive: package the chart again with `helm package`",
        ),
        (
            vec![("web/charts/README.md", text(""))],
            "`charts/README.md` is no chart, for it has no `Chart.yaml`: complete it, or take it out of `charts`",
        ),
        (
            vec![("web/charts/child/charts/b/values.yaml", text("")), ("web/charts/child/Chart.yaml", text(child))],
            "`charts/child/charts/b` is no chart, for it has no `Chart.yaml`: complete it, or take it out of `charts`",
        ),
        (vec![("web/charts/child/Chart.yaml", text("apiVersion: v2\nname: child\n"))], "`charts/child/Chart.yaml`: `version` is missing"),
        (
            vec![("web/charts/child/Chart.yaml", text(child)), ("web/charts/child/Chart.lock", text("digest: []"))],
            "`charts/child/Chart.lock`: `digest` must be text, not a list",
        ),
        (
            vec![("web/values.yaml", text("a: 1")), ("web/values.yaml", text("a: 1"))],
            "`values.yaml` is in the archive twice: package the chart again with `helm package`",
        ),
        (vec![("web/values.yaml", text("a: {b: 1} @"))], "`values.yaml` is no YAML that Helm reads: line 1: "),
    ] {
        let found = read(packed(&files).as_slice(), &limits)
            .map_or_else(|error| error.to_string(), |chart| format!("{} {}", chart.name, chart.version));
        assert!(found == expected || expected.ends_with(": ") && found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn limits_hold_over_all_levels() {
    let mut nested = packed(&[]);
    for level in 2..=16 {
        nested = packed(&[("web/charts/a.tgz", nested)]);
        assert!(read(nested.as_slice(), &Limits::default()).is_ok(), "{level}");
    }
    let error = read(packed(&[("web/charts/a.tgz", nested)]).as_slice(), &Limits::default()).unwrap_err();
    assert!(error.is_limit() && error.to_string().contains("more than 16 charts within each other (found 17)"), "{error}");
    let folders = format!("web/{}Chart.yaml", "charts/a/".repeat(16));
    let error = read(packed(&[(&folders, Vec::new())]).as_slice(), &Limits::default()).unwrap_err();
    assert!(matches!(error, ChartError::TooLarge { what: "charts within each other", limit: 16, found: 17 }), "{error}");

    let inner = packed(&[("web/a", noise(9_000))]);
    let twice = packed(&[("web/charts/a.tgz", inner.clone()), ("web/charts/b.tgz", inner)]);
    let error = read(twice.as_slice(), &Limits { entries: 6, ..Limits::default() }).unwrap_err();
    assert!(error.to_string().starts_with("`charts/b.tgz`: the archive has more than 6 entries (found 7)"), "{error}");
    let error = read(twice.as_slice(), &Limits { unpacked: 30_000, ..Limits::default() }).unwrap_err();
    assert!(error.is_limit() && error.to_string().starts_with("`charts/b.tgz`: the archive has more than 30000 bytes unpacked"), "{error}");
    assert!(read(twice.as_slice(), &Limits { entries: 7, unpacked: 40_000, ..Limits::default() }).is_ok());
}

#[test]
fn an_archive_within_an_archive_may_be_cut_anywhere() {
    let archive = packed(&[("web/charts/a.tgz", packed(&[("web/a", noise(3_000))]))]);
    for length in (1..archive.len()).step_by(13) {
        let error = read(&archive[..length], &Limits::default()).unwrap_err();
        assert!(matches!(error, ChartError::Cut), "{length}: {error}");
        let error = read(Broken(archive[..length].to_vec(), 0), &Limits::default()).unwrap_err();
        assert!(matches!(error, ChartError::Read(_)), "{length}: {error}");
    }
}
