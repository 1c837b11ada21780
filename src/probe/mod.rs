//! The matrix: every method over every route, up and down, by bodies of its own; what fails is named with its remedy.
//!
//! In: the ways to a registry ([`crate::publish::Ways`]), and how much to send. Out: a [`Report`], as text, JSON or JUnit.
//!
//! # Guarantees
//! * A cell is one method on one route. Nothing takes another way inside of a cell; what the client overcame on the spot (a 503, a
//!   `Location` that leads astray, a connection that was reset) stands beside the cell as a note.
//! * Bodies are random, so that no registry can have them already. No manifest and no tag is written.
//! * What was sent is removed; what could not be removed is named.
//! * One request at a time; at most [`most_bytes`] up a route; an end after [`Settings::longest`].

mod auto;
mod cell;
mod fault;
mod figures;
mod json;
mod junit;
mod require;
mod run;
mod sent;
mod text;

pub use auto::{Auto, Chosen};
pub use cell::{Action, Cell, Finding, Outcome, Protocol, RouteReport};
pub use fault::Fault;
pub use require::{InvalidRequirement, Requirement};
pub use run::{Probe, Report, Settings, most_bytes};
pub use sent::{LeftBehind, Thing};

/// Below the prefix of the target: the repository that bodies are sent to.
pub const REPOSITORY: &str = "chart-publisher-probe";
/// The bodies beside the one whose size is chosen.
pub const SMALL: u64 = 1 << 10;
/// Over the most common limit for bodies, which is 1 MiB.
pub const MEDIUM: u64 = 3 << 19;
/// More than this would be a benchmark.
pub const LARGEST: u64 = 64 << 20;
