//! A path that loses IP packets over 1,300 bytes: helm, crane and regctl hang, `push` and the controller arrive, and the status says
//! what to look at.

use std::time::Duration;

use futures::future::join_all;

use super::{
    faults::tool::{Package, Tool},
    scene::spec,
    support::{
        self,
        exposure::Exposure,
        lossy_path::{LossyPath, Lost},
        publication::ready,
        registry::Version::V3,
    },
};

const NAME: &str = "large-packets";
/// `timeout` ended the program.
const HUNG: Option<i32> = Some(124);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_large_packets_vanish_others_hang_and_ours_arrives() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["large-3.0.0"]).start().await;
    let registry = bed.registry(V3).start().await;
    let exposed = namespace.expose(NAME, Exposure::NodePort, &[registry.socket()]).await;
    let package = Package::large(bed);
    let path = bed.lossy_path(Lost::Requests, 1300);
    let run = |seconds: u32, tool: Tool| {
        let words = [&["timeout".to_owned(), seconds.to_string()], &*tool.command(&exposed.socket.to_string(), &package, None)].concat();
        as_client(&path, words)
    };

    let small = path.run(&["curl", "--silent", "--fail", &format!("http://{}/v2/", exposed.socket)]);
    assert!(small.success, "small requests pass: {small:?}");
    let others = [Tool::Helm, Tool::Crane, Tool::Regctl].map(|tool| run(15, tool));
    for ended in join_all(others).await {
        assert_eq!(ended, HUNG, "the others hang");
    }
    let lost = path.lost();
    assert!(lost > 0);
    assert!(!registry.requests().iter().any(|request| request.line().contains("/manifests/") && request.method == "PUT"));

    assert_eq!(run(60, Tool::Push).await, Some(0), "ours arrives");
    assert!(path.lost() > lost, "it met the same path");

    let mut controller = namespace.described_controller(&[]).await.through(&path).start();
    controller.wait_until_ready().await;
    namespace.publish(NAME, &spec(&source.url(), &["large"], NAME, "by-controller", "2s")).await;
    let is_ready = |status: &_| ready(status) == "True Succeeded";
    let published = namespace.becomes_within(Duration::from_mins(1), NAME, "it is Ready", is_ready).await;
    let target = &published.status.expect("a status").targets[0];
    let seen = (target.route.as_deref(), target.attempts.iter().map(|attempt| &*attempt.reason).collect::<Vec<_>>());
    assert_eq!(seen, (Some("NodePort"), vec!["PathStalled"]), "{target:?}");
    for words in [
        "(packets were sent again and again, and not acknowledged)",
        "suspect the packet size",
        "compare the MTU",
        "`ethtool -K INTERFACE tx off`",
    ] {
        assert!(target.attempts[0].message.contains(words), "{target:?}");
    }
    for repository in ["charts/large", "by-controller/large"] {
        let line = format!("PUT /v2/{repository}/manifests/3.0.0 201");
        assert!(registry.requests().iter().any(|request| request.line() == line), "{line}");
    }
}

/// Runs a program behind the path, beside others; gives its exit code.
async fn as_client(path: &LossyPath, words: Vec<String>) -> Option<i32> {
    let (bed, namespace) = (path.bed(), path.namespace().to_owned());
    let run = move || bed.run_inside(Some(&namespace), &words.iter().map(String::as_str).collect::<Vec<_>>()).code;
    tokio::task::spawn_blocking(run).await.expect("the program")
}
