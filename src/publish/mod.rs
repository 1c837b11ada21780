//! Attempt, classify, fall back, remember. Writes into registries, and nothing else. Knows no Kubernetes.

mod attempt;
mod circuit;
mod foresee;
mod job;
mod ladder;
mod learnt;
mod lists;
mod need;
mod observer;
mod outcome;
mod proof;
mod push;
mod reach;
mod read;
mod readers;
mod remembered;
mod replicas;
mod run;
mod spent;
mod ways;

pub use attempt::{Attempt, FailedAttempt, Tried};
pub use circuit::Away;
pub use foresee::{Action, Foreseen, foresee};
pub use learnt::Learnt;
pub use need::{Known, Need, ProofTerms};
pub use observer::{Ended, Observer};
pub use outcome::{ChartOutcome, Done, Failed, MIXED, Outcome, TargetOutcome, Used};
pub use push::{Package, Pushed, Taken, push, send};
pub use reach::{Identities, NewIdentities, Reach};
pub use read::Content;
pub use readers::{ReaderCheck, ReaderRoute, Readers, ReadersPlan};
pub use remembered::{Refused, Remembered, RememberedChunks};
pub use replicas::Replicas;
pub use run::{Course, TargetRun, run};
pub use ways::{Subject, Way, Ways};
