//! What kubectl prints, as documents have it: each command of a document is run, and its output is compared. With `UPDATE_DOCS=1` the
//! document is written anew.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use super::namespace::Namespace;

/// Runs each command of a document whose output is one of ours, and compares what stands below it.
pub fn compare(document: &str, is_ours: impl Fn(&str) -> bool, namespace: &Namespace, names: &[(String, String)]) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _lock = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let name = document;
    let document = fs::read_to_string(&path).expect("the document");
    let mut pieces = document.split("```sh\n");
    let mut written = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (command, rest) = piece.split_once("\n```\n").expect("a command");
        let (before, rest) = rest.split_once(" -->\n").expect("the begin of an output");
        let (present, after) = rest.split_once("<!-- end -->").expect("the end of an output");
        if !before.split_once("output: ").is_some_and(|(_, output)| is_ours(output)) {
            written += &["```sh\n", command, "\n```\n", before, " -->\n", present, "<!-- end -->", after].concat();
            continue;
        }
        let words: Vec<_> = command.split(' ').map(|word| if word == "platform" { namespace.name() } else { word }).collect();
        let output = normal(&namespace.bed.run_on_host(&words).expect_success(), names);
        written += &["```sh\n", command, "\n```\n", before, " -->\n```text\n", &output, "```\n<!-- end -->", after].concat();
    }
    if is_to_be_written() {
        fs::write(path, written).expect("the document");
    } else {
        assert_eq!(document, written, "{name} is out of date: run this test with UPDATE_DOCS=1");
    }
}

/// Whether documents are to be written anew.
#[expect(clippy::disallowed_methods, reason = "a developer's wish, as snapshots have it")]
pub fn is_to_be_written() -> bool {
    std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1")
}

/// The same text for every run: what differs from one to the next is replaced.
fn normal(output: &str, names: &[(String, String)]) -> String {
    let mut text = output.to_owned();
    for (from, to) in names {
        text = text.replace(from, to);
    }
    let mut is_table = text.starts_with("NAME");
    let mut lines = String::new();
    for line in text.lines() {
        is_table |= line == "Events:";
        lines += if is_table { with_age(line) } else { with_values(line) }.trim_end();
        lines.push('\n');
    }
    lines
}

/// In a table: columns lie two spaces or more apart, and keep their width.
pub fn with_age(line: &str) -> String {
    let is_age = |word: &str| word.strip_suffix('s').is_some_and(|number| number.parse::<u32>().is_ok());
    let words = line.split("  ").map(|word| match word.trim() {
        age if is_age(age) => word.replace(age, &format!("{:width$}", "9s", width = age.len())),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join("  ")
}

/// In a line `Name:  value`.
fn with_values(line: &str) -> String {
    let Some((name, value)) = line.split_once(":  ") else { return line.to_owned() };
    let kept = match name.trim() {
        "UID" => "2f5c9a0e-7d41-4c3b-9a68-0c1d2e3f4a5b",
        "Resource Version" => "1234",
        "Creation Timestamp" | "Last Transition Time" | "Last Update Time" | "Last Proved" => "2026-01-05T09:30:00Z",
        "Until" => "2026-01-05T10:30:00Z",
        // The size of an archive of noise.
        "From" if value.trim().parse::<u64>().is_ok() => "6000000",
        "Digest" | "Revision" => "sha256:<64 digits>",
        _ => return line.to_owned(),
    };
    let spaces = value.len() - value.trim_start().len();
    format!("{name}:  {}{kept}", &value[..spaces])
}
