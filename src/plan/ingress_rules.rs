//! Reads one Ingress: by which host names, with TLS or without, `/v2/` of the Service can be asked for.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend};

use super::{
    doors::{Door, Reading, Wildcard, choose, takes},
    facts::Facts,
};

/// Where the distribution specification puts everything.
const API: &str = "/v2/";

/// Paths of type `ImplementationSpecific` that the known controllers read as a prefix, or as an expression, that `/v2/` fits.
const COVERING: [&str; 8] = ["", "/", "/*", "/.*", "/(.*)", "/v2", "/v2/", "/v2/*"];

/// Annotations by which controllers speak TLS without an entry under `tls`; the values that switch it on, none for any.
const TLS_ANNOTATIONS: [(&str, Option<&str>); 6] = [
    ("traefik.ingress.kubernetes.io/router.tls", Some("true")),
    ("nginx.ingress.kubernetes.io/ssl-passthrough", Some("true")),
    ("haproxy.org/ssl-passthrough", Some("true")),
    ("alb.ingress.kubernetes.io/certificate-arn", None),
    ("networking.gke.io/managed-certificates", None),
    ("ingress.gcp.kubernetes.io/pre-shared-cert", None),
];

/// Reads the rules of `ingress`, and chooses the name: the target's `hostname` where a rule takes it, else one with TLS.
pub(super) fn read(ingress: &Ingress, facts: &Facts<'_>) -> Reading {
    let (mut doors, mut closed) = (Vec::new(), Vec::new());
    for (host, paths) in by_host(ingress) {
        match leads(&paths, facts) {
            Lead::Here => doors.push(Door { tls: has_tls(ingress, host), host: host.map(str::to_owned), port: None }),
            Lead::Refused(why) => closed.push(why),
            Lead::Elsewhere => {}
        }
    }
    if let Some(backend) = ingress.spec.as_ref().and_then(|spec| spec.default_backend.as_ref()) {
        match backend_lead(backend, facts) {
            Lead::Here => doors.push(Door { tls: has_tls(ingress, None), host: None, port: None }),
            Lead::Refused(why) => closed.push(why),
            Lead::Elsewhere => {}
        }
    }
    match (doors.is_empty(), closed.into_iter().next()) {
        (true, None) => Reading::Elsewhere,
        (true, Some(why)) => Reading::Closed(why),
        (false, _) => choose(doors, Wildcard::OneLabel, facts),
    }
}

enum Lead {
    Here,
    Elsewhere,
    Refused(String),
}

/// Rules of one host belong together: the longest path wins among all of them.
fn by_host(ingress: &Ingress) -> BTreeMap<Option<&str>, Vec<&HTTPIngressPath>> {
    let mut groups: BTreeMap<Option<&str>, Vec<&HTTPIngressPath>> = BTreeMap::new();
    for rule in ingress.spec.iter().flat_map(|spec| spec.rules.iter().flatten()) {
        let host = rule.host.as_deref().filter(|host| !host.is_empty());
        groups.entry(host).or_default().extend(rule.http.iter().flat_map(|http| &http.paths));
    }
    groups
}

fn leads(paths: &[&HTTPIngressPath], facts: &Facts<'_>) -> Lead {
    let length = |path: &&&HTTPIngressPath| path.path.as_deref().unwrap_or_default().trim_end_matches(['/', '*']).len();
    if let Some(winner) = paths.iter().filter(|path| covers(path)).max_by_key(length) {
        let lead = backend_lead(&winner.backend, facts);
        if !matches!(lead, Lead::Elsewhere) {
            return lead;
        }
    }
    let ours = paths.iter().find(|path| !matches!(backend_lead(&path.backend, facts), Lead::Elsewhere));
    ours.map_or(Lead::Elsewhere, |path| {
        let (text, type_) = (path.path.as_deref().unwrap_or_default(), &path.path_type);
        let covered = if covers(path) { "and a longer path of the same host leads elsewhere" } else { "which a registry needs" };
        Lead::Refused(format!(
            "its path \"{text}\" ({type_}) does not take \"{API}\", {covered}: set it to \"/\" or \"{API}\" with pathType Prefix"
        ))
    })
}

fn covers(path: &HTTPIngressPath) -> bool {
    let text = path.path.as_deref().unwrap_or_default();
    match path.path_type.as_str() {
        "Exact" => false,
        "Prefix" => ["", "/", "/v2", "/v2/"].contains(&text),
        _ => COVERING.contains(&text),
    }
}

fn backend_lead(backend: &IngressBackend, facts: &Facts<'_>) -> Lead {
    let Some(service) = backend.service.as_ref().filter(|service| service.name == facts.name) else { return Lead::Elsewhere };
    let Some(port) = &service.port else { return Lead::Here };
    let by_number = port.number == Some(facts.port.port);
    let by_name = port.name.is_some() && port.name == facts.port.name;
    if by_number || by_name {
        return Lead::Here;
    }
    let other = port.name.clone().or(port.number.map(|number| number.to_string())).unwrap_or_default();
    Lead::Refused(format!("it leads to port {other} of the Service, and the target names {}", super::facts::port_label(facts.port)))
}

fn has_tls(ingress: &Ingress, host: Option<&str>) -> bool {
    let annotations = ingress.metadata.annotations.as_ref();
    let annotated = TLS_ANNOTATIONS
        .iter()
        .any(|(key, wanted)| annotations.and_then(|all| all.get(*key)).is_some_and(|value| wanted.is_none_or(|wanted| value == wanted)));
    // An entry without hosts stands for all that its controller serves.
    let entries = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
    let covered =
        |hosts: &[String]| hosts.is_empty() || host.is_some_and(|host| hosts.iter().any(|other| takes(other, host, Wildcard::OneLabel)));
    annotated || entries.map(|entry| entry.hosts.as_deref().unwrap_or_default()).any(covered)
}
