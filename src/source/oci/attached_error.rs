//! Why what belongs to a chart cannot be copied. Sentences name the artifact and the cure.

use super::OciError;
use crate::{api::Reason, chart::NoArtifact, source::SourceError};

/// A failure of an artifact that belongs to a chart.
#[derive(Debug, thiserror::Error)]
pub enum AttachedError {
    /// It could not be read.
    #[error(transparent)]
    Unread(SourceError),
    /// It is listed, and not there.
    #[error("`{artifact}` does not exist, although the registry lists it; sign or attach it again, or take it off the list")]
    Gone {
        /// With digest or tag.
        artifact: String,
    },
    /// A part of it is not there.
    #[error("`{artifact}` could not be read whole: the registry answered {answer}; sign or attach it again")]
    Missing {
        /// With digest or tag.
        artifact: String,
        /// What came.
        answer: String,
    },
    /// Other bytes than promised.
    #[error(
        "`{artifact}`: {what} has {found}, but the registry promises {promised}: its storage is damaged, or something on the way changes what it sends; sign or attach it again"
    )]
    Digest {
        /// With digest or tag.
        artifact: String,
        /// Which part.
        what: String,
        /// What it is.
        found: String,
        /// What it should be.
        promised: String,
    },
    /// No manifest that could be copied.
    #[error("`{artifact}`: {cause}; look what was pushed there")]
    NoArtifact {
        /// With digest or tag.
        artifact: String,
        /// What it is.
        cause: NoArtifact,
    },
    /// No index.
    #[error("`{artifact}` holds no index of what refers to a manifest, as tags of this form do; look what was pushed there")]
    NoList {
        /// With the tag.
        artifact: String,
    },
    /// Too many.
    #[error("there are more than {limit} such artifacts, and no chart needs as many; delete old ones there")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// Too large together.
    #[error("such artifacts have more than {limit} bytes together; delete old ones there")]
    TooLarge {
        /// How many there may be.
        limit: u64,
    },
    /// Too large a part.
    #[error("`{artifact}` has a blob of {size} bytes, and one may have {limit}; have `--max-chart-size` raised")]
    BlobTooLarge {
        /// With digest or tag.
        artifact: String,
        /// How large it is.
        size: u64,
        /// How large it may be.
        limit: u64,
    },
    /// A chain that is too long.
    #[error("`{artifact}` belongs to the chart by more than {limit} steps from one artifact to the next; delete what is not needed there")]
    TooFar {
        /// With digest or tag.
        artifact: String,
        /// How many there may be.
        limit: usize,
    },
}

impl AttachedError {
    /// What a failure means that was seen at an artifact: the cure is another one than for a chart.
    pub(super) fn of(artifact: &str, error: SourceError) -> Self {
        let artifact = artifact.to_owned();
        match error {
            SourceError::Oci(OciError::Missing { answer, .. }) => Self::Missing { artifact, answer },
            SourceError::Oci(OciError::Digest { what, found, promised, .. }) => Self::Digest { artifact, what, found, promised },
            other => Self::Unread(other),
        }
    }

    /// The name of the cause.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Unread(error) => error.reason(),
            Self::Gone { .. } | Self::Missing { .. } => Reason::SourceNotFound,
            Self::Digest { .. } => Reason::DigestMismatch,
            Self::NoArtifact { .. } | Self::NoList { .. } => Reason::SourceInvalid,
            Self::TooMany { .. } | Self::TooLarge { .. } | Self::BlobTooLarge { .. } | Self::TooFar { .. } => Reason::LimitExceeded,
        }
    }

    /// Whether it passes by itself: what was listed a moment ago may be written or deleted just now.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unread(error) => error.is_passing(),
            Self::Gone { .. } => true,
            _ => false,
        }
    }
}
