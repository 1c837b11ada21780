//! What a cluster does to every controller: it is ended without a word. Afterwards all is Ready, nothing was ever half-published, and
//! nothing lies in the spool.
#![cfg(test)]

#[path = "crashes/failpoints.rs"]
#[cfg(feature = "failpoints")]
mod failpoints;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod faults;
#[path = "crashes/kills.rs"]
mod kills;
#[path = "crashes/steps.rs"]
mod steps;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
