//! The test bed, as tests use it: a real cluster, and real registries, proxies and repositories beside it.
//!
//! ```ignore
//! #![cfg(test)] // the first line of the file: what panics here are tests
//! #[expect(dead_code, reason = "each test uses a part of the bed")]
//! mod support;
//!
//! let Some(bed) = support::with_node() else { return }; // or support::shared(), which needs no root
//! let namespace = bed.namespace().await;
//! let registry = bed.registry(Version::V3).start().await;
//! let service = namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
//! ```
//!
//! One bed serves all tests of a process, and with `CHART_PUBLISHER_BED` (`tests/tools/with-bed.sh`) all processes. Whatever a test
//! starts is a guard: it goes when the guard is dropped.
//!
//! A bed whose node runs Pods ([`pods`]) is another one, started by the first test of a process that asks for it:
//!
//! ```ignore
//! let Some(bed) = support::pods() else { return };
//! let namespace = bed.namespace().await;
//! let registry = namespace.registry_pods("registry", Version::V3).replicas(2).start().await;
//! let service = registry.expose("registry", Exposure::NodePort, json!({})).await;
//! let controller = namespace.controller_pod(&[]).await;
//! ```

pub mod access_log;
pub mod address;
pub mod air_gap;
pub mod api_server;
#[path = "../bed/authority.rs"]
pub mod authority;
pub mod background;
pub mod controller;
pub mod controller_pod;
pub mod counter;
#[path = "../bed/enclosure.rs"]
pub mod enclosure;
pub mod eventually;
pub mod exposure;
pub mod firewall;
pub mod flux;
pub mod forward_proxy;
pub mod gateway;
pub mod haproxy;
pub mod helm_repository;
pub mod http;
#[path = "../bed/image.rs"]
pub mod image;
#[path = "../bed/information.rs"]
pub mod information;
pub mod ingress;
pub mod lossy_path;
pub mod namespace;
#[path = "../bed/network.rs"]
pub mod network;
pub mod nginx;
pub mod packages;
pub mod port_forward;
pub mod printed;
#[path = "../bed/process.rs"]
pub mod process;
pub mod publication;
pub mod recorded_api;
pub mod recorder;
pub mod registry;
pub mod registry_pods;
pub mod resident;
pub mod scripted;
pub mod slow_path;
pub mod token_server;
pub mod web_server;

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use information::{BedInformation, Mode, Networks};

/// A bed that is up.
pub struct Bed {
    /// Where things are.
    pub information: BedInformation,
    /// The supervisor that this process started; it ends when the pipe to it closes, at the end of this process.
    _supervisor: Option<Child>,
}

/// The bed of this process, or the one that all test processes share. Needs no root: then it has no node.
pub fn shared() -> &'static Bed {
    static BED: OnceLock<Bed> = OnceLock::new();
    BED.get_or_init(|| {
        chart_publisher_uses_ring();
        variable("CHART_PUBLISHER_BED").map_or_else(|| Bed::start(Mode::usual()), |file| Bed::join(Path::new(&file)))
    })
}

/// A bed whose first node runs Pods, of this process alone. `None` without root: the test says so and ends.
pub fn pods() -> Option<&'static Bed> {
    static BED: OnceLock<Bed> = OnceLock::new();
    if !Mode::usual().has_nodes() {
        skipped("Pods");
        return None;
    }
    Some(BED.get_or_init(|| {
        chart_publisher_uses_ring();
        Bed::start(Mode::Pods)
    }))
}

/// A bed of this process alone that has no nodes, whoever runs it: all of it, and what tests measure there, is on the host's loopback.
pub fn control_plane() -> &'static Bed {
    static BED: OnceLock<Bed> = OnceLock::new();
    BED.get_or_init(|| {
        chart_publisher_uses_ring();
        Bed::start(Mode::ControlPlane)
    })
}

/// A bed of this process alone, for tests that act on the whole cluster.
pub fn own() -> &'static Bed {
    static BED: OnceLock<Bed> = OnceLock::new();
    BED.get_or_init(|| {
        chart_publisher_uses_ring();
        Bed::start(Mode::usual())
    })
}

/// The bed, when it has nodes. `None` without root: the test says so and ends.
pub fn with_node() -> Option<&'static Bed> {
    having_nodes(shared())
}

/// The same of [`own`].
pub fn own_with_node() -> Option<&'static Bed> {
    having_nodes(own())
}

fn having_nodes(bed: &'static Bed) -> Option<&'static Bed> {
    if !bed.has_nodes() {
        skipped("nodes in network namespaces");
        return None;
    }
    Some(bed)
}

/// A bed whose servers all listen on the host's loopback, whoever runs it. Without a bed to share it starts no cluster.
pub fn on_loopback() -> &'static Bed {
    static BED: OnceLock<Bed> = OnceLock::new();
    BED.get_or_init(|| {
        chart_publisher_uses_ring();
        let bed = variable("CHART_PUBLISHER_BED").map_or_else(|| Bed::start(Mode::Loopback), |file| Bed::join(Path::new(&file)));
        Bed { information: BedInformation { mode: Mode::Loopback, networks: None, ..bed.information.clone() }, ..bed }
    })
}

/// Says that a test is skipped, so that it does not look like one that passed.
pub fn skipped(what: &str) {
    say(&format!("SKIPPED: this test needs {what}, which only root can make; run it as root"));
}

#[expect(clippy::disallowed_methods, reason = "the bed that test processes share is named in the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn chart_publisher_uses_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Bed {
    fn start(mode: Mode) -> Self {
        let program = supervisor_program();
        let mut command = Command::new(&program);
        command.args(["up", "--mode", mode.name()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = process::fork(command).unwrap_or_else(|problem| panic!("{}: {problem}", program.display()));
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("the supervisor's line");
        let information = serde_json::from_str(&line).expect("the test bed did not come up; its reason stands above");
        Self { information, _supervisor: Some(child) }
    }

    fn join(file: &Path) -> Self {
        let open = File::open(file).unwrap_or_else(|problem| panic!("CHART_PUBLISHER_BED: {}: {problem}", file.display()));
        Self { information: serde_json::from_reader(open).expect("what `bed up` printed"), _supervisor: None }
    }

    /// The network namespaces; a test that has a bed of [`with_node`] may ask for them.
    pub fn networks(&self) -> &Networks {
        self.information.networks.as_ref().expect("this test needs `support::with_node()`")
    }

    /// The network namespace that servers run in; `None` is the host's own.
    pub fn server_namespace(&self) -> Option<&str> {
        self.information.networks.as_ref().map(|networks| networks.node.as_str())
    }

    /// The network namespace that clients in the cluster run in; `None` is the host's own.
    pub fn client_namespace(&self) -> Option<&str> {
        self.information.networks.as_ref().map(|networks| networks.pod.as_str())
    }

    /// Whether there are nodes.
    pub fn has_nodes(&self) -> bool {
        self.information.mode.has_nodes()
    }

    /// A program of the bed.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.information.tools.join(name)
    }

    /// One of the charts that helm packaged: `small-1.2.2`, `small-1.2.3+4`, `umbrella-2.0.0`, `large-3.0.0`.
    pub fn chart(&self, name: &str) -> PathBuf {
        self.information.charts.join(format!("{name}.tgz"))
    }

    /// A new folder on a real disk; it goes with the bed.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.information.state.join("tests").join(format!("{name}-{}", random_word()));
        std::fs::create_dir_all(&folder).expect("a folder in the bed's");
        folder
    }

    /// A client with the administrator's rights. Belongs to the runtime that it was made in.
    pub async fn client(&self) -> Client {
        let kubeconfig = Kubeconfig::read_from(&self.information.kubeconfig).expect("the bed's kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a usable kubeconfig");
        Client::try_from(config).expect("a client")
    }

    /// Runs a program with a Pod's view of the network, as the cluster's administrator.
    pub fn run_in_pod(&self, words: &[&str]) -> Ran {
        self.run(self.client_namespace(), words)
    }

    /// Runs a program on the first node, as the cluster's administrator.
    pub fn run_on_node(&self, words: &[&str]) -> Ran {
        self.run(self.server_namespace(), words)
    }

    /// Runs a program (kubectl, helm) from the host's network namespace, as the cluster's administrator.
    pub fn run_on_host(&self, words: &[&str]) -> Ran {
        self.run(None, words)
    }

    /// Runs a program in a network namespace; `None` is the host's own.
    pub fn run_inside(&self, namespace: Option<&str>, words: &[&str]) -> Ran {
        self.run(namespace, words)
    }

    /// Runs a program in a network namespace.
    pub fn run(&self, namespace: Option<&str>, words: &[&str]) -> Ran {
        let mut command = process::enter(namespace, words);
        let path = std::env::join_paths(
            [self.information.tools.clone()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        let home = self.information.state.join("home");
        command.env("PATH", path.expect("a search path")).env("HOME", &home).env("DOCKER_CONFIG", home.join("docker"));
        let kubeconfig = if namespace.is_some() { &self.information.inner_kubeconfig } else { &self.information.kubeconfig };
        command.env("KUBECONFIG", kubeconfig).stdin(Stdio::null());
        let output = command.output().unwrap_or_else(|problem| panic!("{words:?}: {problem}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (success, code) = (output.status.success(), output.status.code());
        Ran { words: words.join(" "), success, code, output: text(&output.stdout), errors: text(&output.stderr) }
    }
}

/// What became of a program that ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The command line.
    pub words: String,
    /// Whether its exit code was zero.
    pub success: bool,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

impl Ran {
    /// Its standard output; panics with all that it wrote when it failed.
    pub fn expect_success(self) -> String {
        assert!(self.success, "`{}` failed:\n{}{}", self.words, self.output, self.errors);
        self.output
    }
}

/// Eight letters that no other test has.
pub fn random_word() -> String {
    (0..8).map(|_| fastrand::lowercase()).collect()
}

/// The program of the supervisor. `cargo test --test NAME` does not build it, so it is built here when its sources have changed; never
/// optimised, which would take minutes and gain nothing.
pub fn supervisor_program() -> PathBuf {
    build(&["--example", "bed"], false);
    profile().with_file_name("debug").join("examples/bed")
}

/// `chart-publisher` as it is delivered: optimised and stripped. The first build takes some minutes.
pub fn release_program() -> PathBuf {
    build(&["--bin", "chart-publisher"], true);
    profile().with_file_name("release").join("chart-publisher")
}

/// `target/debug`, or what stands for it.
fn profile() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.ancestors().nth(2).expect("target/debug/deps").to_owned()
}

fn build(what: &[&str], release: bool) {
    let profile = profile();
    let target = profile.parent().expect("target/debug");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]).args(what);
    build.arg("--target-dir").arg(target).args(release.then_some("--release"));
    // What `cargo test` tells this process of the package would look like a change to build scripts: ring, and all above it, would be
    // built anew, here and at the next `cargo test`.
    let of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_package)) {
        build.env_remove(name);
    }
    assert!(build.status().expect("cargo").success(), "{what:?} does not build");
}

/// Says something to the person who runs the tests, also when they pass.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
