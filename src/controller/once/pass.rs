//! One pass over one publication: ask the source, find the ways, publish, prove.

use kube::ResourceExt;

use super::{Means, Onlooker, Turn, account::Account};
use crate::{
    api::Target,
    controller::{
        foresee::{Look, without_cluster},
        inputs::Offer,
        inventory,
        objects::Seen,
        run::{Run, now},
        schedule::{Ended, is_of_a_secret},
        start::Context,
        targets::{PlannedTarget, Recollection, identity, plan_all},
    },
    provenance::Demand,
    publish::{self, Course, Outcome, TargetOutcome, TargetRun},
};

/// Makes one; what came of it stands in the account of `turn`. Says how it ended, and by which Secrets.
pub(super) async fn pass(context: &Context, means: &Means, turn: &mut Turn<'_>, onlooker: &dyn Onlooker) -> (Ended, Seen) {
    let publication = turn.publication;
    let plans = plans(context, means, turn);
    let run = Run::new(publication, context, &plans);
    run.found_away(std::mem::take(&mut turn.memory.away));
    let entries = std::mem::take(&mut turn.entries);
    let look = Look { context, publication, run, entries, recollection: Recollection::Keep };
    let asked = async {
        let demand = look.demand().await?;
        Ok((demand, look.offer(&mut turn.memory).await?))
    };
    let offered = tokio::select! {
        offered = asked => offered,
        () = context.stop.cancelled() => return stopped(turn, look.entries),
    };
    let mut account = Account::of(publication);
    match offered {
        Err(failed) => account.refused.push(without_cluster(context, failed)),
        Ok((demand, offer)) => {
            let reached = tokio::select! {
                reached = reached(&look, &offer, onlooker) => reached,
                () = context.stop.cancelled() => return stopped(turn, look.entries),
            };
            let outcome = Box::pin(published(&look, &offer, reached, &demand, onlooker)).await;
            turn.memory.away = outcome.targets.iter().filter_map(|target| target.away.clone()).collect();
            turn.entries = inventory::updated(&look.entries, &outcome, &now());
            account.stopped = outcome.cancelled;
            (account.source, account.refused, account.targets) = (Some(offer.report), offer.refused, outcome.targets);
        }
    }
    for failed in &account.refused {
        onlooker.refused(None, failed);
    }
    // It is shared, and the next pass may find a newer one.
    turn.memory.index = None;
    let seen = look.run.secrets.objects().seen();
    let ended = ended(&account, &seen);
    if turn.entries.is_empty() {
        turn.entries = look.entries;
    }
    turn.account = account.after(std::mem::take(&mut turn.account));
    (ended, seen)
}

fn stopped(turn: &mut Turn<'_>, entries: Vec<crate::api::InventoryEntry>) -> (Ended, Seen) {
    turn.account.stopped = true;
    turn.entries = entries;
    (Ended::Settled, Seen::new())
}

fn ended(account: &Account, seen: &Seen) -> Ended {
    let curable = !seen.is_empty() && account.failures().any(|failed| is_of_a_secret(failed.reason));
    Ended::of(curable, account.failures().any(|failed| failed.passing), false)
}

/// As the controller plans it; from outside of the cluster without what only leads somewhere inside.
fn plans(context: &Context, means: &Means, turn: &Turn<'_>) -> Vec<PlannedTarget> {
    let namespace = turn.publication.namespace().unwrap_or_default();
    let planned = plan_all(turn.publication, &context.cluster).into_iter().zip(&turn.publication.spec.targets);
    let from_here = |(planned, target): (PlannedTarget, &Target)| match &target.service {
        Some(service) if !means.in_cluster => {
            let plan = planned.plan.and_then(|plan| plan.from_outside(&format!("{namespace}/{}", service.name)));
            PlannedTarget { plan, ..planned }
        }
        _ => planned,
    };
    planned.map(from_here).collect()
}

/// The ways to each target, or why there is none.
async fn reached(look: &Look<'_>, offer: &Offer, onlooker: &dyn Onlooker) -> (Vec<TargetRun>, Vec<TargetOutcome>) {
    let (mut runs, mut failed) = (Vec::new(), Vec::new());
    let namespace = look.publication.namespace().unwrap_or_default();
    for (target, planned) in look.publication.spec.targets.iter().zip(look.run.plans) {
        match look.reached(target, planned).await.map_err(|failed| without_cluster(look.context, failed)) {
            Ok(run) => runs.push(run),
            Err(failure) => {
                onlooker.refused(Some(&target.name), &failure);
                failed.push(TargetOutcome {
                    name: target.name.clone(),
                    registry: identity(target, &namespace),
                    wanted: offer.wanted.len(),
                    pull: planned.plan.as_ref().ok().and_then(|plan| plan.pull.clone()),
                    failure: Some(failure),
                    ..TargetOutcome::default()
                });
            }
        }
    }
    (runs, failed)
}

async fn published(
    look: &Look<'_>,
    offer: &Offer,
    (runs, failed): (Vec<TargetRun>, Vec<TargetOutcome>),
    demand: &Demand,
    onlooker: &dyn Onlooker,
) -> Outcome {
    let progress = |done, total| onlooker.progressed(done, total);
    let course = Course { workers: look.context.workers, cancel: &look.context.stop, proof: None, demand, progress: &progress };
    let mut outcome = publish::followed(&offer.source, &offer.wanted, &runs, &course, onlooker).await;
    outcome.targets.extend(failed);
    let position = |name: &str| look.publication.spec.targets.iter().position(|target| target.name == name);
    outcome.targets.sort_by_key(|target| position(&target.name));
    Run::with_chart_name(offer, &mut outcome);
    outcome
}
