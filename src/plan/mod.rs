//! PURE: what to publish, by which routes and methods, and why. No I/O, no clock.

mod body_limit;
mod choice;
mod cluster_ip;
mod controllers;
mod doors;
mod endpoint;
mod error;
mod exposure;
mod facts;
mod front;
mod gateway_api;
#[cfg(test)]
mod gateway_tests;
mod http_route;
mod http_route_rules;
#[cfg(test)]
mod http_route_tests;
mod ingress;
mod ingress_rules;
#[cfg(test)]
mod ingress_tests;
mod load_balancer;
mod node_port;
mod readers;
#[cfg(test)]
mod readers_tests;
mod relay;
#[cfg(test)]
mod relay_tests;
mod routes;
mod selection;
mod selection_failure;
#[cfg(test)]
mod selection_tests;
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
pub use gateway_api::{GROUP as GATEWAY_API, Gateway, GatewayObjects, HttpRoute, ReferenceGrant};
pub use readers::{Reader, readers};
pub use relay::RelayPossibility;
pub use routes::{LeftOut, Plan, routes};
pub use selection::{PassedOver, Selection, Wanted, passed_over, select, wishes};
pub use selection_failure::SelectionFailure;
pub use strategy::{Route, Strategy, Via};
pub use upload::{BALANCED_AT_ONCE, Bodies, CHUNK, Tactic, first};
pub use url::url;
