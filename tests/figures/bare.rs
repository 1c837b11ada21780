//! The bare loop: what the least a push can be costs at a registry. POST, PUT, POST, PUT, PUT for each chart, on connections that are
//! kept, several at a time. Sockets and nothing above them, so that it is as fast as a client can be.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// What one chart is in a registry.
#[derive(Clone, Debug)]
pub struct Image {
    /// Where.
    pub repository: String,
    /// Under which tag.
    pub tag: String,
    /// The archive, and the configuration: each with its digest.
    pub blobs: Vec<(String, Vec<u8>)>,
    /// The manifest.
    pub manifest: Vec<u8>,
}

/// Sends all of them, `workers` at a time; says how long it took.
pub async fn push(registry: SocketAddr, images: &Arc<Vec<Image>>, workers: usize) -> Duration {
    let begin = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    for _ in 0..workers {
        let (images, next) = (Arc::clone(images), Arc::clone(&next));
        running.spawn(async move {
            let mut connection = Connection::to(registry).await?;
            while let Some(image) = images.get(next.fetch_add(1, Ordering::Relaxed)) {
                connection.push(image).await?;
            }
            io::Result::Ok(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("a worker").expect("the registry takes what it is sent");
    }
    begin.elapsed()
}

struct Connection {
    host: String,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn to(registry: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(registry).await?;
        stream.set_nodelay(true)?;
        Ok(Self { host: registry.to_string(), stream, buffer: Vec::new() })
    }

    async fn push(&mut self, image: &Image) -> io::Result<()> {
        let repository = &image.repository;
        for (digest, bytes) in &image.blobs {
            let head = self.ask("POST", &format!("/v2/{repository}/blobs/uploads/"), "", &[], "202").await?;
            let location = field(&head, "location").ok_or_else(|| io::Error::other("no location"))?;
            let path = location.find("/v2/").map_or(location.as_str(), |begin| &location[begin..]);
            let path = format!("{path}&digest={digest}");
            self.ask("PUT", &path, "application/octet-stream", bytes, "201").await?;
        }
        let path = format!("/v2/{repository}/manifests/{}", image.tag);
        self.ask("PUT", &path, "application/vnd.oci.image.manifest.v1+json", &image.manifest, "201").await.map(drop)
    }

    /// One request and its answer, of which the head is given.
    async fn ask(&mut self, method: &str, path: &str, kind: &str, body: &[u8], expected: &str) -> io::Result<String> {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{kind}Content-Length: {}\r\n\r\n", self.host, body.len()).into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await?;
        self.buffer.clear();
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let length: usize = field(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while self.buffer.len() < end + length {
            self.more().await?;
        }
        let status = head.split(' ').nth(1).unwrap_or_default();
        if status == expected { Ok(head) } else { Err(io::Error::other(format!("{method} {path}: {head}"))) }
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn field(head: &str, name: &str) -> Option<String> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}
