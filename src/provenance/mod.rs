//! PURE: whose signature the provenance of a chart has, and whether that key is one of a keyring.
//!
//! In: the bytes of a keyring and of a provenance, the name, version and digest of the chart, the time. Out: who signed it, or what is
//! wrong. It follows `helm verify` (helm.sh, "Helm Provenance and Integrity") on the OpenPGP of RFC 9580, and is stricter where a text can be
//! read in two ways or a key or hash is weak: docs/provenance.md has the list.
//!
//! *Invariant:* what comes from a source is read once, in one direction, and no more than [`MOST`] bytes of it.

mod armor;
mod clearsigned;
mod demand;
mod error;
mod key;
mod keyring;
mod statement;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use demand::{Chart, Demand};
pub use error::{Flaw, KeyringError, Unvouched};
pub use key::Signer;
pub use keyring::Keyring;

/// Bytes of a provenance; `helm package --sign` makes a few KiB.
pub const MOST: usize = 1 << 20;
