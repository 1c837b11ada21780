//! etcd, kube-apiserver and kube-controller-manager: in the node's network namespace, or on free ports of loopback.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use rcgen::KeyPair;

use crate::{
    Outcome,
    authority::{Authority, Validity},
    forwarder,
    state::Bed,
};

/// The controllers that tests depend on. Without a kubelet, those that judge nodes and place Pods would only get in the way.
const CONTROLLERS: [&str; 10] = [
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
];

/// Where the parts of the control plane listen.
struct Addresses {
    address: Ipv4Addr,
    etcd: u16,
    etcd_peer: u16,
    api: u16,
    controllers: u16,
}

impl Addresses {
    fn of(bed: &Bed) -> Outcome<Self> {
        if let Some(networks) = bed.networks() {
            return Ok(Self { address: networks.node_address, etcd: 2379, etcd_peer: 2380, api: 6443, controllers: 10257 });
        }
        // All four are taken before the first is let go, so that they differ.
        let taken: Vec<_> = (0..4).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
        let ports: Vec<_> = taken.iter().map(|listener| Ok(listener.local_addr()?.port())).collect::<Outcome<_>>()?;
        let [etcd, etcd_peer, api, controllers] = ports.try_into().map_err(|_| "four listeners have four ports")?;
        Ok(Self { address: Ipv4Addr::LOCALHOST, etcd, etcd_peer, api, controllers })
    }
}

/// Starts the three programs and writes the kubeconfigs; nothing is waited for.
pub fn start(bed: &mut Bed) -> Outcome<()> {
    let addresses = Addresses::of(bed)?;
    let namespace = bed.networks().map(|networks| networks.node.clone());
    let namespace = namespace.as_deref();
    let authority = Authority::new("test bed")?;
    let token = token();
    write_credentials(bed, &authority, &token)?;
    let inner = SocketAddr::new(IpAddr::V4(addresses.address), addresses.api);
    write_kubeconfig(&bed.path("inner.kubeconfig"), inner, &authority, &token)?;
    let outer = match namespace {
        Some(namespace) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), forwarder::start(namespace, inner)?),
        None => inner,
    };
    write_kubeconfig(&bed.path("kubeconfig"), outer, &authority, &token)?;
    bed.start("etcd", "etcd.log", namespace, &etcd(bed, &addresses))?;
    bed.start("kube-apiserver", "kube-apiserver.log", namespace, &api_server(bed, &addresses))?;
    bed.start("kube-controller-manager", "kube-controller-manager.log", namespace, &controller_manager(bed, &addresses))
}

/// Kills the API server, starts another one that knows what the first one did, and waits until it answers.
pub async fn restart_api_server(bed: &mut Bed) -> Outcome<()> {
    let namespace = bed.networks().map(|networks| networks.node.clone()).ok_or("without nodes its port would be another one")?;
    let arguments = api_server(bed, &Addresses::of(bed)?);
    bed.kill("kube-apiserver");
    bed.start("kube-apiserver", "kube-apiserver.log", Some(&namespace), &arguments)?;
    wait_until_ready(bed).await?;
    let mut restarts = OpenOptions::new().create(true).append(true).open(bed.path("restarts"))?;
    Ok(restarts.write_all(b"kube-apiserver\n")?)
}

fn etcd(bed: &Bed, addresses: &Addresses) -> Vec<String> {
    let Addresses { address, etcd, etcd_peer, .. } = addresses;
    vec![
        format!("--data-dir={}", bed.path("etcd").display()),
        format!("--listen-client-urls=http://{address}:{etcd}"),
        format!("--advertise-client-urls=http://{address}:{etcd}"),
        format!("--listen-peer-urls=http://{address}:{etcd_peer}"),
        format!("--initial-advertise-peer-urls=http://{address}:{etcd_peer}"),
        format!("--initial-cluster=default=http://{address}:{etcd_peer}"),
        "--log-level=warn".to_owned(),
        "--logger=zap".to_owned(),
    ]
}

fn api_server(bed: &Bed, addresses: &Addresses) -> Vec<String> {
    let Addresses { address, etcd, api, .. } = addresses;
    let file = |name: &str| bed.path("credentials").join(name).display().to_string();
    // The Endpoints of the Service `kubernetes` refuse loopback.
    let reconciler = if bed.networks().is_some() { "lease" } else { "none" };
    vec![
        format!("--etcd-servers=http://{address}:{etcd}"),
        format!("--bind-address={address}"),
        format!("--advertise-address={address}"),
        format!("--secure-port={api}"),
        format!("--endpoint-reconciler-type={reconciler}"),
        format!("--tls-cert-file={}", file("api.crt")),
        format!("--tls-private-key-file={}", file("api.key")),
        format!("--cert-dir={}", bed.path("credentials").display()),
        format!("--client-ca-file={}", file("ca.crt")),
        format!("--token-auth-file={}", file("tokens.csv")),
        format!("--service-account-key-file={}", file("service-account.pub")),
        format!("--service-account-signing-key-file={}", file("service-account.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        "--profiling=false".to_owned(),
    ]
}

fn controller_manager(bed: &Bed, addresses: &Addresses) -> Vec<String> {
    let file = |name: &str| bed.path("credentials").join(name).display().to_string();
    vec![
        format!("--kubeconfig={}", bed.path("inner.kubeconfig").display()),
        format!("--bind-address={}", addresses.address),
        format!("--secure-port={}", addresses.controllers),
        format!("--cert-dir={}", bed.path("credentials").display()),
        format!("--root-ca-file={}", file("ca.crt")),
        format!("--service-account-private-key-file={}", file("service-account.key")),
        format!("--controllers={}", CONTROLLERS.join(",")),
        "--leader-elect=false".to_owned(),
        "--concurrent-namespace-syncs=4".to_owned(),
        "--kube-api-qps=200".to_owned(),
        "--kube-api-burst=400".to_owned(),
    ]
}

fn token() -> String {
    use std::fmt::Write;
    (0..4).fold(String::new(), |mut token, _| {
        let _ = write!(token, "{:016x}", fastrand::u64(..));
        token
    })
}

fn write_credentials(bed: &Bed, authority: &Authority, token: &str) -> Outcome<()> {
    let folder = bed.path("credentials");
    fs::create_dir_all(&folder)?;
    let names = ["127.0.0.1", "10.90.0.1", "10.96.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    let server = authority.server(&names, Validity::Now)?;
    let signer = KeyPair::generate()?;
    write_secret(&folder.join("ca.crt"), &authority.pem())?;
    write_secret(&folder.join("api.crt"), &server.certificate)?;
    write_secret(&folder.join("api.key"), &server.key)?;
    write_secret(&folder.join("service-account.key"), &signer.serialize_pem())?;
    write_secret(&folder.join("service-account.pub"), &signer.public_key_pem())?;
    write_secret(&folder.join("tokens.csv"), &format!("{token},admin,admin,system:masters\n"))
}

fn write_kubeconfig(path: &Path, server: SocketAddr, authority: &Authority, token: &str) -> Outcome<()> {
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "bed",
        "clusters": [{"name": "bed", "cluster": {"server": format!("https://{server}"), "certificate-authority-data": base64(&authority.pem())}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": "admin"}}],
    });
    write_secret(path, &serde_json::to_string_pretty(&config)?)
}

fn base64(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(text)
}

fn write_secret(path: &Path, text: &str) -> Outcome<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// A client with the administrator's rights, from the host's network namespace.
pub async fn client(bed: &Bed) -> Outcome<Client> {
    let kubeconfig = Kubeconfig::read_from(bed.path("kubeconfig"))?;
    Ok(Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)?)
}

/// Waits until the API server answers; gives up early when a program ends on its own.
pub async fn wait_until_ready(bed: &mut Bed) -> Outcome<()> {
    let client = client(bed).await?;
    until(bed, "kube-apiserver", async || {
        let request = http::Request::get("/readyz").body(Vec::new())?;
        Ok(client.request_text(request).await? == "ok")
    })
    .await
}

/// Waits until the controllers work: a namespace has its ServiceAccount.
pub async fn wait_for_controllers(bed: &mut Bed) -> Outcome<()> {
    let accounts = Api::<ServiceAccount>::namespaced(client(bed).await?, "default");
    until(bed, "kube-controller-manager", async || Ok(accounts.get_opt("default").await?.is_some())).await
}

/// Asks again and again whether `condition` holds, as long as all programs run, for a minute.
pub async fn until(bed: &mut Bed, what: &str, condition: impl AsyncFn() -> Outcome<bool>) -> Outcome<()> {
    let end = tokio::time::Instant::now() + Duration::from_mins(1);
    let mut asks = tokio::time::interval(Duration::from_millis(100));
    loop {
        asks.tick().await;
        bed.everything_runs()?;
        match condition().await {
            Ok(true) => return Ok(()),
            Err(problem) if tokio::time::Instant::now() > end => {
                return Err(format!("`{what}` is not ready after a minute: {problem}").into());
            }
            Ok(false) if tokio::time::Instant::now() > end => return Err(format!("`{what}` is not ready after a minute").into()),
            Ok(false) | Err(_) => {}
        }
    }
}
