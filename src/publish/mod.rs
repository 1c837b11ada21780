//! Attempt, classify, fall back, remember. Writes into registries, and nothing else. Knows no Kubernetes.

mod job;
mod need;
mod outcome;
mod push;
mod run;
mod ways;

pub use need::{Known, Need};
pub use outcome::{ChartOutcome, Done, Failed, MIXED, Outcome, TargetOutcome, Used};
pub use push::{Package, push};
pub use run::{Course, TargetRun, run};
pub use ways::{FailedAttempt, Subject, Way, Ways};
