//! A small HTTP/1.1 client whose connections are opened in a network namespace: is a server there, and what does it answer?

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use ::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use socket2::{Domain, Socket, Type};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::network;

/// Long enough for a server on this machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its header.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Opens a connection from inside of a namespace; it then serves this runtime.
pub async fn connect(namespace: Option<&str>, to: SocketAddr) -> io::Result<TcpStream> {
    connect_within(PATIENCE, namespace, to).await
}

/// The same with a limit of one's own: where no route leads yet, nothing refuses, and a new packet is sooner there than a repeated one.
pub async fn connect_within(limit: Duration, namespace: Option<&str>, to: SocketAddr) -> io::Result<TcpStream> {
    let namespace = namespace.map(str::to_owned);
    let open = move || network::inside(namespace.as_deref(), || std::net::TcpStream::connect_timeout(&to, limit));
    let stream = tokio::task::spawn_blocking(open).await.map_err(io::Error::other)??;
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

/// The same with a limit for its TCP segments, in both directions.
pub async fn connect_with_segments(limit: u32, namespace: Option<&str>, to: SocketAddr) -> io::Result<TcpStream> {
    let namespace = namespace.map(str::to_owned);
    let open = move || {
        network::inside(namespace.as_deref(), || {
            let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
            socket.set_tcp_mss(limit)?;
            socket.connect_timeout(&to.into(), PATIENCE)?;
            Ok(std::net::TcpStream::from(socket))
        })
    };
    let stream = tokio::task::spawn_blocking(open).await.map_err(io::Error::other)??;
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

/// `GET`s a path from the server at `to`, asking for `host`.
pub async fn get(namespace: Option<&str>, to: SocketAddr, host: &str, path: &str) -> Result<Answer, String> {
    let stream = connect(namespace, to).await.map_err(|problem| format!("{to}: {problem}"))?;
    ask(stream, host, path).await
}

/// The same by TLS; `authority` (PEM) must have signed the server's certificate for `host`.
pub async fn get_tls(namespace: Option<&str>, to: SocketAddr, host: &str, path: &str, authority: &str) -> Result<Answer, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(authority.as_bytes()).flatten());
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|problem| problem.to_string())?;
    let stream = connect(namespace, to).await.map_err(|problem| format!("{to}: {problem}"))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|problem| format!("{to}: {problem}"))?;
    ask(stream, host, path).await
}

/// Sends a request of any kind, with its body and a Host, to the server at `to`.
pub async fn send(namespace: Option<&str>, to: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, String> {
    let stream = connect(namespace, to).await.map_err(|problem| format!("{to}: {problem}"))?;
    Connection::new(stream).await?.send(request).await
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, host: &str, path: &str) -> Result<Answer, String> {
    let request = Request::get(path).header("host", host).body(Full::default()).expect("a request");
    Connection::new(stream).await?.send(request).await
}

/// A connection for several requests, one after the other.
pub struct Connection(http1::SendRequest<Full<Bytes>>);

impl Connection {
    /// Takes a stream that is open.
    pub async fn new(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Self, String> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|problem| problem.to_string())?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let exchange = async {
            self.0.ready().await?;
            let (head, body) = self.0.send_request(request).await?.into_parts();
            Ok::<_, hyper::Error>(Answer { status: head.status, headers: head.headers, body: body.collect().await?.to_bytes() })
        };
        timeout(PATIENCE, exchange).await.map_err(|_| "no answer".to_owned())?.map_err(|problem| problem.to_string())
    }
}
