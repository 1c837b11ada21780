//! Who is told which version goes where, while it does. A run without a follower does the same and tells nobody.

use super::{Done, Failed, TargetRun};
use crate::plan::Wanted;

/// Is told what a run does with each version at each target.
pub trait Follower: Send + Sync {
    /// It is looked at, sent or read now.
    fn begins(&self, wanted: &Wanted, target: &TargetRun);

    /// That has ended.
    fn ended(&self, wanted: &Wanted, target: &TargetRun, result: &Result<Done, Failed>);
}

/// Who listens to nothing.
pub(super) struct Nobody;

impl Follower for Nobody {
    fn begins(&self, _: &Wanted, _: &TargetRun) {}

    fn ended(&self, _: &Wanted, _: &TargetRun, _: &Result<Done, Failed>) {}
}
