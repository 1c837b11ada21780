//! The transport against servers that do what networks do: answer early and hang up, stall, go away, speak the wrong protocol.
#![cfg(test)]

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chart_publisher::{
    model::{Origin, Scheme},
    net::{
        Address, AddressPolicy, ConnectFailure, Endpoint, NetError, Patience, Reuse, SystemRoots, TlsConfig, TlsFailure, Transport,
        Unacknowledged,
    },
};
use http::{Request, request};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
};

const SHORT: Patience = Patience { stall: Duration::from_millis(400) };
const LONG: Patience = Patience { stall: Duration::from_secs(20) };
const REFUSED: &[u8] = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 6\r\nserver: nginx\r\n\r\nlimit\n";
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

fn endpoint(scheme: Scheme, addresses: &[SocketAddr], host: &str) -> Endpoint {
    let port = addresses.first().map_or(0, SocketAddr::port);
    Endpoint {
        addresses: addresses.iter().copied().map(Address::Socket).collect(),
        origin: Origin::new(scheme, host, port),
        tls: TlsConfig::new(&SystemRoots::load(), None, None).unwrap(),
        policy: AddressPolicy::Any,
        segment: None,
        proxy: None,
    }
}

fn plain(address: SocketAddr) -> Endpoint {
    endpoint(Scheme::Http, &[address], "registry.example")
}

fn put(length: usize) -> (request::Parts, Bytes) {
    let request = Request::put("/v2/x").header("host", "registry.example").header("content-length", length);
    (request.body(()).unwrap().into_parts().0, Bytes::from(vec![7; length]))
}

/// A server that does the same to every connection.
async fn server<F>(each: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(each(socket));
        }
    });
    address
}

async fn read_head(socket: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut byte = [0];
        if socket.read(&mut byte).await.unwrap_or(0) == 0 {
            return;
        }
        seen.push(byte[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_413_is_read_however_the_server_hangs_up() {
    for (how, read_before, abruptly) in [("at once", 0, false), ("after 1 MiB", 1 << 20, false), ("with a reset", 0, true)] {
        let address = server(move |mut socket| async move {
            read_head(&mut socket).await;
            let mut rest = vec![0; read_before];
            let _ = socket.read_exact(&mut rest).await;
            let _ = socket.write_all(REFUSED).await;
            if abruptly {
                let _ = socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO));
            }
        })
        .await;
        let transport = Transport::new();
        let mut read = 0;
        for _ in 0..60 {
            let (head, body) = put(8 << 20);
            let lease = transport.lease(&plain(address), LONG, Reuse::Never).await.unwrap();
            if let Ok(answered) = lease.send(head, &body, LONG).await {
                read += u32::from(answered.head.status == 413);
            }
        }
        assert!(read >= 58, "closed {how}: the 413 was read {read} times of 60");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_an_early_answer_came_is_not_used_again() {
    let address = server(|mut socket| async move {
        read_head(&mut socket).await;
        let _ = socket.write_all(REFUSED).await;
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest).await;
    })
    .await;
    let (head, body) = put(8 << 20);
    let lease = Transport::new().lease(&plain(address), LONG, Reuse::Idle).await.unwrap();
    let mut answered = lease.send(head, &body, LONG).await.unwrap();
    assert_eq!(answered.bounded(100).await.unwrap().0, b"limit\n");
    assert!(answered.into_lease().is_none());
}

/// As a gateway does whose time is over: it answers, reads no more, and keeps the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_never_takes_the_rest_of_a_body_holds_nobody_up() {
    let address = server(|mut socket| async move {
        read_head(&mut socket).await;
        // Time for the client to hand over what the buffers on the way can take.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let _ = socket.write_all(REFUSED).await;
        std::future::pending::<()>().await;
    })
    .await;
    let transport = Transport::new();
    let mut went_on = 0;
    for length in (1..=16).map(|count| count * (384 << 10)) {
        let (head, body) = put(length);
        let lease = transport.lease(&plain(address), LONG, Reuse::Never).await.unwrap();
        let mut answered = lease.send(head, &body, LONG).await.unwrap();
        answered.bounded(100).await.unwrap();
        let Some(lease) = answered.into_lease() else { continue };
        went_on += 1;
        let (head, body) = put(0);
        let next = tokio::time::timeout(Duration::from_secs(5), lease.send(head, &body, SHORT)).await;
        assert!(next.unwrap_or_else(|_| panic!("waits for ever after {length} bytes")).is_err());
    }
    assert!(went_on > 0, "no body was small enough to be taken whole");
}

/// All of a body was handed over and not all of it went out: the rest lies in a buffer that nobody will ever empty.
#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_body_that_nobody_wants_holds_up_no_other_request() {
    for length in [400 << 10, 700 << 10, 1 << 20, 3 << 19] {
        let turn = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let address = server(move |mut socket| {
            let is_first = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            async move {
                read_head(&mut socket).await;
                if !is_first {
                    let _ = socket.write_all(ACCEPTED).await;
                    return;
                }
                let mut part = vec![0; 64 << 10];
                let _ = socket.read_exact(&mut part).await;
                // The client has taken all that its buffers hold by then.
                tokio::time::sleep(Duration::from_millis(100)).await;
                let _ = socket.write_all(REFUSED).await;
                let _ = socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO));
            }
        })
        .await;
        let (transport, place) = (Transport::new(), plain(address));
        let (head, body) = put(length);
        let lease = transport.lease(&place, LONG, Reuse::Never).await.unwrap();
        let mut answered = lease.send(head, &body, LONG).await.unwrap();
        let _ = answered.bounded(100).await;
        let (head, body) = put(0);
        let next = transport.send(&place, answered.into_lease(), Reuse::Idle, head, &body, LONG);
        let next = tokio::time::timeout(Duration::from_secs(5), next).await.expect("the next request is not held up");
        assert_eq!(next.unwrap().head.status, 202, "{length}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_end_was_refused_and_reset_holds_up_nobody() {
    const READ: usize = 1 << 20;
    let address = server(|mut socket| async move {
        read_head(&mut socket).await;
        let mut most = vec![0; READ];
        let _ = socket.read_exact(&mut most).await;
        let _ = socket.write_all(REFUSED).await;
        let _ = socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO));
    })
    .await;
    let transport = Transport::new();
    for _ in 0..20 {
        // What is left fits into the buffers on the way, so that all of it seems to have gone out.
        let (head, body) = put(READ + (200 << 10));
        let lease = transport.lease(&plain(address), LONG, Reuse::Never).await.unwrap();
        let Ok(mut answered) = lease.send(head, &body, LONG).await else { continue };
        let _ = answered.bounded(100).await;
        let lease = answered.into_lease();
        let (head, body) = put(10);
        let endpoint = plain(address);
        let again = transport.send(&endpoint, lease, Reuse::Idle, head, &body, SHORT);
        let again = tokio::time::timeout(Duration::from_secs(5), again).await;
        assert!(again.is_ok(), "it waits for what never comes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_in_an_error_that_says_what_was_silent() {
    let never_reads = server(|socket| async move {
        std::future::pending::<()>().await;
        drop(socket);
    })
    .await;
    let never_answers = server(|mut socket| async move {
        let mut sink = vec![0; 1 << 16];
        while socket.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let stops_answering = server(|mut socket| async move {
        read_head(&mut socket).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n12345").await;
        std::future::pending::<()>().await;
    })
    .await;
    let transport = Transport::new();
    let sent = async |address, length| {
        let (head, body) = put(length);
        let lease = transport.lease(&plain(address), SHORT, Reuse::Never).await.unwrap();
        lease.send(head, &body, SHORT).await
    };
    let error = sent(never_reads, 64 << 20).await.err();
    let has_no_room = |sent: u64, seen| sent < 64 << 20 && seen == Some(Unacknowledged::NoRoom);
    assert!(matches!(error, Some(NetError::WriteStalled { sent, seen, .. }) if has_no_room(sent, seen)), "{error:?}");
    assert_eq!(sent(never_answers, 1000).await.err(), Some(NetError::NoAnswer { after: SHORT.stall, seen: None }));
    let mut answered = sent(stops_answering, 0).await.unwrap();
    assert_eq!(answered.bounded(1000).await.err(), Some(NetError::ReadStalled { received: 5, after: SHORT.stall }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_drips_and_one_whose_chunks_are_damaged_have_names_of_their_own() {
    let drips = server(|mut socket| async move {
        read_head(&mut socket).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
        while socket.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SHORT.stall / 20).await;
        }
    })
    .await;
    let damages = server(|mut socket| async move {
        read_head(&mut socket).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\nnot a size\r\n").await;
        std::future::pending::<()>().await;
    })
    .await;
    let transport = Transport::new();
    let failed = async |address| {
        let (head, body) = put(0);
        let lease = transport.lease(&plain(address), SHORT, Reuse::Never).await.unwrap();
        lease.send(head, &body, SHORT).await.unwrap().bounded(1000).await.err()
    };
    let slow = failed(drips).await;
    let is_slow = |received: u64| (1..64).contains(&received);
    assert!(matches!(slow, Some(NetError::AnswerSlow { received, after }) if is_slow(received) && after == SHORT.stall), "{slow:?}");
    let broken = failed(damages).await;
    assert!(matches!(broken, Some(NetError::FramingBroken { received: 5, .. })), "{broken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_no_stall_while_it_makes_progress() {
    let address = server(|mut socket| async move {
        socket2::SockRef::from(&socket).set_recv_buffer_size(64 << 10).unwrap();
        read_head(&mut socket).await;
        let mut sink = vec![0; 256 << 10];
        let mut left: usize = 4 << 20;
        while left > 0 {
            let read = socket.read(&mut sink).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            left -= read;
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        let _ = socket.write_all(ACCEPTED).await;
    })
    .await;
    let (head, body) = put(4 << 20);
    let begin = Instant::now();
    let lease = Transport::new().lease(&plain(address), SHORT, Reuse::Never).await.unwrap();
    let answered = lease.send(head, &body, SHORT).await.unwrap();
    assert_eq!(answered.head.status, 202);
    assert!(begin.elapsed() > SHORT.stall, "the transfer as a whole took longer than the longest silence");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_the_server_closed_is_told_from_a_cut() {
    let address = server(|mut socket| async move {
        read_head(&mut socket).await;
        let _ = socket.write_all(ACCEPTED).await;
        read_head(&mut socket).await;
    })
    .await;
    let transport = Transport::new();
    let lease = transport.lease(&plain(address), LONG, Reuse::Idle).await.unwrap();
    let (head, body) = put(0);
    let mut answered = lease.send(head, &body, LONG).await.unwrap();
    answered.bounded(10).await.unwrap();
    let lease = answered.into_lease().expect("the connection is open");
    let (head, body) = put(0);
    assert_eq!(lease.send(head, &body, LONG).await.err(), Some(NetError::StaleConnection));
    let fresh = transport.lease(&plain(address), LONG, Reuse::Idle).await.unwrap();
    let (head, body) = put(0);
    assert!(fresh.send(head, &body, LONG).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_cut_in_its_middle_is_no_idle_connection_that_was_closed() {
    let address = server(|mut socket| async move {
        read_head(&mut socket).await;
        let _ = socket.write_all(ACCEPTED).await;
        read_head(&mut socket).await;
        let mut middle = vec![0; 4 << 20];
        let _ = socket.read_exact(&mut middle).await;
        let _ = socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO));
    })
    .await;
    let lease = Transport::new().lease(&plain(address), LONG, Reuse::Idle).await.unwrap();
    let (head, body) = put(0);
    let mut answered = lease.send(head, &body, LONG).await.unwrap();
    answered.bounded(10).await.unwrap();
    let lease = answered.into_lease().expect("the connection is open");
    let (head, body) = put(16 << 20);
    let error = lease.send(head, &body, LONG).await.err();
    assert!(matches!(error, Some(NetError::Cut { sent }) if sent >= 4 << 20), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept_for_the_same_endpoint_and_for_no_other() {
    let accepted = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counter = accepted.clone();
    let address = server(move |mut socket| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            loop {
                read_head(&mut socket).await;
                if socket.write_all(ACCEPTED).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    let transport = Transport::new();
    let other = endpoint(Scheme::Http, &[address], "other.example");
    for (endpoint, reuse, connections) in [
        (&plain(address), Reuse::Idle, 1),
        (&plain(address), Reuse::Idle, 1),
        (&plain(address), Reuse::Never, 2),
        (&other, Reuse::Idle, 3),
        (&other, Reuse::Idle, 3),
    ] {
        let lease = transport.lease(endpoint, LONG, reuse).await.unwrap();
        let (head, body) = put(0);
        let mut answered = lease.send(head, &body, LONG).await.unwrap();
        answered.bounded(10).await.unwrap();
        drop(answered);
        assert_eq!(accepted.load(std::sync::atomic::Ordering::SeqCst), connections);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_address_that_connects_is_used_and_a_dead_one_costs_300_ms() {
    let alive = server(|_| async {}).await;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    // A full backlog: the handshake gets no answer.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let silent = full.local_addr().unwrap().as_socket().unwrap();
    let _occupied = TcpStream::connect(silent).await.unwrap();
    let transport = Transport::new();
    let begin = Instant::now();
    let lease = transport.lease(&endpoint(Scheme::Http, &[closed, silent, alive], "x"), LONG, Reuse::Never).await.unwrap();
    assert_eq!(lease.peer(), Some(alive));
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    let failure = async |addresses: &[SocketAddr]| match transport.lease(&endpoint(Scheme::Http, addresses, "x"), SHORT, Reuse::Never).await
    {
        Err(NetError::Connect { failure, .. }) => failure,
        other => panic!("{:?}", other.map(|lease| lease.peer())),
    };
    assert_eq!(failure(&[closed]).await, ConnectFailure::Refused);
    assert_eq!(failure(&[silent]).await, ConnectFailure::TimedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_may_not_be_dialled_is_refused_after_resolution() {
    let address = server(|_| async { panic!("it was connected") }).await;
    let policy = AddressPolicy::Source { allowed: Arc::new([]), forbidden: Arc::new([]) };
    for host in ["localhost", "127.0.0.1", "0.0.0.0", "127.1", "2130706433"] {
        let addresses = vec![Address::Name { host: host.to_owned(), port: address.port() }];
        let endpoint = Endpoint { addresses, policy: policy.clone(), ..plain(address) };
        let error = Transport::new().lease(&endpoint, LONG, Reuse::Never).await.err();
        assert!(matches!(error, Some(NetError::AddressRefused { .. } | NetError::Resolve { .. })), "{host}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_protocol_on_a_port_is_named() {
    let speaks_http = server(|mut socket| async move {
        let mut first = [0; 64];
        let _ = socket.read(&mut first).await;
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let transport = Transport::new();
    let tls = endpoint(Scheme::Https, &[speaks_http], "registry.example");
    let error = transport.lease(&tls, LONG, Reuse::Never).await.err();
    assert_eq!(error, Some(NetError::Tls { host: "registry.example".to_owned(), failure: TlsFailure::NotTls }));
}

/// The unasked bytes may come before the request, while it is handed over, or after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_first_is_named_whenever_its_bytes_arrive() {
    let speaks_noise = server(|mut socket| async move {
        let _ = socket.write_all(b"220 mail.example ESMTP\r\n").await;
        let mut sink = Vec::new();
        let _ = socket.read_to_end(&mut sink).await;
    })
    .await;
    let transport = Transport::new();
    for round in 0..500 {
        let (head, body) = put(0);
        let lease = transport.lease(&plain(speaks_noise), LONG, Reuse::Never).await.unwrap();
        let error = lease.send(head, &body, LONG).await.err();
        assert!(matches!(error, Some(NetError::NotHttp { .. })), "{round}: {error:?}");
    }
}

/// A certificate that is trusted as it is, and a server that shows it.
fn speaks_tls(to_clients_with_certificates: bool) -> (String, Arc<rustls::ServerConfig>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["registry.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = if to_clients_with_certificates {
        let mut trusted = rustls::RootCertStore::empty();
        trusted.add(certificate.der().clone()).unwrap();
        let of_clients = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider).build().unwrap();
        builder.with_client_cert_verifier(of_clients)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    (certificate.pem(), Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()))
}

/// What comes over a kept connection that is no TLS any more says nothing of the server: another connection will do.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_whose_tls_is_broken_is_not_used_again() {
    let (certificate, config) = speaks_tls(false);
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    let (broken, mut breaks) = mpsc::unbounded_channel();
    let was_read = Arc::new(Notify::new());
    let may_break = was_read.clone();
    let breaks_tls = server(move |socket| {
        let (acceptor, broken, may_break) = (acceptor.clone(), broken.clone(), may_break.clone());
        async move {
            let mut stream = acceptor.accept(socket).await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(ACCEPTED).await;
            let _ = stream.flush().await;
            may_break.notified().await;
            let (mut socket, _) = stream.into_inner();
            let _ = socket.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await;
            let _ = broken.send(());
            let mut sink = Vec::new();
            let _ = socket.read_to_end(&mut sink).await;
        }
    })
    .await;
    let transport = Transport::new();
    let mut endpoint = endpoint(Scheme::Https, &[breaks_tls], "registry.example");
    endpoint.tls = TlsConfig::new(&SystemRoots::load(), Some(certificate.as_bytes()), None).unwrap();
    for round in 0..50 {
        let (head, body) = put(0);
        let mut answered = transport.send(&endpoint, None, Reuse::Idle, head, &body, LONG).await.unwrap();
        assert_eq!(answered.head.status, 202, "{round}");
        assert_eq!(answered.chunk().await, Ok(None), "{round}");
        drop(answered.into_lease());
        was_read.notify_one();
        if round % 2 == 0 {
            breaks.recv().await.unwrap();
        }
    }
}

/// In TLS 1.3 a server refuses a client's certificate only after the handshake has ended for the client: its alert may come before the
/// request, while it is handed over, or after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_that_is_missed_is_named_whenever_the_alert_arrives() {
    let (certificate, config) = speaks_tls(true);
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    let (refused, mut refusals) = mpsc::unbounded_channel();
    let wants_certificate = server(move |socket| {
        let (acceptor, refused) = (acceptor.clone(), refused.clone());
        async move {
            assert!(acceptor.accept(socket).await.is_err(), "nobody shows a certificate");
            let _ = refused.send(());
        }
    })
    .await;
    let transport = Transport::new();
    let mut endpoint = endpoint(Scheme::Https, &[wants_certificate], "registry.example");
    endpoint.tls = TlsConfig::new(&SystemRoots::load(), Some(certificate.as_bytes()), None).unwrap();
    let expected = NetError::Tls { host: "registry.example".to_owned(), failure: TlsFailure::ClientCertificate };
    for round in 0..200 {
        let (head, body) = put(0);
        let lease = transport.lease(&endpoint, LONG, Reuse::Never).await.unwrap();
        if round % 2 == 0 {
            refusals.recv().await.unwrap();
            while lease.is_usable() {
                tokio::task::yield_now().await;
            }
        }
        let error = lease.send(head, &body, LONG).await.err();
        assert_eq!(error, Some(expected.clone()), "{round}");
        if round % 2 == 1 {
            refusals.recv().await.unwrap();
        }
    }
}
