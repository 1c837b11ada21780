//! The source of a publication: from the spec and its Secrets to something that can be asked, and what it offers.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    access::{Keys, Secrets},
    memory::Memory,
    start::Context,
};
use crate::{
    api::{ChartPublication, ChartPublicationSpec, Reason},
    model::{Digest, DigestWriter},
    net::{AddressPolicy, Patience},
    plan::{self, Wanted},
    publish::Failed,
    source::{Access, Archive, HelmRepository, Source},
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

/// Asks the source, once, and only for what has changed.
pub(super) async fn offer(
    context: &Context,
    publication: &ChartPublication,
    secrets: &Secrets,
    patience: Patience,
    memory: &mut Memory,
) -> Result<Offer, Failed> {
    let spec = &publication.spec;
    let (secret, cert_secret) = match (&spec.source.helm_repository, &spec.source.archive) {
        (Some(source), _) => (source.secret_ref.as_ref(), source.cert_secret_ref.as_ref()),
        (None, Some(source)) => (source.secret_ref.as_ref(), source.cert_secret_ref.as_ref()),
        (None, None) => (None, None),
    };
    let keys = secrets.keys(secret, cert_secret, &context.roots, &context.plain_tls).await?;
    check_login(&keys)?;
    forget_other_sources(memory, spec, &keys);
    let access = access(context, &keys, patience);
    if let Some(source) = &spec.source.helm_repository {
        let repository =
            HelmRepository::new(&source.url, access, context.fetcher.clone(), context.limits.clone(), context.index_limits.clone());
        return from_repository(repository.map_err(|error| Failed::from(&error))?, spec, memory).await;
    }
    let Some(source) = &spec.source.archive else {
        let sentence = "`source` has no member: set `helmRepository` or `archive`".to_owned();
        return Err(Failed { reason: Reason::SourceInvalid, sentence, passing: false });
    };
    let promised = source.digest.as_ref().map(|digest| digest.parse()).transpose().map_err(|error: crate::model::InvalidDigest| {
        Failed { reason: Reason::SourceInvalid, sentence: format!("`spec.source.archive.digest`: {error}"), passing: false }
    })?;
    let archive = Archive::new(&source.url, promised, access, context.fetcher.clone(), context.limits.clone());
    from_archive(archive.map_err(|error| Failed::from(&error))?, memory).await
}

async fn from_repository(repository: HelmRepository, spec: &ChartPublicationSpec, memory: &mut Memory) -> Result<Offer, Failed> {
    let names: BTreeSet<String> = spec.charts.iter().map(|chart| chart.name.clone()).collect();
    let snapshot = repository.index(&names, memory.index.clone()).await.map_err(|error| Failed::from(&error))?;
    memory.index = Some(snapshot.clone());
    let selection = plan::select(&snapshot.index, &spec.charts);
    let refused =
        selection.failures.iter().map(|failure| Failed { reason: failure.reason(), sentence: failure.to_string(), passing: false });
    let charts: BTreeSet<&str> = selection.wanted.iter().map(|wanted| wanted.name.as_str()).collect();
    let report = SourceReport { revision: snapshot.revision.to_string(), charts: charts.len(), versions: selection.wanted.len() };
    Ok(Offer { refused: refused.collect(), report, wanted: selection.wanted, source: Source::HelmRepository(repository) })
}

async fn from_archive(archive: Archive, memory: &mut Memory) -> Result<Offer, Failed> {
    let snapshot = archive.look(memory.archive.clone()).await.map_err(|error| Failed::from(&error))?;
    memory.archive = Some(snapshot.clone());
    let entry = &snapshot.entry;
    let wanted = vec![Wanted { name: entry.name.clone(), version: entry.version.clone(), entry: entry.clone() }];
    let report = SourceReport { revision: snapshot.revision.to_string(), charts: 1, versions: 1 };
    Ok(Offer { source: Source::Archive(archive), wanted, refused: Vec::new(), report })
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

fn access(context: &Context, keys: &Keys, patience: Patience) -> Access {
    Access {
        credential: keys.login.to(&[]).cloned(),
        secret: keys.secret.clone(),
        tls: keys.tls.clone(),
        policy: AddressPolicy::Source { allowed: context.allowed_addresses.clone(), forbidden: Arc::clone(&context.api_server) },
        patience,
    }
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
