//! docs/wrong-input.md: what users meet, taken from what they met here.

use std::{fmt::Write, fs, path::Path};

use crate::{case::Then, world::World};

const HEAD: &str = "\
# Wrong input

What the status says of inputs that cannot work: the reason of the condition `Ready`, its message, and the condition beside it.
*Stalled* waits for a change (that of a Secret is seen within 30 s), *Reconciling* tries again by itself, *Ready* is no fault after
all. An Event of type Warning with the same reason and message is written once. `tests/wrong_input.rs` writes this page: each line was seen on a real cluster;
names and addresses are put in place of those of the test.
";

/// A line of the document.
pub struct Line {
    pub input: &'static str,
    pub reason: &'static str,
    pub message: String,
    pub then: Then,
}

/// A part of it.
pub struct Part {
    pub title: &'static str,
    pub lines: Vec<Line>,
}

/// Compares the document with what was seen; writes it when `UPDATE_DOCS` is set.
pub fn compare(parts: &[Part]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/wrong-input.md");
    let wanted = text(parts);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).expect("the document");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "docs/wrong-input.md, line {}: UPDATE_DOCS=1 writes it anew", number + 1);
    }
    assert_eq!(found, wanted, "docs/wrong-input.md: UPDATE_DOCS=1 writes it anew");
}

fn text(parts: &[Part]) -> String {
    let mut text = HEAD.to_owned();
    for part in parts {
        let _ = write!(text, "\n## {}\n\n| wrong input | reason | message | condition |\n|---|---|---|---|\n", part.title);
        for line in &part.lines {
            let message = line.message.replace('|', "\\|");
            let _ = writeln!(text, "| {} | `{}` | {message} | {} |", line.input, line.reason, condition(line.then));
        }
    }
    text
}

fn condition(then: Then) -> &'static str {
    match then {
        Then::Stalled => "Stalled",
        Then::Retried => "Reconciling",
        Then::Published => "Ready",
    }
}

/// A message with names in place of what differs from run to run.
pub fn general(message: &str, namespace: &str, world: &World) -> String {
    let mut text = message.replace(namespace, "team");
    for (found, name) in world.names() {
        text = text.replace(&found, name);
    }
    text.split(' ').map(general_word).collect::<Vec<_>>().join(" ")
}

/// Digests and long versions are shortened; addresses of Services become one that is known, and any version of the proxy none.
fn general_word(word: &str) -> String {
    if let Some((before, version)) = word.split_once("tinyproxy/") {
        let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
        return format!("{before}tinyproxy{}", &version[end..]);
    }
    if let Some(at) = word.find("sha256:") {
        let end = word[at + 7..].find(|c: char| !c.is_ascii_hexdigit()).map_or(word.len(), |length| at + 7 + length);
        return format!("{}…{}", &word[..at + 7], &word[end..]);
    }
    match word.find("10.96.") {
        Some(at) => {
            let end = word[at..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(word.len(), |length| at + length);
            format!("{}10.96.0.10{}", &word[..at], &word[end..])
        }
        None => shortened(word),
    }
}

/// A version that is too long for a tag is too long for a table.
fn shortened(word: &str) -> String {
    let long = "a".repeat(100);
    match (word.find(&long), word.rfind(&long)) {
        (Some(begin), Some(end)) => format!("{}aaa…{}", &word[..begin], &word[end + long.len()..]),
        _ => word.to_owned(),
    }
}
