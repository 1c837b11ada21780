//! `chart-publisher publish -f FILE…`: what the controller would do for the publications of files, once and without one. Writes into
//! registries, and nothing into a cluster.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use chart_publisher::{
    api::ChartPublication,
    controller::{Account, Means, publish_once},
    model::size,
    spool::{Budget, Spool},
};
use clap::Args;
use kube::{Config, ResourceExt, config::InClusterError};
use tokio_util::sync::CancellationToken;

use super::{
    Failure, Output, Usage,
    access::StandIns,
    api_server::{ApiServer, unasked},
    carry_out,
    limits::LimitFlags,
    log, note, print, print_json,
    publications::publications,
    published::{as_json, as_text},
    run::{LogFormat, configured, is_inside},
    signals::{Signal, Signals, Stopped},
    wait,
    watcher::Watcher,
};

/// Publish what the publications of files ask for, once and without a controller. Nothing is written into a cluster.
#[derive(Args)]
pub(super) struct Publish {
    /// A file with `ChartPublications`, a folder with such files, or `-` for standard input; may be given several times. Other objects
    /// are passed over.
    #[arg(long = "filename", short = 'f', value_name = "FILE", required = true)]
    files: Vec<String>,
    /// The cluster of their Services and Secrets. Without it only targets with a `url`, and logins of Docker's form, can be used.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// This process stands in the network of that cluster, so that `ClusterIP` is tried too, as it is by itself in a Pod. Given without
    /// --kubeconfig, Services and Secrets are read as the Pod's `ServiceAccount`.
    #[arg(long)]
    in_cluster: bool,
    /// The namespace of publications that name none.
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    #[command(flatten)]
    stand_ins: StandIns,
    /// Try again for this time what fails and may pass: a registry that is still coming up, a Service that is applied later. Without it:
    /// one pass.
    #[arg(long, value_name = "TIME", value_parser = wait)]
    wait: Option<Duration>,
    /// How many charts of one publication are sent at once, 1 to 64; half as many more are fetched, or pulled back where they are large, meanwhile.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Where charts and indexes lie on their way.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    spool_dir: PathBuf,
    /// How much of them may lie there at once.
    #[arg(long, value_name = "SIZE", default_value = "1Gi", value_parser = size)]
    spool_size: u64,
    #[command(flatten)]
    limits: LimitFlags,
    /// How the result is printed.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    output: Output,
    /// What is logged on standard error: a level, or a filter.
    #[arg(long, value_name = "FILTER", env = "CHART_PUBLISHER_LOG_LEVEL", default_value = "error")]
    log_level: String,
}

/// Something is not there; what and why has been printed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotPublished(String);

/// Publishes; the result is printed.
pub(super) fn published(publish: &Publish) -> Result<(), Failure> {
    log(LogFormat::Text, &publish.log_level)?;
    carry_out(work(publish))
}

async fn work(publish: &Publish) -> Result<(), Failure> {
    let publications = publications(&publish.files, &publish.namespace)?;
    for suspended in publications.iter().filter(|publication| publication.spec.suspend) {
        note(&format!("{}: `suspend` is true: it is passed over", shown(suspended)));
    }
    let stop = CancellationToken::new();
    let api_server = api_server(publish).await?;
    let means = means(publish, api_server.as_ref(), stop.clone())?;
    // From here on something is begun that a signal must not leave.
    let mut signals = Signals::caught()?;
    let watcher = Watcher::of(publications.len(), api_server.as_ref().map(|api_server| api_server.place.clone()));
    let (done, signal) = {
        let _bar = watcher.bar();
        let working = publish_once(&publications, means, &watcher);
        tokio::pin!(working);
        tokio::select! {
            done = &mut working => (done, None),
            signal = signals.next() => {
                stop.cancel();
                tokio::select! {
                    done = working => (done, Some(signal)),
                    again = signals.next() => return Err(Stopped::at_once(again).into()),
                }
            }
        }
    };
    watcher.turns_away();
    told(publish, &done.map_err(|error| unasked(api_server.as_ref(), error))?, signal)
}

async fn api_server(publish: &Publish) -> Result<Option<ApiServer>, Failure> {
    let config = match &publish.kubeconfig {
        Some(path) => configured(Some(path.as_path())).await?,
        None if publish.in_cluster => Config::incluster().map_err(|error| Usage(no_pod(&error)))?,
        None => return Ok(None),
    };
    ApiServer::of(config, publish.kubeconfig.is_some()).map(Some)
}

/// Why there is no cluster around this process.
fn no_pod(error: &InClusterError) -> String {
    let cure = "run it in a Pod that has the token of its ServiceAccount mounted, or give `--kubeconfig FILE`, too";
    format!("`--in-cluster`: there is no ServiceAccount of a Pod here: {error}; {cure}")
}

fn means(publish: &Publish, api_server: Option<&ApiServer>, stop: CancellationToken) -> Result<Means, Failure> {
    check_spool(&publish.spool_dir)?;
    Ok(Means {
        client: api_server.map(|api_server| api_server.client.clone()),
        in_cluster: is_inside(publish.in_cluster),
        at_hand: publish.stand_ins.at_hand()?.into(),
        limits: publish.limits.limits(),
        spool: Spool::new(publish.spool_dir.clone(), Budget { disk: publish.spool_size, ..Budget::default() }),
        workers: publish.workers.into(),
        wait: publish.wait.unwrap_or_default(),
        stop,
    })
}

/// Refuses a folder of `--spool-dir` in which no file can be made, before anything is asked.
pub(super) fn check_spool(folder: &Path) -> Result<(), Usage> {
    let unusable = |error| Usage(format!("`--spool-dir`: `{}` is no folder that can be written: {error}", folder.display()));
    tempfile::tempfile_in(folder).map(drop).map_err(unusable)
}

/// Prints what came of it; done is it only where all is proven.
fn told(publish: &Publish, accounts: &[Account], signal: Option<Signal>) -> Result<(), Failure> {
    match publish.output {
        Output::Text => print(&as_text(accounts))?,
        Output::Json => print_json(&as_json(accounts))?,
    }
    let (proven, wanted) = accounts.iter().map(Account::counts).fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
    let count = match wanted {
        0 => "no version is published and proven".to_owned(),
        wanted => format!("{proven} of {wanted} versions are published and proven"),
    };
    if let Some(signal) = signal {
        let told = format!("{count}; what was under way has no tag, and its uploads were ended as far as the registry lets them");
        return Err(Stopped::with(signal, told).into());
    }
    let failed: Vec<String> =
        accounts.iter().filter(|account| !account.is_proven()).map(|account| format!("{}/{}", account.namespace, account.name)).collect();
    if failed.is_empty() {
        if wanted > 0 {
            note(&count);
        }
        return Ok(());
    }
    Err(NotPublished(format!("{count}; not all of what {} asks for", failed.join(", "))).into())
}

/// As lines name it.
pub(super) fn shown(publication: &ChartPublication) -> String {
    format!("{}/{}", publication.namespace().unwrap_or_default(), publication.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_folder_that_is_not_there_is_refused() {
        assert!(check_spool(&std::env::temp_dir()).is_ok());
        let said = check_spool(Path::new("/nonexistent")).unwrap_err().to_string();
        assert!(said.starts_with("`--spool-dir`: `/nonexistent` is no folder that can be written: "), "{said}");
    }
}
