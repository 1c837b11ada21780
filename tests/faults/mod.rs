//! The fault bed: a registry with quirks, proxies that do what networks do, and hostile paths made of these and of real programs.
//!
//! ```ignore
//! #[expect(dead_code, reason = "each test uses a part of the bed")]
//! mod faults; // beside `mod support;`
//!
//! // A registry of its own code, whose quirks are switches:
//! let registry = ScriptedRegistry::start(&Ground::loopback());
//! registry.set(Quirk::RelativeLocation);
//!
//! // One of the hostile paths, before a registry of one's choice:
//! let bed = support::on_loopback();
//! let path = Path::start(bed, Hostile::ChunkedRefused400, Origin::V3).await?;
//! let result = push(&path.address(), &chart).await;
//! path.requests(); // what was asked, to assert on
//! path.holds("charts/large", "3.0.0", &bytes).await?; // asked past the path
//! ```
//!
//! Everything listens on loopback, or where its [`Ground`] is, and is a guard: it goes when it is dropped.

pub mod catalogue;
pub mod client;
pub mod fronts;
pub mod ground;
pub mod hostile;
pub mod ledger;
pub mod lossy;
pub mod origin;
pub mod path;
pub mod proxy;
pub mod puller;
pub mod quirk;
pub mod registry;
pub mod rule;
pub mod table;
pub mod tool;
pub mod watch;
pub mod wire;
mod words;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// What still comes is read and thrown away for a second before the end, as nginx does.
    Lingering,
    /// At once, in order; the kernel answers a reset where bytes lie unread.
    AtOnce,
    /// With a reset (`SO_LINGER` 0).
    Reset,
}
