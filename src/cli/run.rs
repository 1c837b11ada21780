//! `chart-publisher run`: the controller.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chart_publisher::{
    controller::{self, LeaseTerms, Settings, StartError},
    model::{is_label, is_subdomain, size},
    spool::Budget,
};
use clap::{Args, ValueEnum};
use kube::{Client, Config, config::KubeConfigOptions};
use tokio_util::sync::CancellationToken;

use super::{Failure, Usage, carry_out, limits::LimitFlags, log};

/// A kubeconfig is smaller, in bytes.
const LONGEST_KUBECONFIG: u64 = 16 << 20;

/// Run the controller.
#[derive(Args)]
pub(super) struct Run {
    /// The kubeconfig to use. Without it: $KUBECONFIG, or ~/.kube/config, or the Pod's ServiceAccount.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Act only on resources in this namespace; may be given several times. Without it: in all.
    #[arg(long = "namespace", short = 'n', value_name = "NAMESPACE", env = "CHART_PUBLISHER_NAMESPACES", value_delimiter = ',', value_parser = namespace)]
    namespaces: Vec<String>,
    /// Where charts lie on their way; best a volume of its own.
    #[arg(long, value_name = "DIR", env = "CHART_PUBLISHER_SPOOL_DIR", default_value_os_t = std::env::temp_dir())]
    spool_dir: PathBuf,
    /// How much of the charts on their way may lie in memory, all together.
    #[arg(long, value_name = "SIZE", env = "CHART_PUBLISHER_SPOOL_MEMORY", default_value = "16Mi", value_parser = size)]
    spool_memory: u64,
    /// How much of them may lie in files. Keep it below the size limit of the volume.
    #[arg(long, value_name = "SIZE", env = "CHART_PUBLISHER_SPOOL_SIZE", default_value = "1Gi", value_parser = size)]
    spool_size: u64,
    #[command(flatten)]
    limits: LimitFlags,
    /// How many publications are worked on at once, 1 to 256.
    #[arg(long, value_name = "N", env = "CHART_PUBLISHER_CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// How many charts of one publication are sent at once, 1 to 64; half as many more are fetched, or pulled back where they are large, meanwhile.
    #[arg(long, value_name = "N", env = "CHART_PUBLISHER_WORKERS", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Where /healthz, /readyz and /metrics answer.
    #[arg(long, value_name = "IP:PORT", env = "CHART_PUBLISHER_HEALTH_ADDRESS", default_value = "0.0.0.0:8080")]
    health_address: SocketAddr,
    /// Sources, and registries by `url`, may reach addresses of this range although they are loopback, link-local or otherwise
    /// special; may be given several times.
    #[arg(long = "allow-address", value_name = "CIDR", env = "CHART_PUBLISHER_ALLOW_ADDRESS", value_delimiter = ',')]
    allow_addresses: Vec<ipnet::IpNet>,
    /// Forward ports of Pods in this namespace, where no other route leads to a registry; may be given several times. It needs the right
    /// for `pods/portforward` there.
    #[arg(long = "relay-namespace", value_name = "NAMESPACE", env = "CHART_PUBLISHER_RELAY_NAMESPACES", value_delimiter = ',', value_parser = namespace)]
    relay_namespaces: Vec<String>,
    /// The node that this process runs on, from the downward API: other nodes are tried before it.
    #[arg(long, value_name = "NAME", env = "NODE_NAME")]
    node_name: Option<String>,
    /// The name of this Pod, from the downward API: it stands in Events.
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    pod_name: Option<String>,
    /// The namespace of the Lease by which several replicas agree who of them works, best the Pod's own. Without it this process works
    /// at once, and has to be the only one.
    #[arg(long, value_name = "NAMESPACE", env = "CHART_PUBLISHER_LEASE_NAMESPACE", value_parser = namespace)]
    lease_namespace: Option<String>,
    /// The name of the Lease: one for all replicas that act on the same resources.
    #[arg(long, value_name = "NAME", env = "CHART_PUBLISHER_LEASE_NAME", default_value = "chart-publisher", value_parser = lease_name, requires = "lease_namespace")]
    lease_name: String,
    /// How long the Lease is given for: when a leader dies, the next one begins so many seconds later.
    #[arg(long, value_name = "SECONDS", env = "CHART_PUBLISHER_LEASE_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=3600))]
    lease_seconds: u16,
    /// How log lines look.
    #[arg(long, value_enum, env = "CHART_PUBLISHER_LOG_FORMAT", default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: a level, or a filter such as `info,chart_publisher::net=debug`.
    #[arg(long, value_name = "FILTER", env = "CHART_PUBLISHER_LOG_LEVEL", default_value = "info")]
    log_level: String,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Runs until a signal.
pub(super) fn started(run: Run) -> Result<(), Failure> {
    log(run.log_format, &run.log_level)?;
    carry_out(controlled(run))
}

async fn controlled(run: Run) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    tokio::spawn(signalled(stop.clone()));
    let config = configured(run.kubeconfig.as_deref()).await?;
    let api_server = addresses(&config).await;
    let client = Client::try_from(config)?;
    let budget = Budget { memory: run.spool_memory, disk: run.spool_size, ..Budget::default() };
    let settings = Settings {
        namespaces: each_once(run.namespaces),
        spool_directory: run.spool_dir,
        spool: budget,
        limits: run.limits.limits(),
        concurrency: run.concurrency,
        workers: run.workers.into(),
        health: run.health_address,
        allowed_addresses: run.allow_addresses,
        relay_namespaces: each_once(run.relay_namespaces),
        own_node: run.node_name,
        lease: run.lease_namespace.map(|namespace| LeaseTerms {
            namespace,
            name: run.lease_name,
            // A container that is started again in the same Pod is another one.
            identity: format!("{}_{:016x}", run.pod_name.as_deref().unwrap_or("chart-publisher"), fastrand::u64(..)),
            duration: Duration::from_secs(run.lease_seconds.into()),
        }),
        identity: run.pod_name,
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), namespaces = ?settings.namespaces, "starting");
    controller::start(client, api_server, settings, stop).await.map_err(|error| match error {
        StartError::Spool { .. } => Usage(error.to_string()).into(),
        other => Failure::from(other),
    })
}

pub(super) async fn configured(kubeconfig: Option<&std::path::Path>) -> Result<Config, Failure> {
    let Some(path) = kubeconfig else { return Ok(Config::infer().await?) };
    // Its display says all that its sources would say again.
    let unusable = |error: kube::config::KubeconfigError| Usage(format!("`--kubeconfig`: {error}"));
    if let Some(sentence) = unreadable(path) {
        return Err(Usage(format!("`--kubeconfig`: `{}` {sentence}", path.display())).into());
    }
    let kubeconfig = kube::config::Kubeconfig::read_from(path).map_err(unusable)?;
    Ok(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(unusable)?)
}

/// Why it is not read: a device has no end. A pipe may be one.
fn unreadable(kubeconfig: &std::path::Path) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    let known = std::fs::metadata(kubeconfig).ok()?;
    match known.file_type() {
        kind if kind.is_char_device() || kind.is_block_device() => Some("is a device, and no file"),
        kind if kind.is_file() && known.len() > LONGEST_KUBECONFIG => Some("is larger than 16 MiB"),
        _ => None,
    }
}

/// The name of a namespace. An empty one would mean all of them, which nobody writes so.
fn namespace(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    let form = "a namespace is named by lower case letters, digits and `-`, with a letter or digit first and last, and at most 63 of them";
    if is_label(name) { Ok(name.to_owned()) } else { Err(form) }
}

fn lease_name(text: &str) -> Result<String, &'static str> {
    let form =
        "a Lease is named by lower case letters, digits, `-` and `.`, with a letter or digit first and last, and at most 253 of them";
    if is_subdomain(text) { Ok(text.to_owned()) } else { Err(form) }
}

/// In their order: what is named twice would be watched, and counted, twice.
fn each_once(names: Vec<String>) -> Vec<String> {
    let mut seen = Vec::with_capacity(names.len());
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// Whether this process stands in the network of a cluster: it is said so, or this is a Pod.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment")]
pub(super) fn is_inside(said: bool) -> bool {
    said || std::env::var("KUBERNETES_SERVICE_HOST").is_ok_and(|host| !host.is_empty())
}

/// Where the API server is: what a tenant names as a source may not lead there.
async fn addresses(config: &Config) -> Vec<SocketAddr> {
    let host = config.cluster_url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = config.cluster_url.port_u16().unwrap_or(443);
    tokio::net::lookup_host((host, port)).await.map(Iterator::collect).unwrap_or_default()
}

async fn signalled(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("asked to stop");
    stop.cancel();
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn read(words: &[&str]) -> Result<Run, clap::Error> {
        let command = Run::augment_args(Command::new("run"));
        Run::from_arg_matches(&command.try_get_matches_from([&["run"], words].concat())?)
    }

    #[test]
    fn a_namespace_is_named_as_it_can_be_and_counts_once() {
        for (words, expected) in [
            (&["--namespace", "t7, t8"][..], &["t7", "t8"][..]),
            (&["--namespace", "t7", "-n", "t8", "--namespace", "t7"], &["t7", "t8"]),
            (&[], &[]),
        ] {
            let run = read(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
            assert_eq!(each_once(run.namespaces), expected, "{words:?}");
        }
        for flag in ["--namespace", "--relay-namespace", "--lease-namespace"] {
            for wrong in ["", "t7,", ",", "A B", "t7 t8", "a.b", "a/b", "-a"] {
                let error = read(&[&format!("{flag}={wrong}")]).err().unwrap_or_else(|| panic!("{flag} {wrong:?} is taken"));
                let said = error.to_string();
                assert_eq!(error.exit_code(), 2, "{said}");
                assert!(said.contains(flag) && said.contains("lower case letters"), "{said}");
            }
        }
    }

    #[test]
    fn a_lease_has_a_name_and_a_namespace() {
        for wrong in ["", "A/b", "..", "a b"] {
            let said = read(&["--lease-namespace=t7", &format!("--lease-name={wrong}")]).err().map(|error| error.to_string());
            assert!(
                said.as_ref().is_some_and(|said| said.contains("--lease-name") && said.contains("a Lease is named")),
                "{wrong}: {said:?}"
            );
        }
        let said = read(&["--lease-name=a.b"]).err().map(|error| error.to_string());
        assert!(said.as_ref().is_some_and(|said| said.contains("--lease-namespace")), "{said:?}");
        assert!(read(&["--lease-namespace=t7", "--lease-name=a.b"]).is_ok());
        assert!(read(&[]).is_ok_and(|run| run.lease_name == "chart-publisher"));
    }
}
