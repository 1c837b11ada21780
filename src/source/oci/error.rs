//! Why a registry gave nothing, or nothing that can be published. Sentences name the address and the cure.

use super::{AttachedError, by_index, elsewhere};
use crate::{
    api::Reason,
    chart::NoChartManifest,
    registry::{Answer, BodyKind, Cause, Failure, Shown, Stage},
    source::{Place, Reader, SourceError, cure, fetch::is_of_certificate, index::IndexEntry},
};

/// A failure of a registry that charts come from.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// 404 for the repository of a chart.
    #[error("`{place}` does not exist: the registry knows no such repository; {}", cure_of_repository(.place))]
    NoRepository {
        /// `oci://HOST/PREFIX/NAME`
        place: String,
    },
    /// 404 for a tag that was listed.
    #[error(
        "`{place}` does not exist, although the registry lists this tag; look whether somebody has deleted it: the next run asks again"
    )]
    NoManifest {
        /// With the tag.
        place: String,
    },
    /// 404 or 410 for anything else.
    #[error(
        "`{place}` could not be read: the registry answered {answer}; it does not have all that belongs to it: push the chart there again"
    )]
    Missing {
        /// With the tag, where it is of one.
        place: String,
        /// What came.
        answer: String,
    },
    /// 401 or 403.
    #[error("`{place}` may not be read: the registry answered {answer}; {}", cure_of_login(*.shown, .reader))]
    Unauthorized {
        /// With the tag, where it is of one.
        place: String,
        /// What came.
        answer: String,
        /// What it had been shown.
        shown: Option<Shown>,
        /// Who asked.
        reader: Reader,
    },
    /// An answer of another host that the registry leads to, and that is not shown who asks.
    #[error("`{place}` could not be read: the registry leads to `{origin}`, which answered {answer}; {}", elsewhere::cure(.answer, *.stage, .origin))]
    Elsewhere {
        /// With the tag, where it is of one.
        place: String,
        /// That host.
        origin: String,
        /// What came.
        answer: Answer,
        /// What was asked for.
        stage: Stage,
    },
    /// The same of an archive that an index names.
    #[error(
        "`{place}`, which the index names for `{chart}`, may not be read: the registry answered {answer}; {}",
        by_index::cure_of_login(*.shown, .reader)
    )]
    UnauthorizedByIndex {
        /// With tag or digest.
        place: String,
        /// `name version` of the index.
        chart: String,
        /// What came.
        answer: String,
        /// What it had been shown.
        shown: Option<Shown>,
        /// Who asked.
        reader: Reader,
    },
    /// A client certificate is missing, or not taken.
    #[error(
        "`{place}` may not be read: the registry answered {answer}, as it asks for a client certificate, or does not take the one it got; {}",
        cure::OF_CERTIFICATE
    )]
    ClientCertificate {
        /// With the tag, where it is of one.
        place: String,
        /// What came.
        answer: String,
    },
    /// A token service that gets no credential.
    #[error(
        "`{place}` asks for a token of `{origin}`, which may not be sent the login: list its host in `source.oci.allowedHosts`, where it is the right one"
    )]
    Realm {
        /// With the tag, where it is of one.
        place: String,
        /// Scheme and host.
        origin: String,
    },
    /// The same of an archive that an index names.
    #[error(
        "`{place}`, which the index names for `{chart}`, asks for a token of `{origin}`, which may not be sent the login: take the chart by the source `oci`, and list that host in `allowedHosts` there, where it is the right one"
    )]
    RealmByIndex {
        /// With tag or digest.
        place: String,
        /// `name version` of the index.
        chart: String,
        /// Scheme and host.
        origin: String,
    },
    /// An index cannot say that a registry has no TLS.
    #[error(
        "`{place}`, which the index names for `{chart}`, could not be read: the registry has no TLS, and what an index names is read by nothing else; take the chart by the source `oci` with `insecure: true`"
    )]
    NoTlsByIndex {
        /// With tag or digest.
        place: String,
        /// `name version` of the index.
        chart: String,
    },
    /// What gives tokens answers otherwise.
    #[error(
        "`{place}` could not be read: the token service of the registry answered {answer}; its log says why, and the next run asks again"
    )]
    TokenService {
        /// With the tag, where it is of one.
        place: String,
        /// What came.
        answer: String,
    },
    /// Plain HTTP to a port that wants TLS.
    #[error("`{place}` could not be read: the registry wants TLS, and was spoken to by plain HTTP; take `insecure: true` away")]
    PlainHttpOnTls {
        /// With the tag, where it is of one.
        place: String,
    },
    /// Plain HTTP to something that leads to TLS.
    #[error(
        "`{place}` could not be read: what answers there by plain HTTP leads to `{to}`; take `insecure: true` away, and give the host and port of that address in `url`"
    )]
    LeadsToTls {
        /// With the tag, where it is of one.
        place: String,
        /// Without query.
        to: String,
    },
    /// Any other answer than the one hoped for.
    #[error("`{place}` could not be read: the registry answered {answer}; {cure}")]
    Refused {
        /// With the tag, where it is of one.
        place: String,
        /// What came.
        answer: String,
        /// What helps.
        cure: &'static str,
    },
    /// What answers is none.
    #[error("`{place}` is no repository of a registry: {detail}; check `url`")]
    NoRegistry {
        /// With the tag, where it is of one.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// A list without end.
    #[error("`{place}` has more than {limit} tags, which is the most that one repository may have; delete old ones there")]
    TooManyTags {
        /// `oci://HOST/PREFIX/NAME`
        place: String,
        /// How many there may be.
        limit: usize,
    },
    /// Lists that are too long together.
    #[error(
        "`{place}` is left out: with those before it the charts of this publication have more than {limit} tags; ask for them in several publications, or delete old tags"
    )]
    TooManyTogether {
        /// `oci://HOST/PREFIX/NAME`
        place: String,
        /// How many there may be.
        limit: usize,
    },
    /// A manifest or a list that is too long.
    #[error("`{place}` could not be read: {what} is larger than {limit} bytes, and no chart needs that much; look what was pushed there")]
    TooLarge {
        /// With the tag, where it is of one.
        place: String,
        /// Of what.
        what: &'static str,
        /// Bytes that it may have.
        limit: u64,
    },
    /// What is read into memory, and is too long for it.
    #[error("`{place}` is not read: {what} has {size} bytes, and may have {limit}; {cure}")]
    BlobTooLarge {
        /// With the tag.
        place: String,
        /// Which blob.
        what: &'static str,
        /// Bytes, as the manifest says.
        size: u64,
        /// Bytes that it may have.
        limit: u64,
        /// How it gets smaller, or the limit larger.
        cure: String,
    },
    /// A name that no repository or tag can have.
    #[error("the chart `{chart}` can lie in no registry: {cause}")]
    Name {
        /// The chart.
        chart: String,
        /// The rule.
        cause: String,
    },
    /// An image, or something else.
    #[error("`{place}` holds no chart: {cause}; push the chart with `helm push`, or leave the version out with `exclude`")]
    NoChart {
        /// With the tag.
        place: String,
        /// What it is.
        cause: NoChartManifest,
    },
    /// Another chart than repository and tag say.
    #[error("`{place}` holds the chart `{found}`: {by} otherwise, and Helm would not take it; push it with `helm push`")]
    Identity {
        /// With the tag.
        place: String,
        /// `name version` of Chart.yaml.
        found: String,
        /// What says otherwise.
        by: &'static str,
    },
    /// What is named as one chart is none.
    #[error("`{place}` holds no chart: {cause}; push the chart with `helm push`, or name another repository or `ref`")]
    NoChartPinned {
        /// With tag or digest.
        place: String,
        /// What it is.
        cause: NoChartManifest,
    },
    /// A chart whose config does not say what it is.
    #[error("`{place}` holds a chart whose config does not say what it is: {cause}; push it with `helm push`")]
    NoIdentity {
        /// With tag or digest.
        place: String,
        /// What is wrong.
        cause: String,
    },
    /// 404 for what is named.
    #[error("`{place}` does not exist; check `ref`")]
    NoReference {
        /// With tag or digest.
        place: String,
    },
    /// No version that fits.
    #[error("no tag of `{place}` fits `ref.semver: {range}`; {newest}")]
    NoTagFits {
        /// `oci://HOST/REPOSITORY`
        place: String,
        /// What it should fit.
        range: String,
        /// What there is.
        newest: String,
    },
    /// What belongs to a chart.
    #[error("what belongs to `{place}` cannot be copied: {cause}; `referrers: false` at the source leaves all such artifacts out")]
    Attached {
        /// With the tag.
        place: String,
        /// Which, and why.
        cause: Box<AttachedError>,
    },
    /// Other bytes than promised.
    #[error(
        "`{place}`: {what} has {found}, but the registry promises {promised}: its storage is damaged, or something on the way changes what it sends, and nothing was published; push the chart there again"
    )]
    Digest {
        /// With the tag.
        place: String,
        /// Which part.
        what: String,
        /// What it is.
        found: String,
        /// What it should be.
        promised: String,
    },
}

impl OciError {
    /// The name of the cause.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NoRepository { .. } | Self::NoManifest { .. } | Self::Missing { .. } | Self::NoReference { .. } => Reason::SourceNotFound,
            Self::NoTagFits { .. } => Reason::VersionNotFound,
            Self::Unauthorized { .. } | Self::UnauthorizedByIndex { .. } | Self::Realm { .. } | Self::RealmByIndex { .. } => {
                Reason::SourceUnauthorized
            }
            Self::ClientCertificate { .. } => Reason::TlsFailed,
            Self::Elsewhere { answer, .. } => elsewhere::reason(answer),
            Self::PlainHttpOnTls { .. } | Self::LeadsToTls { .. } => Reason::PlainHttpOnTls,
            Self::Refused { .. } | Self::TokenService { .. } => Reason::SourceUnreachable,
            Self::NoTlsByIndex { .. } => Reason::TlsOnPlainHttp,
            Self::NoRegistry { .. } => Reason::SourceInvalid,
            Self::TooManyTags { .. } | Self::TooManyTogether { .. } | Self::TooLarge { .. } | Self::BlobTooLarge { .. } => {
                Reason::LimitExceeded
            }
            Self::Name { .. } | Self::NoChart { .. } | Self::NoChartPinned { .. } | Self::NoIdentity { .. } | Self::Identity { .. } => {
                Reason::ChartInvalid
            }
            Self::Digest { .. } => Reason::DigestMismatch,
            Self::Attached { cause, .. } => cause.reason(),
        }
    }

    /// Whether it passes by itself.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::TokenService { .. } | Self::NoManifest { .. } => true,
            Self::Elsewhere { answer, .. } => elsewhere::reason(answer) == Reason::SourceUnreachable,
            Self::Attached { cause, .. } => cause.is_passing(),
            _ => false,
        }
    }
}

/// `oci://HOST/PREFIX/NAME:TAG` of a version.
pub(super) fn named(place: &str, entry: &IndexEntry) -> String {
    entry.urls.first().cloned().unwrap_or_else(|| format!("{place}/{}", entry.name))
}

/// What a failure means, where charts are read.
pub(super) fn of_failure(place: String, asked: &Place, failure: Failure) -> SourceError {
    if failure.elsewhere.is_some() {
        return elsewhere::of_failure(place, failure);
    }
    let reader = asked.reader.clone();
    let said = |answer: &Answer| match &asked.proxy {
        None => answer.to_string(),
        Some(proxy) => format!("{answer}, if that was not {proxy}"),
    };
    let error = match failure.cause {
        Cause::Net(cause) => return SourceError::Net { url: place, cause },
        Cause::Location { detail } => return elsewhere::of_location(place, &detail),
        // A registry that has no such repository says so as one, or says nothing.
        Cause::Answer(answer) if failure.stage == Stage::ListTags && is_page(&answer) => {
            OciError::NoRegistry { place, detail: format!("what answers there said {}", said(&answer)) }
        }
        Cause::Answer(answer) if failure.stage == Stage::Token && !matches!(answer.status, 400 | 401 | 403 | 495 | 496) => {
            OciError::TokenService { place, answer: said(&answer) }
        }
        Cause::Answer(Answer { status: 300..=399, redirect: Some(to), .. }) => return elsewhere::of_redirect(place, &to, asked.tls),
        Cause::Answer(answer) => of_answer(place, reader, &answer, said(&answer)),
        Cause::Unauthorized { shown, answer } => OciError::Unauthorized { place, answer: said(&answer), shown: Some(shown), reader },
        Cause::Realm { origin } => OciError::Realm { place, origin },
        Cause::TooLarge { what, limit } => OciError::TooLarge { place, what, limit },
        Cause::Malformed { detail } => OciError::NoRegistry { place, detail },
        // Said of what is sent, or compared, and neither is done here.
        cause @ (Cause::Content { .. } | Cause::Swallowed { .. } | Cause::HeaderMissing { .. } | Cause::Withdrawn) => {
            OciError::NoRegistry { place, detail: Failure::new(failure.stage, cause).to_string() }
        }
    };
    error.into()
}

/// Whether somebody else than a registry has nothing at an address.
fn is_page(answer: &Answer) -> bool {
    matches!(answer.status, 404 | 410) && answer.body == BodyKind::Html && !answer.from_registry
}

fn of_answer(place: String, reader: Reader, answer: &Answer, shown: String) -> OciError {
    let is_of_tls =
        answer.status == 400 && answer.message.to_ascii_lowercase().contains("http request") && answer.message.contains("HTTPS");
    match answer.status {
        _ if is_of_tls => OciError::PlainHttpOnTls { place },
        status if is_of_certificate(status, &answer.message) => OciError::ClientCertificate { place, answer: shown },
        401 | 403 => OciError::Unauthorized { place, answer: shown, shown: None, reader },
        404 | 410 => OciError::Missing { place, answer: shown },
        status => OciError::Refused { place, answer: shown, cure: cure::of_answer(status) },
    }
}

/// The path of `url` and the name of the chart make the repository.
fn cure_of_repository(place: &str) -> &'static str {
    let mut parts = place.rsplit('/');
    if parts.next() == parts.next() {
        "`url` ends with the chart's name already: leave it out there"
    } else {
        "check `url`, and the name in `charts`"
    }
}

/// A registry that hides what is there says the same of what is not.
fn cure_of_login(shown: Option<Shown>, reader: &Reader) -> String {
    match (shown, reader) {
        (_, Reader::Nobody(cure)) => format!("check `url` and the name in `charts`; and where it is not for everybody, {cure}"),
        (Some(Shown::Token) | None, Reader::LoggedIn(from)) => {
            format!("give the user of {from} the right to pull there, and check `url` and the name in `charts`")
        }
        (Some(Shown::Unasked(_)), Reader::LoggedIn(from)) => nothing_sent(from),
        (Some(_), Reader::LoggedIn(from)) => format!("check user and password in {from}"),
    }
}

pub(super) fn nothing_sent(from: &str) -> String {
    format!("look what answers there: a registry asks for `Basic` or `Bearer`, and nothing of {from} was sent")
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
