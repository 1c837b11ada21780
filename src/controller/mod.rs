//! The controller: watches, reconciles, writes status. The only room, beside `relay`, that speaks to the API server.
//!
//! ```text
//! watch ─▶ due? ─▶ dereference ─▶ plan ─▶ source ─▶ publish + verify ─▶ status ─▶ one patch
//!          pure       reads        pure     reads        writes           pure
//! ```
//!
//! # Invariants
//! * Nothing is written into a `spec`.
//! * A reconcile that panics, and an object that cannot be read, leave all others working.
//! * Of several replicas one works: the one that holds the Lease.
//! * A trigger that changes nothing (no other generation, plan, request or time) costs no request to a source or registry.

mod access;
mod at_hand;
mod authorizers;
mod cluster;
mod complaints;
mod demand;
mod events;
mod flux;
mod foresee;
mod gateway_kinds;
mod health;
mod inputs;
mod inventory;
mod kept;
mod kinds;
mod leader;
mod lease;
mod memory;
mod moved;
mod objects;
mod once;
mod optional;
mod patch;
mod proofs;
mod readers;
mod reconcile;
mod recorder;
mod run;
mod schedule;
mod scrape;
mod settings;
mod slots;
mod start;
mod statuses;
mod survey;
mod targets;
mod watches;

pub use at_hand::AtHand;
pub use foresee::{ForeseenItem, Foresight, ForesightError, foresee};
pub use once::{Account, Means, Onlooker, publish_once};
pub use settings::{LeaseTerms, Settings};
pub use start::{StartError, start};
pub use survey::{Survey, SurveyError};
