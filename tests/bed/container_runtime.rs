//! containerd with runc and a bridge for Pods, in an enclosure of their own.
//!
//! ```text
//!   first node: cni0 10.244.0.1/24 ── veth ── each Pod from 10.244.0.10 on
//!                                └── veth ── pod 10.244.0.2 (the Pod's view)
//! ```
//!
//! Nothing of it touches the machine outside: what these programs would write to `/run`, `/var/lib` and `/var/log` lies on
//! filesystems of the enclosure, and what they keep on disk in the bed's folder.

use std::{fs, path::Path, process::Command};

use serde_json::json;

use crate::{
    Outcome, control_groups, control_plane,
    enclosure::Enclosure,
    image::{Image, PAUSE},
    leftovers, network,
    process::Launch,
    state::Bed,
    tools::run,
};

/// Run by the first shell in the enclosure; `$1` is the folder of programs and beds, which may lie below what is covered here.
const FURNISH: &str = r#"set -eu
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir /run/kept /run/lock
mount --bind "$1" /run/kept
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /var/log
mkdir -p "$1"
mount --bind /run/kept "$1"
umount /run/kept
# kubelet sets these for the whole machine, unless they read as it wants them.
seem() { echo "$2" >"/run/lock/${1##*/}"; mount --bind "/run/lock/${1##*/}" "/proc/sys/$1"; }
seem vm/overcommit_memory 1
seem vm/panic_on_oom 0
seem kernel/panic 10
seem kernel/panic_on_oops 1
seem kernel/keys/root_maxkeys 1000000
seem kernel/keys/root_maxbytes 25000000
"#;

/// Makes the enclosure in the first node's network namespace, and starts containerd in it; containerd is not waited for.
pub async fn start(bed: &mut Bed) -> Outcome<()> {
    enclose(bed).await?;
    let enclosure = bed.enclosure().ok_or("the enclosure was just made")?;
    let cache = bed.tools().parent().unwrap_or(bed.tools()).to_owned();
    run(enclosed(&enclosure, Path::new("sh")).args(["-c", FURNISH, "sh"]).arg(cache))?;
    let filters = || fs::write("/proc/sys/net/bridge/bridge-nf-call-iptables", "1");
    network::inside(Some(&enclosure.network), filters)
        .map_err(|problem| format!("packets between Pods must pass kube-proxy's rules: is the module br_netfilter loaded? {problem}"))?;
    control_groups::create(&leftovers::name(std::process::id()))?;
    fs::create_dir_all(bed.path("cni"))?;
    fs::write(bed.path("cni/10-bridge.conflist"), bridge(bed).to_string())?;
    let configuration = bed.path("containerd.toml");
    fs::write(&configuration, containerd(bed))?;
    bed.start_enclosed("containerd", &[format!("--config={}", configuration.display())])
}

/// Starts the process that holds the namespaces, and waits until they are there.
async fn enclose(bed: &mut Bed) -> Outcome<()> {
    let networks = bed.networks().ok_or("an enclosure needs networks")?;
    let launch = Launch::new("nsenter", bed.path("logs/enclosure.log")).called("enclosure");
    let launch = launch.arguments([format!("--net=/run/netns/{}", networks.node)]);
    // A first process that ignores its children's ends has them buried by the kernel.
    let launch = launch.arguments(["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL"]);
    let launch = launch.arguments(["env", "--ignore-signal=CHLD", "sleep", "infinity"]);
    let holder = launch.start()?;
    let namespaces = format!("/proc/{}/ns", holder.id());
    bed.own_enclosure(holder);
    control_plane::until(bed, "the enclosure", async || {
        Ok(fs::read_link(format!("{namespaces}/pid_for_children"))? != fs::read_link("/proc/self/ns/pid")?)
    })
    .await
}

/// A command that runs `program` in the enclosure.
fn enclosed(enclosure: &Enclosure, program: &Path) -> Command {
    let mut command = Command::new("nsenter");
    command.args(enclosure.arguments()).arg(program);
    command
}

/// Waits until containerd answers, and gives it the images that every bed has: the sandbox of Pods, and the registries.
pub async fn import_images(bed: &mut Bed) -> Outcome<()> {
    let enclosure = bed.enclosure().ok_or("images need an enclosure")?;
    let tool = |name: &str| bed.tools().join(name);
    let (busybox, ctr) = (tool("busybox"), tool("ctr"));
    let pause = Image::new(PAUSE, &busybox).arguments(&["sleep", "infinity"]);
    let registries = ["registry2", "registry3"].map(|name| Image::new(name, &tool(name)).beside(&busybox));
    let images = [pause].into_iter().chain(registries).collect();
    control_plane::until(bed, "containerd", async || Ok(run(enclosed(&enclosure, &ctr).arg("version")).is_ok())).await?;
    import(bed, images).await
}

/// The controller that was built beside this program, for a person who tries it; tests bring the one that they were built with.
pub async fn import_controller(bed: &Bed) -> Outcome<()> {
    let program = std::env::current_exe()?.ancestors().nth(2).map(|folder| folder.join("chart-publisher")).filter(|file| file.exists());
    import(bed, program.iter().map(|program| Image::new("chart-publisher", program)).collect()).await
}

async fn import(bed: &Bed, images: Vec<Image>) -> Outcome<()> {
    let enclosure = bed.enclosure().ok_or("images need an enclosure")?;
    let (ctr, folder) = (bed.tools().join("ctr"), bed.path("images"));
    let import = move || {
        fs::create_dir_all(&folder)?;
        images.iter().try_for_each(|image| image.import(&enclosure, &ctr, &folder))
    };
    Ok(tokio::task::spawn_blocking(import).await??)
}

fn bridge(bed: &Bed) -> serde_json::Value {
    json!({
        "cniVersion": "1.0.0", "name": "pods",
        "plugins": [{
            "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
            "ipam": {
                "type": "host-local", "dataDir": bed.path("cni/addresses"), "routes": [{"dst": "0.0.0.0/0"}],
                "ranges": [[{"subnet": "10.244.0.0/24", "rangeStart": "10.244.0.10", "gateway": "10.244.0.1"}]],
            },
        }],
    })
}

fn containerd(bed: &Bed) -> String {
    let text = |value: &Path| serde_json::Value::from(value.display().to_string()).to_string();
    format!(
        r#"version = 2
root = {root}
state = "/run/containerd"
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
# Scores may be raised and not lowered where the right is missing.
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = {runc}
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {plugins}
conf_dir = {networks}
"#,
        root = text(&bed.path("containerd")),
        runc = text(&bed.tools().join("runc")),
        plugins = text(&bed.tools().join("cni")),
        networks = text(&bed.path("cni")),
    )
}

/// The control group of this bed's containers.
pub fn control_group() -> String {
    control_groups::root(&leftovers::name(std::process::id()))
}
