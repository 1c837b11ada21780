//! Events: what changed, once. What only went on as it was makes none.

use kube::runtime::events::{Event, EventType, Recorder};

use crate::{
    api::{ChartPublication, ChartPublicationStatus},
    publish::{Done, Outcome, TargetOutcome},
};

/// The API server takes 1,024 bytes.
const LONGEST_NOTE: usize = 1000;
const NAMED: usize = 5;

/// What is told of a run.
pub(super) fn of_run(before: Option<&ChartPublicationStatus>, after: &ChartPublicationStatus, outcome: &Outcome) -> Vec<Event> {
    let mut events: Vec<Event> = outcome.targets.iter().filter_map(published).collect();
    events.extend(changed(before, after));
    events
}

fn published(target: &TargetOutcome) -> Option<Event> {
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
    Some(event(EventType::Normal, "Published", &format!("published {named}{more} to target `{}`{way}", target.name)))
}

/// `Ready` has another status or reason than before.
fn changed(before: Option<&ChartPublicationStatus>, after: &ChartPublicationStatus) -> Option<Event> {
    let ready = |status: &ChartPublicationStatus| {
        let condition = status.conditions.iter().find(|condition| condition.type_ == "Ready")?;
        Some((condition.status.clone(), condition.reason.clone(), condition.message.clone()))
    };
    let (status, reason, message) = ready(after)?;
    let same = before.and_then(ready).is_some_and(|(old_status, old_reason, old_message)| {
        (old_status, old_reason) == (status.clone(), reason.clone()) && (status == "True" || old_message == message)
    });
    let kind = if status == "False" { EventType::Warning } else { EventType::Normal };
    (!same && status != "Unknown").then(|| event(kind, &reason, &message))
}

fn event(type_: EventType, reason: &str, note: &str) -> Event {
    let mut end = note.len().min(LONGEST_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    Event {
        type_,
        reason: reason.to_owned(),
        note: Some(note.get(..end).unwrap_or_default().to_owned()),
        action: "Publish".to_owned(),
        secondary: None,
    }
}

/// Sends them; one that cannot be sent is logged, and is no failure of the run.
pub(super) async fn send(recorder: &Recorder, publication: &ChartPublication, events: Vec<Event>) {
    use kube::Resource;
    let reference = publication.object_ref(&());
    for event in events {
        if let Err(error) = recorder.publish(&event, &reference).await {
            tracing::warn!(%error, reason = event.reason, "an Event could not be written");
        }
    }
}
