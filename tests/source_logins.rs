//! Each source by each login, against real servers: the right one publishes, and each wrong one leads to a sentence with the cure.
#![cfg(test)]

#[path = "source_logins/cell.rs"]
mod cell;
#[path = "source_logins/document.rs"]
mod document;
#[path = "source_logins/matrix.rs"]
mod matrix;
#[path = "source_logins/servers.rs"]
mod servers;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use futures::future::join_all;

use cell::{Cell, Seen};
use servers::Servers;
use support::{
    namespace::Namespace,
    publication::{condition, ready},
    registry::Version,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_source_takes_every_login_and_says_what_is_wrong_with_one() {
    let Some(bed) = support::with_node() else { return };
    bed.install_crds();
    let (namespace, to) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let _flux = bed.install_flux();
    let servers = Servers::create(&namespace).await;
    let cells = matrix::cells(&servers);
    let controller = namespace.controller(&["--log-level", "trace", "--concurrency", "16"]).await;
    for (number, cell) in cells.iter().enumerate() {
        cell.apply(&namespace, number, &to).await;
    }
    let seen = join_all(cells.iter().enumerate().map(|(number, cell)| outcome(&namespace, number, cell))).await;
    let problems: Vec<&String> = seen.iter().flat_map(|seen| &seen.problems).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    let shown = [controller.log()].into_iter().chain(seen.iter().map(|seen| seen.shown.clone()));
    for text in shown {
        let line = text.lines().find(|line| servers.secrets().iter().any(|secret| line.contains(secret)));
        assert_eq!(line, None, "a secret is shown");
    }
    document::compare(&cells, &seen);
}

/// What became of a cell: the right login publishes, each wrong one says why not.
async fn outcome(namespace: &Namespace, number: usize, cell: &Cell) -> Seen {
    let name = Cell::name(number, None);
    let status = namespace.becomes_ready(&name).await.status.unwrap_or_default();
    let mut seen = Seen::default();
    if status.published.as_deref() != Some("1/1") {
        seen.problems.push(format!("{name}: published is {:?}", status.published));
    }
    for (which, wrong) in cell.wrong.iter().enumerate() {
        let name = Cell::name(number, Some(which));
        let failed = namespace.becomes(&name, "it is known what becomes of it", |status| ready(status).starts_with("False ")).await;
        let status = failed.status.unwrap_or_default();
        let found = condition(&status, "Ready").expect("a condition");
        let message = servers::general(&found.message, namespace.name());
        if found.reason != wrong.reason.as_str() || !message.contains(wrong.cure) {
            seen.problems.push(format!("{name}, {}: {} {message}", wrong.input, found.reason));
        }
        seen.shown += &serde_json::to_string(&status).expect("JSON");
        seen.messages.push(message);
    }
    seen
}
