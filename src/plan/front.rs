//! The Ingress route: Ingresses and HTTPRoutes that lead to the Service.

use super::{
    facts::Facts,
    http_route, ingress,
    routes::{Candidate, Found},
};
use crate::model::Scheme;

/// More of them than these are not tried.
const MOST: usize = 3;

/// Those with TLS first, then Ingresses before HTTPRoutes, then by age; each address and name once.
pub(super) fn find(facts: &Facts<'_>) -> Found {
    let Found { candidates, mut left_out } = ingress::find(facts);
    let of_gateways = http_route::find(facts);
    left_out.extend(of_gateways.left_out);
    let mut found: Vec<Candidate> = Vec::new();
    for way in candidates.into_iter().chain(of_gateways.candidates) {
        if !found.iter().any(|other| (&other.addresses, &other.origin) == (&way.addresses, &way.origin)) {
            found.push(way);
        }
    }
    found.sort_by_key(|way| way.origin.scheme != Scheme::Https);
    for via in found.split_off(MOST.min(found.len())).into_iter().filter_map(|beyond| beyond.via) {
        left_out.push(format!("{} \"{}/{}\": {MOST} others lead here as well", via.kind, via.namespace, via.name));
    }
    Found { candidates: found, left_out }
}
