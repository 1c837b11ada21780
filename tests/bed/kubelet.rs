//! kubelet on the first node, and the scheduler that gives it Pods.

use std::fs;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use serde_json::{Value, json};

use crate::{Outcome, container_runtime, control_plane, state::Bed};

/// Starts both and waits until kubelet says that the node is Ready.
pub async fn join(bed: &mut Bed) -> Outcome<()> {
    let networks = bed.networks().ok_or("kubelet needs networks")?.clone();
    let configuration = bed.path("kubelet.json");
    fs::write(bed.path("resolv.conf"), "nameserver 127.0.0.1\n")?;
    fs::write(&configuration, serde_json::to_string(&settings(bed))?)?;
    let kubelet = [
        format!("--config={}", configuration.display()),
        format!("--kubeconfig={}", bed.path("inner.kubeconfig").display()),
        format!("--root-dir={}", bed.path("kubelet").display()),
        format!("--cert-dir={}", bed.path("credentials/kubelet").display()),
        format!("--node-ip={}", networks.node_address),
        "--hostname-override=node-1".to_owned(),
    ];
    bed.start_enclosed("kubelet", &kubelet)?;
    let scheduler = [
        format!("--kubeconfig={}", bed.path("inner.kubeconfig").display()),
        format!("--bind-address={}", networks.node_address),
        format!("--cert-dir={}", bed.path("credentials/scheduler").display()),
        "--leader-elect=false".to_owned(),
        "--kube-api-qps=200".to_owned(),
        "--kube-api-burst=400".to_owned(),
    ];
    bed.start("kube-scheduler", "kube-scheduler.log", Some(&networks.node), &scheduler)?;
    let nodes = Api::<Node>::all(control_plane::client(bed).await?);
    control_plane::until(bed, "kubelet", async || {
        let conditions = nodes.get("node-1").await?.status.unwrap_or_default().conditions.unwrap_or_default();
        Ok(conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"))
    })
    .await
}

fn settings(bed: &Bed) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        // Only the API server is in this network.
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "resolvConf": bed.path("resolv.conf"),
        "podLogsDir": bed.path("pod-logs"),
        "volumePluginDir": bed.path("kubelet/volume-plugins"),
        "containerLogMaxSize": "1Gi",
        // Control groups of either version, and none of the machine's own.
        "cgroupDriver": "cgroupfs", "cgroupRoot": container_runtime::control_group(), "cgroupsPerQOS": true, "enforceNodeAllocatable": [],
        "failCgroupV1": false, "failSwapOn": false, "oomScoreAdj": 0,
        "makeIPTablesUtilChains": false,
        // No controller attaches volumes, and a full disk is not this cluster's.
        "enableControllerAttachDetach": false,
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        "kubeAPIQPS": 200, "kubeAPIBurst": 400, "eventRecordQPS": 0,
    })
}
