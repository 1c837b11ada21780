//! A plain client that sends what it is told and reads answers also while it still sends: an early 413 is seen.
//!
//! It knows nothing of registries and shares no code with the software under test.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use super::{
    ground::{Endpoint, Ground},
    proxy::message::{Head, Piece, Pieces},
};
use crate::support::network;

/// Longer than anything takes that is not a fault.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is to be sent.
#[derive(Clone, Debug)]
#[must_use]
pub struct Ask {
    method: &'static str,
    target: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    chunked: bool,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// First line and fields.
    pub head: Head,
    /// The body, without framing.
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub whole: bool,
    /// Whether the connection can be used again.
    pub stays: bool,
}

/// A connection.
#[derive(Debug)]
pub struct Client {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    host: String,
    patience: Duration,
}

impl Ask {
    /// A request without a body.
    pub fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), fields: Vec::new(), body: Vec::new(), chunked: false }
    }

    /// Adds a field.
    pub fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// A body with `Content-Length`.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self
    }

    /// A body with `Transfer-Encoding: chunked`.
    pub fn chunked(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self.chunked = true;
        self
    }

    fn bytes(&self, host: &str) -> Vec<u8> {
        let mut fields = self.fields.clone();
        fields.insert(0, ("Host".to_owned(), host.to_owned()));
        let mut body = self.body.clone();
        if self.chunked {
            fields.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()));
            body.clear();
            for piece in self.body.chunks(32 * 1024) {
                body.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                body.extend_from_slice(piece);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\n\r\n");
        } else {
            fields.push(("Content-Length".to_owned(), body.len().to_string()));
        }
        let mut bytes = Head { start: format!("{} {} HTTP/1.1", self.method, self.target), fields }.bytes();
        bytes.append(&mut body);
        bytes
    }
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.head.status()
    }

    /// A field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.field(name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The path and query of `Location`, whatever stands before it.
    pub fn location(&self) -> String {
        let location = self.field("location").expect("a Location");
        let rest = location.split_once("://").map_or(location, |(_, rest)| rest);
        rest.find('/').map_or_else(String::new, |slash| rest[slash..].to_owned())
    }
}

impl Client {
    /// Connects to a server on loopback.
    pub async fn to(socket: SocketAddr) -> Self {
        Self::on(&Ground::loopback(), socket).await
    }

    /// Connects from somewhere.
    pub async fn on(ground: &Ground, socket: SocketAddr) -> Self {
        let stream = Endpoint { ground: ground.clone(), socket }.connect().await.expect("a connection");
        let (read, write) = stream.into_split();
        Self { read: BufReader::new(read), write, host: socket.to_string(), patience: PATIENCE }
    }

    /// Waits no longer than this for an answer.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends and reads, both at once. The error says what came in place of an answer.
    pub async fn send(&mut self, ask: Ask) -> Result<Answer, String> {
        timeout(self.patience, self.exchange(ask)).await.map_err(|_| "silence".to_owned())?
    }

    async fn exchange(&mut self, ask: Ask) -> Result<Answer, String> {
        let bytes = ask.bytes(&self.host);
        let writing = async { self.write.write_all(&bytes).await.is_ok() };
        let (read, method) = (&mut self.read, ask.method);
        let reading = async {
            let head = Head::read(read).await.map_err(|problem| problem.kind().to_string())?.ok_or("the end of the connection")?;
            let (mut pieces, mut body, mut whole) = (Pieces::of(head.answer_body(method)), Vec::new(), true);
            loop {
                match pieces.next(read).await {
                    Ok(Some(Piece::Content(bytes))) => body.extend(bytes),
                    Ok(Some(Piece::Framing(_))) => {}
                    Ok(None) => break,
                    Err(_) => {
                        whole = false;
                        break;
                    }
                }
            }
            Ok::<_, String>((head, body, whole))
        };
        tokio::pin!(writing, reading);
        let mut sent = false;
        let (head, body, whole) = loop {
            tokio::select! {
                done = &mut writing, if !sent => {
                    sent = true;
                    if !done {
                        // The answer may be there nevertheless.
                        break (&mut reading).await?;
                    }
                }
                answer = &mut reading => break answer?,
            }
        };
        let stays = sent && whole && head.field("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
        Ok(Answer { head, body, whole, stays })
    }
}

/// One request on a connection of its own.
pub async fn once(socket: SocketAddr, ask: Ask) -> Result<Answer, String> {
    Client::to(socket).await.send(ask).await
}

/// PATCH of a whole body on a connection whose segments are small (`TCP_MAXSEG` 1200).
pub async fn patch_in_small_segments(ground: &Ground, socket: SocketAddr, place: &str, body: &[u8]) -> Result<Answer, String> {
    let open = move || {
        let stream = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        stream.set_tcp_mss(1200)?;
        stream.connect(&socket.into())?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    };
    let stream = network::inside(ground.namespace.as_deref(), open).map_err(|problem| problem.to_string())?;
    let stream = TcpStream::from_std(stream.into()).map_err(|problem| problem.to_string())?;
    let (read, write) = stream.into_split();
    let mut client = Client { read: BufReader::new(read), write, host: socket.to_string(), patience: PATIENCE };
    client.send(Ask::new("PATCH", place).body(body)).await
}
