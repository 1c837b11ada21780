//! A chart that is put together of pieces, and not again while they are what they were.

use super::Offer;
use crate::{
    controller::memory::Memory,
    model::Digest,
    publish::Failed,
    source::{Assembled, Source, SourceError, index::IndexEntry},
};

/// A chart that was put together, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::controller) struct Assembly {
    /// Names each piece in its version: where all are the same, so is the chart.
    pub(super) pieces: Vec<String>,
    entry: IndexEntry,
    revision: Digest,
}

/// What `known` says that `source` has, else what it has. `pieces` names what was read for that.
pub(super) async fn offer(
    source: Assembled,
    known: Option<Assembly>,
    pieces: impl Fn() -> Vec<String>,
    memory: &mut Memory,
) -> Result<Offer, Failed> {
    memory.assembly = None;
    let assembly = match known {
        Some(assembly) => assembly,
        None => {
            let (entry, revision) = source.look().await.map_err(|error| Failed::from(&SourceError::from(error)))?;
            Assembly { pieces: pieces(), entry, revision }
        }
    };
    let offer = Offer::of_one(Source::Assembled(source), &assembly.entry, assembly.revision);
    memory.assembly = Some(assembly);
    Ok(offer)
}
