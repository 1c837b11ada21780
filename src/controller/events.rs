//! Events: what changed, once. What only went on as it was makes none.

use super::recorder::Recorder;
use crate::{
    api::{ChartPublication, ChartPublicationStatus},
    publish::{Done, Outcome, TargetOutcome},
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
    events.extend(changed(before, after));
    events
}

fn published(target: &TargetOutcome) -> Option<Told> {
    let new: Vec<String> = target
        .charts
        .iter()
        .filter(|chart| matches!(chart.result, Ok(Done::Published(_))))
        .map(|chart| format!("{} {}", chart.chart, chart.version))
        .collect();
    if new.is_empty() {
        return None;
    }
    let named = new.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if new.len() > NAMED { format!(" and {} more", new.len() - NAMED) } else { String::new() };
    let way = target.used.as_ref().map(|used| format!(" by {} ({})", used.route, used.method)).unwrap_or_default();
    Some(event(Kind::Normal, "Published", &format!("published {named}{more} to target `{}`{way}", target.name)))
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
        if let Err(error) = recorder.write(&event, &reference).await {
            tracing::warn!(%error, reason = event.reason, "an Event could not be written");
        }
    }
}
