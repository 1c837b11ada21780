//! The software under test: `chart-publisher run`, where a Pod of it would run and with the rights that a Pod would have.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use super::{
    Bed,
    eventually::{SOON, eventually},
    http,
    process::{Launch, Process},
};

/// A controller that is described and not yet started.
#[must_use]
pub struct ControllerBuilder {
    bed: &'static Bed,
    kubeconfig: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// A running controller. Dropping it kills it.
pub struct Controller {
    process: Process,
    bed: &'static Bed,
    log: PathBuf,
    health: SocketAddr,
}

impl Bed {
    /// `chart-publisher run` with a Pod's view, for the namespaces that the arguments name.
    pub fn controller(&'static self, kubeconfig: &Path, arguments: &[&str]) -> ControllerBuilder {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        ControllerBuilder { bed: self, kubeconfig: kubeconfig.to_owned(), arguments, environment: Vec::new() }
    }
}

impl ControllerBuilder {
    /// Sets a variable of its environment.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it; its spool lies on a real disk.
    pub fn start(self) -> Controller {
        let folder = self.bed.folder("controller");
        let (log, spool) = (folder.join("log"), folder.join("spool"));
        fs::create_dir(&spool).expect("a folder in the bed's");
        let health = self.health();
        let launch = Launch::new(env!("CARGO_BIN_EXE_chart-publisher"), &log)
            .arguments(["run", "--kubeconfig"])
            .arguments([&self.kubeconfig])
            .arguments(["--spool-dir".as_ref(), spool.as_os_str()])
            .arguments(["--health-address", &health.to_string()])
            .arguments(&self.arguments)
            .namespace(self.bed.client_namespace());
        let launch = self.environment.into_iter().fold(launch, |launch, (name, value)| launch.environment(name, value));
        Controller { process: launch.start().expect("the controller"), bed: self.bed, log, health }
    }

    /// An address that no other controller of the bed has.
    fn health(&self) -> SocketAddr {
        let Some(networks) = &self.bed.information.networks else {
            let place = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            return place.expect("a free port");
        };
        let port = u16::try_from(20000 + self.bed.next_number() % 10000).expect("a port");
        SocketAddr::new(IpAddr::V4(networks.pod_address), port)
    }
}

impl Controller {
    /// Waits until `/readyz` says yes; panics with its log when it ends before.
    pub async fn wait_until_ready(&mut self) {
        let (namespace, health) = (self.bed.client_namespace(), self.health);
        eventually(SOON, "the controller is ready", async || {
            self.process.still_runs()?;
            let answer = http::get(namespace, health, &health.to_string(), "/readyz").await?;
            if answer.status.is_success() { Ok(()) } else { Err(answer.status.to_string()) }
        })
        .await;
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

    /// Asks it to end, and kills it after 20 seconds. Gives its exit status (`None`: it could not be had) and how long it took.
    pub fn stop(mut self) -> (Option<ExitStatus>, Duration) {
        self.process.stop(Duration::from_secs(20))
    }
}
