//! PURE: fingerprint of a failure → reason, class, sentence; a table.
//!
//! [`judge`] turns each failure into a symptom or an answer, looks up its row, and fills the row's sentence.
//! What a registry, a proxy or a controller is known to do wrong is a row; adding knowledge is adding a row and its test.

mod audience;
mod body_limit;
mod connections;
mod content;
mod cures;
mod judge;
mod markdown;
mod redirects;
mod rights;
mod row;
mod sentence;
mod states;
#[cfg(test)]
mod tests;
mod tls;
mod verdict;

pub use audience::{Audience, Caller, CallerLogin};
pub use judge::{ROWS, fingerprint, judge, recall};
pub use markdown::markdown;
pub use row::{Pattern, Row, Shape, Speaker, Symptom};
pub use verdict::{Class, Hint, Scene, Verdict};
