//! What was seen when a registry did not do what it was asked: facts only. [`crate::remedy`] judges them.

use std::{fmt, time::Duration};

use crate::{model::Origin, net::NetError, steps::Step};

/// Where in the exchange it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// `GET` of the token service that the registry named.
    Token,
    /// `GET /v2/`
    Greet,
    /// `GET /v2/<name>/tags/list`
    ListTags,
    /// `GET` or `HEAD /v2/<name>/manifests/<reference>`, before a push.
    ReadManifest,
    /// `HEAD /v2/<name>/blobs/<digest>`
    FindBlob,
    /// `POST /v2/<name>/blobs/uploads/`
    OpenUpload,
    /// `PUT` or `PATCH` with the bytes of a blob.
    SendBlob,
    /// `PUT /v2/<name>/manifests/<tag>`
    WriteManifest,
    /// `GET` of the manifest, after a push; of what refers to one, too.
    PullManifest,
    /// `GET` of the layer, after a push.
    PullBlob,
    /// `DELETE` of a blob or of an upload session.
    Remove,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Token,
        Self::Greet,
        Self::ListTags,
        Self::ReadManifest,
        Self::FindBlob,
        Self::OpenUpload,
        Self::SendBlob,
        Self::WriteManifest,
        Self::PullManifest,
        Self::PullBlob,
        Self::Remove,
    ];

    /// As it stands in metrics, and as the log names the step.
    pub fn as_str(self) -> &'static str {
        self.step().as_str()
    }

    /// What was being done, to stand after "while".
    pub fn doing(self) -> &'static str {
        match self {
            Self::Token => "asking for a token",
            Self::Greet => "asking for the registry's API",
            Self::ListTags => "listing the tags",
            Self::ReadManifest => "reading the manifest",
            Self::FindBlob => "looking for the blob",
            Self::OpenUpload => "opening the upload",
            Self::SendBlob => "sending the blob",
            Self::WriteManifest => "writing the manifest",
            Self::PullManifest => "pulling the manifest back",
            Self::PullBlob => "pulling the layer back",
            Self::Remove => "removing what was sent",
        }
    }

    /// The step of a run that it is.
    pub(super) fn step(self) -> Step {
        match self {
            Self::Token => Step::AskToken,
            Self::Greet => Step::Greet,
            Self::ListTags => Step::ListTags,
            Self::ReadManifest => Step::ReadManifest,
            Self::FindBlob => Step::FindBlob,
            Self::OpenUpload => Step::OpenUpload,
            Self::SendBlob => Step::SendBlob,
            Self::WriteManifest => Step::WriteManifest,
            Self::PullManifest => Step::PullManifest,
            Self::PullBlob => Step::PullBlob,
            Self::Remove => Step::Remove,
        }
    }

    /// Whether something is read, so that redirects may be followed.
    pub fn is_read(self) -> bool {
        matches!(self, Self::ListTags | Self::ReadManifest | Self::PullManifest | Self::PullBlob)
    }

    /// Whether it is part of the check after the push.
    pub fn is_proof(self) -> bool {
        matches!(self, Self::PullManifest | Self::PullBlob)
    }
}

/// What the body of an answer looks like: a registry's own error is JSON, a proxy's page is HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BodyKind {
    /// `{"errors":[{"code":…}]}`: distribution specification, "Error codes".
    OciError,
    /// Other JSON.
    Json,
    /// A page.
    Html,
    /// Plain text.
    Text,
    /// No body.
    Empty,
}

/// An answer that was not the one hoped for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// What the body looks like; at most 64 KiB of it were read.
    pub body: BodyKind,
    /// The OCI error codes, as sent, cleaned, at most 8.
    pub codes: Vec<String>,
    /// The first OCI error's message, or the first line of a text: cleaned of control characters, at most 256 characters.
    pub message: String,
    /// The `Server` header, cleaned, at most 80 characters.
    pub server: Option<String>,
    /// Whether `Docker-Distribution-Api-Version` was there: the registry itself answered.
    pub from_registry: bool,
    /// `Retry-After` as a duration, at most an hour.
    pub retry_after: Option<Duration>,
    /// Whether a `Location` came with it (redirects).
    pub redirect: Option<String>,
    /// Bytes of our body that had been sent when it came.
    pub sent: u64,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The network.
    Net(NetError),
    /// An answer.
    Answer(Answer),
    /// 401 with a credential or a fresh token, or a challenge that cannot be met.
    Unauthorized {
        /// Who we said that we are.
        shown: Shown,
        /// The answer.
        answer: Answer,
    },
    /// `Location` was missing, cannot be read, or names a place that is not allowed. Holds no query.
    Location {
        /// What it named (scheme, host and path), or why it could not be read.
        detail: String,
    },
    /// The token service is on a host that may not be asked.
    Realm {
        /// Its origin.
        origin: String,
    },
    /// What was pulled back is not what was pushed.
    Content {
        /// What it should have been.
        expected: String,
        /// What it was.
        found: String,
    },
    /// Fewer bytes of a body arrived than were sent, and the registry did not notice.
    Swallowed {
        /// Bytes that went out.
        sent: u64,
        /// Bytes that the registry says it has.
        arrived: u64,
    },
    /// An answer lacks a header that the specification demands; work went on without it.
    HeaderMissing {
        /// Which.
        header: &'static str,
    },
    /// The work was ended from outside.
    Withdrawn,
    /// An answer that is larger than it may be.
    TooLarge {
        /// Of what.
        what: &'static str,
        /// Bytes that it may have.
        limit: u64,
    },
    /// An answer that no registry gives: not JSON, or without what the specification demands.
    Malformed {
        /// What was wrong.
        detail: String,
    },
}

/// What had been shown when a 401 came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shown {
    /// Nothing: there is no credential.
    Nothing,
    /// The credential, to the registry or to its token service.
    Credential,
    /// A fresh token that the token service gave for the credential.
    Token,
    /// Such a token, and the registry calls the token itself invalid (RFC 6750, section 3.1).
    InvalidToken,
    /// Nothing, whatever there is: the answer asks for no scheme by which anything could be shown.
    Unasked(Asked),
}

/// What an answer asks for that cannot be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asked {
    /// There is no `WWW-Authenticate`.
    Nothing,
    /// It cannot be read, or lacks what its scheme needs.
    Unreadable,
    /// A scheme that is known by name alone.
    Scheme(&'static str),
    /// One that is not.
    OtherScheme,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where in the exchange.
    pub stage: Stage,
    /// Why.
    pub cause: Cause,
    /// The other host that failed, as its origin, where the registry led there: it is not shown who asks.
    pub elsewhere: Option<Box<str>>,
}

impl Failure {
    /// Of the registry itself.
    pub fn new(stage: Stage, cause: impl Into<Cause>) -> Self {
        Self { stage, cause: cause.into(), elsewhere: None }
    }

    /// The same of a host that the registry led to.
    #[must_use]
    pub(super) fn at(self, origin: &Origin) -> Self {
        Self { elsewhere: Some(origin.to_string().into()), ..self }
    }

    /// Whether the registry wants to be left alone for a while: [`super::Pause`] heeds it.
    pub fn asks_for_a_pause(&self) -> bool {
        self.answer().is_some_and(|answer| answer.status == 429 || (answer.status == 503 && answer.retry_after.is_some()))
    }

    /// What a registry says of an upload session that it does not know: where replicas share nothing, or where it has ended.
    pub(super) fn is_of_no_session(&self) -> bool {
        let says_so = |code: &String| code == "BLOB_UPLOAD_UNKNOWN" || code == "BLOB_UPLOAD_INVALID";
        self.answer().is_some_and(|answer| matches!(answer.status, 400 | 404) && answer.codes.iter().any(says_so))
    }

    /// Whether nothing is wrong: the work was ended from outside.
    pub fn is_withdrawn(&self) -> bool {
        self.cause == Cause::Withdrawn
    }

    /// The answer, where one came.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.cause {
            Cause::Answer(answer) | Cause::Unauthorized { answer, .. } => Some(answer),
            _ => None,
        }
    }
}

impl Shown {
    /// What a 401 means.
    fn refused(self) -> &'static str {
        match self {
            Self::Nothing => "a credential is needed",
            Self::Credential => "the credential was not accepted",
            Self::Token => "the credential was accepted, and gives no right to do this",
            Self::InvalidToken => "the token of the token service was not accepted",
            Self::Unasked(_) => "no login was sent",
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.refused())?;
        let Self::Unasked(asked) = self else { return Ok(()) };
        match asked {
            Asked::Nothing => formatter.write_str(", as the answer has no `WWW-Authenticate`"),
            Asked::Unreadable => formatter.write_str(", as the `WWW-Authenticate` of the answer cannot be followed"),
            Asked::Scheme(name) => write!(formatter, ", as `WWW-Authenticate` asks for `{name}`, and only `Basic` and `Bearer` are known"),
            Asked::OtherScheme => formatter.write_str(", as `WWW-Authenticate` asks for neither `Basic` nor `Bearer`"),
        }
    }
}

impl From<NetError> for Cause {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl From<Answer> for Cause {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status)?;
        if let Some(code) = self.codes.first() {
            write!(formatter, " {code}")?;
        }
        match self.body {
            BodyKind::OciError | BodyKind::Text if !self.message.is_empty() => write!(formatter, " ({})", self.message)?,
            BodyKind::Html => formatter.write_str(" (a page of a proxy)")?,
            _ => {}
        }
        if let Some(server) = &self.server {
            write!(formatter, " from `{server}`")?;
        }
        match &self.redirect {
            Some(to) if (300..400).contains(&self.status) => write!(formatter, ", which leads to `{to}`"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "while {}", self.stage.doing())?;
        if let Some(origin) = &self.elsewhere {
            write!(formatter, " from `{origin}`, where the registry leads")?;
        }
        formatter.write_str(": ")?;
        match &self.cause {
            Cause::Net(error) => error.fmt(formatter),
            Cause::Answer(answer) => write!(formatter, "the answer was {answer}"),
            Cause::Unauthorized { shown, answer } => write!(formatter, "{shown}: {answer}"),
            Cause::Location { detail } if self.stage.is_read() => write!(formatter, "the redirect was not followed: {detail}"),
            Cause::Location { detail } => write!(formatter, "the upload address was refused: {detail}"),
            Cause::Realm { origin } => write!(formatter, "the token service `{origin}` is not one that credentials may be sent to"),
            Cause::Content { expected, found } => write!(formatter, "expected {expected}, found {found}"),
            Cause::Swallowed { sent, arrived } => write!(formatter, "{sent} bytes were sent and {arrived} of them arrived"),
            Cause::HeaderMissing { header } => write!(formatter, "the answer has no `{header}`"),
            Cause::Withdrawn => formatter.write_str("the work was ended"),
            Cause::TooLarge { what, limit } => write!(formatter, "{what} is larger than {limit} bytes"),
            Cause::Malformed { detail } => write!(formatter, "the answer was malformed: {detail}"),
        }
    }
}

impl std::error::Error for Failure {}
