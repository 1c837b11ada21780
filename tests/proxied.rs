//! The transport by a proxy that says what a test has written down: whose failure it is, and which connections are kept for whom.
#![cfg(test)]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use chart_publisher::{
    model::{Credential, Origin, Scheme},
    net::{AddressPolicy, Endpoint, NetError, Patience, Proxy, ProxyFailure, Reuse, SystemRoots, TlsConfig, TlsFailure, Transport},
};
use http::{Request, request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const PATIENCE: Patience = Patience { stall: Duration::from_millis(400) };
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// The heads that a proxy was sent, each with the number of its connection.
type Heads = Arc<Mutex<Vec<(usize, String)>>>;

/// A proxy that gives the same answer to each request; an empty one is silence.
async fn proxy(answer: &'static str) -> (SocketAddr, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heads) = (listener.local_addr().unwrap(), Heads::default());
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        let mut connection = 0;
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, connection, answer, Arc::clone(&seen)));
            connection += 1;
        }
    });
    (address, heads)
}

async fn serve(mut socket: TcpStream, connection: usize, answer: &'static str, heads: Heads) {
    while let Some(head) = head(&mut socket).await {
        heads.lock().unwrap().push((connection, head));
        if answer.is_empty() {
            std::future::pending::<()>().await;
        }
        let _ = socket.write_all(answer.as_bytes()).await;
    }
}

async fn head(socket: &mut TcpStream) -> Option<String> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).await.ok()?;
        seen.push(byte[0]);
    }
    String::from_utf8(seen).ok()
}

fn tls() -> TlsConfig {
    TlsConfig::new(&SystemRoots::load(), None, None).unwrap()
}

fn by(address: SocketAddr, password: Option<&str>) -> Arc<Proxy> {
    let credential = password.map(|password| Credential::new("walker", password));
    let origin = Origin::new(Scheme::Http, "127.0.0.1", address.port());
    Arc::new(Proxy { origin, credential, tls: tls(), secret: "team/proxy".to_owned() })
}

fn endpoint(scheme: Scheme, proxy: Option<Arc<Proxy>>) -> Endpoint {
    let origin = Origin::new(scheme, "charts.example", 8080);
    Endpoint { addresses: Vec::new(), origin, tls: tls(), policy: AddressPolicy::Any, segment: None, proxy }
}

fn get() -> request::Parts {
    Request::get("/index.yaml?a=b").header("host", "charts.example:8080").body(()).unwrap().into_parts().0
}

async fn asked(transport: &Transport, endpoint: &Endpoint) -> Result<u16, NetError> {
    let mut answered = transport.send(endpoint, None, Reuse::Idle, get(), &Bytes::new(), PATIENCE).await?;
    answered.bounded(1024).await?;
    Ok(answered.head.status.as_u16())
}

#[tokio::test]
async fn connections_by_a_proxy_are_kept_for_who_names_it_alike_and_for_nobody_else() {
    let (address, heads) = proxy(OK).await;
    let transport = Transport::new();
    for password in [None, Some("first"), Some("second"), Some("first"), None] {
        assert_eq!(asked(&transport, &endpoint(Scheme::Http, Some(by(address, password)))).await, Ok(200));
    }
    let heads = heads.lock().unwrap().clone();
    let connections: Vec<_> = heads.iter().map(|(connection, _)| *connection).collect();
    assert_eq!(connections, [0, 1, 2, 1, 0]);
    for (connection, head) in &heads {
        assert!(head.starts_with("GET http://charts.example:8080/index.yaml?a=b HTTP/1.1\r\n"), "{head}");
        assert_eq!(head.contains("proxy-authorization: Basic "), *connection > 0, "{head}");
    }
    // Whose name leads nowhere is reached by no connection that was kept.
    let direct = asked(&transport, &endpoint(Scheme::Http, None)).await;
    assert!(matches!(direct, Err(NetError::Connect { .. })), "{direct:?}");
}

#[tokio::test]
async fn each_answer_to_a_wish_for_a_tunnel_has_a_name() {
    let to = || "charts.example:8080".to_owned();
    let cut = ProxyFailure::Unanswered(Box::new(NetError::Cut { sent: 0 }));
    let silent = ProxyFailure::Unanswered(Box::new(NetError::NoAnswer { after: PATIENCE.stall, seen: None }));
    for (answer, password, expected) in [
        ("HTTP/1.1 407 Login\r\ncontent-length: 0\r\n\r\n", None, ProxyFailure::LoginMissing { status: 407 }),
        ("HTTP/1.1 407 Login\r\ncontent-length: 0\r\n\r\n", Some("x"), ProxyFailure::LoginRefused { status: 407 }),
        ("HTTP/1.0 401 Login\r\n\r\n", Some("x"), ProxyFailure::LoginRefused { status: 401 }),
        ("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno", None, ProxyFailure::Refused { to: to(), status: 403 }),
        (
            "HTTP/1.1 302 Portal\r\nlocation: http://portal/\r\ncontent-length: 0\r\n\r\n",
            None,
            ProxyFailure::Refused { to: to(), status: 302 },
        ),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", None, ProxyFailure::Failed { to: to(), status: 502 }),
        ("", None, silent),
    ] {
        let (address, heads) = proxy(answer).await;
        let failed = asked(&Transport::new(), &endpoint(Scheme::Https, Some(by(address, password)))).await;
        let Err(NetError::Proxy(error)) = failed else { panic!("{answer}: {failed:?}") };
        assert_eq!(error.failure, expected, "{answer}");
        assert!(!error.to_string().contains('\n') && error.secret == "team/proxy", "{error}");
        let heads = heads.lock().unwrap().clone();
        assert!(heads.len() == 1 && heads[0].1.starts_with("CONNECT charts.example:8080 HTTP/1.1\r\n"), "{heads:?}");
    }
    let (address, _) = proxy("SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    let failed = asked(&Transport::new(), &endpoint(Scheme::Https, Some(by(address, None)))).await;
    let Err(NetError::Proxy(error)) = failed else { panic!("{failed:?}") };
    assert!(matches!(&error.failure, ProxyFailure::Unanswered(cause) if matches!(**cause, NetError::NotHttp { .. })), "{error}");
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    tokio::spawn(async move { drop(gone.accept().await) });
    let failed = asked(&Transport::new(), &endpoint(Scheme::Https, Some(by(address, None)))).await;
    let Err(NetError::Proxy(error)) = failed else { panic!("{failed:?}") };
    assert_eq!(error.failure, cut);
}

#[tokio::test]
async fn what_goes_wrong_behind_a_tunnel_is_not_the_proxys() {
    let (address, _) = proxy("HTTP/1.0 200 Connection established\r\n\r\nHTTP/1.1 400 no TLS here\r\n\r\n").await;
    let failed = asked(&Transport::new(), &endpoint(Scheme::Https, Some(by(address, None)))).await;
    assert_eq!(failed, Err(NetError::Tls { host: "charts.example".to_owned(), failure: TlsFailure::NotTls }));
}
