//! PURE: from what each cell found to what is wrong, each cause once.

use std::collections::BTreeMap;

use super::{Finding, RouteReport};
use crate::{api::Reason, plan::Route};

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the cause.
    pub reason: Reason,
    /// The row of the remedies that tells most.
    pub remedy: &'static str,
    /// What was seen, and what cures it.
    pub sentence: String,
    /// Where, each once.
    pub routes: Vec<Route>,
    /// How many cells met it.
    pub cells: usize,
    /// How many of them failed by it; the others overcame it.
    pub failed: usize,
}

/// The causes, the one that most cells met first.
pub(super) fn of(routes: &[RouteReport]) -> Vec<Fault> {
    let mut found: BTreeMap<Reason, Vec<(&RouteReport, &Finding, bool)>> = BTreeMap::new();
    for route in routes {
        for cell in &route.cells {
            for finding in cell.findings() {
                let has_failed = cell.failure().is_some_and(|failure| std::ptr::eq(failure, finding));
                found.entry(finding.reason).or_default().push((route, finding, has_failed));
            }
        }
    }
    let mut faults: Vec<Fault> = found.into_iter().filter_map(|(reason, met)| one(reason, &met)).collect();
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.cells));
    faults
}

fn one(reason: Reason, met: &[(&RouteReport, &Finding, bool)]) -> Option<Fault> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, finding, _) in met {
        *counts.entry(finding.remedy).or_default() += 1;
    }
    // What was met last was met by the largest body.
    let (_, telling, _) = met.iter().max_by_key(|(_, finding, _)| counts.get(finding.remedy))?;
    let mut routes: Vec<Route> = Vec::new();
    for (route, ..) in met {
        if !routes.contains(&route.route) {
            routes.push(route.route);
        }
    }
    let failed = met.iter().filter(|(_, _, has_failed)| *has_failed).count();
    Some(Fault { reason, remedy: telling.remedy, sentence: telling.sentence.clone(), routes, cells: met.len(), failed })
}
