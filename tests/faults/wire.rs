//! A proxy that knows only bytes: connections that are cut, stalled, slowed down or lost, whatever is spoken on them, also TLS.
//!
//! Its buffers are small, so that what stops behind it is felt before it.

use std::{
    future::pending,
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::{
    Close,
    ground::{Endpoint, Ground},
};
use crate::support::background;

/// What is done to the bytes of a connection. Bytes are counted from its begin, in each direction for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The connection ends once the client has sent so many bytes.
    CutSent(u64, Close),
    /// The connection ends once the server has sent so many bytes.
    CutAnswers(u64, Close),
    /// From so many bytes on, nothing that the client sends is read.
    StopReading(u64),
    /// From so many bytes on, what the client sends is taken and lost.
    LoseSent(u64),
    /// From so many bytes on, what the server sends is taken and lost.
    LoseAnswers(u64),
    /// Each piece waits so long, in both directions.
    Delay(Duration),
    /// The client's bytes pass at so many a second.
    SlowSent(u64),
    /// The server's bytes pass at so many a second.
    SlowAnswers(u64),
}

/// A running proxy. Dropping it ends it, with all its connections.
#[derive(Debug)]
pub struct WireProxy {
    socket: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: Endpoint,
    faults: Mutex<Vec<Wire>>,
    connections: AtomicUsize,
    sent: AtomicU64,
    answered: AtomicU64,
}

impl WireProxy {
    /// A proxy before one server.
    pub fn start(ground: &Ground, upstream: Endpoint, faults: &[Wire]) -> Self {
        let (socket, listener) = ground.listen();
        let _ = socket2::SockRef::from(&listener).set_recv_buffer_size(64 * 1024);
        let faults = Mutex::new(faults.to_vec());
        let (connections, sent, answered) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let shared = Arc::new(Shared { upstream, faults, connections, sent, answered });
        let serving = background::runtime().spawn(serve(listener, Arc::clone(&shared)));
        Self { socket, shared, serving }
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// Other faults, for open connections too.
    pub fn set(&self, faults: &[Wire]) {
        *self.shared.faults.lock().expect("the faults") = faults.to_vec();
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The bytes that clients have sent.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// The bytes that the server has sent.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::SeqCst)
    }
}

impl Drop for WireProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: StdListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        shared.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(connection(near, Arc::clone(&shared)));
    }
}

async fn connection(near: TcpStream, shared: Arc<Shared>) {
    let Ok(far) = shared.upstream.connect().await else { return };
    let _ = near.set_nodelay(true);
    let ((mut near_read, mut near_write), (mut far_read, mut far_write)) = (near.into_split(), far.into_split());
    let up = Pump { shared: &shared, is_up: true };
    let down = Pump { shared: &shared, is_up: false };
    let cut = {
        let up = up.run(&mut near_read, &mut far_write);
        let down = down.run(&mut far_read, &mut near_write);
        tokio::pin!(up, down);
        tokio::select! {
            ended = &mut up => match ended {
                Ok(Some(how)) => Some(how),
                // The client has said all that it will; it may still listen.
                Ok(None) => down.await.unwrap_or(Some(Close::AtOnce)),
                Err(_) => Some(Close::AtOnce),
            },
            ended = &mut down => ended.unwrap_or(Some(Close::AtOnce)),
        }
    };
    if cut == Some(Close::Reset) {
        let _ = socket2::SockRef::from(near_write.as_ref()).set_linger(Some(Duration::ZERO));
    }
    near_write.forget();
}

struct Pump<'a> {
    shared: &'a Shared,
    is_up: bool,
}

impl Pump<'_> {
    /// Passes bytes on until their end, or says how a fault ends the connection.
    async fn run(self, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) -> io::Result<Option<Close>> {
        let mut passed = 0_u64;
        loop {
            let faults = self.faults();
            if faults.iter().any(|fault| matches!(fault, Wire::StopReading(after) if self.is_up && passed >= *after)) {
                sleep(Duration::from_millis(50)).await;
                continue;
            }
            let rate = faults.iter().find_map(|fault| self.rate(*fault));
            // Twenty pieces a second; at a slow rate a byte each.
            let most = rate.map_or(64 * 1024, |rate| usize::try_from(rate / 20).unwrap_or(usize::MAX).clamp(1, 64 * 1024));
            let mut bytes = vec![0; most];
            let length = from.read(&mut bytes).await?;
            if length == 0 {
                if faults.iter().filter_map(|fault| self.lost_from(*fault)).any(|after| passed >= after) {
                    // The end is lost with the rest.
                    pending::<()>().await;
                }
                to.shutdown().await?;
                return Ok(None);
            }
            bytes.truncate(length);
            self.count(length as u64);
            if let Some(rate) = rate {
                sleep(Duration::from_millis(length as u64 * 1000 / rate.max(1))).await;
            }
            for fault in &faults {
                if let Wire::Delay(time) = fault {
                    sleep(*time).await;
                }
            }
            let end = passed + length as u64;
            let cut = faults.iter().find_map(|fault| self.cut(*fault)).filter(|(after, _)| end >= *after);
            let kept =
                faults.iter().filter_map(|fault| self.lost_from(*fault)).chain(cut.map(|(after, _)| after)).min().unwrap_or(u64::MAX);
            bytes.truncate(usize::try_from(kept.saturating_sub(passed)).unwrap_or(usize::MAX));
            passed = end;
            to.write_all(&bytes).await?;
            if let Some((_, how)) = cut {
                return Ok(Some(how));
            }
        }
    }

    fn faults(&self) -> Vec<Wire> {
        self.shared.faults.lock().expect("the faults").clone()
    }

    fn count(&self, bytes: u64) {
        let counter = if self.is_up { &self.shared.sent } else { &self.shared.answered };
        counter.fetch_add(bytes, Ordering::SeqCst);
    }

    fn rate(&self, fault: Wire) -> Option<u64> {
        match fault {
            Wire::SlowSent(rate) if self.is_up => Some(rate),
            Wire::SlowAnswers(rate) if !self.is_up => Some(rate),
            _ => None,
        }
    }

    fn cut(&self, fault: Wire) -> Option<(u64, Close)> {
        match fault {
            Wire::CutSent(after, how) if self.is_up => Some((after, how)),
            Wire::CutAnswers(after, how) if !self.is_up => Some((after, how)),
            _ => None,
        }
    }

    fn lost_from(&self, fault: Wire) -> Option<u64> {
        match fault {
            Wire::LoseSent(after) if self.is_up => Some(after),
            Wire::LoseAnswers(after) if !self.is_up => Some(after),
            _ => None,
        }
    }
}
