//! Why a source gave nothing, or nothing that can be used. Sentences name the address without query, and the cure.

use crate::{api::Reason, chart::ChartError, model::Digest, net::NetError, spool::SpoolError};

use super::index::IndexError;

/// A failure of a source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No http or https address.
    #[error("`{url}` is no http or https URL: {detail}")]
    Address {
        /// As far as it can be shown.
        url: String,
        /// What was wrong.
        detail: String,
    },
    /// The network.
    #[error("`{url}` could not be read: {cause}{}", cure(.cause))]
    Net {
        /// Without query.
        url: String,
        /// What happened.
        cause: NetError,
    },
    /// 404 or 410.
    #[error("`{url}` does not exist: the server answered {status}; check the address")]
    NotFound {
        /// Without query.
        url: String,
        /// The status code.
        status: u16,
    },
    /// 401 or 403.
    #[error("`{url}` may not be read: the server answered {status}; {}", unauthorized(.secret.as_deref()))]
    Unauthorized {
        /// Without query.
        url: String,
        /// The status code.
        status: u16,
        /// The Secret that the credential came from.
        secret: Option<String>,
    },
    /// Any other answer than the one hoped for.
    #[error("`{url}` could not be read: the server answered {status}; the next run asks again")]
    Refused {
        /// Without query.
        url: String,
        /// The status code.
        status: u16,
    },
    /// A redirect that may not be followed.
    #[error("`{url}` answered with a redirect that cannot be followed: {detail}")]
    Redirect {
        /// Without query.
        url: String,
        /// Why not.
        detail: String,
    },
    /// The spool, or a limit of it.
    #[error("`{url}` could not be kept: {cause}")]
    Spool {
        /// Without query.
        url: String,
        /// What happened.
        cause: SpoolError,
    },
    /// No index.
    #[error("`{url}` holds no index of a Helm repository: {cause}")]
    Index {
        /// Without query.
        url: String,
        /// What is wrong.
        cause: IndexError,
    },
    /// No chart.
    #[error("`{url}` holds no chart that Helm would take: {cause}")]
    Chart {
        /// Without query.
        url: String,
        /// What is wrong.
        cause: ChartError,
    },
    /// Other bytes than promised.
    #[error("`{url}` has the digest {found}, but {by} promises {promised}: somebody changed one of them; nothing was published of it")]
    Digest {
        /// Without query.
        url: String,
        /// What it is.
        found: Digest,
        /// What it should be.
        promised: Digest,
        /// Who promised: `the index` or `spec.source.archive.digest`.
        by: &'static str,
    },
    /// Another chart than the index says.
    #[error("`{url}` holds `{found}`, but the index says that it is `{promised}`: the repository has to be mended")]
    Identity {
        /// Without query.
        url: String,
        /// `name version` of Chart.yaml.
        found: String,
        /// `name version` of the index.
        promised: String,
    },
}

fn unauthorized(secret: Option<&str>) -> String {
    match secret {
        Some(secret) => format!("check `username` and `password` in the Secret `{secret}`"),
        None => "give a Secret with `username` and `password` as `secretRef`".to_owned(),
    }
}

fn cure(error: &NetError) -> &'static str {
    use crate::net::TlsFailure;
    match error {
        NetError::Tls { failure: TlsFailure::UnknownAuthority, .. } => "; give its CA as `ca.crt` in the Secret of `certSecretRef`",
        NetError::Tls { failure: TlsFailure::Expired | TlsFailure::NotYetValid, .. } => "; the server needs a new certificate",
        NetError::Tls { failure: TlsFailure::WrongName, .. } => "; use a name that the certificate holds",
        NetError::Tls { failure: TlsFailure::NotTls, .. } => "; use `http://` when the server has no TLS",
        NetError::Tls { failure: TlsFailure::ClientCertificate, .. } => "; give `tls.crt` and `tls.key` in the Secret of `certSecretRef`",
        NetError::AddressRefused { .. } => "; an administrator can allow the range with `--allow-address`",
        NetError::Resolve { .. } | NetError::Connect { .. } => "; check the address, and that this network lets the controller reach it",
        _ => "",
    }
}

impl SourceError {
    /// The name of the cause.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NotFound { .. } => Reason::SourceNotFound,
            Self::Unauthorized { .. } => Reason::SourceUnauthorized,
            Self::Net { cause: NetError::Tls { .. }, .. } => Reason::TlsFailed,
            Self::Net { .. } | Self::Refused { .. } => Reason::SourceUnreachable,
            Self::Index { cause, .. } if cause.is_limit() => Reason::LimitExceeded,
            Self::Address { .. } | Self::Redirect { .. } | Self::Index { .. } => Reason::SourceInvalid,
            Self::Chart { cause, .. } if cause.is_limit() => Reason::LimitExceeded,
            Self::Chart { .. } | Self::Identity { .. } => Reason::ChartInvalid,
            Self::Digest { .. } => Reason::DigestMismatch,
            Self::Spool { cause: SpoolError::TooLarge { .. }, .. } => Reason::LimitExceeded,
            Self::Spool { .. } => Reason::SpoolFull,
        }
    }

    /// Whether it passes by itself, so that it is tried again soon; what does not pass waits for the interval or a change.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Net { cause, .. } => !matches!(cause, NetError::AddressRefused { .. }),
            Self::Refused { .. } | Self::Spool { cause: SpoolError::Full { .. } | SpoolError::Disk(_), .. } => true,
            _ => false,
        }
    }
}
