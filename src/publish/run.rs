//! One run over all targets: look what is there, fetch what is missing once, publish it everywhere, prove it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::StreamExt;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio_util::sync::CancellationToken;

use super::{
    Away, ChartOutcome, Failed, Follower, Known, Need, Outcome, ProofTerms, Readers, Replicas, TargetOutcome, Way, Ways,
    follow::Nobody,
    job::{Job, Parcel},
    lists::{Listed, Lists, list},
    need::need,
    pace::Pace,
    seal::{Seal, Sealed},
};
use crate::{
    api::Reason,
    model::{InvalidName, RepositoryName, Tag},
    plan::{Tactic, Wanted},
    provenance::Demand,
    source::Source,
};

/// How long what is under way may take when a run is ended: an upload leaves its session, a proof comes to its end.
const LONGEST_END: Duration = Duration::from_millis(1500);

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
    /// What was dialled for it.
    pub known_at: Option<String>,
    /// Routes that were passed over for what they do to bodies: that they answer otherwise is nothing new.
    pub refuse_bodies: BTreeSet<String>,
    /// The `oci://` address for readers, without the chart's name.
    pub pull: Option<String>,
    /// The replicas of the registry.
    pub replicas: Replicas,
    /// What readers take.
    pub readers: Readers,
    /// What the last run found away.
    pub away: Vec<Away>,
}

/// How a run goes.
pub struct Course<'a> {
    /// Charts that are sent at once. Half as many more are fetched meanwhile, or are large and pulled back; small ones are pulled back in bursts.
    pub workers: usize,
    /// Ends the run: nothing new is begun, and what is under way has 1.5 s. Uploads end at once where the registries of the
    /// targets have it in their permit.
    pub cancel: &'a CancellationToken,
    /// When what was proven is proven again; nothing where it never is.
    pub proof: Option<ProofTerms>,
    /// What is demanded of the origin of what is published.
    pub demand: &'a Demand,
    /// Called with (versions done, versions wanted), over all targets, when there is something to do.
    pub progress: &'a (dyn Fn(usize, usize) + Send + Sync),
}

impl Course<'_> {
    /// Ends when nothing is waited for any more.
    async fn cut_off(&self) {
        self.cancel.cancelled().await;
        tokio::time::sleep(LONGEST_END).await;
    }
}

/// What is known of a target when its jobs are laid down.
struct Knowledge<'d> {
    listed: Listed,
    route_changed: bool,
    /// Where proofs of another time are made again.
    good: Option<RangeInclusive<i64>>,
    demand: &'d Demand,
}

/// What one target needs, in the order of the wanted versions.
pub(super) struct Prepared<'t> {
    pub(super) jobs: Vec<Job>,
    pub(super) by: Option<(&'t Way, Tactic)>,
    /// Where the registry is away: who asks it again, and when.
    away: Option<Away>,
}

/// Publishes `wanted` into all `targets`.
pub async fn run(source: &Source, wanted: &[Wanted], targets: &[TargetRun], course: &Course<'_>) -> Outcome {
    Box::pin(followed(source, wanted, targets, course, &Nobody)).await
}

/// The same, told to `follower` version by version.
pub async fn followed(source: &Source, wanted: &[Wanted], targets: &[TargetRun], course: &Course<'_>, follower: &dyn Follower) -> Outcome {
    let looked = futures::future::join_all(targets.iter().map(|target| prepare(target, (source, wanted), course.proof, course.demand)));
    let prepared: Vec<Prepared<'_>> = tokio::select! {
        prepared = looked => prepared,
        () = course.cancel.cancelled() => return Outcome { targets: Vec::new(), cancelled: true },
    };
    let (pace, room) = (Pace::new(course.workers, course.cancel.clone()), RwLock::default());
    let work = Work { source, wanted, targets, prepared: &prepared, course, follower, pace, room, done: AtomicUsize::new(0) };
    // On the heap: who awaits a run has enough to hold.
    let results = Box::pin(work.all()).await;
    let cancelled = course.cancel.is_cancelled();
    let mut outcome = Outcome { targets: Vec::new(), cancelled };
    let mut by_target: Vec<Vec<Option<Sealed>>> = targets.iter().map(|_| Vec::new()).collect();
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

pub(super) async fn prepare<'t>(
    target: &'t TargetRun,
    (source, wanted): (&Source, &[Wanted]),
    proof: Option<ProofTerms>,
    demand: &Demand,
) -> Prepared<'t> {
    let places: Vec<_> = wanted.iter().map(|wanted| place(&target.prefix, wanted)).collect();
    let repositories: BTreeSet<_> = places.iter().flatten().map(|(repository, _)| repository.clone()).collect();
    let Lists { listed, by, away } = list(&target.ways, repositories, &target.away).await;
    let route_changed = match (by.map(|(way, _)| way.strategy.route.as_str()), &target.known_by) {
        (Some(now), Some(before)) => now != before && before != super::MIXED && !target.refuse_bodies.contains(now),
        _ => false,
    };
    let proved = places.iter().flatten().filter_map(|place| target.known.get(place)?.proved);
    let known = Knowledge { listed, route_changed, good: proof.and_then(|terms| terms.still_good(proved)), demand };
    let jobs = places.into_iter().zip(wanted).map(|(place, wanted)| job(target, place, (source, wanted), &known)).collect();
    Prepared { jobs, by, away }
}

fn place(prefix: &str, wanted: &Wanted) -> Result<(RepositoryName, Tag), Failed> {
    let invalid = |error: InvalidName| Failed {
        reason: Reason::ChartInvalid,
        sentence: format!("the chart `{} {}` cannot be published: {error}", wanted.name, wanted.version),
        passing: false,
    };
    Ok((RepositoryName::below(prefix, &wanted.name).map_err(invalid)?, Tag::of_version(&wanted.version).map_err(invalid)?))
}

fn job(
    target: &TargetRun,
    place: Result<(RepositoryName, Tag), Failed>,
    (source, wanted): (&Source, &Wanted),
    knowledge: &Knowledge<'_>,
) -> Job {
    let (repository, tag) = match place {
        Ok(place) => place,
        Err(failed) => return Job::Refused { place: None, failed },
    };
    let tags = match knowledge.listed.get(&repository) {
        Some(Ok(tags)) => tags,
        Some(Err(verdict)) => return Job::Refused { place: Some((repository, tag)), failed: verdict.clone().into() },
        None => return Job::To { need: Need::Publish, repository, tag, seal: Seal::of(knowledge.demand, None) },
    };
    let known = target.known.get(&(repository.clone(), tag.clone()));
    let seal = Seal::of(knowledge.demand, known);
    let need = match need(&tag, tags, known, wanted.entry.archive_digest(), knowledge.good.as_ref()) {
        Need::Nothing(_) if knowledge.route_changed => Need::Look,
        need => need.with_attached(tags, |manifest| source.attached_tags(wanted, manifest)),
    };
    Job::To { need, repository, tag, seal }
}

/// A chart on its way, and its part of the room.
struct Held<'w> {
    parcel: Parcel<'w>,
    shared: Option<RwLockReadGuard<'w, ()>>,
    whole: Option<RwLockWriteGuard<'w, ()>>,
}

/// What all charts of a run share.
struct Work<'a> {
    source: &'a Source,
    wanted: &'a [Wanted],
    targets: &'a [TargetRun],
    prepared: &'a [Prepared<'a>],
    course: &'a Course<'a>,
    follower: &'a dyn Follower,
    pace: Pace,
    /// Shared by charts that lie in the spool together; whole for one that found too little room among them.
    room: RwLock<()>,
    done: AtomicUsize,
}

impl Work<'_> {
    fn total(&self) -> usize {
        self.wanted.len() * self.targets.len()
    }

    fn is_open(&self, index: usize) -> bool {
        self.prepared.iter().any(|prepared| prepared.jobs.get(index).is_some_and(Job::is_open))
    }

    /// For each wanted version the results of all targets; the first alone, so that it finds the way for the others.
    async fn all(&self) -> Vec<Vec<Option<Sealed>>> {
        let new = self.prepared.iter().flat_map(|prepared| &prepared.jobs).filter(|job| job.is_new()).count();
        self.done.store(self.total() - new, Ordering::Relaxed);
        if new > 0 {
            (self.course.progress)(self.total() - new, self.total());
        }
        let count = self.wanted.len();
        let first = (0..count).find(|index| self.is_open(*index)).map_or(0, |index| index + 1);
        let mut results = Vec::with_capacity(count);
        for index in 0..first {
            results.push(Box::pin(self.one(index)).await);
        }
        // In no order: a large chart does not keep the workers behind it waiting.
        let rest = (first..count).map(async |index| (index, Box::pin(self.one(index)).await));
        let mut rest: Vec<_> = futures::stream::iter(rest).buffer_unordered(self.pace.most_at_once()).collect().await;
        rest.sort_by_key(|(index, _)| *index);
        results.extend(rest.into_iter().map(|(_, result)| result));
        results
    }

    /// Nothing where the run is ended before it.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.course.cut_off() => None,
        }
    }

    async fn one(&self, index: usize) -> Vec<Option<Sealed>> {
        let Some(wanted) = self.wanted.get(index) else { return Vec::new() };
        let stay = self.pace.begin().await;
        let parcel = || Parcel::new(self.source, wanted, self.course.demand, &stay);
        let mut held = Held { parcel: parcel(), shared: Some(self.room.read().await), whole: None };
        let mut results = Vec::new();
        for (target, prepared) in self.targets.iter().zip(self.prepared) {
            let Some(job) = prepared.jobs.get(index).filter(|_| !self.course.cancel.is_cancelled()) else {
                results.push(None);
                continue;
            };
            if job.is_open() {
                self.follower.begins(wanted, target);
            }
            let mut done = self.in_time(Box::pin(job.done(target, &held.parcel))).await;
            let is_crowded = held.whole.is_none() && !self.course.cancel.is_cancelled();
            if is_crowded && done.as_ref().is_some_and(Sealed::lacks_room) {
                // Nothing is held by who waits for others to end.
                (held.parcel, held.shared) = (parcel().alone(), None);
                let alone = async {
                    held.whole = Some(self.room.write().await);
                    job.done(target, &held.parcel).await
                };
                done = self.in_time(Box::pin(alone)).await;
            }
            let done = done.filter(|done| !done.is_withdrawn());
            if let Some(done) = &done {
                self.follower.ended(wanted, target, &done.result);
            }
            let is_done = done.is_some();
            results.push(done);
            if is_done && job.is_new() {
                (self.course.progress)(self.done.fetch_add(1, Ordering::Relaxed) + 1, self.total());
            }
        }
        results
    }
}

fn collected(target: &TargetRun, wanted: &[Wanted], prepared: Prepared<'_>, results: Vec<Option<Sealed>>) -> TargetOutcome {
    let mut used = Vec::new();
    let proved_again = prepared.jobs.iter().any(Job::is_proof);
    let mut charts = Vec::new();
    for ((wanted, job), result) in wanted.iter().zip(prepared.jobs).zip(results) {
        let Some(result) = result else { continue };
        used.extend(result.way.clone());
        charts.push(ChartOutcome {
            chart: wanted.name.clone(),
            version: wanted.version.to_string(),
            place: job.place(),
            created: wanted.entry.created,
            used: result.way,
            signer: result.signer,
            result: result.result,
        });
    }
    if used.is_empty() {
        used.extend(prepared.by.map(|(way, tactic)| super::Used::of(way, tactic)));
    }
    TargetOutcome {
        name: target.name.clone(),
        registry: target.registry.clone(),
        charts,
        wanted: wanted.len(),
        used: super::Used::together(used),
        ways: target.ways.all().iter().map(super::Used::before_any).collect(),
        attempts: target.ways.attempts(),
        learnt: target.ways.remembered(),
        pull: target.pull.clone(),
        proved_again,
        readers: target.readers.plan(),
        away: prepared.away,
        failure: None,
    }
}
