//! Two nodes and a Pod's view, in network namespaces that lead nowhere else.
//!
//! ```text
//!   pod 10.244.0.2 ── veth ── node: cni0 10.244.0.1/24, bridge 10.90.0.1/16 ── veth ── node2 10.90.0.2/16
//! ```
//!
//! The control plane, registries and proxies run in `node`, on addresses of their own on the bridge. Each node has a real
//! kube-proxy, so a NodePort answers on both, and a packet to the second one crosses a wire. A node without a kubelet says that it
//! is Ready because nobody else would; only in mode `pods` the first one has a kubelet ([`crate::kubelet`]).

use std::{fs, net::Ipv4Addr};

use k8s_openapi::api::core::v1::Node;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    Outcome, control_plane,
    information::{Mode, Networks},
    leftovers, network,
    state::Bed,
    tools::ip,
};

/// Makes the network namespaces and what connects them.
pub fn create_networks(bed: &mut Bed) -> Outcome<()> {
    let name = leftovers::name(std::process::id());
    let networks = Networks {
        node: format!("{name}-node"),
        second_node: format!("{name}-node2"),
        pod: format!("{name}-pod"),
        node_address: Ipv4Addr::new(10, 90, 0, 1),
        second_node_address: Ipv4Addr::new(10, 90, 0, 2),
        pod_address: Ipv4Addr::new(10, 244, 0, 2),
    };
    bed.own_networks(networks.clone());
    let Networks { node, second_node, pod, .. } = &networks;
    let lines = [
        format!("netns add {node}"),
        format!("netns add {second_node}"),
        format!("netns add {pod}"),
        format!("-n {node} link set lo up"),
        format!("-n {second_node} link set lo up"),
        format!("-n {pod} link set lo up"),
        format!("-n {node} link add bridge type bridge"),
        format!("-n {node} address add 10.90.0.1/16 dev bridge"),
        format!("-n {node} link add second type veth peer name eth0 netns {second_node}"),
        format!("-n {node} link set second master bridge up"),
        format!("-n {node} link set bridge up"),
        format!("-n {node} route add default dev bridge"),
        format!("-n {second_node} address add 10.90.0.2/16 dev eth0"),
        format!("-n {second_node} link set eth0 up"),
        format!("-n {second_node} route add default via 10.90.0.1"),
        format!("-n {node} link add cni0 type bridge"),
        format!("-n {node} address add 10.244.0.1/24 dev cni0"),
        format!("-n {node} link set cni0 up"),
        format!("-n {node} link add pod type veth peer name eth0 netns {pod}"),
        format!("-n {node} link set pod master cni0 up"),
        format!("-n {pod} address add 10.244.0.2/24 dev eth0"),
        format!("-n {pod} link set eth0 up"),
        format!("-n {pod} route add default via 10.244.0.1"),
    ];
    lines.iter().try_for_each(|line| ip(bed.tools(), line).map(drop))?;
    for namespace in [node, second_node, pod] {
        let names = leftovers::names(namespace);
        fs::create_dir_all(&names)?;
        fs::write(names.join("hosts"), "127.0.0.1 localhost\n10.90.0.1 node-1\n10.90.0.2 node-2\n")?;
        fs::write(names.join("resolv.conf"), "# Names come from /etc/hosts alone.\n")?;
        // What lies below /proc/sys/net is the network of the thread that opens it. A Pod forwards nothing.
        let forwards = if namespace == pod { "0" } else { "1" };
        network::inside(Some(namespace), || fs::write("/proc/sys/net/ipv4/ip_forward", forwards))?;
    }
    Ok(())
}

/// Registers the Nodes, starts a kube-proxy on each and waits until it has written its rules.
pub async fn join(bed: &mut Bed) -> Outcome<()> {
    let Some(networks) = bed.networks().cloned() else { return Err("a node needs networks".into()) };
    let nodes = [
        ("node-1", networks.node.clone(), networks.node_address, "10.244.0.0/24"),
        ("node-2", networks.second_node.clone(), networks.second_node_address, "10.244.1.0/24"),
    ];
    for (name, namespace, address, pods) in &nodes {
        let has_kubelet = bed.mode() == Mode::Pods && *name == "node-1";
        register(bed, name, *address, pods, has_kubelet).await?;
        bed.start("kube-proxy", &format!("kube-proxy-{name}.log"), Some(namespace), &proxy(bed, name)?)?;
    }
    control_plane::until(bed, "kube-proxy", async || {
        Ok(nodes.iter().all(|(_, namespace, ..)| answers(namespace, Ipv4Addr::LOCALHOST, 10256)))
    })
    .await
}

fn answers(namespace: &str, address: Ipv4Addr, port: u16) -> bool {
    network::inside(Some(namespace), || std::net::TcpStream::connect((address, port))).is_ok()
}

/// Writes the configuration of a kube-proxy; gives its arguments. As a real one, but it acts on a change at once.
fn proxy(bed: &Bed, name: &str) -> Outcome<Vec<String>> {
    let configuration = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": bed.path("inner.kubeconfig")},
        "hostnameOverride": name,
        "mode": "nftables",
        "clusterCIDR": "10.244.0.0/16",
        "nftables": {"minSyncPeriod": "50ms", "syncPeriod": "30s"},
        "conntrack": {"maxPerCore": 0},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    });
    let file = bed.path(&format!("kube-proxy-{name}.json"));
    fs::write(&file, serde_json::to_string(&configuration)?)?;
    Ok(vec![format!("--config={}", file.display())])
}

/// Makes the Node, with the addresses that kube-proxy waits for; a kubelet says itself when it is Ready.
async fn register(bed: &Bed, name: &str, address: Ipv4Addr, pods: &str, has_kubelet: bool) -> Outcome<()> {
    let nodes = Api::<Node>::all(control_plane::client(bed).await?);
    let parameters = PatchParams::apply("bed").force();
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {"podCIDR": pods, "podCIDRs": [pods]},
    });
    nodes.patch(name, &parameters, &Patch::Apply(node)).await?;
    // Admission taints a new Node; the controller that would lift the taint does not run.
    let taints = if has_kubelet { json!([]) } else { json!([{"key": "test-bed/no-kubelet", "effect": "NoSchedule"}]) };
    nodes.patch(name, &PatchParams::default(), &Patch::Merge(json!({"spec": {"taints": taints}}))).await?;
    let ready = json!({"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "the test bed says so"});
    let status = json!({
        "apiVersion": "v1", "kind": "Node",
        "status": {
            "addresses": [{"type": "InternalIP", "address": address.to_string()}, {"type": "Hostname", "address": name}],
            "conditions": if has_kubelet { json!([]) } else { json!([ready]) },
            "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
                "kubeletVersion": "v1.34.4", "machineID": "", "operatingSystem": "linux", "osImage": "", "systemUUID": "",
            },
        },
    });
    nodes.patch_status(name, &parameters, &Patch::Apply(status)).await?;
    Ok(())
}
