//! Listens on the wire: a forwarder in front of a server that keeps the head of each request, as it was sent.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

use super::{Bed, address::Place, background, http};

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The connection that it came by, counted from 0.
    pub connection: usize,
    /// `GET`, `PUT`, ...
    pub method: String,
    /// The path, with the query.
    pub target: String,
    /// The fields in their order, names in lower case.
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// The value of the first field of this name (in lower case).
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// A running recorder. Dropping it ends it.
pub struct Recorder {
    place: Place,
    heads: Arc<Mutex<Vec<Head>>>,
    serving: JoinHandle<()>,
}

impl Bed {
    /// Puts a recorder in front of a server that speaks plain HTTP/1.1.
    pub fn recorder(&'static self, upstream: SocketAddr) -> Recorder {
        let place = self.place(upstream.port());
        let heads = Arc::<Mutex<Vec<Head>>>::default();
        let serving = background::runtime().spawn(serve(self, place.listen(), upstream, Arc::clone(&heads)));
        Recorder { place, heads, serving }
    }
}

impl Recorder {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.place.socket()
    }

    /// The heads so far.
    pub fn heads(&self) -> Vec<Head> {
        self.heads.lock().expect("the list of heads").clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(bed: &'static Bed, listener: std::net::TcpListener, upstream: SocketAddr, heads: Arc<Mutex<Vec<Head>>>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    let mut connection = 0;
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(relay(bed, near, upstream, connection, Arc::clone(&heads)));
        connection += 1;
    }
}

async fn relay(
    bed: &'static Bed,
    near: TcpStream,
    upstream: SocketAddr,
    connection: usize,
    heads: Arc<Mutex<Vec<Head>>>,
) -> io::Result<()> {
    let far = http::connect(bed.server_namespace(), upstream).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((near_read, mut near_write), (mut far_read, far_write)) = (near.into_split(), far.into_split());
    let answers = tokio::spawn(async move { tokio::io::copy(&mut far_read, &mut near_write).await });
    requests(near_read, far_write, connection, &heads).await?;
    answers.await.map_err(io::Error::other)?.map(drop)
}

async fn requests(mut near: OwnedReadHalf, mut far: OwnedWriteHalf, connection: usize, heads: &Mutex<Vec<Head>>) -> io::Result<()> {
    let mut reader = Reader { connection, state: State::Head(Vec::new()) };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = near.read(&mut buffer).await?;
        if length == 0 {
            return far.shutdown().await;
        }
        // Recorded before it is passed on: who sees the answer finds the request in the list.
        let found = reader.feed(&buffer[..length]);
        heads.lock().expect("the list of heads").extend(found);
        far.write_all(&buffer[..length]).await?;
    }
}

/// Finds the heads in what a client sends.
struct Reader {
    connection: usize,
    state: State,
}

enum State {
    /// In a head, of which this much is there.
    Head(Vec<u8>),
    /// In a body of which so many bytes are to come.
    Sized(u64),
    /// In a chunked body, whose last bytes these are.
    Chunked(Vec<u8>),
}

impl Reader {
    fn feed(&mut self, mut bytes: &[u8]) -> Vec<Head> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            match &mut self.state {
                State::Head(head) => {
                    head.push(bytes[0]);
                    bytes = &bytes[1..];
                    if head.ends_with(b"\r\n\r\n") {
                        let head = parse(self.connection, &String::from_utf8_lossy(head));
                        self.state = body_of(&head);
                        found.push(head);
                    }
                }
                State::Sized(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= taken as u64;
                    bytes = &bytes[taken..];
                    if *left == 0 {
                        self.state = State::Head(Vec::new());
                    }
                }
                State::Chunked(last) => {
                    last.push(bytes[0]);
                    bytes = &bytes[1..];
                    if last.len() > 7 {
                        last.remove(0);
                    }
                    if last.ends_with(b"\r\n0\r\n\r\n") || last == b"0\r\n\r\n" {
                        self.state = State::Head(Vec::new());
                    }
                }
            }
        }
        found
    }
}

fn parse(connection: usize, text: &str) -> Head {
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let fields = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Head { connection, method: words.next().unwrap_or_default(), target: words.next().unwrap_or_default(), fields: fields.collect() }
}

fn body_of(head: &Head) -> State {
    if head.field("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        return State::Chunked(Vec::new());
    }
    match head.field("content-length").and_then(|value| value.parse().ok()) {
        Some(length) if length > 0 => State::Sized(length),
        _ => State::Head(Vec::new()),
    }
}
