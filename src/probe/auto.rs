//! What `Auto` would do: the engine's own search, with the matrix in place of the registry. Only what the matrix has no cell for (a
//! connection for each chunk, small TCP segments) is really sent.

use tokio::sync::Mutex;

use super::{Action, Outcome, RouteReport, run::Bench};
use crate::{
    model::{Framing, Method},
    plan::{Route, Tactic},
    publish::{Attempt, FailedAttempt, Tried, Ways},
    registry::{Failure, SeenOfChunks},
    remedy::Verdict,
};

/// What `Auto` would do with the largest body.
#[derive(Debug)]
pub struct Auto {
    /// The way that it would take, or why none is left.
    pub chosen: Result<Chosen, Verdict>,
    /// What it would try before.
    pub attempts: Vec<FailedAttempt>,
}

/// A way that `Auto` would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The route.
    pub route: Route,
    /// What it would dial.
    pub address: String,
    /// The method.
    pub method: Method,
    /// What belongs to it: sizes of chunks, TCP options.
    pub tactic: String,
    /// Why this route.
    pub why: String,
}

/// Asks the engine.
pub(super) async fn ask(ways: &Ways, routes: &[RouteReport], bench: &mut Bench<'_>) -> Auto {
    let bytes = bench.settings.size;
    let reference = bench.settings.repository.to_string();
    let bench = Mutex::new(bench);
    let work = async |attempt: Attempt| {
        if let Some(result) = known(routes, &attempt, bytes) {
            return Tried { result, sent: 0, seen: SeenOfChunks::default() };
        }
        let uploaded = bench.lock().await.once(&attempt.registry, attempt.tactic.framing, bytes).await;
        Tried { result: uploaded.result, sent: uploaded.sent, seen: uploaded.seen }
    };
    let chosen = ways.through(&reference, bytes, work).await.map(|(way, tactic, ())| Chosen {
        route: way.strategy.route,
        address: way.address(),
        method: tactic.method(),
        tactic: tactic.shown(),
        why: way.strategy.reason.clone(),
    });
    Auto { chosen, attempts: ways.attempts() }
}

/// What the matrix says of an attempt; nothing where it has no such cell.
fn known(routes: &[RouteReport], attempt: &Attempt, bytes: u64) -> Option<Result<(), Failure>> {
    let endpoint = attempt.registry.endpoint();
    let route = routes.iter().find(|route| route.origin == endpoint.origin && route.addresses == endpoint.addresses)?;
    if let Some(finding) = route.of(Action::Greet).find_map(super::Cell::failure) {
        return Some(Err(finding.failure.clone()));
    }
    let result = of_method(route, attempt.tactic.method(), bytes);
    // What passes whole passes in pieces too; what failed may not.
    if has_cell(attempt.tactic) || result == Some(Ok(())) { result } else { None }
}

fn of_method(route: &RouteReport, method: Method, bytes: u64) -> Option<Result<(), Failure>> {
    let mut last = None;
    for cell in route.cells.iter().filter(|cell| cell.bytes <= bytes && cell.protocol == super::Protocol::Http1) {
        match (&cell.outcome, cell.action) {
            (Outcome::Failed(finding), Action::Upload(of) | Action::Download(of)) if of == method || finding.is_final => {
                last = Some(Err(finding.failure.clone()));
            }
            (Outcome::Passed { .. }, Action::Download(of)) if of == method => last = (cell.bytes == bytes).then_some(Ok(())),
            _ => {}
        }
    }
    last
}

fn has_cell(tactic: Tactic) -> bool {
    let renews = matches!(tactic.framing, Framing::Chunked(chunks) if chunks.renew);
    tactic.segment.is_none() && !renews
}
