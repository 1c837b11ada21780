//! PURE: the report as JSON, in the shape that docs/probe.md lays down.

use serde_json::{Value, json};

use super::{Action, Auto, Cell, Fault, Finding, LeftBehind, Outcome, Report, Requirement, RouteReport, Thing};
use crate::publish::FailedAttempt;

impl Report {
    /// One object.
    pub fn as_json(&self, required: &[Requirement]) -> Value {
        let requirements = required.iter().map(|one| json!({"what": one.to_string(), "holds": one.holds(self)})).collect::<Vec<_>>();
        json!({
            "target": self.target,
            "repository": self.repository.to_string(),
            "holds": self.holds(required),
            "required": requirements,
            "auto": auto(&self.auto),
            "faults": self.faults.iter().map(fault).collect::<Vec<_>>(),
            "routes": self.routes.iter().map(route).collect::<Vec<_>>(),
            "leftOut": self.left_out.iter().map(|left| json!({"route": left.route.as_str(), "message": left.why})).collect::<Vec<_>>(),
            "unseen": self.unseen,
            "removed": {"blobs": self.removed, "bytes": self.removed_bytes},
            "leftBehind": self.left_behind.iter().map(|left| left_behind(left, &self.repository.to_string())).collect::<Vec<_>>(),
            "bytesSent": self.sent,
            "seconds": self.took.as_secs_f64(),
        })
    }

    /// Whether all that is required holds.
    pub fn holds(&self, required: &[Requirement]) -> bool {
        if required.is_empty() { self.something_arrives() } else { required.iter().all(|one| one.holds(self)) }
    }
}

fn auto(auto: &Auto) -> Value {
    let chosen = auto.chosen.as_ref().ok();
    let verdict = auto.chosen.as_ref().err();
    json!({
        "route": chosen.map(|chosen| chosen.route.as_str()),
        "address": chosen.map(|chosen| chosen.address.clone()),
        "method": chosen.map(|chosen| chosen.method.as_str()),
        "tactic": chosen.map(|chosen| chosen.tactic.clone()),
        "message": chosen.map(|chosen| chosen.why.clone()).or(verdict.map(|verdict| verdict.sentence.clone())),
        "reason": verdict.map(|verdict| verdict.reason.as_str()),
        "attempts": auto.attempts.iter().map(FailedAttempt::json).collect::<Vec<_>>(),
    })
}

fn fault(fault: &Fault) -> Value {
    json!({
        "reason": fault.reason.as_str(),
        "remedy": fault.remedy,
        "message": fault.sentence,
        "routes": fault.routes.iter().map(|route| route.as_str()).collect::<Vec<_>>(),
        "cells": fault.cells,
        "failed": fault.failed,
    })
}

fn route(route: &RouteReport) -> Value {
    json!({
        "route": route.route.as_str(),
        "address": route.address(),
        "origin": route.origin.to_string(),
        "via": route.via,
        "message": route.why,
        "cells": route.cells.iter().map(cell).collect::<Vec<_>>(),
    })
}

fn cell(cell: &Cell) -> Value {
    let (action, method) = match cell.action {
        Action::Greet => ("greet", None),
        Action::Upload(method) => ("upload", Some(method.as_str())),
        Action::Download(method) => ("download", Some(method.as_str())),
    };
    let (latency, took) = match cell.outcome {
        Outcome::Passed { latency, took } => (latency, Some(took)),
        Outcome::Failed(_) | Outcome::NotApplicable(_) => (None, None),
    };
    let failure = cell.failure();
    json!({
        "action": action,
        "method": method,
        "protocol": cell.protocol.as_str(),
        "bytes": cell.bytes,
        "result": match cell.outcome {
            Outcome::Passed { .. } => "pass",
            Outcome::Failed(_) => "fail",
            Outcome::NotApplicable(_) => "n/a",
        },
        "latencySeconds": latency.map(|latency| latency.as_secs_f64()),
        "seconds": took.map(|took| took.as_secs_f64()),
        "bytesPerSecond": cell.rate().map(f64::round),
        "reason": failure.map(|finding| finding.reason.as_str()),
        "remedy": failure.map(|finding| finding.remedy),
        "message": match &cell.outcome {
            Outcome::Passed { .. } => None,
            Outcome::Failed(finding) => Some(&finding.sentence),
            Outcome::NotApplicable(why) => Some(why),
        },
        "notes": cell.notes.iter().map(note).collect::<Vec<_>>(),
    })
}

fn note(finding: &Finding) -> Value {
    json!({"reason": finding.reason.as_str(), "remedy": finding.remedy, "message": finding.sentence})
}

fn left_behind(left: &LeftBehind, repository: &str) -> Value {
    let (kind, digest) = match left.thing {
        Thing::Blob(digest) => ("blob", Some(digest.to_string())),
        Thing::Session => ("session", None),
    };
    json!({"kind": kind, "repository": repository, "digest": digest, "bytes": left.bytes, "message": left.why, "cure": left.cure()})
}
