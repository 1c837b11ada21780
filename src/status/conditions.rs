//! Conditions by kstatus: `Ready` always; `Reconciling` and `Stalled` only while they are true.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::Report;
use crate::api::Reason;

/// Kubernetes allows 32,768 bytes; a reader allows a few lines.
const LONGEST_MESSAGE: usize = 2048;

/// How a publication, or one of its targets, stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// All is published and proven.
    Ready(String),
    /// A run is under way; what was said before still stands where nothing else was asked for.
    Running {
        /// Whether it was said of this very spec.
        is_same_spec: bool,
        /// How far it is.
        message: String,
    },
    /// Something failed, and another run follows by itself.
    Retrying(Reason, String),
    /// Something failed that only a change can cure.
    Stalled(Reason, String),
    /// Nothing is done.
    Suspended(String),
}

/// One condition; its time moves only when its status does.
pub(super) fn condition(report: &Report<'_>, previous: &[Condition], kind: &str, status: &str, reason: &str, message: &str) -> Condition {
    let before = previous.iter().find(|old| old.type_ == kind && old.status == status);
    Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: cut(message),
        observed_generation: report.generation,
        last_transition_time: before.map_or_else(|| report.now.clone(), |old| old.last_transition_time.clone()),
    }
}

/// The conditions of `standing`.
pub(super) fn conditions(standing: &Standing, report: &Report<'_>, previous: &[Condition]) -> Vec<Condition> {
    let condition =
        |kind: &str, status: &str, reason: Reason, message: &str| condition(report, previous, kind, status, reason.as_str(), message);
    let previous_ready = previous.iter().find(|old| old.type_ == "Ready");
    match standing {
        Standing::Ready(message) => vec![condition("Ready", "True", Reason::Succeeded, message)],
        Standing::Suspended(message) => vec![condition("Ready", "Unknown", Reason::Suspended, message)],
        Standing::Running { is_same_spec, message } => {
            let ready = match previous_ready {
                Some(old) if *is_same_spec && old.status != "Unknown" => old.clone(),
                _ => condition("Ready", "Unknown", Reason::Progressing, message),
            };
            vec![ready, condition("Reconciling", "True", Reason::Progressing, message)]
        }
        Standing::Retrying(reason, message) => {
            vec![condition("Ready", "False", *reason, message), condition("Reconciling", "True", Reason::ProgressingWithRetry, message)]
        }
        Standing::Stalled(reason, message) => {
            vec![condition("Ready", "False", *reason, message), condition("Stalled", "True", *reason, message)]
        }
    }
}

fn cut(message: &str) -> String {
    if message.len() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let mut end = LONGEST_MESSAGE - '…'.len_utf8();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", message.get(..end).unwrap_or_default())
}
