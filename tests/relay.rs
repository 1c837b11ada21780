//! The Pod dialer against an API server that is played: the WebSocket, its channels and its messages are those of the kubelet.
#![cfg(test)]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use chart_publisher::{
    model::{Origin, Scheme},
    net::{
        Address, AddressPolicy, Endpoint, Lease, NetError, Patience, Reuse, SystemRoots, TlsConfig, Transport, TunnelAddress, TunnelError,
        TunnelFailure,
    },
    relay::Relay,
};
use futures::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode, request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request as Upgrade, Response as Upgraded},
    },
};

const PATIENCE: Patience = Patience { stall: Duration::from_secs(20) };
const DATA: u8 = 0;
const ERROR: u8 = 1;
const REFUSED: &str = "error forwarding port 5000 to pod 8f1c, uid : failed to execute portforward in network namespace \"/var/run/netns/cni-1\": failed to connect to localhost:5000 inside namespace \"8f1c\", IPv4: dial tcp4 127.0.0.1:5000: connect: connection refused";

/// An API server. What it does follows from the name of the Pod.
struct ApiServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    ended: mpsc::UnboundedReceiver<()>,
}

impl ApiServer {
    async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    async fn start_at(address: SocketAddr) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (tell, ended) = mpsc::unbounded_channel();
        let known = asked.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (known, tell) = (known.clone(), tell.clone());
                tokio::spawn(async move {
                    serve(socket, &known).await;
                    let _ = tell.send(());
                });
            }
        });
        Self { address, asked, ended }
    }

    fn transport(&self) -> Transport {
        transport(self.address)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn transport(api_server: SocketAddr) -> Transport {
    let config = kube::Config::new(format!("http://{api_server}").parse().unwrap());
    Transport::with_tunnels(Arc::new(Relay::new(kube::Client::try_from(config).unwrap())))
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let _ = rustls::crypto::ring::default_provider().install_default();
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap()
}

async fn serve(socket: TcpStream, asked: &Mutex<Vec<String>>) {
    let mut pod = String::new();
    let judge = |request: &Upgrade, mut response: Upgraded| -> Result<Upgraded, ErrorResponse> {
        asked.lock().unwrap().push(request.uri().to_string());
        pod = request.uri().path().split('/').nth(6).unwrap_or_default().to_owned();
        let offered = request.headers()["sec-websocket-protocol"].to_str().unwrap();
        assert!(offered.split(", ").any(|protocol| protocol == "v4.channel.k8s.io"), "{offered}");
        response.headers_mut().insert("sec-websocket-protocol", "v4.channel.k8s.io".parse().unwrap());
        match pod.strip_prefix("status-").and_then(|status| status.parse().ok()) {
            None => Ok(response),
            Some(status) => Err(status_object(status)),
        }
    };
    let Ok(mut web_socket) = tokio_tungstenite::accept_hdr_async(socket, judge).await else { return };
    for channel in [DATA, ERROR] {
        let port = 5000_u16.to_le_bytes();
        web_socket.send(Message::binary(vec![channel, port[0], port[1]])).await.unwrap();
    }
    match pod.as_str() {
        "answers" => forward(web_socket).await,
        "listens-nowhere" => {
            web_socket.send(Message::binary([&[ERROR], REFUSED.as_bytes()].concat())).await.unwrap();
            web_socket.close(None).await.unwrap();
            while web_socket.next().await.is_some_and(|message| message.is_ok()) {}
        }
        "cut" => {
            web_socket.next().await.unwrap().unwrap();
            socket2::SockRef::from(web_socket.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
        }
        _ => while web_socket.next().await.is_some_and(|message| message.is_ok()) {},
    }
}

fn status_object(code: u16) -> ErrorResponse {
    let object = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "because", "code": code});
    Response::builder().status(StatusCode::from_u16(code).unwrap()).body(Some(object.to_string())).unwrap()
}

/// The Pod's localhost: counts the bytes of each body and answers with the number.
async fn forward(mut web_socket: WebSocketStream<TcpStream>) {
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    let registry = tokio::spawn(count_bodies(near));
    let mut bytes = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            message = web_socket.next() => match message {
                Some(Ok(Message::Binary(frame))) if frame[0] == DATA => far.write_all(&frame[1..]).await.unwrap(),
                Some(Ok(Message::Binary(frame))) => panic!("a frame for channel {}", frame[0]),
                Some(Ok(_)) => {}
                _ => break,
            },
            read = far.read(&mut bytes) => match read {
                Ok(0) | Err(_) => break,
                Ok(read) => web_socket.send(Message::binary([&[DATA], &bytes[..read]].concat())).await.unwrap(),
            },
        }
    }
    drop(far);
    registry.await.unwrap();
}

async fn count_bodies(mut socket: tokio::io::DuplexStream) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if socket.read(&mut byte).await.unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length: u64 = head.split_once("content-length: ").unwrap().1.split_once("\r\n").unwrap().0.parse().unwrap();
        let read = tokio::io::copy(&mut (&mut socket).take(length), &mut tokio::io::sink()).await.unwrap();
        let body = read.to_string();
        socket.write_all(format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    }
}

fn endpoint(pods: &[&str]) -> Endpoint {
    let address = |pod: &&str| Address::Tunnel(TunnelAddress { peer: format!("platform/{pod}"), port: 5000 });
    Endpoint {
        addresses: pods.iter().map(address).collect(),
        origin: Origin::new(Scheme::Http, "registry.platform.svc", 5000),
        tls: TlsConfig::new(&SystemRoots::load(), None, None).unwrap(),
        policy: AddressPolicy::Any,
        segment: None,
        proxy: None,
    }
}

fn put(length: usize) -> (request::Parts, Bytes) {
    let request = Request::put("/v2/x").header("host", "registry.platform.svc:5000").header("content-length", length);
    (request.body(()).unwrap().into_parts().0, Bytes::from(vec![7; length]))
}

async fn lease(transport: &Transport, pods: &[&str]) -> Result<Lease, NetError> {
    transport.lease(&endpoint(pods), PATIENCE, Reuse::Idle).await
}

async fn sent(lease: Lease, length: usize) -> Result<Vec<u8>, NetError> {
    let (head, body) = put(length);
    Ok(lease.send(head, &body, PATIENCE).await?.bounded(100).await?.0)
}

const PATH: &str = "/api/v1/namespaces/platform/pods";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_goes_to_the_pod_whole_and_the_port_is_forwarded_once() {
    let server = ApiServer::start().await;
    let transport = server.transport();
    for length in [0, 1, 4096, 20 << 20] {
        let answer = sent(lease(&transport, &["answers"]).await.unwrap(), length).await.unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), length.to_string());
    }
    assert_eq!(server.asked(), [format!("{PATH}/answers/portforward?&ports=5000")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_server_refuses_is_told_apart_and_the_next_pod_is_asked() {
    let server = ApiServer::start().await;
    let transport = server.transport();
    let answer = sent(lease(&transport, &["status-404", "status-500", "answers"]).await.unwrap(), 3).await.unwrap();
    assert_eq!(answer, b"3");
    let asked: Vec<String> = server.asked().iter().filter_map(|path| Some(path.split('/').nth(6)?.to_owned())).collect();
    assert_eq!(asked, ["status-404", "status-500", "answers"]);
    let because = |failure: fn(String) -> TunnelFailure| failure("because".to_owned());
    for (pod, failure) in [
        ("status-403", because(TunnelFailure::Forbidden)),
        ("status-404", because(TunnelFailure::Gone)),
        ("status-500", because(TunnelFailure::Failed)),
    ] {
        let error = lease(&transport, &[pod]).await.err();
        assert_eq!(error, Some(NetError::Tunnel(TunnelError { to: format!("platform/{pod}:5000"), failure })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kubelet_reports_is_what_the_exchange_fails_with() {
    let server = ApiServer::start().await;
    let transport = server.transport();
    for length in [0, 4 << 20] {
        let error = sent(lease(&transport, &["listens-nowhere"]).await.unwrap(), length).await.err();
        let failure = TunnelFailure::Refused("dial tcp4 127.0.0.1:5000: connect: connection refused".to_owned());
        assert_eq!(error, Some(NetError::Tunnel(TunnelError { to: "platform/listens-nowhere:5000".to_owned(), failure })), "{length}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_to_the_api_server_that_is_cut_ends_the_exchange_and_the_next_one_opens_anew() {
    let server = ApiServer::start().await;
    let transport = server.transport();
    for times in 1..=2 {
        let error = sent(lease(&transport, &["cut"]).await.unwrap(), 4 << 20).await.err();
        assert!(matches!(error, Some(NetError::Cut { sent }) if sent < 4 << 20), "{error:?}");
        assert_eq!(server.asked().len(), times);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_is_given_up_ends_at_once_whatever_was_not_sent() {
    let mut server = ApiServer::start().await;
    let transport = server.transport();
    let (head, body) = put(8 << 20);
    let lease = lease(&transport, &["reads-and-is-silent"]).await.unwrap();
    let patience = Patience { stall: Duration::from_secs(2) };
    assert!(matches!(lease.send(head, &body, patience).await.err(), Some(NetError::NoAnswer { .. })));
    tokio::time::timeout(Duration::from_secs(10), server.ended.recv()).await.expect("the port-forward ends").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_away_is_named() {
    let patience = Patience { stall: Duration::from_secs(2) };
    let error = transport(nobody()).lease(&endpoint(&["answers"]), patience, Reuse::Idle).await.err();
    let Some(NetError::Tunnel(TunnelError { failure: TunnelFailure::Failed(words), .. })) = error else { panic!("{error:?}") };
    assert!(words.to_ascii_lowercase().contains("connection refused"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_restarts_is_waited_for() {
    let address = nobody();
    let transport = transport(address);
    let mut opening = std::pin::pin!(lease(&transport, &["answers"]));
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut opening).await.is_err(), "it does not give up at once");
    let server = ApiServer::start_at(address).await;
    assert_eq!(sent(opening.await.unwrap(), 3).await.unwrap(), b"3");
    assert_eq!(server.asked().len(), 1);
}
