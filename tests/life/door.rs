//! What stands before a registry and says whether it is there, as load balancers do; it counts who asks while it is not.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::support::{Bed, address::Place, background, http};

/// How long it looks for the registry before it says that there is none: whoever else asks meanwhile is seen.
const LOOKS: Duration = Duration::from_millis(300);
const AWAY: &[u8] =
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>no</html>";

/// The door. Dropping it ends it.
pub struct Door {
    place: Place,
    seen: Arc<Seen>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    is_open: AtomicBool,
    asked: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Door {
    /// A closed one.
    pub fn before(bed: &'static Bed, registry: SocketAddr) -> Self {
        let (place, seen) = (bed.place(registry.port()), Arc::<Seen>::default());
        let serving = background::runtime().spawn(serve(bed, place.listen(), registry, Arc::clone(&seen)));
        Self { place, seen, serving }
    }

    /// Where it is.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// The registry is there, from now on; or it is not.
    pub fn set_open(&self, is_open: bool) {
        self.seen.is_open.store(is_open, Ordering::SeqCst);
    }

    /// The requests that came while it was closed.
    pub fn asked(&self) -> usize {
        self.seen.asked.load(Ordering::SeqCst)
    }

    /// The most of them at once.
    pub fn most(&self) -> usize {
        self.seen.most.load(Ordering::SeqCst)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(bed: &'static Bed, listener: std::net::TcpListener, registry: SocketAddr, seen: Arc<Seen>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((near, _)) = listener.accept().await {
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            if seen.is_open.load(Ordering::SeqCst) { relay(bed, near, registry).await } else { refuse(near, &seen).await }
        });
    }
}

async fn relay(bed: &'static Bed, mut near: TcpStream, registry: SocketAddr) -> io::Result<()> {
    let mut far = http::connect(bed.server_namespace(), registry).await?;
    tokio::io::copy_bidirectional(&mut near, &mut far).await.map(drop)
}

async fn refuse(mut near: TcpStream, seen: &Seen) -> io::Result<()> {
    seen.asked.fetch_add(1, Ordering::SeqCst);
    let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most.fetch_max(now, Ordering::SeqCst);
    let read = near.read(&mut [0; 8192]).await;
    tokio::time::sleep(LOOKS).await;
    // Who hears the answer may ask again at once.
    seen.now.fetch_sub(1, Ordering::SeqCst);
    read?;
    near.write_all(AWAY).await
}
