//! A path that lets only so many bytes a second through to a server; answers come back as they are.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::{Bed, address::Place, background, http};

/// So often a second a piece is let through.
const PIECES: u64 = 20;

/// A running path. Dropping it ends it.
pub struct SlowPath {
    place: Place,
    passed: Arc<AtomicU64>,
    rate: Arc<AtomicU64>,
    serving: JoinHandle<()>,
}

impl Bed {
    /// A path to a server that lets `rate` bytes a second through on each connection.
    pub fn slow_path(&'static self, upstream: SocketAddr, rate: u64) -> SlowPath {
        self.slow_path_at(self.place(upstream.port()), upstream, rate)
    }

    /// The same, at a place where nobody has listened so far.
    pub fn slow_path_at(&'static self, place: Place, upstream: SocketAddr, rate: u64) -> SlowPath {
        let (passed, rate) = (Arc::<AtomicU64>::default(), Arc::new(AtomicU64::new(rate)));
        let serving = background::runtime().spawn(serve(self, place.listen(), upstream, Arc::clone(&passed), Arc::clone(&rate)));
        SlowPath { place, passed, rate, serving }
    }
}

impl SlowPath {
    /// Where it begins.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// The bytes that were let through so far.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Lets another number of bytes through, from now on.
    pub fn set_rate(&self, rate: u64) {
        self.rate.store(rate, Ordering::Relaxed);
    }
}

impl Drop for SlowPath {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(bed: &'static Bed, listener: std::net::TcpListener, upstream: SocketAddr, passed: Arc<AtomicU64>, rate: Arc<AtomicU64>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(relay(bed, near, upstream, Arc::clone(&passed), Arc::clone(&rate)));
    }
}

async fn relay(bed: &'static Bed, near: TcpStream, upstream: SocketAddr, passed: Arc<AtomicU64>, rate: Arc<AtomicU64>) -> io::Result<()> {
    let far = http::connect(bed.server_namespace(), upstream).await?;
    far.set_nodelay(true)?;
    let ((mut near_read, mut near_write), (mut far_read, mut far_write)) = (near.into_split(), far.into_split());
    let answers = tokio::spawn(async move { tokio::io::copy(&mut far_read, &mut near_write).await });
    let mut ticks = interval(Duration::from_millis(1000 / PIECES));
    let mut buffer = vec![0; 1 << 20];
    // Nobody saves up time in which he had nothing to send.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // The rate of now counts, and not that of when the last piece had passed.
        near_read.readable().await?;
        ticks.tick().await;
        let piece = usize::try_from(rate.load(Ordering::Relaxed) / PIECES).unwrap_or(usize::MAX).clamp(1, buffer.len());
        let length = near_read.read(&mut buffer[..piece]).await?;
        if length == 0 {
            far_write.shutdown().await?;
            return answers.await.map_err(io::Error::other)?.map(drop);
        }
        far_write.write_all(&buffer[..length]).await?;
        passed.fetch_add(length as u64, Ordering::Relaxed);
    }
}
