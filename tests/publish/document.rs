//! The outputs of docs/publish.md, as the program prints them. With `UPDATE_DOCS=1` the document is written anew.

use std::{fs, path::PathBuf};

use serde_json::json;

use super::{
    printed::{publication, publish},
    support::{
        self,
        printed::is_to_be_written,
        publication::{spec, url_target},
        registry::Version,
    },
};

const END: &str = "<!-- end -->";

#[tokio::test(flavor = "multi_thread")]
async fn the_document_shows_what_is_printed() {
    let bed = support::shared();
    let charts = bed.helm_repository(&["small-1.2.2", "umbrella-2.0.0"]).start().await;
    let (registry, dead) = (bed.registry(Version::V3).start().await, bed.place(5000));
    let mut mirror = url_target(dead.socket(), "charts");
    mirror["name"] = json!("mirror");
    let targets = json!([url_target(registry.socket(), "charts"), mirror]);
    let both = |name: &str| publication(name, &spec(&charts.url(), &json!([{"name": "small"}]), &targets)).to_string();
    let text = publish(bed, &both("charts"), &["-n", "platform"]);
    let one = spec(&charts.url(), &json!([{"name": "umbrella"}]), &json!([targets[0]]));
    let object = publish(bed, &publication("charts", &one).to_string(), &["-n", "platform", "-o", "json"]);
    assert_eq!((text.code, object.code), (Some(1), Some(0)), "{text:?} {object:?}");
    let names = [(registry.socket().to_string(), "10.0.0.11:5000"), (dead.socket().to_string(), "10.0.0.12:5000")];
    let plain = |text: &str| names.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/publish.md");
    let document = fs::read_to_string(&file).expect("the document");
    let mut written = document.clone();
    for (name, kind, shown) in [
        ("table", "text", without_end_spaces(&plain(&text.output))),
        ("lines", "text", plain(&text.errors)),
        ("json", "json", without_digests(&plain(&object.output))),
    ] {
        let begin = format!("<!-- publish {name} -->\n");
        let (before, rest) = written.split_once(&begin).expect("the begin of an output");
        let (_, after) = rest.split_once(END).expect("the end of an output");
        written = format!("{before}{begin}```{kind}\n{shown}```\n{END}{after}");
    }
    if is_to_be_written() {
        fs::write(file, written).expect("the document");
    } else {
        assert_eq!(document, written, "docs/publish.md is out of date: run this test with UPDATE_DOCS=1");
    }
}

fn without_end_spaces(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// The same for every run: digests depend on when the charts were packaged.
fn without_digests(text: &str) -> String {
    let mut pieces = text.split("sha256:");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| format!("{text}sha256:…{}", piece.trim_start_matches(|c: char| c.is_ascii_hexdigit())))
}
