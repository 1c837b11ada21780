//! Reads the rules of one HTTPRoute: whether requests for `/v2/` go to the Service, unchanged and all of them.

use super::{
    facts::{Facts, port_label},
    gateway_api::{BackendReference, GROUP, HttpRoute, HttpRouteMatch, HttpRouteRule, ReferenceGrant},
};

/// Where the distribution specification puts everything.
const API: &str = "/v2/";
const COVERING_PREFIXES: [&str; 4] = ["", "/", "/v2", "/v2/"];
/// Expressions that match all below `/v2/`, as the known controllers read them: some anchor them at both ends.
const COVERING_EXPRESSIONS: [&str; 8] = [".*", "/.*", "/(.*)", "^/.*", "^/.*$", "/v2/.*", "/v2/(.*)", "^/v2/.*"];

/// What an HTTPRoute does with requests for a registry's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lead {
    /// They go to the Service.
    Here,
    /// The route does not name the Service.
    Elsewhere,
    /// It names the Service, and this keeps them from getting there.
    Refused(String),
}

/// Reads `route`.
pub(super) fn lead(route: &HttpRoute, facts: &Facts<'_>) -> Lead {
    let rules = &route.spec.rules;
    if !rules.iter().any(|rule| names_service(rule, route, facts)) {
        return Lead::Elsewhere;
    }
    match winner(rules) {
        Some(rule) if names_service(rule, route, facts) => leads_wholly(rule, route, facts).map_or(Lead::Here, Lead::Refused),
        Some(_) => Lead::Refused(format!("its rule for \"{API}\" leads elsewhere: let the rule that leads to the Service take \"{API}\"")),
        None => Lead::Refused(format!(
            "no rule of it takes all requests for \"{API}\", which a registry needs: set the path of a match to \"/\" or \"{API}\" with type PathPrefix, without method, headers and queryParams"
        )),
    }
}

/// The rule that takes requests for the API: the longest path wins, and among equals the first.
fn winner(rules: &[HttpRouteRule]) -> Option<&HttpRouteRule> {
    let mut winner: Option<(usize, &HttpRouteRule)> = None;
    for rule in rules {
        let everything = [HttpRouteMatch::default()];
        let matches = if rule.matches.is_empty() { &everything[..] } else { &rule.matches };
        let length = matches.iter().filter_map(covered_length).max();
        if let Some(length) = length
            && winner.is_none_or(|(longest, _)| length > longest)
        {
            winner = Some((length, rule));
        }
    }
    winner.map(|(_, rule)| rule)
}

/// The length of the path of a match that takes all below `/v2/`, whatever the request is.
fn covered_length(candidate: &HttpRouteMatch) -> Option<usize> {
    if candidate.method.is_some() || !candidate.headers.is_empty() || !candidate.query_params.is_empty() {
        return None;
    }
    let path = candidate.path.clone().unwrap_or_default();
    let value = path.value.as_deref().unwrap_or("/");
    let covers = match path.type_.as_deref() {
        None | Some("PathPrefix") => COVERING_PREFIXES.contains(&value),
        Some("RegularExpression") => COVERING_EXPRESSIONS.contains(&value),
        Some(_) => false,
    };
    covers.then(|| value.trim_end_matches('/').len())
}

/// What keeps requests that a rule takes from getting to the Service, unchanged and all of them.
fn leads_wholly(rule: &HttpRouteRule, route: &HttpRoute, facts: &Facts<'_>) -> Option<String> {
    let filter = |name: &str| rule.filters.iter().find(|filter| filter.type_ == name);
    if filter("RequestRedirect").is_some() {
        return Some(format!("its rule for \"{API}\" answers with a redirect"));
    }
    if filter("URLRewrite").is_some_and(|filter| filter.url_rewrite.path.is_some()) {
        return Some(format!("its rule for \"{API}\" rewrites the path, which a registry must get as it is: take `urlRewrite.path` away"));
    }
    let mut weighted = rule.backend_refs.iter().filter(|backend| backend.weight != Some(0));
    let Some(backend) = weighted.clone().find(|backend| is_service(backend, route, facts)) else {
        return Some("the Service has weight 0 in it".to_owned());
    };
    if weighted.any(|other| !is_service(other, route, facts)) {
        return Some("it shares the requests out among other backends as well, which tears uploads apart".to_owned());
    }
    if let Some(port) = backend.port.filter(|port| *port != facts.port.port) {
        return Some(format!("it leads to port {port} of the Service, and the target names {}", port_label(facts.port)));
    }
    (!is_granted(route, facts)).then(|| {
        let own = namespace(route);
        format!(
            "it lies in another namespace, and no ReferenceGrant of namespace \"{}\" lets HTTPRoutes of \"{own}\" refer to the Service: create one, with `from` HTTPRoute of \"{own}\" and `to` Service \"{}\"",
            facts.namespace, facts.name
        )
    })
}

fn names_service(rule: &HttpRouteRule, route: &HttpRoute, facts: &Facts<'_>) -> bool {
    rule.backend_refs.iter().any(|backend| is_service(backend, route, facts))
}

fn is_service(backend: &BackendReference, route: &HttpRoute, facts: &Facts<'_>) -> bool {
    let is_of_core = backend.group.as_deref().is_none_or(str::is_empty);
    let is_of_kind = backend.kind.as_deref().is_none_or(|kind| kind == "Service");
    let lies = backend.namespace.as_deref().unwrap_or_else(|| namespace(route));
    is_of_core && is_of_kind && (lies, backend.name.as_str()) == (facts.namespace, facts.name)
}

fn is_granted(route: &HttpRoute, facts: &Facts<'_>) -> bool {
    let own = namespace(route);
    let grants = |grant: &&&ReferenceGrant| {
        let from = grant.spec.from.iter().any(|from| (&*from.group, &*from.kind, &*from.namespace) == (GROUP, "HTTPRoute", own));
        let is_named = |name: &Option<String>| name.as_deref().is_none_or(|name| name.is_empty() || name == facts.name);
        let to = grant.spec.to.iter().any(|to| (&*to.group, &*to.kind) == ("", "Service") && is_named(&to.name));
        grant.metadata.namespace.as_deref() == Some(facts.namespace) && from && to
    };
    own == facts.namespace || facts.exposure.gateway.grants.iter().any(|grant| grants(&grant))
}

/// Of a route.
pub(super) fn namespace(route: &HttpRoute) -> &str {
    route.metadata.namespace.as_deref().unwrap_or_default()
}
