//! What a bed tells its users: where things are and what they are called. Shared by the supervisor and by the tests.

use std::{fmt::Write, net::Ipv4Addr, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use super::enclosure::Enclosure;

/// How much of a cluster there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// No cluster: the programs, the charts and a folder; servers listen on loopback.
    Loopback,
    /// API server, etcd and controllers on loopback; needs no root.
    ControlPlane,
    /// Two nodes with kube-proxy and a Pod's view, in network namespaces without a way out; needs root.
    Node,
    /// The same, and the first node runs Pods: kubelet, containerd and a scheduler. Never chosen, only asked for.
    Pods,
}

impl Mode {
    /// What this user gets without asking.
    pub fn usual() -> Self {
        if rustix::process::geteuid().is_root() { Self::Node } else { Self::ControlPlane }
    }

    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::ControlPlane => "control-plane",
            Self::Node => "node",
            Self::Pods => "pods",
        }
    }

    /// Whether it has nodes, which only root can make.
    pub fn has_nodes(self) -> bool {
        matches!(self, Self::Node | Self::Pods)
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Loopback, Self::ControlPlane, Self::Node, Self::Pods].into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| format!("`{text}` is no mode: `loopback`, `control-plane`, `node` or `pods`"))
    }
}

/// A bed that is up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BedInformation {
    /// How much of a cluster there is.
    pub mode: Mode,
    /// The process id of the supervisor.
    pub supervisor: u32,
    /// The folder of this bed: logs, storage, charts. It goes when the bed goes.
    pub state: PathBuf,
    /// The folder of the programs: helm, crane, kubectl, ...
    pub tools: PathBuf,
    /// Cluster administrator, from the host's own network namespace.
    pub kubeconfig: PathBuf,
    /// Cluster administrator, from inside of the network namespaces.
    pub inner_kubeconfig: PathBuf,
    /// Charts that helm packaged: `small-1.2.3+4.tgz` and others.
    pub charts: PathBuf,
    /// The network namespaces; in modes `node` and `pods`.
    pub networks: Option<Networks>,
    /// Where containerd and its containers run; only in mode `pods`.
    pub enclosure: Option<Enclosure>,
}

/// The network namespaces of a bed with nodes, and the addresses in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Networks {
    /// The namespace of the first node, where the control plane and all registries run.
    pub node: String,
    /// The namespace of the second node, which has only a kube-proxy, in each mode.
    pub second_node: String,
    /// The namespace that sees the cluster as a Pod of the first node does.
    pub pod: String,
    /// `InternalIP` of the Node `node-1`.
    pub node_address: Ipv4Addr,
    /// `InternalIP` of the Node `node-2`.
    pub second_node_address: Ipv4Addr,
    /// The address of the Pod's view.
    pub pod_address: Ipv4Addr,
}

impl BedInformation {
    /// How a developer uses the bed that stays in the foreground.
    pub fn instructions(&self) -> String {
        let tools = self.tools.display();
        let mut text = format!("export KUBECONFIG={}\nexport PATH={tools}:$PATH\n", self.kubeconfig.display());
        if let Some(networks) = &self.networks {
            let _ = write!(
                text,
                "\n# {} and {} answer inside the node only; a shell there, and one with a Pod's view:\nip netns exec {} env KUBECONFIG={} bash\nip netns exec {} env KUBECONFIG={} bash\n",
                networks.node_address,
                networks.second_node_address,
                networks.node,
                self.inner_kubeconfig.display(),
                networks.pod,
                self.inner_kubeconfig.display()
            );
        }
        if self.mode == Mode::Pods {
            text += "\n# Images that are there, and no others can be pulled: registry2:bed and registry3:bed, which want `args: [serve, FILE]` and a\n\
                     # ConfigMap with that file (distribution's configuration), and chart-publisher:bed. The controller as a Pod:\n\
                     helm install chart-publisher charts/chart-publisher --set image.tag=bed,image.pullPolicy=Never\n";
        }
        text + "\n# Ctrl-C here takes the cluster down."
    }
}
