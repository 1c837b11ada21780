//! PURE: which source a publication has, and which Secrets that one names.

use crate::{
    api::{ArchiveSource, FluxReference, HelmRepositorySource, LocalReference, OciSource, Reason, Source},
    controller::objects::ObjectKind,
    publish::Failed,
};

/// The one member of a source.
#[derive(Debug, Clone, Copy)]
pub(in crate::controller) enum Member<'a> {
    HelmRepository(&'a HelmRepositorySource),
    Oci(&'a OciSource),
    Archive(&'a ArchiveSource),
    Objects(ObjectKind, &'a [String]),
    Inline(&'a str),
    Flux(&'a FluxReference),
}

/// The Secrets that say who we are at a source, and whom we trust there.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::controller) struct References<'a> {
    pub(in crate::controller) secret: Option<&'a LocalReference>,
    pub(in crate::controller) cert_secret: Option<&'a LocalReference>,
    /// By which proxy it is asked.
    pub(in crate::controller) proxy_secret: Option<&'a LocalReference>,
}

impl<'a> Member<'a> {
    /// The member that is set.
    ///
    /// # Errors
    /// Where it is not exactly one, which the API server does not let pass.
    pub(in crate::controller) fn of(source: &'a Source) -> Result<Self, Failed> {
        let Source { helm_repository, oci, archive, config_maps, secrets, inline, flux_ref } = source;
        let all = [
            helm_repository.as_ref().map(Self::HelmRepository),
            oci.as_ref().map(Self::Oci),
            archive.as_ref().map(Self::Archive),
            config_maps.as_ref().map(|names| Self::Objects(ObjectKind::ConfigMap, names)),
            secrets.as_ref().map(|names| Self::Objects(ObjectKind::Secret, names)),
            inline.as_deref().map(Self::Inline),
            flux_ref.as_ref().map(Self::Flux),
        ];
        let mut all = all.into_iter().flatten();
        if let (Some(member), None) = (all.next(), all.next()) {
            return Ok(member);
        }
        let sentence = "`source` must have exactly one member".to_owned();
        Err(Failed { reason: Reason::SourceInvalid, sentence, passing: false })
    }

    /// The Secrets that it names.
    pub(in crate::controller) fn references(self) -> References<'a> {
        let (secret, cert_secret, proxy_secret) = match self {
            Self::HelmRepository(source) => (&source.secret_ref, &source.cert_secret_ref, &source.proxy_secret_ref),
            Self::Oci(source) => (&source.secret_ref, &source.cert_secret_ref, &source.proxy_secret_ref),
            Self::Archive(source) => (&source.secret_ref, &source.cert_secret_ref, &source.proxy_secret_ref),
            // Those that Flux's object names are known once it was read.
            Self::Objects(..) | Self::Inline(_) | Self::Flux(_) => return References::default(),
        };
        References { secret: secret.as_ref(), cert_secret: cert_secret.as_ref(), proxy_secret: proxy_secret.as_ref() }
    }

    /// Where its server is, by HTTP.
    pub(in crate::controller) fn url(self) -> Option<&'a str> {
        match self {
            Self::HelmRepository(source) => Some(&source.url),
            Self::Archive(source) => Some(&source.url),
            Self::Oci(_) | Self::Objects(..) | Self::Inline(_) | Self::Flux(_) => None,
        }
    }

    /// The objects that hold its chart, or say where it lies.
    pub(in crate::controller) fn objects(self) -> &'a [String] {
        match self {
            Self::Objects(_, names) => names,
            Self::Flux(reference) => std::slice::from_ref(&reference.name),
            Self::HelmRepository(_) | Self::Oci(_) | Self::Archive(_) | Self::Inline(_) => &[],
        }
    }

    /// Tells a server that is asked from others.
    pub(in crate::controller) fn identity(self) -> Vec<u8> {
        match self {
            Self::HelmRepository(source) => serde_json::to_vec(source).unwrap_or_default(),
            Self::Oci(source) => serde_json::to_vec(source).unwrap_or_default(),
            Self::Archive(source) => serde_json::to_vec(source).unwrap_or_default(),
            Self::Objects(..) | Self::Inline(_) | Self::Flux(_) => Vec::new(),
        }
    }
}
