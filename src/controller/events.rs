//! Events: what changed, once. What only went on as it was makes none.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{patch::in_time, recorder::Recorder};
use crate::{
    api::{ChartPublication, ChartPublicationStatus, Reason, TargetStatus},
    publish::{ChartOutcome, Done, Failed, Outcome, TargetOutcome},
    status::READER_ROUTE,
};

/// The API server takes 1,024 bytes.
const LONGEST_NOTE: usize = 1000;
const NAMED: usize = 5;

/// Something that is told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Told {
    pub(super) kind: Kind,
    pub(super) reason: String,
    pub(super) note: String,
}

/// Whether it is good or bad news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Normal,
    Warning,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// What is told of a run.
pub(super) fn of_run(before: Option<&ChartPublicationStatus>, after: &ChartPublicationStatus, outcome: &Outcome) -> Vec<Told> {
    let mut events: Vec<Told> = outcome.targets.iter().filter_map(published).collect();
    events.extend(outcome.targets.iter().flat_map(mended));
    events.extend(of_readers(before, after));
    events.extend(changed(before, after));
    events
}

/// `ReaderRoute` of a target has another status or reason than before.
pub(super) fn of_readers(before: Option<&ChartPublicationStatus>, after: &ChartPublicationStatus) -> Vec<Told> {
    let mut events = Vec::new();
    for target in &after.targets {
        let Some(now) = reader_route(target) else { continue };
        let old = before.and_then(|before| before.targets.iter().find(|old| old.name == target.name)).and_then(reader_route);
        let is_news = old.map_or(now.status != "True", |old| (&old.status, &old.reason) != (&now.status, &now.reason));
        if is_news {
            let kind = if now.status == "True" { Kind::Normal } else { Kind::Warning };
            events.push(event(kind, &now.reason, &format!("target `{}`: {}", target.name, now.message)));
        }
    }
    events
}

fn reader_route(target: &TargetStatus) -> Option<&Condition> {
    target.conditions.iter().find(|condition| condition.type_ == READER_ROUTE)
}

/// What a proof found and a push has mended, by what was found.
fn mended(target: &TargetOutcome) -> Vec<Told> {
    let mut by_reason: BTreeMap<Reason, Vec<(&ChartOutcome, &Failed)>> = BTreeMap::new();
    for chart in &target.charts {
        if let Ok(Done::Mended { found, .. }) = &chart.result {
            by_reason.entry(found.reason).or_default().push((chart, found));
        }
    }
    let told = |(reason, charts): (Reason, Vec<(&ChartOutcome, &Failed)>)| {
        let first = charts.first()?;
        let names = named(charts.iter().map(|(chart, _)| format!("{} {}", chart.chart, chart.version)).collect());
        let note = format!("{names} of target `{}` did not hold and was sent again, and is proven: {}", target.name, first.1.sentence);
        Some(event(Kind::Warning, reason.as_str(), &note))
    };
    by_reason.into_iter().filter_map(told).collect()
}

/// The first few of them.
fn named(all: Vec<String>) -> String {
    let more = if all.len() > NAMED { format!(" and {} more", all.len() - NAMED) } else { String::new() };
    format!("{}{more}", all.into_iter().take(NAMED).collect::<Vec<_>>().join(", "))
}

fn published(target: &TargetOutcome) -> Option<Told> {
    let new: Vec<&ChartOutcome> = target.charts.iter().filter(|chart| matches!(chart.result, Ok(Done::Published(_)))).collect();
    if new.is_empty() {
        return None;
    }
    let named = named(new.iter().map(|chart| format!("{} {}", chart.chart, chart.version)).collect());
    let way = target.used.as_ref().map(|used| format!(" by {} ({})", used.route, used.method)).unwrap_or_default();
    Some(event(Kind::Normal, "Published", &format!("published {named} to target `{}`{way}{}", target.name, signed(&new))))
}

/// By whom, where signatures are demanded.
fn signed(charts: &[&ChartOutcome]) -> String {
    let mut signers: Vec<String> = charts.iter().filter_map(|chart| chart.signer.as_ref().map(ToString::to_string)).collect();
    signers.sort();
    signers.dedup();
    if signers.is_empty() { String::new() } else { format!(", signed by {}", self::named(signers)) }
}

/// `Ready` has another status or reason than before.
fn changed(before: Option<&ChartPublicationStatus>, after: &ChartPublicationStatus) -> Option<Told> {
    let ready = |status: &ChartPublicationStatus| {
        let condition = status.conditions.iter().find(|condition| condition.type_ == "Ready")?;
        Some((condition.status.clone(), condition.reason.clone(), condition.message.clone()))
    };
    let (status, reason, message) = ready(after)?;
    let same = before.and_then(ready).is_some_and(|(old_status, old_reason, old_message)| {
        (old_status, old_reason) == (status.clone(), reason.clone()) && (status == "True" || old_message == message)
    });
    let kind = if status == "False" { Kind::Warning } else { Kind::Normal };
    (!same && status != "Unknown").then(|| event(kind, &reason, &message))
}

fn event(kind: Kind, reason: &str, note: &str) -> Told {
    let mut end = note.len().min(LONGEST_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    Told { kind, reason: reason.to_owned(), note: note.get(..end).unwrap_or_default().to_owned() }
}

/// Sends them; one that cannot be sent is logged, and is no failure of the run.
pub(super) async fn send(recorder: &Recorder, publication: &ChartPublication, events: Vec<Told>) {
    use kube::Resource;
    let reference = publication.object_ref(&());
    for event in events {
        if let Err(error) = in_time(recorder.write(&event, &reference)).await {
            tracing::warn!(%error, reason = event.reason, "an Event could not be written");
        }
    }
}
