//! The names by which an object in front of a Service takes requests for it, and which of them is used.

use super::facts::{Facts, named_origin};

/// A name by which an object leads to the Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Door {
    /// None: whatever name is asked for.
    pub(super) host: Option<String>,
    pub(super) tls: bool,
}

/// What an object has to do with the Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// It does not name the Service.
    Elsewhere,
    /// It names the Service, and this keeps it from being a way there.
    Closed(String),
    /// It leads there.
    Open(Door),
}

/// Whether a rule or TLS entry for `pattern` takes `host`: a wildcard stands for one label.
pub(super) fn takes(pattern: &str, host: &str) -> bool {
    let same = pattern.eq_ignore_ascii_case(host);
    let wildcard = || {
        let suffix = pattern.strip_prefix("*.")?;
        let (label, rest) = host.split_once('.')?;
        Some(!label.is_empty() && rest.eq_ignore_ascii_case(suffix))
    };
    same || wildcard().unwrap_or(false)
}

/// The target's `hostname` where a name takes it, else one with TLS.
pub(super) fn choose(doors: Vec<Door>, facts: &Facts<'_>) -> Reading {
    let hosts = doors.iter().map(|door| format!("\"{}\"", door.host.as_deref().unwrap_or("*"))).collect::<Vec<_>>().join(", ");
    let hostname = named_origin(facts.target, facts.scheme()).map(|origin| origin.host);
    let chosen = if let Some(name) = &hostname {
        let fits = doors.into_iter().filter(|door| door.host.as_deref().is_none_or(|host| takes(host, name)));
        fits.min_by_key(|door| door.host.as_deref().map_or(2, |host| u8::from(host.starts_with('*'))))
    } else {
        let plain = doors.into_iter().filter(|door| door.host.as_deref().is_none_or(|host| !host.starts_with('*')));
        plain.min_by_key(|door| (!door.tls, door.host.is_none()))
    };
    match (chosen, hostname) {
        (Some(door), _) => Reading::Open(door),
        (None, Some(name)) => Reading::Closed(format!("it takes no requests for `hostname` \"{name}\": its hosts are {hosts}")),
        (None, None) => Reading::Closed(format!("its host {hosts} is a wildcard: say in `hostname` which name to use")),
    }
}
