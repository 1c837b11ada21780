//! The software under test: `chart-publisher run`, where a Pod of it would run and with the rights that a Pod would have.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use rustix::process::Signal;

use super::{
    Bed,
    eventually::{SOON, eventually},
    http,
    lossy_path::LossyPath,
    namespace::Namespace,
    process::{Launch, Process},
    random_word,
};

/// A controller that is described and not yet started.
#[must_use]
pub struct ControllerBuilder {
    rights: Option<Rights>,
    bed: &'static Bed,
    program: PathBuf,
    kubeconfig: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    path: Option<(String, IpAddr)>,
    spool_volume: Option<&'static str>,
}

/// A running controller. Dropping it kills it.
pub struct Controller {
    process: Process,
    network: Option<String>,
    log: PathBuf,
    health: SocketAddr,
    /// Behind `process`, so that they go after it.
    _rights: Option<Rights>,
}

impl Bed {
    /// `chart-publisher run` with a Pod's view, for the namespaces that the arguments name.
    pub fn controller(&'static self, kubeconfig: &Path, arguments: &[&str]) -> ControllerBuilder {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_chart-publisher"));
        let kubeconfig = kubeconfig.to_owned();
        ControllerBuilder {
            rights: None,
            bed: self,
            program,
            kubeconfig,
            arguments,
            environment: Vec::new(),
            path: None,
            spool_volume: None,
        }
    }
}

impl Namespace {
    /// The CRDs, the operator's Helm chart and a controller that has the rights of its ServiceAccount, for this namespace alone.
    /// `arguments` come after those that the bed needs.
    pub async fn controller(&self, arguments: &[&str]) -> Controller {
        let mut controller = self.described_controller(arguments).await.start();
        controller.wait_until_ready().await;
        controller
    }

    /// The same, not yet started.
    pub async fn described_controller(&self, arguments: &[&str]) -> ControllerBuilder {
        let rights = self.rights(&[]);
        let kubeconfig = self.kubeconfig_of(&rights.account).await;
        let arguments = [&["--namespace", self.name()], arguments].concat();
        self.bed.controller(&kubeconfig, &arguments).rights(rights)
    }

    /// The CRDs and the operator's Helm chart as a release of this namespace; `values` are more of helm's `--set`.
    pub fn rights(&self, values: &[&str]) -> Rights {
        self.bed.install_crds();
        let release = format!("operator-{}", random_word());
        let watched = format!("watchNamespaces={{{}}}", self.name());
        let name = format!("fullnameOverride={release}");
        let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/chart-publisher");
        let mut words = vec!["helm", "install", &release, chart, "--namespace", self.name(), "--set", "crds.install=false"];
        // Its Deployment runs only where Pods do, and there only with an image that was imported.
        words.extend(["--set", &watched, "--set", &name, "--set", "image.pullPolicy=Never"]);
        words.extend(values.iter().flat_map(|value| ["--set", value]));
        self.bed.run_on_host(&words).expect_success();
        Rights { bed: self.bed, namespace: self.name().to_owned(), account: release }
    }
}

/// A release of the operator's Helm chart. Dropping it uninstalls it.
pub struct Rights {
    bed: &'static Bed,
    namespace: String,
    /// The name of the ServiceAccount, and of the release.
    pub account: String,
}

impl Drop for Rights {
    fn drop(&mut self) {
        self.bed.run_on_host(&["helm", "uninstall", &self.account, "--namespace", &self.namespace]);
    }
}

impl Bed {
    /// The CRDs of this repository, established. Applying them again changes nothing.
    pub fn install_crds(&self) {
        let lock = fs::File::create(self.information.state.join("crds")).expect("a file in the bed's folder");
        lock.lock().expect("a lock");
        let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
        self.run_on_host(&["kubectl", "apply", "--server-side", "--force-conflicts", "-f", crds]).expect_success();
        self.run_on_host(&["kubectl", "wait", "--for=condition=Established", "--timeout=30s", "-f", crds]).expect_success();
    }
}

impl ControllerBuilder {
    /// Another build than the tests' own.
    pub fn program(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// What it may do, kept as long as it runs.
    pub fn rights(mut self, rights: Rights) -> Self {
        self.rights = Some(rights);
        self
    }

    /// Sets a variable of its environment.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its spool lies in a file system of its own with these options of `mount`, such as `size=4m`. Only root can.
    pub fn spool_on(mut self, options: &'static str) -> Self {
        self.spool_volume = Some(options);
        self
    }

    /// Its packets take this path.
    pub fn through(mut self, path: &LossyPath) -> Self {
        self.path = Some((path.namespace().to_owned(), path.address()));
        self
    }

    /// Starts it; its spool lies on a real disk.
    pub fn start(self) -> Controller {
        let folder = self.bed.folder("controller");
        let (log, spool) = (folder.join("log"), folder.join("spool"));
        fs::create_dir(&spool).expect("a folder in the bed's");
        let health = self.health();
        let network = self.network().map(str::to_owned);
        let launch = Launch::new(self.program, &log)
            .arguments(["run", "--kubeconfig"])
            .arguments([&self.kubeconfig])
            .arguments(["--spool-dir".as_ref(), spool.as_os_str()])
            .arguments(["--health-address", &health.to_string()])
            .arguments(&self.arguments)
            .namespace(network.as_deref());
        let launch = match self.spool_volume {
            Some(options) => launch.volume(&spool, options),
            None => launch,
        };
        let launch = self.environment.into_iter().fold(launch, |launch, (name, value)| launch.environment(name, value));
        Controller { process: launch.start().expect("the controller"), network, log, health, _rights: self.rights }
    }

    fn network(&self) -> Option<&str> {
        self.path.as_ref().map_or_else(|| self.bed.client_namespace(), |(namespace, _)| Some(namespace))
    }

    /// An address that no other controller of the bed has.
    fn health(&self) -> SocketAddr {
        let Some(networks) = &self.bed.information.networks else {
            let place = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            return place.expect("a free port");
        };
        let port = u16::try_from(20000 + self.bed.next_number() % 10000).expect("a port");
        SocketAddr::new(self.path.as_ref().map_or(networks.pod_address.into(), |(_, address)| *address), port)
    }
}

impl Controller {
    /// Waits until `/readyz` says yes; panics with its log when it ends before.
    pub async fn wait_until_ready(&mut self) {
        let (namespace, health) = (self.network.as_deref(), self.health);
        eventually(SOON, "the controller is ready", async || {
            self.process.still_runs()?;
            let answer = http::get(namespace, health, &health.to_string(), "/readyz").await?;
            if answer.status.is_success() { Ok(()) } else { Err(answer.status.to_string()) }
        })
        .await;
    }

    /// Fails with the end of its log when it has ended on its own.
    pub fn still_runs(&mut self) -> Result<(), String> {
        self.process.still_runs()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it answers `/healthz` and `/readyz`, from a Pod's view.
    pub fn health(&self) -> SocketAddr {
        self.health
    }

    /// The folder of its spool.
    pub fn spool(&self) -> PathBuf {
        self.log.with_file_name("spool")
    }

    /// Waits until it ends by itself.
    pub fn ended(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.process.wait(limit)
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Kills it as the kernel does where memory is short.
    pub fn kill(&mut self) {
        self.process.signal(Signal::KILL);
        self.process.wait(SOON).expect("nobody outlives that signal");
    }

    /// Asks it to end, and kills it after 20 seconds. Gives its exit status (`None`: it could not be had), how long
    /// it took, and its log.
    pub fn stop(mut self) -> (Option<ExitStatus>, Duration, String) {
        let (status, took) = self.process.stop(Duration::from_secs(20));
        (status, took, self.log())
    }
}
