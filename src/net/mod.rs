//! Connections: where to dial, by which name, with which trust, and how long to wait. Knows no registry.
//!
//! *Invariant:* every connection of this program to a registry or a source is made by [`Transport`], so that the
//! address policy, the time limits and the socket options hold for all of them.

mod body;
mod dial;
mod endpoint;
mod error;
mod handshake;
mod lease;
mod proxy;
mod stream;
mod tls;
mod transport;
mod tunnel;
mod unacknowledged;

use body::WatchedBody;

pub use body::{BodyError, OpenBody, Part, ReadyBody, Untold};
pub use endpoint::{Address, AddressPolicy, Endpoint, TunnelAddress};
pub use error::{ConnectFailure, NetError, TlsFailure};
pub use lease::{Answered, Lease};
pub use proxy::{Proxy, ProxyError, ProxyFailure};
pub use tls::{ClientCertificate, InvalidPem, SystemRoots, TlsConfig};
pub use transport::{Patience, Reuse, Transport};
pub use tunnel::{MOST_TUNNELS, TunnelError, TunnelFailure, TunnelIo, TunnelStream, Tunnels};
pub use unacknowledged::Unacknowledged;
