//! PURE: what it means that a registry leads elsewhere, for who reads there.

use super::OciError;
use crate::{
    api::Reason,
    registry::{Answer, Cause, Failure, Stage},
    source::SourceError,
};

/// Of another host that the registry led to.
pub(super) fn of_failure(place: String, failure: Failure) -> SourceError {
    let Failure { stage, cause, elsewhere } = failure;
    let origin = elsewhere.unwrap_or_default().into_string();
    match cause {
        Cause::Net(cause) => SourceError::Redirected { from: place, cause: Box::new(SourceError::Net { url: origin, cause }) },
        Cause::Answer(answer) | Cause::Unauthorized { answer, .. } => OciError::Elsewhere { place, origin, answer, stage }.into(),
        Cause::Location { detail } => of_location(origin, &detail),
        cause => OciError::NoRegistry { place: origin, detail: Failure::new(stage, cause).to_string() }.into(),
    }
}

/// Of a redirect that is not followed.
pub(super) fn of_location(url: String, detail: &str) -> SourceError {
    SourceError::Redirect { url, detail: format!("{detail}; check `url`, and what stands before the registry") }
}

/// Of a redirect that leads to no other registry; `to` has no query.
pub(super) fn of_redirect(place: String, to: &str, tls: bool) -> SourceError {
    if !tls && to.starts_with("https://") {
        return OciError::LeadsToTls { place, to: to.to_owned() }.into();
    }
    if tls && to.starts_with("http://") {
        let detail = format!("`{to}` has no TLS; let what stands before the registry pass on `X-Forwarded-Proto`");
        return SourceError::Redirect { url: place, detail };
    }
    let detail = format!("`{to}` is no other registry; check `url`, and what stands before the registry: it may want a login in a browser");
    SourceError::Redirect { url: place, detail }
}

pub(super) fn reason(answer: &Answer) -> Reason {
    match answer.status {
        401 | 403 => Reason::SourceUnauthorized,
        404 | 410 => Reason::SourceNotFound,
        _ => Reason::SourceUnreachable,
    }
}

/// Storage has the right in the address; a registry gives what is for everybody, or has to be asked itself.
pub(super) fn cure(answer: &Answer, stage: Stage, origin: &str) -> String {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    match (reason(answer), stage) {
        (Reason::SourceUnauthorized, Stage::PullBlob) => {
            "no login goes there: look at the clock of the registry, and at that storage and its rules".to_owned()
        }
        (Reason::SourceUnauthorized, _) => {
            format!("no login goes there: where it wants one, take charts from that registry itself, `oci://{host}/…` as `url`")
        }
        (Reason::SourceNotFound, Stage::PullBlob) => {
            "that storage does not have all that belongs to it: push the chart to the registry again".to_owned()
        }
        (Reason::SourceNotFound, _) => "that registry does not have it: check `url`, and the name in `charts`".to_owned(),
        _ => format!("look at the log of `{host}`; the next run asks again"),
    }
}
