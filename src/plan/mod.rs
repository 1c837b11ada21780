//! PURE: what to publish, by which routes and methods, and why. No I/O, no clock.

mod strategy;

pub use strategy::{Method, Route, Strategy, Via};

mod selection;

pub use selection::{Selection, SelectionFailure, Wanted, select};
