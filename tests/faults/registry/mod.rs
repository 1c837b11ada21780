//! A small registry of its own code that is correct until told otherwise: blobs, uploads, manifests, tags, Basic and Bearer.
//!
//! In go [`Quirk`]s, out come the requests that were made ([`Ledger`]). It follows the OCI distribution specification 1.1; what it
//! keeps lies in memory. It reads each body to its end before it answers: what hangs up early is the business of the proxies.

pub mod answer;
mod blobs;
mod gate;
mod location;
mod manifests;
mod path;
mod serve;
pub mod store;
mod tokens;
mod uploads;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::{
    ground::Ground,
    ledger::{Asked, Ledger},
    quirk::{Quirk, Switches},
};
use crate::support::background;
use store::Store;
use tokens::Tokens;

/// Who may come in.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// Anybody.
    #[default]
    Open,
    /// A user with a password.
    Basic(String, String),
    /// Whoever has a token of `/token`, which the user gets with the password.
    Bearer(String, String),
}

/// A running registry. Dropping it ends it, with all its connections.
#[derive(Debug)]
pub struct ScriptedRegistry {
    socket: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    store: Arc<Mutex<Store>>,
    switches: Switches,
    ledger: Ledger,
    access: Access,
    tokens: Tokens,
    connections: AtomicUsize,
    requests: AtomicUsize,
    sessions: AtomicUsize,
}

impl ScriptedRegistry {
    /// A registry for anybody.
    pub fn start(ground: &Ground) -> Self {
        Self::start_for(ground, Access::Open)
    }

    /// A registry that asks who comes.
    pub fn start_for(ground: &Ground, access: Access) -> Self {
        Self::serve(ground, Shared { access, ..Shared::default() })
    }

    /// Another one that keeps its things in the same place, as a storage host or a second replica does; it has quirks of its own.
    pub fn start_beside(&self, ground: &Ground) -> Self {
        Self::serve(ground, Shared { store: Arc::clone(&self.shared.store), ..Shared::default() })
    }

    fn serve(ground: &Ground, shared: Shared) -> Self {
        let (socket, listener) = ground.listen();
        let shared = Arc::new(shared);
        let serving = background::runtime().spawn(serve::serve(listener, Arc::clone(&shared)));
        Self { socket, shared, serving }
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// Host and port, as a `Host` field has them.
    pub fn address(&self) -> String {
        self.socket.to_string()
    }

    /// Switches a quirk on until [`Self::clear`].
    pub fn set(&self, quirk: Quirk) {
        self.shared.switches.set(quirk, None);
    }

    /// Switches a quirk on for so many times that it shows.
    pub fn set_times(&self, quirk: Quirk, times: usize) {
        self.shared.switches.set(quirk, Some(times));
    }

    /// Is correct again.
    pub fn clear(&self) {
        self.shared.switches.clear();
    }

    /// How often quirks with this number have shown.
    pub fn shown(&self, number: &str) -> usize {
        self.shared.switches.shown(number)
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Asked> {
        self.shared.ledger.all()
    }

    /// The list itself, which goes on growing.
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// How many connections were accepted, also those without a request.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The sessions that are neither closed nor deleted.
    pub fn open_uploads(&self) -> usize {
        self.store().uploads.len()
    }

    /// How many sessions were begun so far.
    pub fn sessions(&self) -> usize {
        self.shared.sessions.load(Ordering::SeqCst)
    }

    /// A blob as it is stored.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.store().blobs.get(&(repository.to_owned(), digest.to_owned())).cloned()
    }

    /// The digest that a tag names.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<String> {
        self.store().tags.get(&(repository.to_owned(), tag.to_owned())).cloned()
    }

    /// Puts something in by hand: damages a blob, removes a tag.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().expect("the store")
    }
}

impl Drop for ScriptedRegistry {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
