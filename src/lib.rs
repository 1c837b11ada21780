//! chart-publisher: publishes Helm charts into the registries of a cluster, and proves that they arrived.

pub mod api;
pub mod model;
pub mod net;
pub mod registry;
