//! Why a source gave nothing, or nothing that can be used. Sentences name the address without query, and the cure.

use std::time::Duration;

use super::{AssemblyError, Giver, OciError, cure, index::IndexError, proxied};
use crate::{
    api::Reason,
    chart::ChartError,
    model::Digest,
    net::{NetError, TlsFailure},
    spool::SpoolError,
};

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
    /// The same of an archive.
    #[error("the index names `{url}` for `{chart}`, where nothing can be fetched: {detail}; {}", cure::OF_REPOSITORY)]
    ArchiveAddress {
        /// As far as it can be shown.
        url: String,
        /// `name version` of the index.
        chart: String,
        /// What was wrong.
        detail: String,
    },
    /// The network.
    #[error("`{url}` could not be read: {cause}{}", cure::of_network(.url, .cause))]
    Net {
        /// Without query.
        url: String,
        /// What happened.
        cause: NetError,
    },
    /// The network, where plain HTTP was asked of a proxy.
    #[error("`{url}` could not be read from the server, or from {proxy} in its place: {cause}{}", cure::of_network(.url, .cause))]
    NetByProxy {
        /// Without query.
        url: String,
        /// The proxy, as sentences name it.
        proxy: String,
        /// What happened.
        cause: NetError,
    },
    /// 404 or 410.
    #[error("`{url}` does not exist: {status}; {}", cure::of_absence(.url))]
    NotFound {
        /// Without query.
        url: String,
        /// What came.
        status: StatusAnswer,
    },
    /// 404 or 410 for an archive.
    #[error(
        "the index names `{url}` for `{chart}`, and {} answers {}: {}",
        .status.speaker(),
        .status.status,
        cure::OF_REPOSITORY
    )]
    ArchiveMissing {
        /// Without query.
        url: String,
        /// `name version` of the index.
        chart: String,
        /// What came.
        status: StatusAnswer,
    },
    /// 401 or 403.
    #[error("`{url}` may not be read: {answer}; {}", .giver.cure(.answer))]
    Unauthorized {
        /// Without query.
        url: String,
        /// What came.
        answer: StatusAnswer,
        /// Who gave the credential.
        giver: Giver,
    },
    /// A client certificate is missing, or not taken.
    #[error(
        "`{url}` may not be read: the server answered {status}, as it asks for a client certificate, or does not take the one it got; {}",
        cure::OF_CERTIFICATE
    )]
    ClientCertificate {
        /// Without query.
        url: String,
        /// The status code.
        status: u16,
    },
    /// 401 or 403 of another host that the index names.
    #[error(
        "the index names `{url}`, which may not be read: {answer}, and the credential of {giver} goes to the repository's own host only; {cure}"
    )]
    Withheld {
        /// Without query.
        url: String,
        /// What came.
        answer: StatusAnswer,
        /// Who gave the credential, as sentences name it.
        giver: String,
        /// What lets it go there.
        cure: &'static str,
    },
    /// Any other answer than the one hoped for.
    #[error("`{url}` could not be read: {answer}; {}", cure::of_answer(.answer.status))]
    Refused {
        /// Without query.
        url: String,
        /// What came.
        answer: StatusAnswer,
    },
    /// A redirect that may not be followed.
    #[error("`{url}` answered with a redirect that cannot be followed: {detail}")]
    Redirect {
        /// Without query.
        url: String,
        /// Why not, and the cure.
        detail: String,
    },
    /// What a redirect led to.
    #[error("`{from}` leads to another address, and {cause}")]
    Redirected {
        /// Where it began, without query.
        from: String,
        /// What happened there.
        cause: Box<SourceError>,
    },
    /// The spool, or a limit of it.
    #[error("`{url}` could not be kept: {cause}{}", cure::of_spool(.cause))]
    Spool {
        /// Without query.
        url: String,
        /// What happened.
        cause: SpoolError,
    },
    /// Larger than what is fetched may be.
    #[error("`{url}` could not be kept: it is larger than the limit of {limit} bytes; {cure}")]
    TooLarge {
        /// Without query.
        url: String,
        /// How many it may have.
        limit: u64,
        /// How it gets smaller, or the limit larger.
        cure: String,
    },
    /// No index.
    #[error("`{url}` holds no index of a Helm repository: {cause}{}", cure::of_index(.cause))]
    Index {
        /// Without query.
        url: String,
        /// What is wrong.
        cause: IndexError,
    },
    /// No chart.
    #[error("`{url}` holds no chart that Helm would take: {cause}{}", cure::of_chart(url, .cause))]
    Chart {
        /// Without query.
        url: String,
        /// What is wrong.
        cause: ChartError,
    },
    /// Other bytes than promised.
    #[error("`{url}` has the digest {found}, but {by} promises {promised}: somebody changed one of them, and nothing was published; {}", by.cure())]
    Digest {
        /// Without query.
        url: String,
        /// What it is.
        found: Digest,
        /// What it should be.
        promised: Digest,
        /// Who promised.
        by: Promise,
    },
    /// Another chart than the index says.
    #[error("`{url}` holds `{found}`, but the index says that it is `{promised}`: {}", cure::OF_REPOSITORY)]
    Identity {
        /// Without query.
        url: String,
        /// `name version` of Chart.yaml.
        found: String,
        /// `name version` of the index.
        promised: String,
    },
    /// An index whose archives lie in too many places.
    #[error(
        "`{url}` is not read: what is asked for of the index lies in more than {limit} places in registries; ask for it in several publications"
    )]
    TooManyRegistries {
        /// Where it would be.
        url: String,
        /// How many there may be.
        limit: usize,
    },
    /// What a registry gave.
    #[error(transparent)]
    Oci(#[from] OciError),
    /// Objects of the cluster, or the spec itself.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
}

/// A status, and who may have said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusAnswer {
    /// The status code.
    pub status: u16,
    /// The proxy that plain HTTP was asked of, as sentences name it: what it answers itself cannot be told from what the server does.
    pub proxy: Option<String>,
    /// How long it asks to be left alone.
    pub rest: Option<Duration>,
}

impl StatusAnswer {
    /// Of a server that asks for nothing.
    pub(super) fn of(status: u16, proxy: Option<String>) -> Self {
        Self { status, proxy, rest: None }
    }

    /// Who may have said it.
    fn speaker(&self) -> String {
        match &self.proxy {
            None => "the server".to_owned(),
            Some(proxy) => format!("the server, or {proxy} in its place,"),
        }
    }
}

impl std::fmt::Display for StatusAnswer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} answered {}", self.speaker(), self.status)?;
        self.rest.map_or(Ok(()), |rest| write!(formatter, ", and asks to be left alone for {} s", rest.as_secs()))
    }
}

/// Who promised what an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// The index of its repository.
    Index,
    /// The spec.
    Spec,
    /// The same address, a moment before.
    EarlierRead,
}

impl Promise {
    fn cure(self) -> &'static str {
        match self {
            Self::Index => "if the archive is right, have the index made anew (`helm repo index`), or leave the version out with `exclude`",
            Self::Spec => "if the archive is right, correct the digest",
            Self::EarlierRead => "the next run reads it anew",
        }
    }
}

impl std::fmt::Display for Promise {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Index => "the index",
            Self::Spec => "`spec.source.archive.digest`",
            Self::EarlierRead => "what was read before",
        })
    }
}

/// What a failure of TLS is called: where the other side does not speak it, no Secret mends that.
pub(super) fn failure_of_tls(failure: &TlsFailure) -> Reason {
    match failure {
        TlsFailure::NotTls => Reason::TlsOnPlainHttp,
        _ => Reason::TlsFailed,
    }
}

impl SourceError {
    /// "It is as it was", to somebody who asked for all of it.
    pub(super) fn unasked_304(url: String) -> Self {
        Self::Refused { url, answer: StatusAnswer::of(304, None) }
    }

    /// The answer, where there is nothing at the address as far as the server tells: stores answer 403 for what is not there when a
    /// listing is not allowed.
    pub(super) fn absence(&self) -> Option<u16> {
        match self {
            Self::Redirected { cause, .. } => cause.absence(),
            Self::NotFound { status, .. } => Some(status.status),
            Self::Unauthorized { answer, .. } => Some(answer.status),
            _ => None,
        }
    }

    /// The limit that what lies at the address is larger than.
    pub(super) fn excess(&self) -> Option<u64> {
        match self {
            Self::Redirected { cause, .. } => cause.excess(),
            Self::TooLarge { limit, .. } => Some(*limit),
            _ => None,
        }
    }

    /// The name of the cause.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Redirected { cause, .. } => cause.reason(),
            Self::Assembly(cause) => cause.reason(),
            Self::NotFound { .. } | Self::ArchiveMissing { .. } => Reason::SourceNotFound,
            Self::Unauthorized { .. } | Self::Withheld { .. } => Reason::SourceUnauthorized,
            Self::Net { cause: NetError::Proxy(error), .. } => proxied::reason(error),
            Self::Net { cause: NetError::Tls { failure, .. }, .. } => failure_of_tls(failure),
            Self::ClientCertificate { .. } => Reason::TlsFailed,
            Self::Net { .. } | Self::NetByProxy { .. } | Self::Refused { .. } => Reason::SourceUnreachable,
            Self::Index { cause, .. } if cause.is_limit() => Reason::LimitExceeded,
            Self::Address { .. } | Self::ArchiveAddress { .. } | Self::Redirect { .. } | Self::Index { .. } => Reason::SourceInvalid,
            Self::Chart { cause, .. } if cause.is_limit() => Reason::LimitExceeded,
            Self::Chart { .. } | Self::Identity { .. } => Reason::ChartInvalid,
            Self::Digest { .. } => Reason::DigestMismatch,
            Self::TooLarge { .. } | Self::TooManyRegistries { .. } | Self::Spool { cause: SpoolError::TooLarge { .. }, .. } => {
                Reason::LimitExceeded
            }
            Self::Spool { .. } => Reason::SpoolFull,
            Self::Oci(error) => error.reason(),
        }
    }

    /// Whether it passes by itself, so that it is tried again soon; what does not pass waits for the interval or a change.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Redirected { cause, .. } => cause.is_passing(),
            Self::Oci(error) => error.is_passing(),
            Self::Assembly(cause) => cause.is_passing(),
            Self::Net { cause: NetError::Proxy(error), .. } => proxied::is_passing(error),
            Self::Net { cause, .. } => !matches!(cause, NetError::AddressRefused { .. }),
            Self::NetByProxy { .. }
            | Self::Refused { .. }
            | Self::Spool { cause: SpoolError::Full { .. } | SpoolError::NoSpace | SpoolError::Disk(_), .. } => true,
            _ => false,
        }
    }
}
