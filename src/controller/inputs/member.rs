//! PURE: which source a publication has, and which Secrets that one names.

use crate::{
    api::{ArchiveSource, HelmRepositorySource, LocalReference, Reason, Source},
    publish::Failed,
};

/// The one member of a source.
#[derive(Debug, Clone, Copy)]
pub(in crate::controller) enum Member<'a> {
    HelmRepository(&'a HelmRepositorySource),
    Archive(&'a ArchiveSource),
}

/// The Secrets that say who we are at a source, and whom we trust there.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::controller) struct References<'a> {
    pub(in crate::controller) secret: Option<&'a LocalReference>,
    pub(in crate::controller) cert_secret: Option<&'a LocalReference>,
}

impl<'a> Member<'a> {
    /// The member that is set.
    ///
    /// # Errors
    /// Where it is not exactly one, which the API server does not let pass.
    pub(in crate::controller) fn of(source: &'a Source) -> Result<Self, Failed> {
        let Source { helm_repository, archive } = source;
        let all = [helm_repository.as_ref().map(Self::HelmRepository), archive.as_ref().map(Self::Archive)];
        let mut all = all.into_iter().flatten();
        match (all.next(), all.next()) {
            (Some(member), None) => Ok(member),
            _ => {
                let sentence = "`source` must have exactly one member".to_owned();
                Err(Failed { reason: Reason::SourceInvalid, sentence, passing: false })
            }
        }
    }

    /// The Secrets that it names.
    pub(in crate::controller) fn references(self) -> References<'a> {
        let (secret, cert_secret) = match self {
            Self::HelmRepository(source) => (&source.secret_ref, &source.cert_secret_ref),
            Self::Archive(source) => (&source.secret_ref, &source.cert_secret_ref),
        };
        References { secret: secret.as_ref(), cert_secret: cert_secret.as_ref() }
    }
}
