//! `chart-publisher push CHART.tgz oci://HOST[:PORT]/PREFIX`: one chart into one registry, by the engine of the controller.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::{Duration, Instant},
};

use chart_publisher::{
    api::{Target, Upload, UploadMethod},
    chart::Limits,
    model::{RepositoryName, size},
    net::Transport,
    plan,
    provenance::Demand,
    publish::{self, ChartOutcome, Course, Done, FailedAttempt, Learnt, Outcome, Readers, Replicas, TargetOutcome, TargetRun},
    registry::Permit,
    source::{Given, Source},
    spool::{Budget, Spool, SpoolError, Spooled},
};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use super::{
    Failure, Output, Usage,
    access::{Access, Who},
    bar::Bar,
    carry_out,
    limits::ChartLimitFlags,
    log, print, print_json,
    run::LogFormat,
    signals::{Signals, Stopped},
    unplanned::unplanned,
    wait,
};

/// Push one chart into one registry.
#[derive(Args)]
pub(super) struct Push {
    /// The archive that `helm package` made. A signature beside it (CHART.tgz.prov) is pushed with it.
    #[arg(value_name = "CHART.tgz")]
    chart: PathBuf,
    /// Where to: the chart will lie at PREFIX/NAME:VERSION.
    #[arg(value_name = "oci://HOST[:PORT]/PREFIX")]
    target: String,
    #[command(flatten)]
    access: Access,
    /// How the bytes are sent; `auto` finds a way that works.
    #[arg(long, value_enum, default_value_t = MethodName::Auto)]
    method: MethodName,
    /// The largest chunk: at least 64Ki, at most 1Gi.
    #[arg(long, value_name = "SIZE", default_value = "16Mi", value_parser = chunk)]
    chunk_size: u64,
    #[command(flatten)]
    limits: ChartLimitFlags,
    /// The longest wait for an answer, and the longest time that a body may make no progress.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = wait)]
    timeout: Duration,
    /// Where large charts lie on their way.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    spool_dir: PathBuf,
    /// How the result is printed.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    output: Output,
    /// What is logged on standard error: a level, or a filter.
    #[arg(long, value_name = "FILTER", env = "CHART_PUBLISHER_LOG_LEVEL", default_value = "error")]
    log_level: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum MethodName {
    Auto,
    Buffered,
    Chunked,
    SinglePost,
    Streamed,
}

impl From<MethodName> for UploadMethod {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Auto => Self::Auto,
            MethodName::Buffered => Self::Buffered,
            MethodName::Chunked => Self::Chunked,
            MethodName::SinglePost => Self::SinglePost,
            MethodName::Streamed => Self::Streamed,
        }
    }
}

fn chunk(text: &str) -> Result<u64, String> {
    let bytes = size(text).map_err(|error| error.to_string())?;
    if (64 << 10..=1 << 30).contains(&bytes) { Ok(bytes) } else { Err("it must lie between 64Ki and 1Gi".to_owned()) }
}

/// It was not pushed; why has been printed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotPushed(String);

/// Pushes; the result is printed.
pub(super) fn pushed(push: &Push) -> Result<(), Failure> {
    log(LogFormat::Text, &push.log_level)?;
    carry_out(work(push))
}

async fn work(push: &Push) -> Result<(), Failure> {
    let target = target(push);
    let plan = plan::url(&target).map_err(|error| Usage(unplanned(error)))?;
    if plan.prefix.contains([':', '@']) {
        return Err(Usage(format!("`{}`: give the prefix only: name and tag come from the chart", push.target)).into());
    }
    if !plan.prefix.is_empty() {
        plan.prefix.parse::<RepositoryName>().map_err(|error| Usage(format!("`{}`: {error}", push.target)))?;
    }
    let Who { login, audience } = push.access.who(&plan)?;
    let tls = push.access.tls()?;
    let hashing = Instant::now();
    let given = given(push).await?;
    let hashing = hashing.elapsed();
    let wanted = given.wanted();
    let (transport, permit) = (Transport::new(), Permit::default());
    let reach = push.access.reach(&transport, &login, &tls, push.timeout, &permit);
    let subject = push.access.subject(&push.target, audience);
    let run = TargetRun {
        name: "target".to_owned(),
        registry: push.target.clone(),
        prefix: plan.prefix.clone(),
        ways: reach.ways(&plan, subject, Learnt::default()).watched(),
        known: BTreeMap::default(),
        known_by: None,
        known_at: None,
        refuse_bodies: BTreeSet::new(),
        pull: plan.pull.clone(),
        replicas: Replicas::default(),
        readers: Readers::default(),
        away: Vec::new(),
    };
    let length = given.chart().archive.length();
    let mut signals = Signals::caught()?;
    let (repository, source) = (RepositoryName::below(&plan.prefix, &wanted.name), Source::Given(Box::new(given)));
    let ended = {
        let _bar = Bar::start(&format!("{} {}", wanted.name, wanted.version), &transport, length);
        let all = [wanted];
        let course =
            Course { workers: 1, cancel: &CancellationToken::new(), proof: None, demand: &Demand::default(), progress: &|_, _| {} };
        tokio::select! {
            outcome = publish::run(&source, &all, std::slice::from_ref(&run), &course) => Ok(outcome),
            signal = signals.next() => Err(signal),
        }
    };
    match ended {
        Ok(outcome) => report(push, &outcome, hashing, length),
        Err(signal) => tokio::select! {
            told = taken_away(&run, repository.ok()) => Err(Stopped::with(signal, told).into()),
            again = signals.next() => Err(Stopped::at_once(again).into()),
        },
    }
}

/// Ends the upload that was under way.
async fn taken_away(run: &TargetRun, repository: Option<RepositoryName>) -> String {
    let Some(repository) = repository else { return "nothing was begun".to_owned() };
    for way in run.ways.all() {
        if let Err(failure) = way.registry.abandon(&repository).await {
            return format!(
                "the upload to `{repository}` that was under way is left there ({failure}); the registry forgets it by itself \
                 (distribution: `storage.maintenance.uploadpurging`, after a week)"
            );
        }
    }
    format!("no upload to `{repository}` is left open; what the registry had taken before has no tag unless it was written already")
}

fn target(push: &Push) -> Target {
    Target {
        name: "target".to_owned(),
        service: None,
        url: Some(push.target.clone()),
        routes: Vec::new(),
        upload: Upload { method: push.method.into(), chunk_size: push.chunk_size.to_string() },
        hostname: push.access.hostname.clone(),
        allowed_hosts: push.access.allow_hosts.clone(),
        secret_ref: None,
        cert_secret_ref: None,
        insecure: push.access.insecure,
    }
}

async fn given(push: &Push) -> Result<Given, Failure> {
    let name = push.chart.display().to_string();
    let archive = spooled(push).await?;
    let mut signature = push.chart.clone().into_os_string();
    signature.push(".prov");
    let provenance = match std::fs::read(PathBuf::from(signature)) {
        Ok(bytes) => Some(bytes.into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Usage(format!("`{name}.prov` cannot be read: {error}")).into()),
    };
    let mut limits = push.limits.limits();
    // Who lets a large chart pass means what is in it, too.
    if limits.compressed > Limits::default().compressed {
        limits.unpacked = limits.unpacked.max(limits.compressed.saturating_mul(2));
        limits.file = limits.file.max(limits.compressed);
    }
    Ok(Given::new(&name, archive, provenance, &limits).await.map_err(|error| Usage(error.to_string()))?)
}

async fn spooled(push: &Push) -> Result<Spooled, Failure> {
    let unreadable = |error: std::io::Error| {
        let cure = match error.kind() {
            std::io::ErrorKind::IsADirectory => "; `helm package` makes an archive of a folder",
            _ => "",
        };
        Usage(format!("`{}` cannot be read: {error}{cure}", push.chart.display()))
    };
    let mut file = tokio::fs::File::open(&push.chart).await.map_err(unreadable)?;
    let length = file.metadata().await.map_err(unreadable)?.len();
    let budget = Budget { disk: push.limits.max_chart_size.max(length), ..Budget::default() };
    let folder = push.spool_dir.display();
    let refused = |error| match error {
        SpoolError::TooLarge { limit } => {
            Usage(format!("`{}` is larger than the limit of {limit} bytes: raise `--max-chart-size`", push.chart.display()))
        }
        SpoolError::NoSpace => Usage(format!("`--spool-dir`: `{folder}` has no room for the chart: name a folder on a larger disk")),
        SpoolError::Disk(why) => Usage(format!("`--spool-dir`: `{folder}` cannot hold the chart on its way: {why}")),
        error => Usage(format!("`{}`: {error}", push.chart.display())),
    };
    let spool = Spool::new(push.spool_dir.clone(), budget);
    let mut writer = spool.writer(Some(length), push.limits.max_chart_size).await.map_err(refused)?;
    let mut piece = vec![0; 256 * 1024];
    loop {
        match file.read(&mut piece).await.map_err(unreadable)? {
            0 => return Ok(writer.finish().await.map_err(refused)?),
            read => writer.write(piece.get(..read).unwrap_or_default()).await.map_err(refused)?,
        }
    }
}

fn report(push: &Push, outcome: &Outcome, hashing: Duration, length: u64) -> Result<(), Failure> {
    let target = outcome.targets.first();
    let chart = target.and_then(|target| target.charts.first());
    let failure = match (chart, target) {
        (Some(chart), _) => chart.result.as_ref().err(),
        (None, target) => target.and_then(TargetOutcome::first_failure),
    };
    match push.output {
        Output::Json => print_json(&as_json(target, chart, hashing, length))?,
        Output::Text => {
            if let (Some(target), Some(chart), None) = (target, chart, failure) {
                print(&as_text(target, chart))?;
            }
        }
    }
    match (failure, chart) {
        (None, Some(_)) => Ok(()),
        (Some(failed), _) => Err(NotPushed(format!("{}: {}", failed.reason, failed.sentence)).into()),
        (None, None) => Err(NotPushed("nothing was pushed".to_owned()).into()),
    }
}

fn reference(target: &TargetOutcome, chart: &ChartOutcome) -> String {
    let host = target.registry.trim_start_matches("oci://").split('/').next().unwrap_or_default();
    chart.place.as_ref().map(|(repository, tag)| format!("{host}/{repository}:{tag}")).unwrap_or_default()
}

fn what(done: &Done) -> &'static str {
    match done {
        Done::Published(_) | Done::Mended { .. } => "pushed and pulled back",
        Done::Found(_) => "was there already, pulled back",
        Done::Unchanged(_) => "was there already",
    }
}

fn as_text(target: &TargetOutcome, chart: &ChartOutcome) -> String {
    let done = chart.result.as_ref().ok();
    let digest = done.and_then(Done::known).map(|known| known.manifest.to_string()).unwrap_or_default();
    let method = target.used.as_ref().map(|used| used.method.clone()).unwrap_or_default();
    format!("{}\n  {} ({method})\n  digest: {digest}", reference(target, chart), done.map(what).unwrap_or_default())
}

fn as_json(target: Option<&TargetOutcome>, chart: Option<&ChartOutcome>, hashing: Duration, length: u64) -> Value {
    let (Some(target), Some(chart)) = (target, chart) else { return json!({"pushed": false}) };
    let done = chart.result.as_ref().ok();
    let (pushing, pulling) = match done {
        Some(Done::Published(pushed) | Done::Mended { pushed, .. }) => {
            (Some(pushed.pushing.as_secs_f64()), Some(pushed.pulling.as_secs_f64()))
        }
        Some(Done::Found(verified)) => (None, Some(verified.took().as_secs_f64())),
        _ => (None, None),
    };
    let failed = chart.result.as_ref().err();
    json!({
        "reference": reference(target, chart),
        "chart": chart.chart,
        "version": chart.version,
        "bytes": length,
        "result": match done {
            Some(Done::Published(_) | Done::Mended { .. }) => "Published",
            Some(Done::Found(_) | Done::Unchanged(_)) => "AlreadyThere",
            None => "Failed",
        },
        "digest": done.and_then(Done::known).map(|known| known.manifest.to_string()),
        "layer": done.and_then(Done::known).map(|known| known.layer.to_string()),
        "method": target.used.as_ref().map(|used| used.method.clone()),
        "how": target.used.as_ref().map(|used| used.reason.clone()),
        "seconds": {"hash": hashing.as_secs_f64(), "push": pushing, "pull": pulling},
        "reason": failed.map(|failed| failed.reason.as_str()),
        "message": failed.map(|failed| failed.sentence.clone()),
        "attempts": target.attempts.iter().map(FailedAttempt::json).collect::<Vec<_>>(),
    })
}
