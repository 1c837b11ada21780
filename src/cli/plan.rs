//! `chart-publisher plan -f FILE…`: what a run would do, and why. Writes nothing anywhere.

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf, sync::Arc};

use chart_publisher::{
    controller::{ForeseenItem, Foresight, ForesightError, foresee},
    plan::PassedOver,
    publish::Failed,
    spool::{Budget, Spool},
};
use clap::Args;
use serde_json::{Value, json};

use super::{
    Failure, Output, Usage,
    access::StandIns,
    api_server::{ApiServer, unasked},
    carry_out,
    limits::LimitFlags,
    log, note, print, print_json,
    publications::publications,
    publish::{check_spool, shown},
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
    /// The cluster whose Services, Secrets and inventories count. Without it only targets with a `url` are planned, with what stands in
    /// for Secrets.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The namespace of publications that name none.
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    #[command(flatten)]
    stand_ins: StandIns,
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

/// What is foreseen of a publication, which lines name so.
type Planned = (String, Foresight);

/// No source gave what it has; that may pass.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unreached(String);

/// Plans; the result is printed.
pub(super) fn planned(plan: &Plan) -> Result<(), Failure> {
    log(LogFormat::Text, &plan.log_level)?;
    carry_out(work(plan))
}

async fn work(plan: &Plan) -> Result<(), Failure> {
    let publications = publications(&plan.files, &plan.namespace)?;
    let api_server = match &plan.kubeconfig {
        Some(path) => Some(ApiServer::of(configured(Some(path.as_path())).await?, true)?),
        None => None,
    };
    let client = api_server.as_ref().map(|api_server| &api_server.client);
    let at_hand = Arc::new(plan.stand_ins.at_hand()?);
    check_spool(&plan.spool_dir)?;
    let spool = Spool::new(plan.spool_dir.clone(), Budget::default());
    let mut plans = Vec::new();
    let mut unseen = BTreeSet::new();
    for publication in &publications {
        let foreseen = Box::pin(foresee(publication, client.cloned(), &at_hand, spool.clone(), plan.limits.limits())).await;
        let foresight = match foreseen {
            Ok(foresight) => foresight,
            // What is wrong with one source keeps nothing from the others.
            Err(ForesightError::Source(failed)) => Foresight { refused: vec![failed], ..Foresight::default() },
            Err(error) => return Err(unasked(api_server.as_ref(), error)),
        };
        unseen.extend(foresight.unseen.iter().cloned());
        plans.push((shown(publication), foresight));
    }
    for kind in unseen {
        note(&format!("objects of the kind {kind} may not be read: routes through them are not seen"));
    }
    match plan.output {
        Output::Text => print(&as_text(&plans))?,
        Output::Json => print_json(&as_json(&plans))?,
    }
    refused(&plans)
}

/// All that the sources do not give. What passes by itself is no mistake of the file's.
fn refused(plans: &[Planned]) -> Result<(), Failure> {
    let all = || plans.iter().flat_map(|(name, foresight)| foresight.refused.iter().map(move |failed| (name, failed)));
    let of = |name: &str| if plans.len() > 1 { format!("{name}: ") } else { String::new() };
    let sentences: Vec<_> = all().map(|(name, failed)| format!("{}{}: {}", of(name), failed.reason, failed.sentence)).collect();
    match sentences.join("\n") {
        none if none.is_empty() => Ok(()),
        sentences if all().any(|(_, failed)| !failed.passing) => Err(Usage(sentences).into()),
        sentences => Err(Unreached(sentences).into()),
    }
}

fn as_json(plans: &[Planned]) -> Value {
    let items = plans.iter().flat_map(|(name, foresight)| foresight.items.iter().map(|item| item_as_json(name, item)));
    let passed_over = plans.iter().flat_map(|(name, foresight)| {
        let of = move |group: &PassedOver| json!({"publication": name, "chart": group.chart, "reason": group.reason, "versions": group.versions});
        foresight.passed_over.iter().map(of)
    });
    let failures = plans.iter().flat_map(|(name, foresight)| {
        let of = move |failed: &Failed| json!({"publication": name, "reason": failed.reason.as_str(), "message": failed.sentence, "passing": failed.passing});
        foresight.refused.iter().map(of)
    });
    json!({
        "items": items.collect::<Vec<_>>(),
        "passedOver": passed_over.collect::<Vec<_>>(),
        "failures": failures.collect::<Vec<_>>(),
    })
}

fn item_as_json(publication: &str, item: &ForeseenItem) -> Value {
    let way = item.foreseen.way.as_ref();
    json!({
        "publication": publication,
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

/// One part for each publication; it bears the name where there are several.
fn as_text(plans: &[Planned]) -> String {
    let part = |(name, foresight): &Planned| {
        let heading = if plans.len() > 1 { format!("{name}\n") } else { String::new() };
        heading + &items_as_text(&foresight.items) + &passed_over_as_text(&foresight.passed_over)
    };
    plans.iter().map(part).collect::<Vec<_>>().join("\n\n")
}

fn items_as_text(items: &[ForeseenItem]) -> String {
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
