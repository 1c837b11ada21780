//! The transport over tunnels: how many there are, who gets one, and what is said when one breaks. Who opens them is played.
#![cfg(test)]

use std::{
    collections::HashMap,
    io,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use chart_publisher::{
    model::{Origin, Scheme},
    net::{
        Address, AddressPolicy, Endpoint, Lease, MOST_TUNNELS, NetError, Patience, Reuse, SystemRoots, TlsConfig, Transport, TunnelAddress,
        TunnelError, TunnelFailure, TunnelStream, Tunnels,
    },
};
use futures::future::{BoxFuture, poll_immediate};
use http::{Request, request};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

const PATIENCE: Patience = Patience { stall: Duration::from_secs(20) };
const SHORT: Patience = Patience { stall: Duration::from_millis(200) };
/// What exchanges may hold, less the one beside them.
const MOST_THROUGH: usize = MOST_TUNNELS - 1;

/// What a peer does.
#[derive(Clone)]
enum Peer {
    /// Answers each request with 200, and keeps the connection or not.
    Answers { keeps: bool },
    /// Takes this many bytes and then breaks, saying this or nothing.
    Breaks { after: usize, saying: Option<TunnelFailure> },
    /// Is not there.
    Fails(TunnelFailure),
    /// Is never open.
    Hangs,
}

/// Opens tunnels to peers that are told to it.
#[derive(Default)]
struct Switchboard {
    peers: HashMap<String, Peer>,
    opened: Mutex<Vec<String>>,
    open: AtomicUsize,
    most: AtomicUsize,
    closed_for_writing: AtomicUsize,
}

impl Switchboard {
    fn with(peers: &[(&str, Peer)]) -> Arc<Self> {
        let peers = peers.iter().map(|(name, peer)| ((*name).to_owned(), peer.clone())).collect();
        Arc::new(Self { peers, ..Self::default() })
    }

    fn opened(&self) -> Vec<String> {
        self.opened.lock().unwrap().clone()
    }
}

/// The arc, as somebody who opens tunnels: each tunnel knows who opened it.
struct Opener(Arc<Switchboard>);

impl Tunnels for Opener {
    fn open<'a>(&'a self, to: &'a TunnelAddress, _: Duration) -> BoxFuture<'a, Result<TunnelStream, TunnelError>> {
        Box::pin(async move {
            let board = self.0.clone();
            board.opened.lock().unwrap().push(to.peer.clone());
            let (near, far) = tokio::io::duplex(64 * 1024);
            let mut broken = None;
            match board.peers[&to.peer].clone() {
                Peer::Fails(failure) => return Err(TunnelError { to: to.to_string(), failure }),
                Peer::Hangs => std::future::pending().await,
                Peer::Answers { keeps } => drop(tokio::spawn(answer(far, keeps))),
                Peer::Breaks { after, saying } => {
                    broken = saying.map(|failure| TunnelError { to: to.to_string(), failure });
                    tokio::spawn(take(far, after));
                }
            }
            board.most.fetch_max(board.open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            Ok(Box::new(Tunnel { near, board, broken }) as TunnelStream)
        })
    }
}

async fn answer(mut far: DuplexStream, keeps: bool) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while far.read(&mut byte).await.is_ok_and(|read| read > 0) {
        seen.push(byte[0]);
        if seen.ends_with(b"\r\n\r\n") {
            let close = if keeps { "" } else { "connection: close\r\n" };
            let _ = far.write_all(format!("HTTP/1.1 200 OK\r\n{close}content-length: 2\r\n\r\nok").as_bytes()).await;
            seen.clear();
        }
    }
}

async fn take(mut far: DuplexStream, after: usize) {
    let mut taken = vec![0; after];
    let _ = far.read_exact(&mut taken).await;
}

/// One side of a tunnel, which is counted.
struct Tunnel {
    near: DuplexStream,
    board: Arc<Switchboard>,
    broken: Option<TunnelError>,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.board.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.near).poll_read(context, buffer) {
            Poll::Ready(Ok(())) if buffer.filled().len() == before => {
                Poll::Ready(self.broken.take().map_or(Ok(()), |broken| Err(io::Error::other(broken))))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.near).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.board.closed_for_writing.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.near).poll_shutdown(context)
    }
}

const ANSWERS: Peer = Peer::Answers { keeps: true };

fn endpoint(scheme: Scheme, peers: &[&str]) -> Endpoint {
    let address = |peer: &&str| Address::Tunnel(TunnelAddress { peer: (*peer).to_owned(), port: 5000 });
    Endpoint {
        addresses: peers.iter().map(address).collect(),
        origin: Origin::new(scheme, "registry.platform.svc", 5000),
        tls: TlsConfig::new(&SystemRoots::load(), None, None).unwrap(),
        policy: AddressPolicy::Registry { allowed: Arc::new([]) },
        segment: None,
        proxy: None,
    }
}

fn plain(peer: &str) -> Endpoint {
    endpoint(Scheme::Http, &[peer])
}

fn transport(board: &Arc<Switchboard>) -> Transport {
    Transport::with_tunnels(Arc::new(Opener(board.clone())))
}

fn put(length: usize) -> (request::Parts, Bytes) {
    let request = Request::put("/v2/x").header("host", "registry.platform.svc:5000").header("content-length", length);
    (request.body(()).unwrap().into_parts().0, Bytes::from(vec![7; length]))
}

async fn lease(transport: &Transport, endpoint: &Endpoint) -> Lease {
    transport.lease(endpoint, PATIENCE, Reuse::Idle).await.unwrap()
}

/// As many as there may be at once.
async fn all_places(transport: &Transport, endpoint: &Endpoint) -> Vec<Lease> {
    let mut held = Vec::new();
    for _ in 0..MOST_THROUGH {
        held.push(lease(transport, endpoint).await);
    }
    held
}

/// One request and its whole answer; the connection goes back to the pool.
async fn exchange(lease: Lease) -> u16 {
    let (head, body) = put(0);
    let mut answered = lease.send(head, &body, PATIENCE).await.unwrap();
    assert_eq!(answered.bounded(10).await.unwrap().0, b"ok");
    answered.head.status.as_u16()
}

async fn refused(board: &Arc<Switchboard>, endpoint: &Endpoint, patience: Patience) -> Option<NetError> {
    transport(board).lease(endpoint, patience, Reuse::Idle).await.err()
}

#[tokio::test]
async fn a_tunnel_is_used_again_while_nobody_waits() {
    let board = Switchboard::with(&[("a", ANSWERS)]);
    let transport = transport(&board);
    for _ in 0..3 {
        let lease = lease(&transport, &plain("a")).await;
        assert_eq!(lease.peer(), None);
        assert_eq!(exchange(lease).await, 200);
    }
    assert_eq!(board.opened(), ["a"]);
    transport.lease(&plain("a"), PATIENCE, Reuse::Never).await.unwrap();
    assert_eq!(board.opened(), ["a", "a"]);
}

#[tokio::test]
async fn beyond_the_limit_those_who_came_first_are_served_first() {
    let board = Switchboard::with(&[("a", ANSWERS), ("b", ANSWERS)]);
    let transport = transport(&board);
    let (a, b) = (plain("a"), plain("b"));
    let mut held = all_places(&transport, &a).await;
    let mut first = pin!(lease(&transport, &b));
    let mut second = pin!(lease(&transport, &a));
    assert!(poll_immediate(&mut first).await.is_none());
    assert!(poll_immediate(&mut second).await.is_none());
    assert_eq!(board.opened(), vec!["a"; MOST_THROUGH]);
    exchange(held.pop().unwrap()).await;
    let first = first.await;
    assert!(poll_immediate(&mut second).await.is_none(), "one tunnel was closed, and one is opened");
    exchange(first).await;
    second.await;
    assert_eq!(board.opened()[MOST_THROUGH..], ["b", "a"]);
    assert_eq!(board.most.load(Ordering::SeqCst), MOST_THROUGH);
}

#[tokio::test]
async fn who_gives_up_waiting_leaves_his_place_to_the_next() {
    let board = Switchboard::with(&[("a", ANSWERS)]);
    let transport = transport(&board);
    let a = plain("a");
    let mut held = all_places(&transport, &a).await;
    let mut gives_up = Box::pin(lease(&transport, &a));
    assert!(poll_immediate(&mut gives_up).await.is_none());
    drop(gives_up);
    exchange(held.pop().unwrap()).await;
    exchange(lease(&transport, &a).await).await;
    assert_eq!(board.opened().len(), MOST_THROUGH, "nobody waits any more: the idle tunnel was kept, and used again");
}

#[tokio::test]
async fn idle_tunnels_make_room_for_who_waits() {
    let board = Switchboard::with(&[("a", ANSWERS), ("b", ANSWERS)]);
    let transport = transport(&board);
    for lease in all_places(&transport, &plain("a")).await {
        exchange(lease).await;
    }
    assert_eq!(board.open.load(Ordering::SeqCst), MOST_THROUGH);
    exchange(lease(&transport, &plain("b")).await).await;
    assert_eq!(board.open.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_short_exchange_beside_others_waits_for_none_of_them() {
    let board = Switchboard::with(&[("a", ANSWERS)]);
    let transport = transport(&board);
    let a = plain("a");
    let held = all_places(&transport, &a).await;
    let beside = transport.beside();
    let token = lease(&beside, &a).await;
    let mut another = pin!(lease(&beside, &a));
    assert!(poll_immediate(&mut another).await.is_none());
    exchange(token).await;
    exchange(another.await).await;
    assert_eq!(board.most.load(Ordering::SeqCst), MOST_TUNNELS);
    assert_eq!(held.len(), MOST_THROUGH);
}

#[tokio::test]
async fn many_who_want_a_tunnel_never_hold_more_than_the_limit() {
    let board = Switchboard::with(&[("a", ANSWERS), ("b", Peer::Answers { keeps: false })]);
    let transport = transport(&board);
    let (a, b) = (plain("a"), plain("b"));
    let each = (0..200).map(|number| {
        let (transport, endpoint) = (&transport, if number % 2 == 0 { &a } else { &b });
        async move { exchange(lease(transport, endpoint).await).await }
    });
    assert_eq!(futures::future::join_all(each).await, vec![200; 200]);
    assert_eq!(board.most.load(Ordering::SeqCst), MOST_THROUGH);
}

#[tokio::test]
async fn the_next_peer_is_taken_when_one_is_gone_and_none_when_we_may_not() {
    let gone = Peer::Fails(TunnelFailure::Gone("not found".to_owned()));
    let refuses = Peer::Fails(TunnelFailure::Refused("connection refused".to_owned()));
    let forbidden = Peer::Fails(TunnelFailure::Forbidden("forbidden".to_owned()));
    let peers = [("gone", gone), ("refuses", refuses), ("forbidden", forbidden), ("hangs", Peer::Hangs), ("a", ANSWERS)];
    let board = Switchboard::with(&peers);
    let of = |peers: &[&str]| endpoint(Scheme::Http, peers);
    exchange(transport(&board).lease(&of(&["gone", "refuses", "hangs", "a"]), SHORT, Reuse::Idle).await.unwrap()).await;
    assert_eq!(board.opened(), ["gone", "refuses", "hangs", "a"]);
    let error = |peer: &str, failure| Some(NetError::Tunnel(TunnelError { to: format!("{peer}:5000"), failure }));
    let forbidden = || TunnelFailure::Forbidden("forbidden".to_owned());
    assert_eq!(refused(&board, &of(&["forbidden", "a"]), PATIENCE).await, error("forbidden", forbidden()));
    let last = TunnelFailure::Gone("not found".to_owned());
    assert_eq!(refused(&board, &of(&["refuses", "gone"]), PATIENCE).await, error("gone", last));
    let timed_out = TunnelFailure::TimedOut(SHORT.stall);
    assert_eq!(refused(&board, &of(&["hangs"]), SHORT).await, error("hangs", timed_out));
}

#[tokio::test]
async fn without_somebody_who_opens_tunnels_there_are_none() {
    let error = Transport::new().lease(&plain("a"), PATIENCE, Reuse::Idle).await.err();
    let expected = TunnelError { to: "a:5000".to_owned(), failure: TunnelFailure::NotOffered };
    assert_eq!(error, Some(NetError::Tunnel(expected)));
}

#[tokio::test]
async fn a_tunnel_that_breaks_says_why_where_it_is_known() {
    let refused = || TunnelFailure::Refused("connection refused".to_owned());
    let silent = Peer::Breaks { after: 100_000, saying: None };
    let speaking = Peer::Breaks { after: 10, saying: Some(refused()) };
    let board = Switchboard::with(&[("silent", silent), ("speaking", speaking)]);
    let transport = transport(&board);
    let sent = async |peer| {
        let (head, body) = put(1 << 20);
        let lease = transport.lease(&plain(peer), PATIENCE, Reuse::Idle).await.unwrap();
        lease.send(head, &body, PATIENCE).await.err()
    };
    let error = sent("silent").await;
    assert!(matches!(error, Some(NetError::Cut { sent }) if sent >= 100_000 - 200), "{error:?}");
    let expected = TunnelError { to: "speaking:5000".to_owned(), failure: refused() };
    assert_eq!(sent("speaking").await, Some(NetError::Tunnel(expected.clone())));
    let under_tls = endpoint(Scheme::Https, &["speaking"]);
    let error = transport.lease(&under_tls, PATIENCE, Reuse::Idle).await.err();
    assert_eq!(error, Some(NetError::Tunnel(expected)));
    sent("silent").await;
    assert_eq!(board.opened(), ["silent", "speaking", "speaking", "silent"], "what broke is not used again");
}

#[tokio::test]
async fn the_write_side_is_never_closed_alone() {
    let board = Switchboard::with(&[("a", Peer::Answers { keeps: false })]);
    let transport = transport(&board);
    for _ in 0..3 {
        exchange(lease(&transport, &plain("a")).await).await;
    }
    assert_eq!(board.opened().len(), 3, "each was closed by its peer");
    assert_eq!(board.closed_for_writing.load(Ordering::SeqCst), 0);
}
