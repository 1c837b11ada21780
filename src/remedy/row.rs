//! The form of a row: what a failure looks like, what it means, what is done next, and what cures it.

use super::Class;
use crate::{
    api::Reason,
    registry::{Answer, BodyKind, Stage},
};

/// A failure that is known.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Names the row, in tests and in the documentation.
    pub id: &'static str,
    /// What is seen, for the documentation.
    pub seen: &'static str,
    /// What it looks like.
    pub pattern: Pattern,
    /// The name of the cause.
    pub reason: Reason,
    /// What is done next.
    pub class: Class,
    /// What it means and what cures it; words in braces are filled in by `sentence.rs`.
    pub sentence: &'static str,
    /// Where it is reported or specified.
    pub link: &'static str,
}

/// What a failure looks like.
#[derive(Debug, Clone, Copy)]
pub enum Pattern {
    /// Something other than the wording of an answer.
    Seen(Symptom),
    /// An answer.
    Answered(Shape),
}

/// What was seen, where the wording of an answer does not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each one has a row that says what it is")]
pub enum Symptom {
    NameUnresolved,
    AddressForbidden,
    ConnectRefused,
    ConnectTimedOut,
    ConnectUnreachable,
    ConnectFailed,
    TunnelForbidden,
    TunnelGone,
    TunnelRefused,
    TunnelFailed,
    CutInBody,
    CutBeforeAnswer,
    StaleConnection,
    WriteStalled,
    WindowClosed,
    NoAnswerToBody,
    NoAnswer,
    ReadStalled,
    AnswerSlow,
    FramingBroken,
    AnswerCut,
    NoHttpInPlain,
    NoHttpInTls,
    SpoolUnreadable,
    UnknownAuthority,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateOfOtherName,
    CertificateOfAuthority,
    ClientCertificate,
    PlainBehindTls,
    HandshakeFailed,
    RedirectToTls,
    Redirect,
    StorageRedirect,
    CredentialRefused,
    CredentialNeeded,
    RightMissing,
    TokenInvalid,
    LoginOfProxy,
    LoginUnasked,
    LoginUnaskedByProxy,
    AskedToWait,
    LocationForeign,
    RealmForeign,
    ManifestDiffers,
    BlobDiffers,
    BodySwallowed,
    HeaderMissing,
    Malformed,
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Speaker {
    /// Either.
    Anyone,
    /// The registry: an OCI error, or the header `Docker-Distribution-Api-Version` and no page.
    Registry,
    /// Something before it.
    Proxy,
}

/// What an answer looks like. Empty lists mean any; all that is said must hold.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// First and last status code.
    pub statuses: (u16, u16),
    /// One of these OCI codes.
    pub codes: &'static [&'static str],
    /// One of these, in lower case, somewhere in the message.
    pub words: &'static [&'static str],
    /// Who said it.
    pub speaker: Speaker,
    /// Where in the exchange.
    pub at: &'static [Stage],
}

impl Shape {
    /// Any answer.
    pub const ANY: Self = Self { statuses: (100, 999), codes: &[], words: &[], speaker: Speaker::Anyone, at: &[] };

    /// One status, whoever says it.
    pub const fn status(status: u16) -> Self {
        Self { statuses: (status, status), ..Self::ANY }
    }

    /// Whether `answer`, at `stage`, looks like this.
    pub fn fits(&self, answer: &Answer, stage: Stage) -> bool {
        let (first, last) = self.statuses;
        let spoken = match self.speaker {
            Speaker::Anyone => true,
            Speaker::Registry => is_of_registry(answer, stage),
            Speaker::Proxy => !is_of_registry(answer, stage),
        };
        let message = answer.message.to_ascii_lowercase();
        (first..=last).contains(&answer.status)
            && spoken
            && (self.codes.is_empty() || self.codes.iter().any(|code| answer.codes.iter().any(|other| other.eq_ignore_ascii_case(code))))
            && (self.words.is_empty() || self.words.iter().any(|words| message.contains(words)))
            && (self.at.is_empty() || self.at.contains(&stage))
    }
}

/// A proxy may add the registry's header to pages of its own (nginx's `add_header … always`), but it writes no OCI errors.
/// A token service has no form that is laid down: there, all but a page counts.
pub(super) fn is_of_registry(answer: &Answer, stage: Stage) -> bool {
    let is_page = answer.body == BodyKind::Html;
    answer.body == BodyKind::OciError || (answer.from_registry && !is_page) || (stage == Stage::Token && !is_page)
}

/// Where the codes of the OCI errors are laid down.
pub(super) const ERROR_CODES: &str = "https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes";
/// Any answer of the registry.
pub(super) const REGISTRY: Shape = Shape { speaker: Speaker::Registry, ..Shape::ANY };
/// Any answer of what stands before it.
pub(super) const PROXY: Shape = Shape { speaker: Speaker::Proxy, ..Shape::ANY };

/// The registry, with a status from `first` to `last`.
pub(super) const fn registry(first: u16, last: u16) -> Pattern {
    Pattern::Answered(Shape { statuses: (first, last), ..REGISTRY })
}

/// What stands before it, with a status from `first` to `last`.
pub(super) const fn proxy(first: u16, last: u16) -> Pattern {
    Pattern::Answered(Shape { statuses: (first, last), ..PROXY })
}

/// The registry, with one of these OCI codes.
pub(super) const fn coded(codes: &'static [&'static str]) -> Pattern {
    Pattern::Answered(Shape { codes, ..REGISTRY })
}
