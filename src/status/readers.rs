//! `ReaderRoute` of a target: whether readers of the registry get what was published by the route that is theirs.
//!
//! * With `proof.routes`, the newest download by each of them says it, and nothing else.
//! * Without, the proof itself does where it went by the route that the Service shows its readers; where that one had failed and
//!   another was taken, its failure stands here. Where it was never tried, nothing is known, and nothing is said.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{Report, conditions::condition};
use crate::{
    api::{ChartPublicationStatus, Reason, RouteProof, TargetStatus},
    publish::{MIXED, ReaderCheck, ReadersPlan},
};

/// The kind of the condition.
pub const READER_ROUTE: &str = "ReaderRoute";

/// What came of the downloads of one target.
#[derive(Debug)]
pub struct Checked {
    /// Its name in the spec.
    pub target: String,
    /// One for each way.
    pub checks: Vec<ReaderCheck>,
}

/// The status with what came of downloads; all else stays.
pub fn with_checks(report: &Report<'_>, mut status: ChartPublicationStatus, checked: &[Checked]) -> ChartPublicationStatus {
    for target in &mut status.targets {
        let Some(of_target) = checked.iter().find(|checked| checked.target == target.name) else { continue };
        target.proofs = of_target.checks.iter().map(|check| route_proof(report, check)).collect();
        let before = target.conditions.clone();
        target.conditions.retain(|condition| condition.type_ != READER_ROUTE);
        target.conditions.extend(by_downloads(&target.proofs).map(|said| said.condition(report, &before)));
    }
    status
}

fn route_proof(report: &Report<'_>, check: &ReaderCheck) -> RouteProof {
    let (result, message) = match &check.result {
        Ok(sentence) => (Reason::Succeeded, sentence.clone()),
        Err(failed) => (failed.reason, failed.sentence.clone()),
    };
    RouteProof {
        route: check.route.as_str().to_owned(),
        address: check.address.clone(),
        result: result.as_str().to_owned(),
        message,
        time: report.now.clone(),
    }
}

/// Downloads of before that are still of routes that are asked for.
pub(super) fn kept_proofs(previous: Option<&TargetStatus>, plan: &ReadersPlan) -> Vec<RouteProof> {
    let is_asked =
        |proof: &&RouteProof| plan.asked.iter().any(|(route, address)| (route.as_str(), address) == (proof.route.as_str(), &proof.address));
    previous.iter().flat_map(|previous| &previous.proofs).filter(is_asked).cloned().collect()
}

/// Whether each of the routes that are asked for has a result.
pub fn is_complete(plan: &ReadersPlan, target: &TargetStatus) -> bool {
    let has_result =
        |route: &str, address: &Option<String>| target.proofs.iter().any(|proof| proof.route == route && proof.address == *address);
    plan.asked.iter().all(|(route, address)| has_result(route.as_str(), address))
}

/// The condition after a run, of what stands in the status by then.
pub(super) fn reader_route(report: &Report<'_>, plan: &ReadersPlan, target: &TargetStatus, before: &[Condition]) -> Option<Condition> {
    if !is_complete(plan, target) {
        // The downloads follow; until then, what was said stands.
        return before.iter().find(|condition| condition.type_ == READER_ROUTE).cloned();
    }
    let said = if plan.asked.is_empty() { by_the_proof(plan, target) } else { by_downloads(&target.proofs) };
    said.map(|said| said.condition(report, before))
}

/// What is said.
struct Said<'a> {
    status: &'static str,
    reason: &'a str,
    message: String,
}

impl Said<'_> {
    fn condition(&self, report: &Report<'_>, before: &[Condition]) -> Condition {
        condition(report, before, READER_ROUTE, self.status, self.reason, &self.message)
    }
}

fn by_downloads(proofs: &[RouteProof]) -> Option<Said<'_>> {
    let succeeded = Reason::Succeeded.as_str();
    let failed: Vec<&RouteProof> = proofs.iter().filter(|proof| proof.result != succeeded).collect();
    match (proofs, failed.as_slice()) {
        ([], _) => None,
        (all, []) => {
            let mut routes: Vec<&str> = all.iter().map(|proof| proof.route.as_str()).collect();
            routes.dedup();
            Some(Said {
                status: "True",
                reason: succeeded,
                message: format!("readers are served by {}: {}", routes.join(", "), all.first()?.message),
            })
        }
        (_, [first, more @ ..]) => {
            let more = if more.is_empty() { String::new() } else { format!(" (and {} more)", more.len()) };
            let message = format!("readers are not served by {}: {}{more}", first.route, first.message);
            Some(Said { status: "False", reason: &first.result, message })
        }
    }
}

fn by_the_proof<'a>(plan: &ReadersPlan, target: &'a TargetStatus) -> Option<Said<'a>> {
    // Where nothing was ever proven, no proof says anything.
    target.last_proved.as_ref()?;
    let (shown, in_cluster) = plan.shown?;
    let used = target.route.as_deref()?;
    if used == shown.as_str() {
        let view = if in_cluster { " (in-cluster view: kube-proxy may answer for this address itself)" } else { "" };
        let message = format!("the proof went by {used}, which the Service shows its readers{view}");
        return Some(Said { status: "True", reason: Reason::Succeeded.as_str(), message });
    }
    let attempt = target.attempts.iter().find(|attempt| attempt.route == shown.as_str())?;
    let used = if used == MIXED { "several routes" } else { used };
    let message = format!("readers are shown {}, and the proof went by {used}: {}", shown.as_str(), attempt.message);
    Some(Said { status: "False", reason: &attempt.reason, message })
}
