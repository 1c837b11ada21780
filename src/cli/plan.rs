//! `chart-publisher plan -f FILE…`: what a run would do, and why. Writes nothing anywhere.

use std::{fmt::Write as _, path::PathBuf};

use chart_publisher::{
    controller::{ForeseenItem, Foresight, ForesightError, foresee},
    plan::PassedOver,
    spool::{Budget, Spool},
};
use clap::Args;
use kube::Client;
use serde_json::{Value, json};

use super::{
    Failure, Output, Usage, carry_out,
    limits::LimitFlags,
    log, note, print,
    publications::publications,
    run::{LogFormat, configured},
    table::table,
};

/// Versions of one reason that are named in a line.
const NAMED: usize = 20;

/// Print what would be published, by which way and why; nothing is written.
#[derive(Args)]
pub(super) struct Plan {
    /// A file with `ChartPublications`, a folder with such files, or `-` for standard input; may be given several times. Other objects
    /// are passed over.
    #[arg(long = "filename", short = 'f', value_name = "FILE", required = true)]
    files: Vec<String>,
    /// The cluster whose Services, Secrets and inventories count. Without it only targets with a `url`, and without Secrets, are planned.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The namespace of publications that name none.
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// Where an index lies while it is read.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    spool_dir: PathBuf,
    #[command(flatten)]
    limits: LimitFlags,
    /// How the result is printed.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    output: Output,
    /// What is logged on standard error: a level, or a filter.
    #[arg(long, value_name = "FILTER", env = "CHART_PUBLISHER_LOG_LEVEL", default_value = "error")]
    log_level: String,
}

/// Plans; the result is printed.
pub(super) fn planned(plan: &Plan) -> Result<(), Failure> {
    log(LogFormat::Text, &plan.log_level)?;
    carry_out(work(plan))
}

async fn work(plan: &Plan) -> Result<(), Failure> {
    let publications = publications(&plan.files, &plan.namespace)?;
    let client = match &plan.kubeconfig {
        Some(path) => Some(Client::try_from(configured(Some(path.as_path())).await?)?),
        None => None,
    };
    let spool = Spool::new(plan.spool_dir.clone(), Budget::default());
    let mut all = Foresight::default();
    for publication in &publications {
        let foresight = Box::pin(foresee(publication, client.clone(), spool.clone(), plan.limits.limits())).await.map_err(failure)?;
        all.items.extend(foresight.items);
        all.passed_over.extend(foresight.passed_over);
        all.refused.extend(foresight.refused);
        for kind in &foresight.unseen {
            note(&format!("objects of the kind {kind} may not be read: routes through them are not seen"));
        }
    }
    match plan.output {
        Output::Text => print(&(as_text(&all.items) + &passed_over_as_text(&all.passed_over)))?,
        Output::Json => print(&format!("{:#}", as_json(&all)))?,
    }
    if all.refused.is_empty() {
        return Ok(());
    }
    let sentences: Vec<_> = all.refused.iter().map(|failed| format!("{}: {}", failed.reason, failed.sentence)).collect();
    Err(Usage(sentences.join("\n")).into())
}

/// What passes by itself is no mistake of the file's.
fn failure(error: ForesightError) -> Failure {
    match error {
        ForesightError::Source(failed) if !failed.passing => Usage(format!("{}: {}", failed.reason, failed.sentence)).into(),
        other => other.into(),
    }
}

fn as_json(all: &Foresight) -> Value {
    let passed_over = all.passed_over.iter().map(|group| json!({"chart": group.chart, "reason": group.reason, "versions": group.versions}));
    json!({
        "items": all.items.iter().map(item_as_json).collect::<Vec<_>>(),
        "passedOver": passed_over.collect::<Vec<_>>(),
    })
}

fn item_as_json(item: &ForeseenItem) -> Value {
    let way = item.foreseen.way.as_ref();
    json!({
        "chart": item.chart,
        "version": item.version,
        "target": item.target,
        "reference": item.reference,
        "action": item.foreseen.action.as_str(),
        "route": way.map(|way| way.route.clone()),
        "method": way.map(|way| way.method.clone()),
        "reason": item.foreseen.reason,
    })
}

fn as_text(items: &[ForeseenItem]) -> String {
    let head = ["CHART", "VERSION", "TARGET", "ACTION", "ROUTE", "METHOD", "REFERENCE"].map(str::to_owned);
    let mut rows = vec![(head, None)];
    for item in items {
        let way = item.foreseen.way.as_ref();
        let or_dash = |word: Option<&String>| word.cloned().unwrap_or_else(|| "-".to_owned());
        let row = [
            item.chart.clone(),
            item.version.clone(),
            item.target.clone(),
            item.foreseen.action.as_str().to_owned(),
            or_dash(way.map(|way| &way.route)),
            or_dash(way.map(|way| &way.method)),
            or_dash(item.reference.as_ref()),
        ];
        rows.push((row, Some(item.foreseen.reason.clone())));
    }
    table(rows)
}

/// What is not published, for each chart and reason; nothing where there is nothing.
fn passed_over_as_text(groups: &[PassedOver]) -> String {
    let mut text = String::new();
    for group in groups {
        let named: Vec<&str> = group.versions.iter().take(NAMED).map(String::as_str).collect();
        let more = match group.versions.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = write!(text, "\n\n{} {}{more} passed over\n    {}", group.chart, named.join(", "), group.reason);
    }
    text
}
