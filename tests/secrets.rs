//! Secrets that were planted, and used, are seen nowhere: not in logs that say all they can, Events, statuses, inventories and metrics,
//! and not in what the commands print.
#![cfg(test)]

#[expect(dead_code, reason = "other tests use more of them")]
#[path = "wrong_input/archives.rs"]
mod archives;
#[path = "secrets/commands.rs"]
mod commands;
#[path = "secrets/planted.rs"]
mod planted;
#[path = "secrets/publications.rs"]
mod publications;
#[path = "secrets/servers.rs"]
mod servers;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "secrets/used.rs"]
mod used;

use planted::{Planted, Shown, found};
use servers::Servers;
use support::eventually::{SOON, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_are_used_and_seen_nowhere() {
    let bed = support::shared();
    bed.install_crds();
    let servers = Servers::start(bed).await;
    let namespace = bed.namespace().await;
    let rights = namespace.rights(&[]);
    let kubeconfig = namespace.kubeconfig_of(&rights.account).await;
    let arguments = ["--namespace", namespace.name(), "--allow-address", "127.0.0.0/8", "--log-level", "trace"];
    let mut controller = bed.controller(&kubeconfig, &arguments).rights(rights).start();
    controller.wait_until_ready().await;

    let mut shown: Vec<Shown> = publications::run(&servers, &namespace).await;
    shown.extend(commands::run(&servers, &namespace));
    let metrics = eventually(SOON, "the metrics are told", async || {
        let health = controller.health();
        support::http::get(bed.client_namespace(), health, &health.to_string(), "/metrics").await
    })
    .await;
    shown.push(Shown::new("/metrics", &String::from_utf8_lossy(&metrics.body)));
    let log = controller.log();
    for target in [" TRACE ", " DEBUG ", "chart_publisher::", "kube"] {
        assert!(log.contains(target), "the log does not say all that it can: no `{target}`");
    }
    shown.push(Shown::new("the controller's log", &log));

    let mut planted: Vec<Planted> = used::all(&servers);
    assert!(planted.len() >= 12, "{planted:?}");
    planted.push(Planted::new("the token of the controller's account", &planted::token_of(&kubeconfig)));
    planted.push(Planted::new("the administrator's token", &planted::token_of(&bed.information.inner_kubeconfig)));
    planted.extend(servers.refused.iter().cloned());
    let problems = found(&planted, &shown);
    assert!(problems.is_empty(), "{} secrets are shown:\n{}", problems.len(), problems.join("\n"));
    support::say(&format!("{} secrets in {} texts of {} bytes: none is shown", planted.len(), shown.len(), planted::bytes(&shown)));
}
