//! An HTTP Helm repository: its index, and what of it is wanted.

use std::{collections::BTreeSet, sync::Arc};

use kube::runtime::reflector::Store;
use tokio::time::Instant;

use super::{
    Asking, Offer,
    oci::{self, OwnLogin},
};
use crate::{
    api::HelmRepositorySource,
    controller::{memory::Memory, start::Context},
    model::{Origin, Scheme},
    plan::{self, Wanted},
    publish::Failed,
    source::{Access, Answer, Ask, HelmRepository, Registries, SharedIndex, Source, index::Wishes},
    status::SourceReport,
};

pub(super) async fn offer(
    source: &HelmRepositorySource,
    access: Access,
    asking: &Asking<'_>,
    memory: &mut Memory,
) -> Result<Offer, Failed> {
    let Asking { context, spec, .. } = asking;
    let own = access.clone();
    let repository =
        HelmRepository::new(&source.url, access, context.fetcher.clone(), context.limits.clone(), context.index_limits.clone());
    let repository = repository.map_err(|error| Failed::from(&error))?.passing_credentials(source.pass_credentials);
    let shared = context.indexes.of(&repository);
    let last_seen = memory.shared_index.take().filter(|(known, _)| Arc::ptr_eq(known, &shared)).map(|(_, seen)| seen);
    let began = Instant::now();
    let seen = if asking.is_awaited { Some(began) } else { last_seen };
    let answered = answer(&repository, &shared, source, asking, seen).await;
    // Held also after a failure: others may have what this one could not get.
    memory.shared_index = Some((shared.clone(), answered.as_ref().map_or(began, |answer| answer.at)));
    let mut answer_at_hand = answered?;
    let mut selection = plan::select(&answer_at_hand.snapshot.index, &spec.charts);
    // What is missed may have come since another publication asked.
    if !selection.failures.is_empty() && answer_at_hand.at < began {
        answer_at_hand = answer(&repository, &shared, source, asking, Some(answer_at_hand.at)).await?;
        selection = plan::select(&answer_at_hand.snapshot.index, &spec.charts);
    }
    let Answer { snapshot, at } = answer_at_hand;
    memory.shared_index = Some((shared, at));
    let refused =
        selection.failures.iter().map(|failure| Failed { reason: failure.reason(), sentence: failure.to_string(), passing: false });
    let charts: BTreeSet<&str> = selection.wanted.iter().map(|wanted| wanted.name.as_str()).collect();
    let report = SourceReport {
        revision: snapshot.revision.to_string(),
        charts: charts.len(),
        versions: selection.wanted.len(),
        missing: selection.failures.len(),
    };
    memory.index = Some(snapshot);
    let registries = registries(&selection.wanted, (&repository, source, &own), asking).await;
    let source = Source::HelmRepository(repository.with_registries(registries));
    Ok(Offer { refused: refused.collect(), report, wanted: selection.wanted, source, index: None })
}

/// The registries that what is wanted lies in, by its index. What is wrong with one is the failure of its charts.
async fn registries(
    wanted: &[Wanted],
    (repository, source, access): (&HelmRepository, &HelmRepositorySource, &Access),
    asking: &Asking<'_>,
) -> Registries {
    let mut registries = Registries::default();
    for place in Registries::places(wanted.iter().map(|wanted| &wanted.entry)) {
        let host = place.split('/').next().unwrap_or_default();
        let is_home = Origin::parse(Scheme::Https, host).is_ok_and(|origin| origin == *repository.home());
        let login = match (is_home, source.pass_credentials) {
            (true, _) => OwnLogin::AtHome,
            (false, true) => OwnLogin::Passed,
            (false, false) => OwnLogin::Withheld,
        };
        let registry = oci::of_index(&place, access, login, asking).await;
        registries = registries.with(place, registry.map_err(|failed| failed.sentence));
    }
    registries
}

async fn answer(
    repository: &HelmRepository,
    shared: &SharedIndex,
    source: &HelmRepositorySource,
    asking: &Asking<'_>,
    seen: Option<Instant>,
) -> Result<Answer, Failed> {
    let everybody = || everybody(asking.context, &source.url);
    let ask = Ask { wishes: plan::wishes(&asking.spec.charts), everybody: &everybody, interval: asking.interval, seen };
    shared.ask(repository, &ask).await.map_err(|error| Failed::from(&*error))
}

/// What all publications want that name this address, with whatever credentials: names alone say nothing of what is there.
fn everybody(context: &Context, url: &str) -> Wishes {
    let publications = context.publications.iter().flat_map(Store::state);
    publications.fold(Wishes::default(), |all, guarded| match &guarded.0 {
        Ok(one) if !one.spec.suspend && one.spec.source.helm_repository.as_ref().is_some_and(|source| source.url == url) => {
            all.joined(plan::wishes(&one.spec.charts))
        }
        _ => all,
    })
}
