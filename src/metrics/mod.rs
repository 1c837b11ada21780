//! What is counted for Prometheus: counters that those who work are handed, gauges that are filled at each scrape, their names, and the
//! text in which they are told. In go facts, out comes text; it asks nobody.
//!
//! # Invariants
//! * A label has a name of a closed list ([`LABELS`]): no name of an object, no namespace, no host, no address and no URL.
//! * What there is (publications, spool, queue) is counted anew at each scrape ([`Census`]), so that it cannot drift.

mod census;
mod counts;
mod labels;

pub use census::{Census, Reconciles, State};
pub use counts::Metrics;
pub use labels::{LABELS, Label};
