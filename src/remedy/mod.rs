//! PURE: fingerprint of a failure → reason, class, sentence; a table.

mod verdict;

pub use verdict::{Class, Scene, Verdict};
