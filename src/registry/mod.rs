//! A client of the OCI distribution specification on [`crate::net`]. Knows no Kubernetes.

mod answer;
mod auth;
mod client;
#[cfg(feature = "fuzzing")]
pub mod doors;
mod exchange;
mod failure;
mod location;
mod look;
mod manifest;
mod observer;
mod pause;
mod permit;
mod pull;
mod referrers;
mod tags;
mod trail;
mod upload;
mod witness;

pub use auth::Authorizer;
pub use client::Registry;
pub use failure::{Answer, Asked, BodyKind, Cause, Failure, Shown, Stage};
pub use location::AllowedHosts;
pub use manifest::{PulledManifest, Reference, Writing};
pub use observer::Observer;
pub use pause::{Pause, asked_for};
pub use permit::{Permit, Tenure};
pub use pull::{OpenedBlob, Pull};
pub use referrers::{Answered as ListedReferrers, listed};
pub use tags::Listing;
pub use upload::{Blob, SeenOfChunks, Uploaded};
pub use witness::Witness;
