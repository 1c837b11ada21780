//! Where there is no network but the registry: charts that lie in the file, in `ConfigMaps` or in Secrets need nothing else, and ask
//! nobody else.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    printed::{Printed, file, publication},
    support::{
        self, Bed, Ran,
        air_gap::AirGap,
        exposure::Exposure,
        publication::url_target,
        registry::{Registry, Version},
    },
};

const CHART: &str = "small-1.2.2";

/// Runs `publish` behind the gap, on a file with this publication.
fn publish(gap: &AirGap, folder: &Path, spec: &Value, flags: &[&str]) -> Ran {
    let file = file(folder, &publication("boot", spec).to_string());
    gap.run(&[&[env!("CARGO_BIN_EXE_chart-publisher"), "publish", "-f", &file, "-o", "json"], flags].concat())
}

/// One chart is published, by this route, and nobody else was asked.
fn is_published(bed: &Bed, ran: &Ran, gap: &AirGap, route: &str, registry: &Registry, prefix: &str) {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let printed = Printed::of(ran);
    assert_eq!((printed.counts(), printed.publications[0].targets[0].route.as_deref()), ([1, 0, 0], Some(route)), "{printed:?}");
    let reference = format!("{}/{prefix}/small:1.2.2", registry.socket());
    let digest = bed.run_in_pod(&["crane", "--insecure", "digest", &reference]).expect_success();
    assert_eq!(printed.publications[0].targets[0].charts[0].digest.as_deref(), Some(digest.trim()));
    assert_eq!(gap.tried(), 0, "somebody else was to be asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_in_the_file_is_published_where_there_is_nothing_but_the_registry() {
    let Some(bed) = support::with_node() else { return };
    let registry = bed.registry(Version::V3).start().await;
    let gap = bed.air_gap(&[registry.socket()]);
    let folder = bed.folder("air-gap");
    let archive = BASE64_STANDARD.encode(fs::read(bed.chart(CHART)).expect("a chart of the bed"));
    let inline = json!({"source": {"inline": archive}, "targets": [url_target(registry.socket(), "inline")]});
    is_published(bed, &publish(&gap, &folder, &inline, &[]), &gap, "URL", &registry, "inline");
    let again = Printed::of(&publish(&gap, &folder, &inline, &[]));
    assert_eq!((again.counts(), gap.tried()), ([0, 1, 0], 0));

    // The witness sees what it is there for: a source by its name is an attempt.
    let charts = bed.helm_repository(&[CHART]).start().await;
    let elsewhere = json!({
        "source": {"helmRepository": {"url": charts.url()}}, "charts": [{"name": "small"}],
        "timeout": "1s", "targets": [url_target(registry.socket(), "elsewhere")],
    });
    let ran = publish(&gap, &folder, &elsewhere, &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(gap.tried() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_in_the_cluster_are_published_where_there_is_nothing_but_its_api_server_and_its_registry() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let (registry, networks) = (bed.registry(Version::V2).start().await, bed.networks());
    let archive = fs::read(bed.chart(CHART)).expect("a chart of the bed");
    let (begin, end) = archive.split_at(archive.len() / 2);
    namespace.config_map("chart-0", &[("small.tgz.0", begin)]).await;
    namespace.config_map("chart-1", &[("small.tgz.1", end)]).await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "chart"}, "data": {"small.tgz": BASE64_STANDARD.encode(&archive)},
    });
    namespace.apply::<k8s_openapi::api::core::v1::Secret>(secret).await;
    let by_node = namespace.expose("by-node", Exposure::NodePort, &[registry.socket()]).await.socket;
    let by_address = namespace.expose("by-address", Exposure::ClusterIp, &[registry.socket()]).await.socket;
    let api_server = SocketAddr::new(IpAddr::V4(networks.node_address), 6443);
    let second_node = SocketAddr::new(IpAddr::V4(networks.second_node_address), by_node.port());
    let kubeconfig = bed.information.inner_kubeconfig.display().to_string();
    let flags = ["-n", namespace.name(), "--kubeconfig", &kubeconfig];
    let config_maps = json!({"configMaps": ["chart-0", "chart-1"]});
    for (source, service, open, more, route) in [
        (config_maps, "by-node", vec![api_server, by_node, second_node], &[][..], "NodePort"),
        (json!({"secrets": ["chart"]}), "by-address", vec![api_server, by_address], &["--in-cluster"][..], "ClusterIP"),
    ] {
        let gap = bed.air_gap(&open);
        let target = json!({"name": "main", "service": {"name": service, "repository": service}, "insecure": true});
        let ran = publish(&gap, &bed.folder("air-gap"), &json!({"source": source, "targets": [target]}), &[&flags[..], more].concat());
        is_published(bed, &ran, &gap, route, &registry, service);
    }
}
