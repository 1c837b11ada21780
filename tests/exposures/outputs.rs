//! What kubectl shows of publications, as docs/outputs.md has it. With `UPDATE_DOCS=1` the document is written anew.

use std::fs;

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
        printed::{compare, with_age},
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
    compare("docs/outputs.md", |_| true, &namespace, &names);
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
