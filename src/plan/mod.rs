//! PURE: what to publish, by which routes and methods, and why. No I/O, no clock.

mod body_limit;
mod cluster_ip;
mod controllers;
mod endpoint;
mod error;
mod exposure;
mod facts;
mod ingress;
mod ingress_rules;
#[cfg(test)]
mod ingress_tests;
mod load_balancer;
mod node_port;
mod routes;
mod selection;
mod strategy;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod upload;
mod url;

pub use crate::model::Method;
pub use controllers::Controller;
pub use error::PlanError;
pub use exposure::{Exposure, Families};
pub use routes::{LeftOut, Plan, routes};
pub use selection::{Selection, SelectionFailure, Wanted, select};
pub use strategy::{Route, Strategy, Via};
pub use upload::{BALANCED_AT_ONCE, Bodies, CHUNK, Tactic, first};
pub use url::url;
