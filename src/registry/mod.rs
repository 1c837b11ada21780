//! A client of the OCI distribution specification on [`crate::net`]. Knows no Kubernetes.

mod failure;

pub use failure::{Answer, BodyKind, Cause, Failure, Stage};
