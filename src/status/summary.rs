//! The whole status of one publication: of a run that ended, of one that goes on, of one that is suspended.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use super::{
    Standing, conditions,
    learnt::shown,
    readers::{READER_ROUTE, kept_proofs, reader_route},
    signed::signed_by,
};
use crate::{
    api::{Attempt, ChartPublicationStatus, PublishedVersion, Reason, SourceStatus, TargetStatus},
    model::ChartVersion,
    publish::{ChartOutcome, Done, Failed, FailedAttempt, MIXED, Outcome, TargetOutcome},
};

const NEWEST: usize = 20;

/// What a run is reported from.
#[derive(Debug)]
pub struct Report<'a> {
    /// Of the object that was read.
    pub generation: Option<i64>,
    /// The annotation `requestedAt` that was acted on.
    pub requested_at: Option<String>,
    /// What stood there before.
    pub previous: Option<&'a ChartPublicationStatus>,
    /// Now.
    pub now: Time,
}

/// What the source offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// The digest of index or archive.
    pub revision: String,
    /// Charts that are wanted of it.
    pub charts: usize,
    /// Versions that are wanted of it.
    pub versions: usize,
    /// Requests that it cannot meet: each is for one version or more.
    pub missing: usize,
}

impl Report<'_> {
    fn previous(&self) -> ChartPublicationStatus {
        self.previous.cloned().unwrap_or_default()
    }

    fn with(&self, standing: &Standing, mut status: ChartPublicationStatus) -> ChartPublicationStatus {
        let previous = self.previous.map(|previous| previous.conditions.as_slice()).unwrap_or_default();
        status.conditions = conditions(standing, self, previous);
        status.observed_generation = self.generation;
        status.last_handled_reconcile_at.clone_from(&self.requested_at);
        status
    }
}

/// `suspend` is true: what was published stays, and so does what was said of it.
pub fn suspended(report: &Report<'_>) -> ChartPublicationStatus {
    let standing = Standing::Suspended("`suspend` is true: nothing is done until it is false; what was published stays".to_owned());
    report.with(&standing, report.previous())
}

/// A run is under way.
pub fn progress(report: &Report<'_>, done: usize, total: usize) -> ChartPublicationStatus {
    let previous = report.previous();
    let is_same_spec = previous.observed_generation == report.generation;
    let message = if total == 0 { "reading the source".to_owned() } else { format!("{done}/{total} versions are published and proven") };
    let standing = Standing::Running { is_same_spec, message };
    let mut status = report.with(&standing, previous);
    if total > 0 {
        status.published = Some(format!("{done}/{total}"));
    }
    status
}

/// A run has ended. `refused` holds what went wrong before any target: of the source, of the selection.
pub fn report(report: &Report<'_>, source: Option<&SourceReport>, refused: &[Failed], outcome: &Outcome) -> ChartPublicationStatus {
    let previous = report.previous();
    let mut status = ChartPublicationStatus { source: source_status(report, source, &previous), ..previous };
    if refused.is_empty() || !outcome.targets.is_empty() {
        let missing = source.map_or(0, |source| source.missing);
        let targets = outcome.targets.iter().map(|target| target_status(report, target, missing)).collect();
        status.targets = targets;
        let (done, wanted) = counts(outcome);
        status.published = Some(format!("{done}/{}", wanted + missing * outcome.targets.len()));
        status.route = common(status.targets.iter().map(|target| target.route.as_deref()));
        status.method = common(status.targets.iter().map(|target| target.method.as_deref()));
    }
    report.with(&standing(refused, outcome, &status.targets), status)
}

fn common<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Option<String> {
    let mut values = values.flatten();
    let first = values.next()?;
    Some(if values.all(|value| value == first) { first.to_owned() } else { MIXED.to_owned() })
}

fn source_status(report: &Report<'_>, source: Option<&SourceReport>, previous: &ChartPublicationStatus) -> Option<SourceStatus> {
    let Some(source) = source else { return previous.source.clone() };
    let unchanged = previous.source.as_ref().filter(|old| old.revision == source.revision);
    Some(SourceStatus {
        revision: source.revision.clone(),
        charts: u32::try_from(source.charts).unwrap_or(u32::MAX),
        versions: u32::try_from(source.versions).unwrap_or(u32::MAX),
        last_update_time: unchanged.map_or_else(|| report.now.clone(), |old| old.last_update_time.clone()),
    })
}

fn standing(refused: &[Failed], outcome: &Outcome, shown: &[TargetStatus]) -> Standing {
    let failed: Vec<(&TargetOutcome, &Failed)> =
        outcome.targets.iter().filter_map(|target| Some((target, target.first_failure()?))).collect();
    let all: Vec<&Failed> = refused.iter().chain(failed.iter().map(|(_, failed)| *failed)).collect();
    let Some(first) = all.first() else { return whole(outcome, shown) };
    let message = match failed.first() {
        Some((target, failed)) if refused.is_empty() => at_target(outcome, target, failed),
        _ => first.sentence.clone(),
    };
    let more = all.len() - 1;
    let message = if more > 0 && failed.len() != all.len() { format!("{message} (and {more} more)") } else { message };
    // One thing that passes is reason enough to try again soon.
    let passing = refused.iter().any(|failed| failed.passing) || outcome.targets.iter().flat_map(failures).any(|failed| failed.passing);
    if passing { Standing::Retrying(first.reason, message) } else { Standing::Stalled(first.reason, message) }
}

fn failures(target: &TargetOutcome) -> impl Iterator<Item = &Failed> {
    target.failure.iter().chain(target.charts.iter().filter_map(|chart| chart.result.as_ref().err()))
}

fn at_target(outcome: &Outcome, target: &TargetOutcome, failed: &Failed) -> String {
    let place = if outcome.targets.len() > 1 { format!("target `{}`: ", target.name) } else { String::new() };
    let count = failures(target).count();
    let share = if count > 1 { format!(" ({count} of {} versions failed)", target.wanted) } else { String::new() };
    format!("{place}{}{share}", failed.sentence)
}

fn whole(outcome: &Outcome, shown: &[TargetStatus]) -> Standing {
    let (done, wanted) = counts(outcome);
    if outcome.cancelled || done < wanted {
        return Standing::Retrying(Reason::Progressing, format!("the run was ended after {done} of {wanted} versions; it goes on"));
    }
    let versions = if wanted == 1 { "1 version is".to_owned() } else { format!("{wanted} versions are") };
    let place = match shown {
        [TargetStatus { route: Some(route), method: Some(method), .. }] => format!(" by {route} ({method})"),
        [_] => String::new(),
        targets => format!(" in {} targets", targets.len()),
    };
    Standing::Ready(format!("{versions} published and proven{place}"))
}

/// Versions that are proven, and that the source has of what is wanted: over all targets.
fn counts(outcome: &Outcome) -> (usize, usize) {
    outcome.targets.iter().fold((0, 0), |(done, wanted), target| (done + target.proven(), wanted + target.wanted))
}

fn target_status(report: &Report<'_>, target: &TargetOutcome, missing: usize) -> TargetStatus {
    let previous = report.previous.and_then(|previous| previous.targets.iter().find(|old| old.name == target.name));
    let standing = match target.first_failure() {
        None if missing == 0 => Standing::Ready(format!("{}/{} versions are published and proven", target.proven(), target.wanted)),
        None => Standing::Ready(format!("{}/{} versions that the source has are published and proven", target.proven(), target.wanted)),
        Some(failed) if failures(target).any(|failed| failed.passing) => Standing::Retrying(failed.reason, failed.sentence.clone()),
        Some(failed) => Standing::Stalled(failed.reason, failed.sentence.clone()),
    };
    let before = previous.map(|previous| previous.conditions.as_slice()).unwrap_or_default();
    let ready = conditions(&standing, report, before).into_iter().filter(|condition| condition.type_ == "Ready");
    let sent = target.charts.iter().any(|chart| chart.result.as_ref().is_ok_and(Done::is_new));
    // A run that only found everything in its place says nothing new of the way: what was used for the last push stands.
    let kept = previous.filter(|previous| !sent && target.failure.is_none() && still_holds(previous, target));
    let used = target.used.as_ref();
    let mut status = TargetStatus {
        name: target.name.clone(),
        conditions: ready.collect(),
        route: kept.map_or_else(|| used.map(|used| used.route.clone()), |old| old.route.clone()),
        address: kept.map_or_else(|| used.map(|used| used.address.clone()), |old| old.address.clone()),
        method: kept.map_or_else(|| used.map(|used| used.method.clone()), |old| old.method.clone()),
        reason: kept.map_or_else(|| used.map(|used| used.reason.clone()), |old| old.reason.clone()),
        attempts: match kept {
            Some(old) if target.attempts.is_empty() => old.attempts.clone(),
            _ => target.attempts.iter().map(attempt).collect(),
        },
        learnt: match (&target.failure, previous) {
            // Nothing was tried, so that nothing was learnt.
            (Some(_), Some(old)) => old.learnt.clone(),
            _ => target.learnt.iter().map(shown).collect(),
        },
        pull: target.pull.clone(),
        published: Some(format!("{}/{}", target.proven(), target.wanted + missing)),
        last_proved: last_proved(report, target).or_else(|| previous.and_then(|previous| previous.last_proved.clone())),
        proofs: kept_proofs(previous, &target.readers),
        versions: newest(&target.charts),
    };
    if let (Some(_), Some(previous)) = (&target.failure, previous) {
        // Nothing was asked: what was known of the readers stands.
        status.proofs.clone_from(&previous.proofs);
        status.conditions.extend(before.iter().filter(|condition| condition.type_ == READER_ROUTE).cloned());
    } else {
        let said = reader_route(report, &target.readers, &status, before);
        status.conditions.extend(said);
    }
    status
}

/// The oldest of the proofs that all rests on.
fn last_proved(report: &Report<'_>, target: &TargetOutcome) -> Option<Time> {
    let proved = target.charts.iter().filter_map(|chart| chart.result.as_ref().ok()?.known());
    let oldest = proved.map(|known| known.proved.unwrap_or_else(|| report.now.0.as_second())).min()?;
    Timestamp::from_second(oldest).ok().map(Time)
}

/// Whether what was said of the way still holds: it is there, nothing failed anew, and what answered now is that way, or one that was
/// passed over for what it does to bodies.
fn still_holds(previous: &TargetStatus, target: &TargetOutcome) -> bool {
    let Some(used) = &target.used else { return true };
    let (route, address) = (previous.route.as_deref(), previous.address.as_deref().unwrap_or_default());
    let reason = previous.reason.as_deref().unwrap_or_default();
    let is_there = |part: &str| target.ways.iter().any(|way| way.address == part && reason.contains(&way.reason));
    let passed_over = || previous.attempts.iter().any(|attempt| attempt.is_of_bodies() && attempt.route == used.route);
    let same = route == Some(used.route.as_str()) && address == used.address;
    target.attempts.is_empty() && address.split("; ").all(is_there) && (same || passed_over())
}

fn attempt(attempt: &FailedAttempt) -> Attempt {
    Attempt {
        route: attempt.route.as_str().to_owned(),
        address: Some(attempt.address.clone()),
        method: attempt.method.as_str().to_owned(),
        reason: attempt.verdict.reason.as_str().to_owned(),
        message: match attempt.tactic.as_str() {
            "" => attempt.verdict.sentence.clone(),
            tactic => format!("{} (sent by {tactic})", attempt.verdict.sentence),
        },
    }
}

fn newest(charts: &[ChartOutcome]) -> Vec<PublishedVersion> {
    let mut proven: Vec<_> = charts.iter().filter_map(|chart| Some((chart, chart.result.as_ref().ok()?.known()?))).collect();
    let version = |text: &str| text.parse::<ChartVersion>().ok();
    // By the time that the source names, then by version: the newest of all charts first.
    proven.sort_by(|(a, _), (b, _)| {
        b.created.cmp(&a.created).then_with(|| version(&b.version).cmp(&version(&a.version))).then_with(|| a.chart.cmp(&b.chart))
    });
    let shown = proven.into_iter().take(NEWEST);
    shown
        .map(|(chart, known)| PublishedVersion {
            chart: chart.chart.clone(),
            version: chart.version.clone(),
            digest: known.manifest.to_string(),
            signed_by: chart.signer.as_ref().map(signed_by),
        })
        .collect()
}
