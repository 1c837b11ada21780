//! chart-publisher: publishes Helm charts into the registries of a cluster, and proves that they arrived.

pub mod api;
pub mod chart;
pub mod controller;
pub mod model;
pub mod net;
pub mod plan;
pub mod publish;
pub mod registry;
pub mod remedy;
pub mod source;
pub mod spool;
pub mod status;
pub mod verify;

/// Names this program to registries and sources.
pub const USER_AGENT: &str = concat!("chart-publisher/", env!("CARGO_PKG_VERSION"));
