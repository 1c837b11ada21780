//! The matrix of docs/probe.md, as the program prints it. With `UPDATE_DOCS=1` the document is written anew.

use std::{fmt::Write, fs, path::PathBuf};

use super::probed::run;
use crate::{
    faults::{hostile::Hostile, origin::Origin, path::Path},
    support,
};

const BEGIN: &str = "<!-- probe limit -->\n";
const END: &str = "<!-- end -->";
/// As in `src/probe/text.rs`.
const NAME: usize = 13;
const COLUMN: usize = 17;

#[tokio::test(flavor = "multi_thread")]
async fn the_document_shows_what_a_probe_prints() {
    let path = Path::start(support::on_loopback(), Hostile::LimitLingering, Origin::V3).await.expect("a path that needs no root");
    let address = path.address();
    let url = format!("oci://{address}/charts");
    let ran = run(path.bed(), None, &[&url, "--insecure"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.errors);
    let shown = normal(&ran.output.replace(&address, &format!("127.0.0.1:{}", &"30500000"[..address.len() - 10])));
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/probe.md");
    let document = fs::read_to_string(&file).expect("the document");
    let (before, rest) = document.split_once(BEGIN).expect("the begin of the matrix");
    let (_, after) = rest.split_once(END).expect("the end of the matrix");
    let command = "chart-publisher probe oci://127.0.0.1:30500/charts --insecure";
    let written = format!("{before}{BEGIN}```sh\n{command}\n```\n```text\n{shown}```\n{END}{after}");
    if is_to_be_written() {
        fs::write(file, written).expect("the document");
    } else {
        assert_eq!(document, written, "docs/probe.md is out of date: run this test with UPDATE_DOCS=1");
    }
}

#[expect(clippy::disallowed_methods, reason = "a developer's wish, as snapshots have it")]
fn is_to_be_written() -> bool {
    std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1")
}

/// The same for every run: times and rates are replaced, and the version of nginx.
fn normal(output: &str) -> String {
    let mut text = String::new();
    for line in output.lines() {
        text += with_figures(&with_version(line)).trim_end();
        text.push('\n');
    }
    text
}

fn with_version(line: &str) -> String {
    let Some((before, rest)) = line.split_once("nginx/") else { return line.to_owned() };
    format!("{before}nginx/1.22.1{}", rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
}

fn with_figures(line: &str) -> String {
    if line.starts_with("  GET /v2/") {
        return format!("{:<NAME$}2ms", "  GET /v2/");
    }
    if !line.contains("iB/s") {
        return line.to_owned();
    }
    let (name, mut rest) = line.split_at(NAME);
    let mut shown = name.to_owned();
    while !rest.is_empty() {
        let (cell, after) = rest.split_at(COLUMN.min(rest.len()));
        let note = cell.find('[').map_or("", |at| cell[at..].trim_end());
        let cell = if cell.contains("iB/s") { format!("2ms 30MiB/s{note}") } else { cell.trim_end().to_owned() };
        let _ = write!(shown, "{cell:<COLUMN$}");
        rest = after;
    }
    shown
}

#[test]
fn figures_of_any_length_look_the_same() {
    let one = "  Buffered   4ms 16KiB/s      <1ms 163KiB/s    120ms 50MiB/s[2] FAILED[1]        n/a[2]";
    let other = "  Buffered   1.2s 1.6MiB/s    1ms 16KiB/s      1ms 5.0MiB/s[2]  FAILED[1]        n/a[2]";
    assert_eq!(with_figures(one), with_figures(other));
    assert!(with_figures(one).contains("2ms 30MiB/s[2]   FAILED[1]        n/a[2]"), "{}", with_figures(one));
}
