//! An HTTP Helm repository: its index, and what of it is wanted.

use std::collections::BTreeSet;

use super::{Asking, Offer};
use crate::{
    api::HelmRepositorySource,
    controller::memory::Memory,
    plan,
    publish::Failed,
    source::{Access, HelmRepository, Source},
    status::SourceReport,
};

pub(super) async fn offer(
    source: &HelmRepositorySource,
    access: Access,
    asking: &Asking<'_>,
    memory: &mut Memory,
) -> Result<Offer, Failed> {
    let Asking { context, spec, .. } = asking;
    let repository =
        HelmRepository::new(&source.url, access, context.fetcher.clone(), context.limits.clone(), context.index_limits.clone());
    let repository = repository.map_err(|error| Failed::from(&error))?.passing_credentials(source.pass_credentials);
    let snapshot = repository.index(&plan::wishes(&spec.charts), memory.index.clone()).await.map_err(|error| Failed::from(&error))?;
    memory.index = Some(snapshot.clone());
    let selection = plan::select(&snapshot.index, &spec.charts);
    let refused =
        selection.failures.iter().map(|failure| Failed { reason: failure.reason(), sentence: failure.to_string(), passing: false });
    let charts: BTreeSet<&str> = selection.wanted.iter().map(|wanted| wanted.name.as_str()).collect();
    let report = SourceReport { revision: snapshot.revision.to_string(), charts: charts.len(), versions: selection.wanted.len() };
    Ok(Offer { refused: refused.collect(), report, wanted: selection.wanted, source: Source::HelmRepository(repository) })
}
