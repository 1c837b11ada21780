//! The `Location` of an upload session, right and wrong.

use super::{super::quirk::Quirk, Shared, serve::Question};

/// A query whose bytes a careful client sends as they came: escapes of both cases, a plus, signs that need no escape.
pub const AWKWARD: &str = "_state=aB%2Fc%2b%3D+x~==&k=%C3%A4;%20*";

/// The `Location` for a session; `None` when a quirk leaves it out.
pub fn of(shared: &Shared, question: &Question, path: &str, query: Option<&str>) -> Option<String> {
    let host = question.host();
    let place = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let wrong = shared.switches.show(|quirk| match quirk {
        Quirk::NoLocation => Some(None),
        Quirk::RelativeLocation => Some(Some(place.clone())),
        Quirk::OtherScheme => Some(Some(format!("https://{host}{place}"))),
        Quirk::ForeignHost(other) => Some(Some(format!("http://{other}{place}"))),
        Quirk::PortLost => Some(Some(format!("http://{}{place}", host.rsplit_once(':').map_or(host, |(name, _)| name)))),
        _ => None,
    });
    wrong.unwrap_or_else(|| Some(format!("http://{host}{place}")))
}

/// The query that a client must send back, when a quirk wants one.
pub fn query(shared: &Shared) -> Option<String> {
    shared.switches.shows(&Quirk::QueryInLocation).then(|| AWKWARD.to_owned())
}

/// Whether the request has the query of its session, byte for byte, beside its digest.
pub fn is_kept(question: &Question, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return true };
    let sent = question.uri.query().unwrap_or_default();
    let rest: Vec<_> = sent.split('&').filter(|part| !part.starts_with("digest=")).collect();
    rest.join("&") == wanted
}
