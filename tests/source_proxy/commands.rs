//! The commands that look and publish once go by the proxy as the controller does.

use std::fs;

use serde_json::json;

use super::{
    scene::{LOGIN, asked, names_proxy, spec},
    support::{self, registry::Version},
};

#[tokio::test(flavor = "multi_thread")]
async fn plan_and_publish_go_by_the_proxy_and_lint_knows_the_field() {
    let Some(bed) = support::with_node() else { return };
    let (namespace, to) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let proxy = bed.forward_proxy().basic(LOGIN.0, LOGIN.1).start().await;
    names_proxy(&namespace, "proxy", &proxy, Some(LOGIN), None).await;
    let source = json!({"helmRepository": {"url": charts.url(), "proxySecretRef": {"name": "proxy"}}});
    let publication = json!({
        "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "boot"},
        "spec": spec(&source, &to, "charts"),
    });
    let file = bed.folder("commands").join("publication.json");
    fs::write(&file, publication.to_string()).expect("a file in the bed's folder");
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let run = |command: &str, flags: &[&str]| {
        let program = env!("CARGO_BIN_EXE_chart-publisher");
        bed.run_in_pod(&[&[program, command, "-f", &file.display().to_string()], flags].concat())
    };
    let with_cluster = ["--kubeconfig", &kubeconfig, "-n", namespace.name()];
    run("lint", &[]).expect_success();
    let planned = run("plan", &with_cluster).expect_success();
    assert!(planned.contains("small"), "{planned}");
    let of = |path: &str| asked(&charts.url(), path);
    assert_eq!(proxy.asked(), [of("/index.yaml")]);
    let published = run("publish", &with_cluster).expect_success();
    assert!(published.contains("Published"), "{published}");
    assert_eq!(proxy.asked()[1..], [of("/index.yaml"), of("/small-1.2.2.tgz"), of("/small-1.2.2.tgz.prov")]);
    for command in ["plan", "publish"] {
        let ran = run(command, &["-n", namespace.name()]);
        let said = format!("{}{}", ran.output, ran.errors);
        assert!(!ran.success && said.contains("Secret `proxy` lies in a cluster: give `--kubeconfig`"), "{command}: {said}");
    }
}
