//! Large packets that vanish: the chart arrives by short segments, and the command that the attempt names makes them needless.

use serde_json::json;

use super::{
    documented, has, is_cured,
    sentence::quoted_after,
    spec,
    support::{self, exposure::Exposure, lossy_path::Lost, publication::ready, registry::Version::V3},
    target,
};

const NAME: &str = "stalled";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_command_that_the_attempt_names_opens_the_path() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["large-3.0.0", "umbrella-2.0.0"]).start().await;
    let path = bed.lossy_path(Lost::Requests, 1300);
    let mut controller = namespace.described_controller(&[]).await.through(&path).start();
    controller.wait_until_ready().await;
    let registry = bed.registry(V3).start().await;
    let exposed = namespace.expose(NAME, Exposure::NodePort, &[registry.socket()]).await;

    let mut spec_of = spec(&source.url(), &["large"], &target(NAME, &json!({})));
    spec_of["timeout"] = json!("2s");
    namespace.publish(NAME, &spec_of).await;
    let stalled = namespace.becomes(NAME, "it is Ready", |status| ready(status) == "True Succeeded").await.status.expect("a status");
    let seen = &stalled.targets[0];
    assert_eq!((seen.route.as_deref(), seen.attempts.len()), (Some("NodePort"), 1), "{seen:?}");
    assert!(seen.reason.as_ref().is_some_and(|reason| reason.ends_with("; TCP segments of 1200 bytes")), "{seen:?}");
    assert_eq!(seen.attempts[0].reason, "PathStalled");
    assert!(path.lost() > 0);
    let message = &seen.attempts[0].message;
    let mut nodes: Vec<String> = seen.address.as_deref().expect("addresses").split(", ").map(str::to_owned).collect();
    let mut names = vec![
        (source.url(), "http://charts.example.com"),
        (nodes.remove(0), "10.0.0.11:30500"),
        (nodes.remove(0), "10.0.0.12:30500"),
        (format!("port {}", exposed.socket.port()), "port 30500"),
    ];
    // How much the kernel takes before it says that it is full.
    let taken = quoted_number(message);
    names.push((format!("after {taken} bytes"), "after 262144 bytes"));
    documented(&namespace, "stalled-before", &names);

    path.run_at_both_ends(quoted_after(message, "suspect the packet size ("));
    namespace.run_again(NAME).await;
    let lost = path.lost();
    namespace.change(NAME, &json!({"charts": [{"name": "large"}, {"name": "umbrella"}]})).await;
    let cured = is_cured(&namespace, NAME, "NodePort").await.status.expect("a status");
    names.push((cured.last_handled_reconcile_at.expect("the request"), "1767605400"));
    documented(&namespace, "stalled-after", &names);
    assert!(has(&registry, "umbrella/manifests/2.0.0"));
    assert_eq!(path.lost(), lost, "nothing is lost any more");
}

/// The number of bytes in `… after 262144 bytes. …`.
fn quoted_number(message: &str) -> &str {
    let after = message.split_once(", after ").and_then(|(_, after)| after.split_once(" bytes"));
    after.unwrap_or_else(|| panic!("no number of bytes in: {message}")).0
}
