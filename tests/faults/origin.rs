//! The registry at the end of a path: real distribution 2 or 3, or the scripted one; asked past everything that stands before it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{
    client::{Ask, once},
    ground::Ground,
    ledger::{Asked, Framing},
    registry::ScriptedRegistry,
    watch::pull,
};
use crate::support::{
    Bed,
    access_log::Request,
    registry::{Registry, Version},
};

/// Which registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// distribution 2.
    V2,
    /// distribution 3.
    V3,
    /// The one of the fault bed.
    Scripted,
}

impl Origin {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::V2, Self::V3, Self::Scripted];

    /// Starts one on loopback; the settings are for the real ones.
    pub async fn start(self, bed: &'static Bed, settings: &[(&'static str, Value)]) -> Upstream {
        let version = match self {
            Self::V2 => Version::V2,
            Self::V3 => Version::V3,
            Self::Scripted => return Upstream::Scripted(ScriptedRegistry::start(&Ground::loopback())),
        };
        let builder = settings.iter().cloned().fold(bed.registry(version), |builder, (section, values)| builder.setting(section, values));
        Upstream::Real(builder.start().await)
    }
}

/// A running registry.
pub enum Upstream {
    /// A real one.
    Real(Registry),
    /// A scripted one.
    Scripted(ScriptedRegistry),
}

impl Upstream {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        match self {
            Self::Real(registry) => registry.socket(),
            Self::Scripted(registry) => registry.socket(),
        }
    }

    /// The scripted one.
    pub fn scripted(&self) -> Option<&ScriptedRegistry> {
        if let Self::Scripted(registry) = self { Some(registry) } else { None }
    }

    /// What makes a second real one keep its blobs in the same place, with another secret.
    pub fn beside(&self) -> Vec<(&'static str, Value)> {
        let Self::Real(registry) = self else { return Vec::new() };
        vec![("/storage/filesystem", json!({"rootdirectory": registry.storage()})), ("/http", json!({"secret": "of another replica"}))]
    }

    /// What reached it.
    pub fn requests(&self) -> Vec<Asked> {
        match self {
            Self::Real(registry) => registry.requests().into_iter().map(logged).collect(),
            Self::Scripted(registry) => registry.requests(),
        }
    }

    /// What it lists of a repository's tags.
    pub async fn tags(&self, repository: &str) -> Result<String, String> {
        Ok(once(self.socket(), Ask::new("GET", format!("/v2/{repository}/tags/list"))).await?.text())
    }

    /// Whether a tag is there with a layer of just these bytes; gives the digest of the manifest, or what is there in its place.
    pub async fn holds(&self, repository: &str, tag: &str, layer: &[u8]) -> Result<String, String> {
        let pulled = pull(self.socket(), repository, tag).await?.ok_or("no such tag")?;
        if pulled.blobs.iter().any(|blob| blob == layer) { Ok(pulled.digest) } else { Err("another layer".to_owned()) }
    }
}

/// An entry of an access log as an entry of a ledger; logs know no fields of requests.
pub fn logged(request: Request) -> Asked {
    Asked {
        connection: 0,
        method: request.method,
        target: request.target,
        fields: Vec::new(),
        framing: Framing::Unsaid,
        received: request.received.unwrap_or(0),
        whole: true,
        status: Some(request.status),
    }
}
