//! One chart archive at a URL.

use super::{Asking, Offer};
use crate::{
    api::{ArchiveSource, Reason},
    controller::memory::Memory,
    model::InvalidDigest,
    publish::Failed,
    source::{Access, Archive, Source},
};

pub(super) async fn offer(source: &ArchiveSource, access: Access, asking: &Asking<'_>, memory: &mut Memory) -> Result<Offer, Failed> {
    let context = asking.context;
    let promised = source.digest.as_ref().map(|digest| digest.parse()).transpose().map_err(|error: InvalidDigest| {
        let sentence = format!("`spec.source.archive.digest`: {error}");
        Failed { reason: Reason::SourceInvalid, sentence, passing: false }
    })?;
    let archive = Archive::new(&source.url, promised, access, context.fetcher.clone(), context.limits.clone());
    let archive = archive.map_err(|error| Failed::from(&error))?;
    let snapshot = archive.look(memory.archive.clone()).await.map_err(|error| Failed::from(&error))?;
    memory.archive = Some(snapshot.clone());
    Ok(Offer::of_one(Source::Archive(archive), &snapshot.entry, snapshot.revision))
}
