//! One run over all targets: look what is there, fetch what is missing once, publish it everywhere, prove it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{
    ChartOutcome, Failed, Known, Need, Outcome, TargetOutcome, Way, Ways,
    job::{Job, JobResult, Shelf},
    need::need,
};
use crate::{
    api::Reason,
    model::{InvalidName, RepositoryName, Tag},
    plan::Wanted,
    remedy::Verdict,
    source::Source,
};

/// Repositories that are listed at once.
const LISTS_AT_ONCE: usize = 8;

/// Where to publish, and what is known of it.
pub struct TargetRun {
    /// Its name in the spec.
    pub name: String,
    /// Identity of the registry, for the inventory.
    pub registry: String,
    /// The path of the repositories.
    pub prefix: String,
    /// The ways there.
    pub ways: Ways,
    /// What was published and proven before.
    pub known: BTreeMap<(RepositoryName, Tag), Known>,
    /// The route of that proof: when another one answers now, everything is pulled back anew.
    pub known_by: Option<String>,
    /// The `oci://` address for readers, without the chart's name.
    pub pull: Option<String>,
}

/// How a run goes.
pub struct Course<'a> {
    /// Charts at once.
    pub workers: usize,
    /// Ends the run between two charts.
    pub cancel: &'a CancellationToken,
    /// Called with (versions done, versions wanted), over all targets, when there is something to do.
    pub progress: &'a (dyn Fn(usize, usize) + Send + Sync),
}

type Listed = BTreeMap<RepositoryName, Result<BTreeSet<Tag>, Verdict>>;

/// What one target needs, in the order of the wanted versions.
struct Prepared<'t> {
    jobs: Vec<Job>,
    by: Option<&'t Way>,
}

/// Publishes `wanted` into all `targets`.
pub async fn run(source: &Source, wanted: &[Wanted], targets: &[TargetRun], course: &Course<'_>) -> Outcome {
    let prepared: Vec<Prepared<'_>> =
        futures::future::join_all(targets.iter().map(|target| prepare(target, wanted))).await;
    let results = work(source, wanted, targets, &prepared, course).await;
    let cancelled = course.cancel.is_cancelled();
    let mut outcome = Outcome { targets: Vec::new(), cancelled };
    let mut by_target: Vec<Vec<Option<JobResult>>> = targets.iter().map(|_| Vec::new()).collect();
    for chart in results {
        for (column, result) in by_target.iter_mut().zip(chart) {
            column.push(result);
        }
    }
    for ((target, prepared), results) in targets.iter().zip(prepared).zip(by_target) {
        outcome.targets.push(collected(target, wanted, prepared, results));
    }
    outcome
}

async fn prepare<'t>(target: &'t TargetRun, wanted: &[Wanted]) -> Prepared<'t> {
    let places: Vec<_> = wanted.iter().map(|wanted| place(&target.prefix, wanted)).collect();
    let repositories: BTreeSet<_> = places.iter().flatten().map(|(repository, _)| repository.clone()).collect();
    let (listed, by) = list(&target.ways, repositories).await;
    let route_changed = match (by, &target.known_by) {
        (Some(way), Some(before)) => way.strategy.route.as_str() != before && before != super::MIXED,
        _ => false,
    };
    let jobs = places.into_iter().zip(wanted).map(|(place, wanted)| job(target, place, wanted, &listed, route_changed)).collect();
    Prepared { jobs, by }
}

fn place(prefix: &str, wanted: &Wanted) -> Result<(RepositoryName, Tag), Failed> {
    let invalid = |error: InvalidName| Failed {
        reason: Reason::ChartInvalid,
        sentence: format!("the chart `{} {}` cannot be published: {error}", wanted.name, wanted.version),
        passing: false,
    };
    Ok((RepositoryName::below(prefix, &wanted.name).map_err(invalid)?, Tag::of_version(&wanted.version).map_err(invalid)?))
}

/// One request for each repository, several at a time once the first has found the way.
async fn list(ways: &Ways, repositories: BTreeSet<RepositoryName>) -> (Listed, Option<&Way>) {
    let ask = async |repository: RepositoryName| {
        let result = ways.through(repository.as_str(), 0, async |way: &Way| way.registry.tags(&repository).await).await;
        (repository, result)
    };
    let mut repositories = repositories.into_iter();
    let mut answers = Vec::new();
    if let Some(first) = repositories.next() {
        answers.push(ask(first).await);
    }
    let rest: Vec<_> = futures::stream::iter(repositories.map(ask)).buffer_unordered(LISTS_AT_ONCE).collect().await;
    answers.extend(rest);
    let by = answers.iter().find_map(|(_, result)| result.as_ref().ok().map(|(way, _)| *way));
    (answers.into_iter().map(|(repository, result)| (repository, result.map(|(_, tags)| tags))).collect(), by)
}

fn job(
    target: &TargetRun,
    place: Result<(RepositoryName, Tag), Failed>,
    wanted: &Wanted,
    listed: &Listed,
    route_changed: bool,
) -> Job {
    let (repository, tag) = match place {
        Ok(place) => place,
        Err(failed) => return Job::Refused { place: None, failed },
    };
    let tags = match listed.get(&repository) {
        Some(Ok(tags)) => tags,
        Some(Err(verdict)) => return Job::Refused { place: Some((repository, tag)), failed: verdict.clone().into() },
        None => return Job::To { need: Need::Publish, repository, tag },
    };
    let known = target.known.get(&(repository.clone(), tag.clone()));
    let need = match need(&tag, tags, known, wanted.entry.digest) {
        Need::Nothing(_) if route_changed => Need::Look,
        need => need,
    };
    Job::To { need, repository, tag }
}

/// For each wanted version the results of all targets; the first alone, so that it finds the way for the others.
async fn work(
    source: &Source,
    wanted: &[Wanted],
    targets: &[TargetRun],
    prepared: &[Prepared<'_>],
    course: &Course<'_>,
) -> Vec<Vec<Option<JobResult>>> {
    let total = wanted.len() * targets.len();
    let open = prepared.iter().flat_map(|prepared| &prepared.jobs).filter(|job| job.is_open()).count();
    let done = AtomicUsize::new(total - open);
    if open > 0 {
        (course.progress)(total - open, total);
    }
    let one = async |(index, wanted): (usize, &Wanted)| {
        let shelf = Shelf::new(source, wanted);
        let mut results = Vec::new();
        for (target, prepared) in targets.iter().zip(prepared) {
            let Some(job) = prepared.jobs.get(index).filter(|_| !course.cancel.is_cancelled()) else {
                results.push(None);
                continue;
            };
            results.push(Some(job.done(&target.ways, &shelf).await));
            if job.is_open() {
                (course.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            }
        }
        results
    };
    let is_open = |index: usize| prepared.iter().any(|prepared| prepared.jobs.get(index).is_some_and(Job::is_open));
    let first = (0..wanted.len()).find(|index| is_open(*index)).map_or(0, |index| index + 1);
    let mut results = Vec::with_capacity(wanted.len());
    for entry in wanted.iter().enumerate().take(first) {
        results.push(one(entry).await);
    }
    let rest: Vec<_> =
        futures::stream::iter(wanted.iter().enumerate().skip(first).map(one)).buffered(course.workers.max(1)).collect().await;
    results.extend(rest);
    results
}

fn collected(target: &TargetRun, wanted: &[Wanted], prepared: Prepared<'_>, results: Vec<Option<JobResult>>) -> TargetOutcome {
    let mut used = Vec::new();
    let mut charts = Vec::new();
    for ((wanted, job), result) in wanted.iter().zip(prepared.jobs).zip(results) {
        let Some(result) = result else { continue };
        used.extend(result.way);
        charts.push(ChartOutcome {
            chart: wanted.name.clone(),
            version: wanted.version.to_string(),
            place: job.place(),
            created: wanted.entry.created,
            result: result.result,
        });
    }
    if used.is_empty() {
        used.extend(prepared.by.map(super::Used::of));
    }
    TargetOutcome {
        name: target.name.clone(),
        registry: target.registry.clone(),
        charts,
        wanted: wanted.len(),
        used: super::Used::together(used),
        attempts: target.ways.attempts(),
        pull: target.pull.clone(),
        failure: None,
    }
}
