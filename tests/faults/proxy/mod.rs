//! A proxy that knows HTTP/1.1 and does to it what [`Rule`]s say, before any registry. Without rules it passes everything on.
//!
//! It keeps a list of what was asked ([`Ledger`]); it may share requests out among several upstreams.

mod line;
pub mod message;
mod near;
mod plan;

use std::{
    net::{SocketAddr, TcpListener as StdListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::{
    ground::{Endpoint, Ground},
    ledger::{Asked, Ledger},
    quirk::Balanced,
    rule::{Rule, Rules},
};
use crate::support::background;

/// A running proxy. Dropping it ends it, with all its connections.
#[derive(Debug)]
pub struct HttpProxy {
    socket: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstreams: Vec<Endpoint>,
    balanced: Balanced,
    rules: Mutex<Rules>,
    ledger: Ledger,
    requests: AtomicUsize,
    connections: AtomicUsize,
}

impl HttpProxy {
    /// A proxy before one server.
    pub fn start(ground: &Ground, upstream: Endpoint, rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::start_balanced(ground, vec![upstream], Balanced::ByConnection, rules)
    }

    /// A proxy before several servers.
    pub fn start_balanced(ground: &Ground, upstreams: Vec<Endpoint>, balanced: Balanced, rules: impl IntoIterator<Item = Rule>) -> Self {
        let (socket, listener) = ground.listen();
        let _ = socket2::SockRef::from(&listener).set_recv_buffer_size(64 * 1024);
        let (rules, ledger) = (Mutex::new(Rules::new(rules)), Ledger::default());
        let (requests, connections) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let shared = Arc::new(Shared { upstreams, balanced, rules, ledger, requests, connections });
        let serving = background::runtime().spawn(serve(listener, Arc::clone(&shared)));
        Self { socket, shared, serving }
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// Other rules from the next request on.
    pub fn set(&self, rules: impl IntoIterator<Item = Rule>) {
        *self.shared.rules.lock().expect("the rules") = Rules::new(rules);
    }

    /// How often its present rules have acted.
    pub fn acted(&self) -> usize {
        self.shared.rules.lock().expect("the rules").acted()
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Asked> {
        self.shared.ledger.all()
    }

    /// The list itself.
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for HttpProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: StdListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        connections.spawn(async move { line::Line::new(stream, number, shared).run().await });
    }
}
