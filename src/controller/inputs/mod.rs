//! The source of a publication: from the spec and its Secrets to something that can be asked, and what it offers. One file for each.

mod archive;
mod helm_repository;
mod member;

use std::sync::Arc;

pub(super) use self::member::{Member, References};
use super::{
    access::{Keys, Secrets},
    memory::Memory,
    start::Context,
};
use crate::{
    api::{ChartPublication, ChartPublicationSpec, Reason},
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
}

/// Asks the source, once, and only for what has changed.
pub(super) async fn offer(
    context: &Context,
    publication: &ChartPublication,
    secrets: &Secrets,
    patience: Patience,
    memory: &mut Memory,
) -> Result<Offer, Failed> {
    let asking = Asking { context, spec: &publication.spec, secrets, patience };
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
        let keys = self.secrets.keys(references.secret, references.cert_secret, &context.roots, &context.plain_tls).await?;
        check_login(&keys)?;
        forget_other_sources(memory, self.spec, &keys);
        Ok(Access {
            credential: keys.login.to(&[]).cloned(),
            secret: keys.secret.clone(),
            tls: keys.tls.clone(),
            policy: AddressPolicy::Source { allowed: context.allowed_addresses.clone(), forbidden: Arc::clone(&context.api_server) },
            patience: self.patience,
        })
    }
}

/// A Docker configuration is for registries; a source would silently be asked as nobody.
fn check_login(keys: &Keys) -> Result<(), Failed> {
    if keys.login.is_anonymous() || keys.login.to(&[]).is_some() {
        return Ok(());
    }
    let sentence = format!(
        "Secret `{}` is a Docker configuration, which is for registries: give the source one with `username` and `password`",
        keys.secret.as_deref().unwrap_or_default()
    );
    Err(Failed { reason: Reason::SecretInvalid, sentence, passing: false })
}

/// What was read of another source, or as somebody else, says nothing of this one.
fn forget_other_sources(memory: &mut Memory, spec: &ChartPublicationSpec, keys: &Keys) {
    let key = key(spec, keys);
    if memory.source_key != Some(key) {
        memory.index = None;
        memory.archive = None;
        memory.source_key = Some(key);
    }
}

fn key(spec: &ChartPublicationSpec, keys: &Keys) -> Digest {
    let mut writer = DigestWriter::default();
    writer.update(&serde_json::to_vec(&spec.source).unwrap_or_default());
    if let Some(credential) = keys.login.to(&[]) {
        writer.update(credential.fingerprint().to_string().as_bytes());
    }
    writer.finish().0
}
