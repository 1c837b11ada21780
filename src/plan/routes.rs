//! The plan: which routes lead to a Service, in which order, and why. The order is that of the table in the design:
//! it begins where the Service's type points its users, and the cures come after it.

use std::{collections::BTreeSet, net::SocketAddr};

use super::{
    BALANCED_AT_ONCE, Bodies, CHUNK, Exposure, PlanError, Route, Strategy, Via, cluster_ip, endpoint, facts::Facts, front, load_balancer,
    node_port, relay,
};
use crate::{
    api::{RouteKind, Target, UploadMethod},
    model::{Method, Origin, size},
    net::Address,
};

/// What to try, in order. Two plans that are equal ask for the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Ordered, never empty.
    pub strategies: Vec<Strategy>,
    /// What cannot be taken.
    pub left_out: Vec<LeftOut>,
    /// The path of the repositories in the registry, without slashes at its ends; empty for none.
    pub prefix: String,
    /// The address for readers of the Service's own exposure, without the chart's name: `oci://HOST[:PORT]/PREFIX`.
    pub pull: Option<String>,
    /// The route that these readers take, whatever `routes` says.
    pub reader: Route,
    /// What is ready behind the Service: another registry is another plan, also where all routes to it stay as they are.
    pub endpoints: BTreeSet<SocketAddr>,
    /// The ways to each Pod by itself, where there are several.
    pub replicas: Vec<Strategy>,
}

impl Plan {
    /// The names that a login for the registry may stand under.
    pub fn credential_hosts(&self) -> Vec<String> {
        self.strategies.iter().flat_map(|strategy| strategy.credential_hosts.iter().cloned()).collect()
    }

    /// The same for somebody outside of the cluster, where its own addresses lead nowhere.
    ///
    /// # Errors
    /// When nothing is left.
    pub fn from_outside(mut self, service: &str) -> Result<Self, PlanError> {
        let route = RouteKind::ClusterIp;
        let before = self.strategies.len();
        self.strategies.retain(|strategy| strategy.route != Route::Service(route));
        if self.strategies.len() < before {
            let why = "this program runs outside of the cluster, where the Service's own address leads nowhere".to_owned();
            self.left_out.push(LeftOut { route, why });
        }
        if self.strategies.is_empty() {
            return Err(PlanError::NoRoute { service: service.to_owned(), left_out: in_words(&self.left_out) });
        }
        Ok(self)
    }
}

/// A route that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeftOut {
    /// The route.
    pub route: RouteKind,
    /// What is missing, and what would cure it.
    pub why: String,
}

/// A way that can be taken, before its place in the order is known.
pub(super) struct Candidate {
    pub(super) kind: RouteKind,
    pub(super) addresses: Vec<Address>,
    pub(super) origin: Origin,
    /// Ends the sentence that says why.
    pub(super) what: String,
    pub(super) via: Option<Via>,
    /// A limit for bodies that is stated, and what states it.
    pub(super) limit: Option<(u64, String)>,
    /// `host[:port]` as a reader names it.
    pub(super) readers: String,
}

/// The ways of one kind, and what was left out.
#[derive(Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    pub(super) left_out: Vec<String>,
}

impl Found {
    /// One way.
    pub(super) fn one(candidate: Candidate) -> Self {
        Self { candidates: vec![candidate], left_out: Vec::new() }
    }

    /// No way.
    pub(super) fn none(why: impl Into<String>) -> Self {
        Self { candidates: Vec::new(), left_out: vec![why.into()] }
    }
}

/// Plans the ways to the Service of `target`, which lies in `namespace`.
///
/// # Errors
/// When the Service has no such port, or no route leads to it.
pub fn routes(target: &Target, namespace: &str, exposure: &Exposure<'_>) -> Result<Plan, PlanError> {
    let facts = Facts::gather(target, namespace, exposure)?;
    let (own, own_left_out) = ways(&by_exposure(&facts), &facts, false);
    let prefix = target.service.as_ref().map(|service| service.repository.trim_matches('/').to_owned()).unwrap_or_default();
    let reader = own.first().map(|way| (Route::Service(way.kind), pull_address(&way.readers, &prefix)));
    let listed = !target.routes.is_empty();
    let (ways, left_out) = if listed { ways(&target.routes, &facts, true) } else { (own, own_left_out) };
    let Some(first) = ways.first() else {
        let (service, left_out) = (facts.label(), in_words(&left_out));
        return Err(if listed { PlanError::NoListedRoute { service, left_out } } else { PlanError::NoRoute { service, left_out } });
    };
    let (reader, pull) = reader.unwrap_or_else(|| (Route::Service(first.kind), pull_address(&first.readers, &prefix)));
    let endpoints = facts.endpoints.iter().map(|endpoint| endpoint.address).collect();
    let replicas = strategies(endpoint::each(&facts), &facts);
    Ok(Plan { strategies: strategies(ways, &facts), left_out, prefix, pull: Some(pull), reader, endpoints, replicas })
}

/// `oci://HOST[:PORT]/PREFIX`
pub(super) fn pull_address(host: &str, prefix: &str) -> String {
    if prefix.is_empty() { format!("oci://{host}") } else { format!("oci://{host}/{prefix}") }
}

/// How bodies are framed where nothing on the way has a say: by `upload`.
pub(super) fn bodies(target: &Target) -> Bodies {
    let fixed = match target.upload.method {
        UploadMethod::Auto => None,
        UploadMethod::Buffered => Some(Method::Buffered),
        UploadMethod::Chunked => Some(Method::Chunked),
        UploadMethod::SinglePost => Some(Method::SinglePost),
        UploadMethod::Streamed => Some(Method::Streamed),
    };
    Bodies { fixed, chunk: size(&target.upload.chunk_size).unwrap_or(CHUNK), ..Bodies::default() }
}

/// The kinds in the order of the design's table.
fn by_exposure(facts: &Facts<'_>) -> Vec<RouteKind> {
    use RouteKind::{ClusterIp, Endpoint, Ingress, LoadBalancer, NodePort, Relay};
    match facts.service_type() {
        "LoadBalancer" if load_balancer::find(facts).candidates.is_empty() => {
            vec![LoadBalancer, NodePort, Ingress, ClusterIp, Endpoint, Relay]
        }
        "LoadBalancer" => vec![LoadBalancer, Ingress, ClusterIp, Endpoint, Relay],
        "NodePort" => vec![NodePort, Ingress, ClusterIp, Endpoint, Relay],
        _ if facts.is_headless() || facts.is_internal_local() => vec![Ingress, Endpoint, Relay],
        _ => vec![Ingress, ClusterIp, Endpoint, Relay],
    }
}

/// The ways of one kind.
pub(super) fn candidates(kind: RouteKind, facts: &Facts<'_>) -> Found {
    match kind {
        RouteKind::LoadBalancer => load_balancer::find(facts),
        RouteKind::NodePort => node_port::find(facts),
        RouteKind::Ingress => front::find(facts),
        RouteKind::ClusterIp => cluster_ip::find(facts),
        RouteKind::Endpoint => endpoint::find(facts),
        RouteKind::Relay => relay::find(facts),
    }
}

/// An Ingress that is not there is worth a word only where `routes` asks for one.
fn ways(kinds: &[RouteKind], facts: &Facts<'_>, listed: bool) -> (Vec<Candidate>, Vec<LeftOut>) {
    let (mut ways, mut left_out) = (Vec::new(), Vec::new());
    for &route in kinds {
        let mut found = candidates(route, facts);
        if listed && found.candidates.is_empty() && found.left_out.is_empty() {
            found.left_out.push(format!("no Ingress of namespace \"{}\" and no HTTPRoute leads to the Service", facts.namespace));
        }
        ways.append(&mut found.candidates);
        left_out.extend(found.left_out.into_iter().map(|why| LeftOut { route, why }));
    }
    (ways, left_out)
}

fn in_words(left_out: &[LeftOut]) -> String {
    left_out.iter().map(|left| format!("{}: {}", left.route.as_str(), left.why)).collect::<Vec<_>>().join("; ")
}

/// Puts together what is sent by each way, and why.
pub(super) fn strategies(ways: Vec<Candidate>, facts: &Facts<'_>) -> Vec<Strategy> {
    let mut before: Option<RouteKind> = None;
    let mut strategies = Vec::with_capacity(ways.len());
    for way in ways {
        let opening = match before.replace(way.kind) {
            Some(before) => format!("after {}", before.as_str()),
            None => opening(&way, facts),
        };
        let reason = format!("{opening}: {}{}", way.what, of_bodies(&way));
        strategies.push(Strategy {
            route: Route::Service(way.kind),
            credential_hosts: facts.credential_hosts(&way.origin, &way.addresses),
            addresses: way.addresses,
            origin: way.origin,
            reason,
            bodies: Bodies {
                at_once: (way.kind == RouteKind::LoadBalancer).then_some(BALANCED_AT_ONCE),
                limit: way.limit,
                in_tunnel: way.kind == RouteKind::Relay,
                ..bodies(facts.target)
            },
            via: way.via,
        });
    }
    strategies
}

/// What is known of bodies on the way.
fn of_bodies(way: &Candidate) -> String {
    match &way.limit {
        Some((limit, by)) => format!(", which takes bodies up to {} KiB ({by})", limit >> 10),
        None => String::new(),
    }
}

/// Why the first route is the first.
fn opening(way: &Candidate, facts: &Facts<'_>) -> String {
    let kind = way.kind;
    let service_type = facts.service_type();
    match kind {
        _ if !facts.target.routes.is_empty() => format!("`routes` names {} before others that are possible", kind.as_str()),
        RouteKind::NodePort if service_type == "LoadBalancer" => "the Service is of type LoadBalancer and has no address yet".to_owned(),
        RouteKind::Ingress if service_type == "ClusterIP" => {
            format!("an {} leads to the Service", way.via.as_ref().map_or("Ingress", |via| via.kind))
        }
        RouteKind::Endpoint if facts.is_headless() => "the Service is headless".to_owned(),
        RouteKind::Endpoint if facts.is_internal_local() && service_type == "ClusterIP" => {
            "the Service has internalTrafficPolicy Local".to_owned()
        }
        _ if kind.as_str() == service_type => format!("the Service is of type {service_type}"),
        _ => format!("the Service is of type {service_type}, and that route is left out"),
    }
}
