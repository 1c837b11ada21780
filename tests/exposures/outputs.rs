//! What kubectl shows of publications, as docs/outputs.md has it. With `UPDATE_DOCS=1` the document is written anew.

use std::{fs, path::PathBuf};

use chart_publisher::api::ChartPublication;

use super::{
    body_limit::Limited,
    front::{SMALL_AND_LARGE, apply, publication},
    readers::LARGE,
    support::{
        self,
        eventually::{SOON, eventually},
        exposure::Exposure,
        helm_repository::HelmRepository,
        namespace::Namespace,
        publication::condition,
        registry::Version,
    },
};

const INSECURE: &str = "      insecure: true\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_document_shows_what_kubectl_prints() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["small-1.2.3+4", "large-3.0.0"]).start().await;
    of_one_time(&source);
    let _controller = namespace.controller(&[]).await;
    let registry = bed.registry(Version::V3).start().await;
    let exposed = namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
    let limited = Limited::set_up(&namespace, "registry-ingress", Version::V3).await;

    apply(&namespace, &(publication("charts", "registry", "charts", &source.url(), &SMALL_AND_LARGE) + INSECURE));
    let charts = namespace.becomes_ready("charts").await;
    apply(
        &namespace,
        &(publication("large", "registry-ingress", "charts", &source.url(), &[LARGE]) + INSECURE + "      upload: {method: Buffered}\n"),
    );
    let large = namespace.becomes_ready("large").await;
    let broken = publication("broken", "registry", "charts", &source.url(), &[LARGE]);
    apply(&namespace, &(broken.replace("- name: large", "- name: large\n      versions: 4.0.0") + INSECURE));
    namespace.becomes("broken", "it is Stalled", |status| condition(status, "Stalled").is_some()).await;

    // Of the second one also that its readers' route was passed over.
    for (name, count) in [("charts", 2), ("large", 3)] {
        eventually(SOON, "all Events are there", async || match namespace.events_of(name).await {
            events if events.len() == count => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }
    let mut names = vec![(source.url(), "http://charts.example.com".to_owned())];
    names.extend(renamed(&charts, &["10.0.0.11:30500", "10.0.0.12:30500"]));
    names.extend(renamed(&large, &["10.96.0.7:5000"]));
    names.push((limited.ingress.socket().to_string(), "10.0.0.80:80".to_owned()));
    names.push((limited.host.clone(), "registry.example.com".to_owned()));
    names.push((format!("port {}", exposed.socket.port()), "port 30500".to_owned()));
    names.push((namespace.name().to_owned(), "platform".to_owned()));
    compare(&namespace, &names);
}

/// Charts of one age are shown by name.
fn of_one_time(source: &HelmRepository) {
    let file = source.site().join("index.yaml");
    let index = fs::read_to_string(&file).expect("an index");
    let line = |line: &str| match line.split_once("created: ") {
        Some((before, _)) => format!("{before}created: \"2026-01-05T09:00:00Z\"\n"),
        None => format!("{line}\n"),
    };
    fs::write(file, index.lines().map(line).collect::<String>()).expect("the index");
}

/// The addresses of the target, in their order.
fn renamed(publication: &ChartPublication, names: &[&str]) -> Vec<(String, String)> {
    let status = publication.status.as_ref().expect("a status");
    let addresses = status.targets[0].address.as_deref().expect("an address").split(", ");
    addresses.zip(names).map(|(address, name)| (address.to_owned(), (*name).to_owned())).collect()
}

/// Runs each command of the document and compares what stands below it.
fn compare(namespace: &Namespace, names: &[(String, String)]) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/outputs.md"));
    let document = fs::read_to_string(&path).expect("the document");
    let mut pieces = document.split("```sh\n");
    let mut written = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (command, rest) = piece.split_once("\n```\n").expect("a command");
        let (before, rest) = rest.split_once(" -->\n").expect("the begin of an output");
        let (_, after) = rest.split_once("<!-- end -->").expect("the end of an output");
        let words: Vec<_> = command.split(' ').map(|word| if word == "platform" { namespace.name() } else { word }).collect();
        let output = normal(&namespace.bed.run_on_host(&words).expect_success(), names);
        written += &["```sh\n", command, "\n```\n", before, " -->\n```text\n", &output, "```\n<!-- end -->", after].concat();
    }
    if is_to_be_written() {
        fs::write(path, written).expect("the document");
    } else {
        assert_eq!(document, written, "docs/outputs.md is out of date: run this test with UPDATE_DOCS=1");
    }
}

#[expect(clippy::disallowed_methods, reason = "a developer's wish, as snapshots have it")]
fn is_to_be_written() -> bool {
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
fn with_age(line: &str) -> String {
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
        "Digest" | "Revision" => "sha256:<64 digits>",
        _ => return line.to_owned(),
    };
    let spaces = value.len() - value.trim_start().len();
    format!("{name}:  {}{kept}", &value[..spaces])
}

#[test]
fn ages_of_any_length_look_the_same() {
    for line in
        ["Normal  Published  1s    chart-publisher", "Normal  Published  12s   chart-publisher", "Normal  Published  115s  chart-publisher"]
    {
        assert_eq!(with_age(line), "Normal  Published  9s    chart-publisher");
    }
    assert_eq!(
        with_age("charts   True   2/2   2 versions   9s").trim_end(),
        with_age("charts   True   2/2   2 versions   100s").trim_end()
    );
}
