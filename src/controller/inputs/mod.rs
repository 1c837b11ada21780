//! The source of a publication: from the spec and its Secrets to something that can be asked, and what it offers. One file for each.

mod archive;
mod helm_repository;
mod member;

use std::{sync::Arc, time::Duration};

pub(super) use self::member::{Member, References};
use super::{
    access::{Secrets, SourceKeys},
    memory::Memory,
    run::{interval, requested},
    start::Context,
};
use crate::{
    api::{ChartPublication, ChartPublicationSpec},
    model::{Digest, DigestWriter},
    net::{AddressPolicy, Patience},
    plan::Wanted,
    publish::Failed,
    source::{Access, Source, index::IndexEntry},
    status::SourceReport,
};

/// What a source offers of what is wanted.
pub(super) struct Offer {
    pub(super) source: Source,
    pub(super) wanted: Vec<Wanted>,
    /// What is wanted and not there.
    pub(super) refused: Vec<Failed>,
    pub(super) report: SourceReport,
}

impl Offer {
    /// Of a source that has one chart.
    fn of_one(source: Source, entry: &IndexEntry, revision: Digest) -> Self {
        let wanted = vec![Wanted { name: entry.name.clone(), version: entry.version.clone(), entry: entry.clone() }];
        let report = SourceReport { revision: revision.to_string(), charts: 1, versions: 1 };
        Self { source, wanted, refused: Vec::new(), report }
    }
}

/// Who asks, for what, and with what.
struct Asking<'a> {
    context: &'a Context,
    spec: &'a ChartPublicationSpec,
    secrets: &'a Secrets,
    patience: Patience,
    /// How often the source is asked.
    interval: Duration,
    /// Whether a user waits for what the source says now: they have changed the spec, or ask for a run.
    is_awaited: bool,
}

/// Asks the source, once, and only for what has changed.
pub(super) async fn offer(
    context: &Context,
    publication: &ChartPublication,
    secrets: &Secrets,
    patience: Patience,
    memory: &mut Memory,
) -> Result<Offer, Failed> {
    let has_changed = memory.last.as_ref().is_some_and(|last| last.generation != publication.metadata.generation);
    let is_awaited = has_changed || requested(publication).is_some();
    let asking = Asking { context, spec: &publication.spec, secrets, patience, interval: interval(publication), is_awaited };
    let member = Member::of(&asking.spec.source)?;
    let access = asking.access(member, memory).await?;
    match member {
        Member::HelmRepository(source) => helm_repository::offer(source, access, &asking, memory).await,
        Member::Archive(source) => archive::offer(source, access, &asking, memory).await,
    }
}

impl Asking<'_> {
    /// What the Secrets of the source give; what is remembered of another one is forgotten.
    async fn access(&self, member: Member<'_>, memory: &mut Memory) -> Result<Access, Failed> {
        let references = member.references();
        let context = self.context;
        let keys = self.secrets.source_keys(references.secret, references.cert_secret, &context.roots, &context.plain_tls).await?;
        forget_other_sources(memory, self.spec, &keys);
        Ok(Access {
            credential: keys.authorization.clone(),
            secret: keys.secret.clone(),
            tls: keys.tls.clone(),
            policy: AddressPolicy::Source { allowed: context.allowed_addresses.clone(), forbidden: Arc::clone(&context.api_server) },
            patience: self.patience,
        })
    }
}

/// What was read of another source, or as somebody else, says nothing of this one.
fn forget_other_sources(memory: &mut Memory, spec: &ChartPublicationSpec, keys: &SourceKeys) {
    let key = key(spec, keys);
    if memory.source_key != Some(key) {
        memory.shared_index = None;
        memory.archive = None;
        memory.source_key = Some(key);
    }
}

fn key(spec: &ChartPublicationSpec, keys: &SourceKeys) -> Digest {
    let mut writer = DigestWriter::default();
    writer.update(&serde_json::to_vec(&spec.source).unwrap_or_default());
    if let Some(authorization) = &keys.authorization {
        writer.update(authorization.fingerprint().to_string().as_bytes());
    }
    writer.update(keys.tls.fingerprint().to_string().as_bytes());
    writer.finish().0
}
