//! When everything that is published is proven again: `proof.interval` after the oldest proof, which the inventory holds. What it says was
//! proven after now is proven at once.

use std::time::Duration;

use kube::ResourceExt;

use super::run::now;
use crate::{
    api::ChartPublication,
    model::span,
    publish::{Outcome, ProofTerms},
};

/// When proofs grow old; nothing where the spec asks for none.
pub(super) fn terms(publication: &ChartPublication) -> Option<ProofTerms> {
    let interval = span(&publication.spec.proof.as_ref()?.interval).ok()?;
    Some(ProofTerms { interval, spread: spread(&publication.uid().unwrap_or_default()), now: now().0.as_second() })
}

/// How long until the next round, from what is proven by now.
pub(super) fn next(publication: &ChartPublication, outcome: &Outcome) -> Option<Duration> {
    let terms = terms(publication)?;
    let charts = outcome.targets.iter().flat_map(|target| &target.charts);
    let proved = charts.filter_map(|chart| chart.result.as_ref().ok()?.known());
    proved.map(|known| terms.rest(known.proved.unwrap_or(terms.now))).min()
}

/// From 0.9 to 1.1, the same for a publication each time and also after a restart (FNV-1a).
fn spread(uid: &str) -> f64 {
    let hash = uid.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    0.9 + 0.2 * f64::from(hash) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_many_publications_are_spread_over_a_fifth_of_the_interval() {
        let spreads: Vec<f64> = (0..1000).map(|number| spread(&format!("{number:08}-7d41-4c3b-9a68-0c1d2e3f4a5b"))).collect();
        assert!(spreads.iter().all(|spread| (0.9..=1.1).contains(spread)));
        assert!(spreads.iter().any(|spread| *spread < 0.92) && spreads.iter().any(|spread| *spread > 1.08));
        assert!((spread("a") - spread("a")).abs() < f64::EPSILON);
    }
}
