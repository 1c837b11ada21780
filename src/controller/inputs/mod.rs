//! The source of a publication: from the spec and its Secrets to something that can be asked, and what it offers. One file for each.

mod archive;
mod assembly;
mod flux;
mod helm_repository;
mod inline;
mod member;
mod objects;
mod oci;
mod reader;

use std::{sync::Arc, time::Duration};

pub(super) use self::{
    assembly::Assembly,
    member::{Member, References},
};
use super::{
    access::{Secrets, SourceKeys},
    at_hand,
    memory::Memory,
    run::{interval, requested},
    start::Context,
};
use crate::{
    api::{ChartPublication, ChartPublicationSpec},
    model::{Digest, DigestWriter},
    net::{AddressPolicy, Patience, Proxy},
    plan::Wanted,
    publish::Failed,
    remedy::CallerLogin,
    source::{
        Access, Source,
        index::{Index, IndexEntry},
    },
    status::SourceReport,
};

/// What a source offers of what is wanted.
pub(super) struct Offer {
    pub(super) source: Source,
    pub(super) wanted: Vec<Wanted>,
    /// What is wanted and not there.
    pub(super) refused: Vec<Failed>,
    pub(super) report: SourceReport,
    /// What was read for this run alone, where it is not remembered.
    pub(super) index: Option<Index>,
}

impl Offer {
    /// Of a source that has one chart.
    fn of_one(source: Source, entry: &IndexEntry, revision: Digest) -> Self {
        let wanted = vec![Wanted { name: entry.name.clone(), version: entry.version.clone(), entry: entry.clone() }];
        let report = SourceReport { revision: revision.to_string(), charts: 1, versions: 1, missing: 0 };
        Self { source, wanted, refused: Vec::new(), report, index: None }
    }
}

/// Who asks, for what, and with what.
#[derive(Clone, Copy)]
struct Asking<'a> {
    context: &'a Context,
    generation: Option<i64>,
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
    let generation = publication.metadata.generation;
    let asking = Asking { context, generation, spec: &publication.spec, secrets, patience, interval: interval(publication), is_awaited };
    let member = Member::of(&asking.spec.source)?;
    match member {
        Member::Oci(source) => oci::offer(source, oci::IN_SPEC, &asking).await,
        Member::HelmRepository(source) => helm_repository::offer(source, asking.access(member, memory).await?, &asking, memory).await,
        Member::Archive(source) => archive::offer(source, asking.access(member, memory).await?, &asking, memory).await,
        Member::Objects(kind, names) => objects::offer(kind, names, &asking, memory).await,
        Member::Inline(text) => inline::offer(text, &asking, memory).await,
        Member::Flux(reference) => flux::offer(reference, &asking, memory).await,
    }
}

impl Asking<'_> {
    /// By which proxy a source is asked.
    async fn proxy(&self, references: References<'_>) -> Result<Option<Arc<Proxy>>, Failed> {
        let Context { roots, plain_tls, .. } = self.context;
        match references.proxy_secret {
            None => Ok(None),
            Some(reference) => self.secrets.proxy(reference, roots, plain_tls).await.map(Some),
        }
    }

    /// What a source may make the controller connect to.
    fn policy(&self) -> AddressPolicy {
        let Context { allowed_addresses, api_server, .. } = self.context;
        AddressPolicy::Source { allowed: allowed_addresses.clone(), forbidden: Arc::clone(api_server) }
    }

    /// What the Secrets of the source give; what is remembered of another one is forgotten.
    async fn access(&self, member: Member<'_>, memory: &mut Memory) -> Result<Access, Failed> {
        let references = member.references();
        let Context { roots, plain_tls, .. } = self.context;
        // Without a cluster, the roots that are at hand stand in for those of a Secret.
        let cert_secret = references.cert_secret.filter(|_| self.context.has_cluster);
        let secret = references.secret.filter(|_| self.context.has_cluster);
        let mut keys = self.secrets.source_keys(secret, cert_secret, roots, plain_tls).await?;
        let mut caller = CallerLogin::Nobody;
        if let (None, Some(url)) = (secret, member.url()) {
            (keys.authorization, caller) = at_hand::http_login(self.context, references.secret, url)?;
        }
        let proxy = self.proxy(references).await?;
        forget_other_sources(memory, member, &keys, proxy.as_deref());
        Ok(Access {
            credential: keys.authorization.clone(),
            giver: reader::giver(keys.secret.clone(), caller, (self.context, member.url())),
            tls: keys.tls.clone(),
            proxy,
            policy: self.policy(),
            patience: self.patience,
        })
    }
}

/// What was read of another source, as somebody else or by another proxy, says nothing of this one.
fn forget_other_sources(memory: &mut Memory, member: Member<'_>, keys: &SourceKeys, proxy: Option<&Proxy>) {
    let key = key(member, keys, proxy);
    if memory.source_key != Some(key) {
        memory.shared_index = None;
        memory.archive = None;
        memory.source_key = Some(key);
    }
}

fn key(member: Member<'_>, keys: &SourceKeys, proxy: Option<&Proxy>) -> Digest {
    let mut writer = DigestWriter::default();
    writer.update(&member.identity());
    if let Some(authorization) = &keys.authorization {
        writer.update(authorization.fingerprint().to_string().as_bytes());
    }
    writer.update(keys.tls.fingerprint().to_string().as_bytes());
    if let Some(proxy) = proxy {
        writer.update(proxy.fingerprint().to_string().as_bytes());
    }
    writer.finish().0
}
