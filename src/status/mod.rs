//! PURE: outcome → conditions. What a user reads, made of what really happened; no I/O, no clock.
//!
//! *Invariant:* `Ready=True` is written only where every wanted version at every target is [`crate::publish::Done`], and a `Done`
//! is made of a [`crate::verify::Verified`] of this run or of the record of one.

mod conditions;
mod learnt;
mod readers;
mod signed;
mod summary;

use conditions::{Standing, conditions};
pub use learnt::remembered;
pub use readers::{Checked, READER_ROUTE, is_complete, with_checks};
pub use signed::{signed_by, signer};
pub use summary::{Report, SourceReport, progress, report, suspended};

#[cfg(test)]
mod reader_tests;
#[cfg(test)]
mod tests;
