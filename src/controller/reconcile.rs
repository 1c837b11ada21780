//! One reconcile, from the object to the time of the next: a sequence.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use kube::{ResourceExt, core::DeserializeGuard, runtime::controller::Action};
use tokio::time::Instant;

use super::{
    memory::{LastRun, Memory},
    patch::StatusWriter,
    run::{Run, interval},
    schedule::{Ended, ReaderPace, is_settling},
    start::Context,
    targets::plan_all,
};
use crate::{
    api::{ChartPublication, REQUESTED_AT},
    status::{Report, suspended},
    steps,
};

const AFTER_PANIC: Duration = Duration::from_mins(1);
/// No run follows another at once.
const SHORTEST: Duration = Duration::from_secs(1);
/// How long running work may take to come to a safe point after it was told to end: what is sent is left, what is known is written.
const GRACE: Duration = Duration::from_secs(2);

type Guarded = DeserializeGuard<ChartPublication>;

/// Brings one publication to what its spec says. A panic ends this run alone.
pub(super) async fn reconcile(object: Arc<Guarded>, context: Arc<Context>) -> Result<Action, Infallible> {
    let name = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    let publication = match &object.0 {
        Ok(publication) => publication,
        Err(invalid) => {
            tracing::error!(publication = name, error = invalid.error, "the object does not fit the schema: apply the CRD of this version");
            return Ok(Action::await_change());
        }
    };
    let work = async {
        steps::reconciles(&name);
        reconciled(publication, &context).await
    };
    let work = AssertUnwindSafe(work).catch_unwind();
    let stopped = async {
        context.stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let result = tokio::select! {
        result = work => result,
        () = stopped => return Ok(Action::await_change()),
    };
    Ok(result.unwrap_or_else(|_| {
        tracing::error!(publication = name, "the reconcile panicked: this is a defect of chart-publisher, please report it");
        Action::requeue(AFTER_PANIC)
    }))
}

/// There are no errors: each is a status.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "kube calls it with a reference")]
pub(super) fn after_error(_: Arc<Guarded>, error: &Infallible, _: Arc<Context>) -> Action {
    match *error {}
}

async fn reconciled(publication: &ChartPublication, context: &Context) -> Action {
    let Some(uid) = publication.uid() else { return Action::await_change() };
    let memory = context.memories.of(&uid);
    let mut memory = memory.lock().await;
    let publication = &*context.statuses.newest(publication);
    if publication.metadata.deletion_timestamp.is_some() {
        return Action::await_change();
    }
    if publication.spec.suspend {
        return suspend(publication, context, &mut memory).await;
    }
    let (namespace, generation) = (publication.namespace().unwrap_or_default(), publication.metadata.generation);
    let requested_at = publication.annotations().get(REQUESTED_AT).cloned();
    let plans = plan_all(publication, &context.cluster);
    let rest = memory.rest(generation, requested_at.as_ref(), &plans);
    if let Some(rest) = rest
        && !Run::new(publication, context, &plans).has_new_objects(&mut memory).await
    {
        if memory.readers.rest(Instant::now()).is_some_and(|rest| rest.is_zero()) {
            let _slot = context.slots.acquire(&namespace).await;
            Box::pin(Run::new(publication, context, &plans).check_readers_alone(&mut memory)).await;
        }
        return Action::requeue(soonest(rest, &memory));
    }
    let _slot = context.slots.acquire(&namespace).await;
    if is_settling(memory.note(generation, &plans)) {
        context.transport.close_idle();
    }
    // On the heap: most reconciles find that nothing is due, and need no room for a run.
    let ended = Box::pin(Run::new(publication, context, &plans).execute(&mut memory)).await;
    let next = next(publication, ended, &mut memory);
    memory.last = Some(LastRun { generation, requested_at, plans, next: Instant::now() + next });
    Action::requeue(soonest(next, &memory))
}

/// The next run, or before it the next check of the readers' routes alone, or the next look at Secrets and `ConfigMaps`.
fn soonest(next: Duration, memory: &Memory) -> Duration {
    let now = Instant::now();
    let look = memory.awaited.as_ref().map(|awaited| awaited.next.saturating_duration_since(now));
    [memory.readers.rest(now), look].into_iter().flatten().fold(next, Duration::min).max(SHORTEST)
}

async fn suspend(publication: &ChartPublication, context: &Context, memory: &mut Memory) -> Action {
    let report = Report {
        generation: publication.metadata.generation,
        requested_at: publication.annotations().get(REQUESTED_AT).cloned(),
        previous: publication.status.as_ref(),
        now: super::run::now(),
    };
    let status = suspended(&report);
    if publication.status.as_ref() != Some(&status) {
        let (client, tenure, written) = (context.client.clone(), context.tenure.clone(), context.statuses.clone());
        let writer = StatusWriter::of(client, tenure, written, &publication.namespace().unwrap_or_default(), &publication.name_any());
        writer.write(&status, &context.stop).await;
    }
    memory.last = None;
    memory.awaited = None;
    memory.held = None;
    memory.readers = ReaderPace::default();
    Action::await_change()
}

fn next(publication: &ChartPublication, ended: Ended, memory: &mut Memory) -> Duration {
    let interval = interval(publication);
    let next = memory.pace.next(ended, memory.changed.map(|at| at.elapsed()), interval, fastrand::f64());
    let now = Instant::now();
    // A round of proofs that is due and failed is tried again as the failure has it.
    let proof = memory.next_proof.take().filter(|_| !matches!(ended, Ended::Retry | Ended::Away));
    if let Some(held) = &memory.held {
        return held.look(now, fastrand::f64()).max(SHORTEST);
    }
    proof.map_or(next, |proof| proof.saturating_duration_since(now).min(next)).max(SHORTEST)
}
