//! From a failure to its verdict: one exhaustive match names the symptom, one look-up finds the row.

use super::{
    Class, Hint, Scene, Verdict,
    connections::CONNECTIONS,
    content::CONTENT,
    rights::RIGHTS,
    row::{Pattern, Row, Shape, Symptom, is_of_registry},
    sentence,
    states::STATES,
    tls::TLS,
};
use crate::{
    api::Reason,
    model::Scheme,
    net::{ConnectFailure, NetError, TlsFailure, TunnelFailure, Unacknowledged},
    registry::{Answer, Cause, Failure, Shown, Stage},
};

/// All that is known, by heading. Within the answers, the first row that fits is taken.
pub const ROWS: &[(&str, &[Row])] = &[
    ("Connections", CONNECTIONS),
    ("TLS", TLS),
    ("Credentials and rights", RIGHTS),
    ("Content", CONTENT),
    ("Registry and proxies", STATES),
];

/// Stands where no row fits, which a test rules out.
const UNKNOWN: Row = Row {
    id: "unknown",
    seen: "anything else",
    pattern: Pattern::Answered(Shape::ANY),
    reason: Reason::RegistryUnavailable,
    class: Class::OtherRoute,
    sentence: "Look at the log of the registry.",
    link: "https://github.com/opencontainers/distribution-spec/blob/main/spec.md",
};

/// Says what a failure means: its reason, what to do next, and the sentence for the status.
pub fn judge(failure: &Failure, scene: &Scene<'_>) -> Verdict {
    let row = row(failure, scene.scheme);
    verdict(row, sentence::write(row, failure, scene))
}

/// The verdict that was given before: what a row means, with the sentence that was written then. Nothing when there is no such row.
pub fn recall(remedy: &str, sentence: String) -> Option<Verdict> {
    let row = ROWS.iter().flat_map(|(_, rows)| rows.iter()).find(|row| row.id == remedy)?;
    Some(verdict(row, sentence))
}

fn verdict(row: &Row, sentence: String) -> Verdict {
    Verdict { remedy: row.id, reason: row.reason, class: row.class, hint: hint(row), sentence }
}

/// What another method should do differently after a failure of this row.
fn hint(row: &Row) -> Hint {
    match (row.pattern, row.id) {
        (Pattern::Seen(Symptom::WriteStalled | Symptom::NoAnswerToBody | Symptom::ReadStalled), _) => Hint::SmallSegments,
        (Pattern::Seen(Symptom::CutInBody), _)
        | (_, "body-too-large" | "gateway-after-body" | "unavailable-after-body" | "request-timeout") => Hint::SmallerBody,
        _ => Hint::None,
    }
}

/// Names the row of a failure: what tells two causes apart that have one reason.
pub fn fingerprint(failure: &Failure, scheme: Scheme) -> &'static str {
    row(failure, scheme).id
}

/// The row of a failure.
pub(super) fn row(failure: &Failure, scheme: Scheme) -> &'static Row {
    let evidence = evidence(failure, scheme);
    let fits = |row: &&Row| match (row.pattern, &evidence) {
        (Pattern::Seen(known), Evidence::Symptom(seen)) => known == *seen,
        (Pattern::Answered(shape), Evidence::Answer(answer)) => shape.fits(answer, failure.stage),
        (Pattern::Seen(_), Evidence::Answer(_)) | (Pattern::Answered(_), Evidence::Symptom(_)) => false,
    };
    ROWS.iter().flat_map(|(_, rows)| rows.iter()).find(fits).unwrap_or(&UNKNOWN)
}

enum Evidence<'a> {
    Symptom(Symptom),
    Answer(&'a Answer),
}

fn evidence(failure: &Failure, scheme: Scheme) -> Evidence<'_> {
    let symptom = match &failure.cause {
        Cause::Net(error) => of_network(error, failure.stage, scheme),
        Cause::Answer(answer) => return of_answer(answer, failure.stage, scheme),
        // A registry may refuse by 403 where others say 401: its words decide.
        Cause::Unauthorized { answer, .. } if answer.status != 401 => return of_answer(answer, failure.stage, scheme),
        Cause::Unauthorized { shown, answer } => of_unauthorized(*shown, answer, failure.stage),
        Cause::Location { .. } if failure.stage.is_read() => Symptom::StorageRedirect,
        Cause::Location { .. } => Symptom::LocationForeign,
        Cause::Realm { .. } => Symptom::RealmForeign,
        Cause::Content { .. } if failure.stage == Stage::PullBlob => Symptom::BlobDiffers,
        Cause::Content { .. } => Symptom::ManifestDiffers,
        Cause::Swallowed { .. } => Symptom::BodySwallowed,
        Cause::HeaderMissing { .. } => Symptom::HeaderMissing,
        Cause::TooLarge { .. } | Cause::Malformed { .. } | Cause::Withdrawn => Symptom::Malformed,
    };
    Evidence::Symptom(symptom)
}

fn of_network(error: &NetError, stage: Stage, scheme: Scheme) -> Symptom {
    let in_body = stage == Stage::SendBlob;
    match error {
        NetError::Resolve { .. } => Symptom::NameUnresolved,
        NetError::AddressRefused { .. } => Symptom::AddressForbidden,
        NetError::Connect { failure, .. } => match failure {
            ConnectFailure::Refused => Symptom::ConnectRefused,
            ConnectFailure::TimedOut => Symptom::ConnectTimedOut,
            ConnectFailure::Unreachable => Symptom::ConnectUnreachable,
            ConnectFailure::Other => Symptom::ConnectFailed,
        },
        NetError::Tunnel(error) => match error.failure {
            TunnelFailure::Forbidden(_) => Symptom::TunnelForbidden,
            TunnelFailure::Gone(_) => Symptom::TunnelGone,
            TunnelFailure::Refused(_) => Symptom::TunnelRefused,
            TunnelFailure::Failed(_) | TunnelFailure::TimedOut(_) | TunnelFailure::NotOffered => Symptom::TunnelFailed,
        },
        // No target is reached by one.
        NetError::Proxy(_) => Symptom::ConnectFailed,
        NetError::Tls { failure, .. } => of_tls(failure),
        NetError::Cut { sent } if *sent > 0 => Symptom::CutInBody,
        NetError::Cut { .. } => Symptom::CutBeforeAnswer,
        NetError::StaleConnection => Symptom::StaleConnection,
        NetError::WriteStalled { seen: Some(Unacknowledged::NoRoom), .. } => Symptom::WindowClosed,
        NetError::WriteStalled { .. } => Symptom::WriteStalled,
        NetError::NoAnswer { .. } if in_body => Symptom::NoAnswerToBody,
        NetError::NoAnswer { .. } => Symptom::NoAnswer,
        NetError::ReadStalled { .. } => Symptom::ReadStalled,
        NetError::AnswerSlow { .. } => Symptom::AnswerSlow,
        NetError::FramingBroken { .. } => Symptom::FramingBroken,
        NetError::AnswerCut { .. } => Symptom::AnswerCut,
        NetError::MalformedHead { .. } => Symptom::Malformed,
        NetError::NotHttp { .. } if scheme == Scheme::Http => Symptom::NoHttpInPlain,
        NetError::NotHttp { .. } => Symptom::NoHttpInTls,
        NetError::Body { .. } => Symptom::SpoolUnreadable,
    }
}

fn of_tls(failure: &TlsFailure) -> Symptom {
    match failure {
        TlsFailure::UnknownAuthority => Symptom::UnknownAuthority,
        TlsFailure::Expired => Symptom::CertificateExpired,
        TlsFailure::NotYetValid => Symptom::CertificateNotYetValid,
        TlsFailure::WrongName { .. } => Symptom::CertificateOfOtherName,
        TlsFailure::IsAuthority => Symptom::CertificateOfAuthority,
        TlsFailure::ClientCertificate => Symptom::ClientCertificate,
        TlsFailure::NotTls => Symptom::PlainBehindTls,
        TlsFailure::Other(_) => Symptom::HandshakeFailed,
    }
}

/// 401 is final only where the registry, or its token service, says it.
fn of_unauthorized(shown: Shown, answer: &Answer, stage: Stage) -> Symptom {
    match (is_of_registry(answer, stage), shown) {
        (false, Shown::Unasked(_)) => Symptom::LoginUnaskedByProxy,
        (true, Shown::Unasked(_)) => Symptom::LoginUnasked,
        (false, _) => Symptom::LoginOfProxy,
        (true, Shown::Nothing) => Symptom::CredentialNeeded,
        (true, Shown::Credential) => Symptom::CredentialRefused,
        (true, Shown::Token) => Symptom::RightMissing,
        (true, Shown::InvalidToken) => Symptom::TokenInvalid,
    }
}

fn of_answer(answer: &Answer, stage: Stage, scheme: Scheme) -> Evidence<'_> {
    let to_tls = answer.redirect.as_deref().is_some_and(|target| target.starts_with("https://"));
    match answer.status {
        // No redirect, although its number stands among them.
        304 => Evidence::Answer(answer),
        300..=399 if to_tls && scheme == Scheme::Http => Evidence::Symptom(Symptom::RedirectToTls),
        300..=399 => Evidence::Symptom(Symptom::Redirect),
        401 => Evidence::Symptom(of_unauthorized(Shown::Nothing, answer, stage)),
        503 if answer.retry_after.is_some() => Evidence::Symptom(Symptom::AskedToWait),
        _ => Evidence::Answer(answer),
    }
}
