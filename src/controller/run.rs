//! One run: dereference, ask the source, plan, publish, prove, report. What goes wrong in a step stands in the status, and the
//! other targets go on.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use kube::{Resource, ResourceExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    access::{Keys, Secrets},
    demand::demand,
    events,
    inputs::{Member, Offer, offer},
    inventory::{self, Inventory},
    memory::{Awaited, Memory},
    moved::without_moved,
    patch::{StatusWriter, Written},
    proofs,
    schedule::{Ended, Held, SECRET_LOOK, is_of_a_secret, is_only_away},
    start::Context,
    targets::{Before, PlannedTarget, Recollection, asked, identity, target_run},
};
use crate::{
    api::{ChartPublication, ChartPublicationStatus, FORCE_AT, InventoryEntry, REQUESTED_AT, Target},
    model::span,
    net::Patience,
    provenance::Demand,
    publish::{self, Away, Course, Failed, Outcome, TargetOutcome, TargetRun},
    registry::Permit,
    remedy::Audience,
    status::{Report, SourceReport, progress, report},
};

const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);
const DEFAULT_INTERVAL: Duration = Duration::from_hours(1);
/// Before each further try to write the record of what is published.
const RECORD_PAUSES: [Duration; 4] = [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
const BETWEEN_PROGRESS: Duration = Duration::from_secs(5);
/// How soon a running publication sees that its spec has changed.
pub(super) const LOOK: Duration = Duration::from_secs(1);

pub(super) fn now() -> Time {
    // Kubernetes keeps whole seconds; a status with more would differ from itself once it was read back.
    let now = Timestamp::now();
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

/// How often the source is asked again.
pub(super) fn interval(publication: &ChartPublication) -> Duration {
    span(&publication.spec.interval).unwrap_or(DEFAULT_INTERVAL)
}

/// What a user asks for by the annotation, until a run has done it.
pub(super) fn requested(publication: &ChartPublication) -> Option<&String> {
    let handled = publication.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_ref());
    publication.annotations().get(REQUESTED_AT).filter(|request| Some(*request) != handled)
}

/// One run of one publication.
pub(super) struct Run<'a> {
    pub(super) publication: &'a ChartPublication,
    pub(super) context: &'a Context,
    pub(super) plans: &'a [PlannedTarget],
    namespace: String,
    pub(super) writer: StatusWriter,
    pub(super) secrets: Secrets,
    /// What of the status holds, where that is not all of it.
    holding: OnceLock<ChartPublicationStatus>,
    /// What the last run found away.
    away: OnceLock<Vec<Away>>,
    /// Cancelled by a change of the spec, by deletion, and when the program stops or no longer leads.
    cancel: CancellationToken,
    /// What registries may be sent until then.
    permit: Permit,
    /// The conditions of the progress that was written last: they stand there then, and not those that were read.
    told: Mutex<Option<Vec<Condition>>>,
    /// Whether this process has run for this publication before.
    is_repeated: AtomicBool,
}

impl<'a> Run<'a> {
    pub(super) fn new(publication: &'a ChartPublication, context: &'a Context, plans: &'a [PlannedTarget]) -> Self {
        let namespace = publication.namespace().unwrap_or_default();
        let (client, tenure, written) = (context.client.clone(), context.tenure.clone(), context.statuses.clone());
        let writer = StatusWriter::of(client, tenure, written, &namespace, &publication.name_any());
        let secrets = Secrets::new(context.client.clone(), &namespace);
        let cancel = context.stop.child_token();
        let permit = Permit::new(cancel.clone(), context.tenure.clone());
        Self {
            publication,
            context,
            plans,
            namespace,
            writer,
            secrets,
            holding: OnceLock::new(),
            away: OnceLock::new(),
            cancel,
            permit,
            told: Mutex::default(),
            is_repeated: AtomicBool::new(false),
        }
    }

    /// Does all of it; the status is written when this returns.
    pub(super) async fn execute(&self, memory: &mut Memory) -> Ended {
        self.is_repeated.store(memory.last.is_some(), Ordering::Relaxed);
        memory.held = None;
        self.found_away(std::mem::take(&mut memory.away));
        let ended = Box::pin(self.attempt(memory)).await;
        memory.index = None;
        let (seen, next) = (self.secrets.objects().seen(), Instant::now() + SECRET_LOOK);
        memory.awaited = (ended == Ended::AwaitingSecret).then_some(Awaited { seen, next });
        ended
    }

    /// What the last run of the same publication found away: it may ask again at any time.
    pub(super) fn found_away(&self, away: Vec<Away>) {
        let _ = self.away.set(away);
    }

    /// Whether a Secret or ConfigMap that may help has changed since the last run, once it is time to look.
    pub(super) async fn has_new_objects(&self, memory: &mut Memory) -> bool {
        let Some(awaited) = memory.awaited.as_mut().filter(|awaited| awaited.next <= Instant::now()) else { return false };
        let differ = self.secrets.objects().differ_from(&awaited.seen).await;
        awaited.next = Instant::now() + SECRET_LOOK;
        differ
    }

    async fn attempt(&self, memory: &mut Memory) -> Ended {
        self.announce().await;
        let inventory = Inventory::of(self.context.client.clone(), self.publication);
        let entries = match inventory.entries(self.publication, memory).await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, "the inventory could not be read; trying again");
                return Ended::Retry;
            }
        };
        if let Some(holding) = without_moved(self.publication, &entries) {
            let _ = self.holding.set(holding);
        }
        let asked = tokio::select! {
            asked = self.ask(memory) => asked,
            () = self.outdated() => return Ended::Retry,
        };
        let (demand, offer) = match asked {
            Ok(asked) => asked,
            Err(failed) => return self.finish(&now(), None, &[failed], &Outcome::default()).await.0,
        };
        let recollection = self.recollection(memory);
        let (runs, failed) = self.targets(&entries, &offer, recollection).await;
        let outcome = Box::pin(self.publish(&offer, &runs, failed, &demand)).await;
        // Ended before the registries had said what is there: nothing new is known.
        if outcome.cancelled && outcome.targets.len() < self.plans.len() {
            return Ended::Retry;
        }
        tokio::select! {
            biased;
            () = self.context.tenure.certain() => self.conclude(&inventory, &entries, &offer, &runs, &outcome, memory).await,
            () = self.context.stop.cancelled() => Ended::Retry,
        }
    }

    /// What is demanded of charts, then what the source has: where no signature could be judged, nobody is asked for charts.
    async fn ask(&self, memory: &mut Memory) -> Result<(Demand, Offer), Failed> {
        let demand = self.demand().await?;
        let offer = offer(self.context, self.publication, &self.secrets, self.patience(), memory).await?;
        // What was not chosen of it is not held while charts are on their way.
        Ok((demand, Offer { index: None, ..offer }))
    }

    /// What is demanded of the origin of charts.
    pub(super) async fn demand(&self) -> Result<Demand, Failed> {
        demand(self.publication, &self.secrets, now().0.as_second()).await
    }

    /// Writes what came of it, first into the record and then into the status.
    async fn conclude(
        &self,
        inventory: &Inventory,
        entries: &[InventoryEntry],
        offer: &Offer,
        runs: &[TargetRun],
        outcome: &Outcome,
        memory: &mut Memory,
    ) -> Ended {
        // One time for both: what the record calls proven then, a later run says of the status, too.
        let now = now();
        let updated = inventory::updated(entries, outcome, &now);
        let mut written = inventory.write(self.publication, updated.clone(), memory).await;
        memory.away = outcome.targets.iter().filter_map(|target| target.away.clone()).collect();
        memory.next_proof = proofs::next(self.publication, outcome).map(|rest| Instant::now() + rest);
        let (ended, status) = self.finish(&now, Some(&offer.report), &offer.refused, outcome).await;
        for pause in RECORD_PAUSES {
            // The status was written once the API server was back: so is this, before the run leaves its place to others.
            if written.is_ok() || self.context.stop.is_cancelled() || !self.context.tenure.is_certain() {
                break;
            }
            tokio::time::sleep(pause).await;
            written = inventory.write(self.publication, updated.clone(), memory).await;
        }
        self.check_readers(runs, status, outcome, memory).await;
        if let Err(error) = written {
            tracing::warn!(%error, "the inventory could not be written; trying again");
            return Ended::Retry;
        }
        if ended != Ended::Retry || !is_only_away(&offer.refused, &outcome.targets) {
            return ended;
        }
        memory.held = Some(Held { by: memory.away.clone(), until: Instant::now() + interval(self.publication) });
        Ended::Away
    }

    pub(super) fn patience(&self) -> Patience {
        Patience { stall: span(&self.publication.spec.timeout).unwrap_or(DEFAULT_TIMEOUT) }
    }

    fn recollection(&self, memory: &Memory) -> Recollection {
        match &memory.last {
            _ if self.is_forced() => Recollection::Forget,
            None => Recollection::Recall,
            Some(_) => Recollection::Keep,
        }
    }

    /// The ways to each target, or why there is none.
    async fn targets(&self, entries: &[InventoryEntry], offer: &Offer, recollection: Recollection) -> (Vec<TargetRun>, Vec<TargetOutcome>) {
        let (mut runs, mut failed) = (Vec::new(), Vec::new());
        for (target, planned) in self.publication.spec.targets.iter().zip(self.plans) {
            match self.target(target, planned, entries, recollection).await {
                Ok(run) => runs.push(run),
                Err(failure) => failed.push(TargetOutcome {
                    name: target.name.clone(),
                    registry: identity(target, &self.namespace),
                    wanted: offer.wanted.len(),
                    pull: planned.plan.as_ref().ok().and_then(|plan| plan.pull.clone()),
                    failure: Some(failure),
                    ..TargetOutcome::default()
                }),
            }
        }
        (runs, failed)
    }

    pub(super) async fn target(
        &self,
        target: &Target,
        planned: &PlannedTarget,
        entries: &[InventoryEntry],
        recollection: Recollection,
    ) -> Result<TargetRun, Failed> {
        let (secret, cert_secret) = (target.secret_ref.as_ref(), target.cert_secret_ref.as_ref());
        let keys = self.secrets.keys(secret, cert_secret, &self.context.roots, &self.context.plain_tls).await?;
        self.reached(target, planned, entries, recollection, &keys, Audience::Resource)
    }

    /// The same with keys that were read before.
    pub(super) fn reached(
        &self,
        target: &Target,
        planned: &PlannedTarget,
        entries: &[InventoryEntry],
        recollection: Recollection,
        keys: &Keys,
        audience: Audience,
    ) -> Result<TargetRun, Failed> {
        let status = self.previous().and_then(|status| status.targets.iter().find(|old| old.name == target.name));
        let readers_asked = !asked(self.publication).is_empty();
        let (namespace, patience, permit) = (self.namespace.as_str(), self.patience(), &self.permit);
        let away = self.away.get().map(Vec::as_slice).unwrap_or_default();
        let before = Before { readers_asked, namespace, patience, inventory: entries, status, recollection, permit, away, audience };
        target_run(self.context, target, planned, keys, &before)
    }

    /// Whether a user asks to try everything anew, as `flux reconcile --force` does.
    fn is_forced(&self) -> bool {
        let annotations = self.publication.annotations();
        requested(self.publication).is_some_and(|request| annotations.get(FORCE_AT) == Some(request))
    }

    async fn publish(&self, offer: &Offer, runs: &[TargetRun], failed: Vec<TargetOutcome>, demand: &Demand) -> Outcome {
        let told = Mutex::new((Instant::now(), None::<(usize, usize)>));
        // What is out of reach from the beginning is wanted, too.
        let beyond = offer.report.missing * self.plans.len() + failed.iter().map(|target| target.wanted).sum::<usize>();
        let tell = |done: usize, total: usize| {
            told.lock().unwrap_or_else(PoisonError::into_inner).1 = Some((done, total + beyond));
        };
        let proof = proofs::terms(self.publication);
        let course = Course { workers: self.context.workers, cancel: &self.cancel, proof, demand, progress: &tell };
        let work = publish::run(&offer.source, &offer.wanted, runs, &course);
        let beside = async {
            loop {
                tokio::time::sleep(LOOK).await;
                if self.is_outdated() {
                    self.cancel.cancel();
                }
                let news = {
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    if told.0.elapsed() < BETWEEN_PROGRESS { None } else { told.1.take().inspect(|_| told.0 = Instant::now()) }
                };
                if let Some((done, total)) = news {
                    self.tell(done, total).await;
                }
            }
        };
        let mut outcome = tokio::select! {
            outcome = work => outcome,
            () = beside => Outcome { cancelled: true, ..Outcome::default() },
        };
        outcome.targets.extend(failed);
        let position = |name: &str| self.publication.spec.targets.iter().position(|target| target.name == name);
        outcome.targets.sort_by_key(|target| position(&target.name));
        Self::with_chart_name(offer, &mut outcome);
        outcome
    }

    /// Where all versions are of one chart, its address can be pasted as it is.
    pub(super) fn with_chart_name(offer: &Offer, outcome: &mut Outcome) {
        let mut names = offer.wanted.iter().map(|wanted| wanted.name.as_str());
        let Some(name) = names.next().filter(|first| names.all(|name| name == *first)) else { return };
        for pull in outcome.targets.iter_mut().filter_map(|target| target.pull.as_mut()) {
            *pull = format!("{}/{name}", pull.trim_end_matches('/'));
        }
    }

    /// Whether the object that this run is for has another spec by now, or is gone.
    pub(super) fn is_outdated(&self) -> bool {
        let reference = kube::runtime::reflector::ObjectRef::new(&self.publication.name_any()).within(&self.namespace);
        let current = self.context.publications.iter().find_map(|store| store.get(&reference));
        current.is_none_or(|current| {
            current.uid() != self.publication.uid()
                || current.meta().generation != self.publication.metadata.generation
                || current.meta().deletion_timestamp.is_some()
        })
    }

    /// What was said before and may be said again.
    fn previous(&self) -> Option<&ChartPublicationStatus> {
        self.holding.get().or(self.publication.status.as_ref())
    }

    /// `standing` is what the status says by now, where that is not what was read.
    pub(super) fn report<'r>(&'r self, now: &Time, standing: Option<&'r ChartPublicationStatus>) -> Report<'r> {
        Report {
            generation: self.publication.metadata.generation,
            requested_at: self.publication.annotations().get(REQUESTED_AT).cloned(),
            previous: standing.or_else(|| self.previous()),
            now: now.clone(),
        }
    }

    /// A spec that was not seen before is told that it is. Nobody should take the absence of conditions for success.
    async fn announce(&self) {
        let observed = self.publication.status.as_ref().and_then(|status| status.observed_generation);
        if observed != self.publication.metadata.generation {
            self.tell(0, 0).await;
        }
    }

    async fn tell(&self, done: usize, total: usize) {
        let standing = self.standing();
        let mut report = self.report(&now(), standing.as_ref());
        // A request is handled when its run has ended.
        report.requested_at = report.previous.and_then(|previous| previous.last_handled_reconcile_at.clone());
        let status = progress(&report, done, total);
        // Also where no answer comes it may have been written.
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(status.conditions.clone());
        if let Err(error) = self.writer.try_write(&status).await {
            tracing::debug!(%error, "progress could not be written");
        }
    }

    /// What stands in the status by now, where progress was written.
    fn standing(&self) -> Option<ChartPublicationStatus> {
        let conditions = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(ChartPublicationStatus { conditions, ..self.previous().cloned().unwrap_or_default() })
    }

    async fn finish(
        &self,
        now: &Time,
        source: Option<&SourceReport>,
        refused: &[Failed],
        outcome: &Outcome,
    ) -> (Ended, ChartPublicationStatus) {
        let before = self.publication.status.as_ref();
        let standing = self.standing();
        let status = report(&self.report(now, standing.as_ref()), source, refused, outcome);
        let mut written = Written::Done;
        self.log(before, &status);
        if before != Some(&status) || standing.is_some() {
            written = self.writer.write(&status, &self.context.stop).await;
        }
        events::send(&self.context.recorder, self.publication, events::of_run(before, &status, outcome)).await;
        let retrying = status.conditions.iter().any(|condition| condition.type_ == "Reconciling");
        let mut failures = refused.iter().chain(outcome.targets.iter().flat_map(TargetOutcome::failures));
        // Other content of the objects that hold the chart may cure whatever is wrong.
        let is_held = Member::of(&self.publication.spec.source).is_ok_and(|member| !member.objects().is_empty());
        let curable = !self.secrets.objects().seen().is_empty() && failures.any(|failed| is_held || is_of_a_secret(failed.reason));
        let detour = outcome.targets.iter().any(TargetOutcome::is_detour);
        let ended = if written == Written::Refused { Ended::Retry } else { Ended::of(curable, retrying, detour) };
        (ended, status)
    }

    /// What was said before is not said again at each retry.
    fn log(&self, before: Option<&ChartPublicationStatus>, status: &ChartPublicationStatus) {
        let name = format!("{}/{}", self.namespace, self.publication.name_any());
        let known = before.filter(|_| self.is_repeated.load(Ordering::Relaxed)).map_or(&[][..], |before| &before.conditions);
        for condition in status.conditions.iter().filter(|condition| condition.type_ == "Ready") {
            let (reason, message) = (&condition.reason, &condition.message);
            let is_same = |old: &Condition| old.type_ == "Ready" && (&old.reason, &old.message) == (reason, message);
            if known.iter().any(is_same) {
                tracing::debug!(publication = name, %reason, "{message}");
            } else if condition.status == "True" {
                tracing::info!(publication = name, %reason, "{message}");
            } else {
                tracing::warn!(publication = name, %reason, "{message}");
            }
        }
    }
}
