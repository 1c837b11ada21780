//! Invariant I1 as a watcher: whoever polls a tag sees nothing, or something that pulls whole and hashes right.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{task::JoinHandle, time::interval};

use super::{
    client::{Ask, once},
    registry::store::digest,
};
use crate::support::background;

/// Media types that a puller of charts takes.
pub const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a watcher saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How often it looked.
    pub looks: usize,
    /// How often there was nothing.
    pub absent: usize,
    /// The digests of the manifests that the tag named.
    pub digests: BTreeSet<String>,
    /// What a puller could not have used.
    pub violations: Vec<String>,
}

/// A task that polls a tag. Dropping it ends it.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    watching: JoinHandle<()>,
}

impl Watch {
    /// Polls `repository:tag` of the registry at `socket` twenty times a second, past all proxies.
    pub fn start(socket: SocketAddr, repository: &str, tag: &str) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let watching = background::runtime().spawn(watch(socket, repository.to_owned(), tag.to_owned(), Arc::clone(&seen)));
        Self { seen, watching }
    }

    /// What it saw so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().expect("what was seen").clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

async fn watch(socket: SocketAddr, repository: String, tag: String, seen: Arc<Mutex<Seen>>) {
    let mut ticks = interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let pulled = pull(socket, &repository, &tag).await;
        let mut seen = seen.lock().expect("what was seen");
        seen.looks += 1;
        match pulled {
            Ok(None) => seen.absent += 1,
            Ok(Some(pulled)) => drop(seen.digests.insert(pulled.digest)),
            Err(violation) => seen.violations.push(violation),
        }
    }
}

/// What was pulled whole.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The digest of the manifest.
    pub digest: String,
    /// The digests of its layers, in their order.
    pub layers: Vec<String>,
    /// The bytes of its layers.
    pub blobs: Vec<Vec<u8>>,
}

/// Pulls a tag and all that it names, and hashes it. `None` when there is no such tag.
pub async fn pull(socket: SocketAddr, repository: &str, tag: &str) -> Result<Option<Pulled>, String> {
    let ask = Ask::new("GET", format!("/v2/{repository}/manifests/{tag}")).field("Accept", ACCEPT);
    let manifest = once(socket, ask).await?;
    if manifest.status() == 404 {
        return Ok(None);
    }
    if manifest.status() != 200 || !manifest.whole {
        return Err(format!("the manifest of {repository}:{tag} got {}", manifest.status()));
    }
    let content: Value = serde_json::from_slice(&manifest.body).map_err(|problem| problem.to_string())?;
    let mut pulled = Pulled { digest: digest(&manifest.body), layers: Vec::new(), blobs: Vec::new() };
    for (blob, is_layer) in
        [(&content["config"], false)].into_iter().chain(content["layers"].as_array().into_iter().flatten().map(|layer| (layer, true)))
    {
        let wanted = blob["digest"].as_str().ok_or("a blob without a digest")?;
        let answer = once(socket, Ask::new("GET", format!("/v2/{repository}/blobs/{wanted}"))).await?;
        let found = digest(&answer.body);
        if answer.status() != 200 || found != wanted {
            return Err(format!("{repository}:{tag} names {wanted}; GET got {} and {found}", answer.status()));
        }
        if is_layer {
            pulled.layers.push(wanted.to_owned());
            pulled.blobs.push(answer.body);
        }
    }
    Ok(Some(pulled))
}
