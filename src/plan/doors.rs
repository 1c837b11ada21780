//! The names by which an object in front of a Service takes requests for it, and which of them is used.

use super::facts::{Facts, named_origin};

/// A name by which an object leads to the Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Door {
    /// None: whatever name is asked for.
    pub(super) host: Option<String>,
    pub(super) tls: bool,
    /// Where it is known.
    pub(super) port: Option<u16>,
}

/// What the `*` of a host stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcard {
    /// As in an Ingress, and in certificates.
    OneLabel,
    /// As in the Gateway API.
    AnyLabels,
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

/// Whether a rule, listener or TLS entry for `pattern` takes `host`.
pub(super) fn takes(pattern: &str, host: &str, wildcard: Wildcard) -> bool {
    let same = pattern.eq_ignore_ascii_case(host);
    let below = || {
        let suffix = pattern.strip_prefix("*.")?.to_ascii_lowercase();
        let labels = host.to_ascii_lowercase().strip_suffix(&suffix)?.strip_suffix('.')?.to_owned();
        Some(!labels.is_empty() && (wildcard == Wildcard::AnyLabels || !labels.contains('.')))
    };
    same || below().unwrap_or(false)
}

/// The target's `hostname` where a name takes it, else one with TLS.
pub(super) fn choose(doors: Vec<Door>, wildcard: Wildcard, facts: &Facts<'_>) -> Reading {
    let hosts = doors.iter().map(|door| format!("\"{}\"", door.host.as_deref().unwrap_or("*"))).collect::<Vec<_>>().join(", ");
    let hostname = named_origin(facts.target, facts.scheme()).map(|origin| origin.host);
    let chosen = if let Some(name) = &hostname {
        let fits = doors.into_iter().filter(|door| door.host.as_deref().is_none_or(|host| takes(host, name, wildcard)));
        fits.min_by_key(|door| (door.host.as_deref().map_or(2, |host| u8::from(host.starts_with('*'))), !door.tls))
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
