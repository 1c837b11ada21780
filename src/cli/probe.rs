//! `chart-publisher probe`: every method over every route to one registry, and what is wrong there.

use std::{
    collections::BTreeSet,
    io::{IsTerminal, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use chart_publisher::{
    api::{RouteKind, ServiceTarget, Target, Upload, UploadMethod},
    controller::Survey,
    model::{RepositoryName, size},
    net::Transport,
    plan::{self, Plan, Route},
    probe::{self, LARGEST, LeftBehind, REPOSITORY, Report, Requirement, Settings},
    publish::Learnt,
    registry::Permit,
    relay::Relay,
};
use clap::{ArgGroup, Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::{
    Failure, Usage,
    access::{Access, Who},
    api_server::{ApiServer, unasked},
    carry_out, log, print, print_json,
    run::{LogFormat, configured, is_inside},
    signals::{Signals, Stopped},
    unplanned::unplanned,
    wait,
};

/// Try every method over every route to a registry.
#[derive(Args)]
#[command(group(ArgGroup::new("where").required(true).args(["target", "service"])))]
pub(super) struct Probe {
    /// The registry. Bodies are sent to PREFIX/chart-publisher-probe, and removed.
    #[arg(value_name = "oci://HOST[:PORT]/PREFIX")]
    target: Option<String>,
    /// A registry behind a Service: all routes that lead to it are tried.
    #[arg(long, value_name = "NAMESPACE/NAME[:PORT]")]
    service: Option<String>,
    /// With --service: the prefix in the registry.
    #[arg(long, value_name = "PREFIX", default_value = "", conflicts_with = "target")]
    repository: String,
    /// With --service: the kubeconfig to use. Without it: $KUBECONFIG, or ~/.kube/config, or the Pod's
    /// ServiceAccount.
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    kubeconfig: Option<PathBuf>,
    /// With --service: this process stands in the network of the cluster, so that ClusterIP is tried too. Set by itself in a Pod.
    #[arg(long, conflicts_with = "target")]
    in_cluster: bool,
    #[command(flatten)]
    access: Access,
    /// The size of the largest body, at most 64Mi; the others have 1 KiB and 1.5 MiB.
    #[arg(long, value_name = "SIZE", default_value = "8Mi", value_parser = bounded)]
    size: u64,
    /// The longest wait for an answer, and the longest time that a body may make no progress. A cell may take three times as long.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = wait)]
    timeout: Duration,
    /// After this time no further cell is begun.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = wait)]
    max_time: Duration,
    /// What must work for exit code 0: buffered, chunked, single-post, streamed, download, or ROUTE/WHAT; may be given several times.
    /// Without it: one method by one route, up and down.
    #[arg(long, value_name = "[ROUTE/]WHAT", value_delimiter = ',')]
    require: Vec<Requirement>,
    /// How the result is printed.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    output: Output,
    /// What is logged on standard error: a level, or a filter.
    #[arg(long, value_name = "FILTER", env = "CHART_PUBLISHER_LOG_LEVEL", default_value = "error")]
    log_level: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A table for people.
    Text,
    /// One JSON object.
    Json,
    /// JUnit XML, a test case for each cell.
    Junit,
}

/// What was required does not work; what is wrong has been printed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotHeld(String);

fn bounded(text: &str) -> Result<u64, String> {
    let bytes = size(text).map_err(|error| error.to_string())?;
    if bytes <= LARGEST { Ok(bytes) } else { Err("a probe sends bodies of at most 64Mi".to_owned()) }
}

/// Probes; the result is printed.
pub(super) fn probed(probe: &Probe) -> Result<(), Failure> {
    log(LogFormat::Text, &probe.log_level)?;
    carry_out(work(probe))
}

async fn work(probe: &Probe) -> Result<(), Failure> {
    required(probe)?;
    let mut signals = Signals::caught()?;
    let goal = goal(probe).await?;
    let prefix = goal.every.prefix.trim_matches('/');
    let repository = if prefix.is_empty() { REPOSITORY.to_owned() } else { format!("{prefix}/{REPOSITORY}") };
    let repository: RepositoryName = repository.parse().map_err(|error| Usage(format!("{error}")))?;
    let Who { login, audience } = probe.access.who(&goal.every)?;
    let tls = probe.access.tls()?;
    let permit = Permit::default();
    let reach = probe.access.reach(&goal.transport, &login, &tls, probe.timeout, &permit);
    let subject = probe.access.subject(&goal.shown, audience);
    let ways = reach.ways(&goal.every, subject.clone(), Learnt::default());
    let auto = reach.ways(&goal.by_default, subject, Learnt::default());
    let stop = CancellationToken::new();
    let (report, signal) = {
        let line = Line::new();
        let settings = Settings { repository, size: probe.size, timeout: probe.timeout, longest: probe.max_time };
        let progress = |number, of, what: &str| line.show(number, of, what);
        let probe = probe::Probe {
            target: goal.shown.clone(),
            ways: &ways,
            auto: &auto,
            left_out: goal.every.left_out.clone(),
            unseen: goal.unseen.clone(),
            transport: &goal.transport,
            settings,
            stop: &stop,
            progress: &progress,
        };
        let running = probe.run();
        tokio::pin!(running);
        tokio::select! {
            report = &mut running => (report, None),
            signal = signals.next() => {
                stop.cancel();
                tokio::select! {
                    report = running => (report, Some(signal)),
                    again = signals.next() => return Err(Stopped::at_once(again).into()),
                }
            }
        }
    };
    match signal {
        Some(signal) => Err(Stopped::with(signal, left(&report)).into()),
        None => told(probe, &report),
    }
}

/// What became of what was sent by a probe that was stopped.
fn left(report: &Report) -> String {
    let cures: BTreeSet<&str> = report.left_behind.iter().map(LeftBehind::cure).collect();
    match report.left_behind.len() {
        0 => format!("all that was sent is removed from `{}`", report.repository),
        many => {
            let cures = cures.into_iter().collect::<Vec<_>>().join("; ");
            format!("{many} blobs or uploads in `{}` could not be removed: {cures}", report.repository)
        }
    }
}

/// Refuses what can never be held.
fn required(probe: &Probe) -> Result<(), Usage> {
    let is_url = probe.service.is_none();
    match probe.require.iter().find(|one| one.is_of_url().is_some_and(|of_url| of_url != is_url)) {
        Some(wrong) if is_url => Err(Usage(format!(
            "`--require {wrong}`: an oci:// address has one route, which is called `url`; the others are those of a Service (`--service`)"
        ))),
        Some(wrong) => Err(Usage(format!("`--require {wrong}`: a Service has no route `url`; that is the one of an oci:// address"))),
        None => Ok(()),
    }
}

fn told(probe: &Probe, report: &Report) -> Result<(), Failure> {
    match probe.output {
        Output::Text => print(&report.as_text(&probe.require))?,
        Output::Json => print_json(&report.as_json(&probe.require))?,
        Output::Junit => print(&report.as_junit())?,
    }
    if report.holds(&probe.require) {
        return Ok(());
    }
    let missing: Vec<_> = probe.require.iter().filter(|one| !one.holds(report)).map(|one| format!("`{one}`")).collect();
    let what =
        if missing.is_empty() { "no method arrives by any route".to_owned() } else { format!("{} does not work", missing.join(", ")) };
    Err(NotHeld(what).into())
}

/// Where to, and by which ways.
struct Goal {
    shown: String,
    every: Plan,
    by_default: Plan,
    unseen: Vec<String>,
    transport: Transport,
}

async fn goal(probe: &Probe) -> Result<Goal, Failure> {
    let Some(service) = &probe.service else {
        let plan = plan::url(&target(probe, None)).map_err(|error| Usage(unplanned(error)))?;
        let shown = probe.target.clone().unwrap_or_default();
        return Ok(Goal { shown, by_default: plan.clone(), every: plan, unseen: Vec::new(), transport: Transport::new() });
    };
    let (namespace, service) = reference(service, &probe.repository)?;
    let target = target(probe, Some(service.clone()));
    let api_server = ApiServer::of(configured(probe.kubeconfig.as_deref()).await?, probe.kubeconfig.is_some())?;
    let survey = Survey::take(&api_server.client, &namespace).await.map_err(|error| unasked(Some(&api_server), error))?;
    let name = format!("{namespace}/{}", service.name);
    let seen = |plan: Plan| if is_inside(probe.in_cluster) { Ok(plan) } else { plan.from_outside(&name) };
    let by_default = survey.plan(&target).and_then(seen).map_err(unplanned)?;
    let listed = Target { routes: every_route(&by_default), ..target };
    let every = survey.plan(&listed).and_then(seen).map_err(unplanned)?;
    let every = explained(every, &by_default);
    let port = service.port.as_deref().map(|port| format!(" port {port}")).unwrap_or_default();
    let transport = Transport::with_tunnels(Arc::new(Relay::new(api_server.client)));
    Ok(Goal { shown: format!("Service \"{name}\"{port}"), every, by_default, unseen: survey.unseen().to_vec(), transport })
}

/// Why each route is there: as without a probe, which lists them all; the others are there because a probe tries each.
fn explained(mut every: Plan, by_default: &Plan) -> Plan {
    for strategy in &mut every.strategies {
        let same = by_default.strategies.iter().find(|other| other.route == strategy.route && other.addresses == strategy.addresses);
        let what = strategy.reason.split_once(": ").map_or(strategy.reason.as_str(), |(_, what)| what);
        strategy.reason = same.map_or_else(|| format!("not taken by itself: {what}"), |other| other.reason.clone());
    }
    every
}

/// All kinds, those that are taken by themselves first.
fn every_route(plan: &Plan) -> Vec<RouteKind> {
    use RouteKind::{ClusterIp, Endpoint, Ingress, LoadBalancer, NodePort, Relay};
    let mut kinds: Vec<RouteKind> = Vec::new();
    let planned = plan.strategies.iter().filter_map(|strategy| match strategy.route {
        Route::Service(kind) => Some(kind),
        Route::Url => None,
    });
    for kind in planned.chain([LoadBalancer, NodePort, Ingress, ClusterIp, Endpoint, Relay]) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// `NAMESPACE/NAME[:PORT]`
fn reference(text: &str, repository: &str) -> Result<(String, ServiceTarget), Usage> {
    let wrong = || Usage(format!("`--service` is NAMESPACE/NAME[:PORT], and `{text}` is not"));
    let (namespace, rest) = text.split_once('/').ok_or_else(wrong)?;
    let (name, port) = rest.split_once(':').map_or((rest, None), |(name, port)| (name, Some(port)));
    if [Some(namespace), Some(name), port].into_iter().flatten().any(|word| word.is_empty() || word.contains(['/', ':'])) {
        return Err(wrong());
    }
    let (name, port) = (name.to_owned(), port.map(str::to_owned));
    Ok((namespace.to_owned(), ServiceTarget { name, port, repository: repository.to_owned() }))
}

fn target(probe: &Probe, service: Option<ServiceTarget>) -> Target {
    Target {
        name: "target".to_owned(),
        service,
        url: probe.target.clone(),
        routes: Vec::new(),
        upload: Upload { method: UploadMethod::Auto, chunk_size: plan::CHUNK.to_string() },
        hostname: probe.access.hostname.clone(),
        allowed_hosts: probe.access.allow_hosts.clone(),
        secret_ref: None,
        cert_secret_ref: None,
        insecure: probe.access.insecure,
    }
}

/// Which cell is run, on a terminal; it goes when it is dropped.
struct Line(bool);

impl Line {
    fn new() -> Self {
        Self(std::io::stderr().is_terminal())
    }

    fn show(&self, number: usize, of: usize, what: &str) {
        if self.0 {
            // A terminal that is gone is no reason to stop.
            let _ = write!(std::io::stderr().lock(), "\r[{number}/{of}] {what}\x1b[K");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.0 {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
