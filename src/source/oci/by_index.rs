//! PURE: what a failure of a registry means where an index has named the place.

use super::{OciError, Reader, error::nothing_sent};
use crate::{
    net::{NetError, TlsFailure},
    registry::Shown,
    source::{SourceError, StatusAnswer},
};

/// Who reads the spec has not named the place: the index has, for `chart`.
pub(in crate::source) fn named_by_index(error: SourceError, chart: &str) -> SourceError {
    let chart = chart.to_owned();
    let error = match error {
        SourceError::Net { url: place, cause: NetError::Tls { failure: TlsFailure::NotTls, .. } } => {
            return OciError::NoTlsByIndex { place, chart }.into();
        }
        SourceError::Oci(error) => error,
        other => return other,
    };
    let named = match error {
        OciError::NoReference { place: url } | OciError::Missing { place: url, .. } => {
            return SourceError::ArchiveMissing { url, chart, status: StatusAnswer::of(404, None) };
        }
        OciError::Identity { place: url, found, .. } => return SourceError::Identity { url, found, promised: chart },
        OciError::Unauthorized { place, answer, shown, reader } => OciError::UnauthorizedByIndex { place, chart, answer, shown, reader },
        OciError::Realm { place, origin } => OciError::RealmByIndex { place, chart, origin },
        OciError::NoChartPinned { place, cause } => OciError::NoChart { place, cause },
        other => other,
    };
    named.into()
}

/// The index says what lies where.
pub(super) fn cure_of_login(shown: Option<Shown>, reader: &Reader) -> String {
    match (shown, reader) {
        (_, Reader::Nobody(cure)) => format!("where it is not for everybody, {cure}"),
        (Some(Shown::Credential), Reader::LoggedIn(from)) => format!("check user and password in {from}"),
        (Some(Shown::Unasked(_)), Reader::LoggedIn(from)) => nothing_sent(from),
        (_, Reader::LoggedIn(from)) => format!("check user and password in {from}, and give that user the right to pull there"),
    }
}
