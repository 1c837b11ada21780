//! HTTP/1.1 as it stands on the wire: heads and bodies that are passed on byte for byte, chunk framing included.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// The longest head that is read.
const LONGEST_HEAD: u64 = 64 * 1024;
/// How much of a body is passed on at once.
const PIECE: u64 = 16 * 1024;

/// The head of a request or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The first line.
    pub start: String,
    /// The fields in their order, as they were written.
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// Reads one; `None` at the end of the connection.
    pub async fn read<R: AsyncRead + Unpin>(from: &mut BufReader<R>) -> io::Result<Option<Self>> {
        let mut limited = from.take(LONGEST_HEAD);
        let mut head = Self { start: String::new(), fields: Vec::new() };
        loop {
            let mut line = Vec::new();
            if limited.read_until(b'\n', &mut line).await? == 0 {
                return if head.start.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            match line.split_once(':') {
                _ if head.start.is_empty() => line.clone_into(&mut head.start),
                _ if line.is_empty() => return Ok(Some(head)),
                Some((name, value)) => head.fields.push((name.to_owned(), value.trim().to_owned())),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        let mut lines = vec![self.start.clone()];
        lines.extend(self.fields.iter().map(|(name, value)| format!("{name}: {value}")));
        format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
    }

    /// The fields in one line, for comparisons.
    pub fn line(&self) -> String {
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| format!(" {}: {value},", name.to_ascii_lowercase())).collect();
        fields.concat()
    }

    /// The value of the first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Takes all fields of this name out.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
    }

    /// A word of the first line.
    pub fn word(&self, number: usize) -> &str {
        self.start.split(' ').nth(number).unwrap_or_default()
    }

    /// The status of an answer.
    pub fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or(0)
    }

    /// The body that follows a request.
    pub fn request_body(&self) -> Length {
        self.length().unwrap_or(Length::Sized(0))
    }

    /// The body that follows an answer to a request of this method.
    pub fn answer_body(&self, method: &str) -> Length {
        if method == "HEAD" || self.status() < 200 || matches!(self.status(), 204 | 304) {
            return Length::Sized(0);
        }
        self.length().unwrap_or(Length::UntilEnd)
    }

    fn length(&self) -> Option<Length> {
        if self.field("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            return Some(Length::Chunked);
        }
        self.field("content-length")?.parse().ok().map(Length::Sized)
    }
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// After so many bytes.
    Sized(u64),
    /// By its chunks.
    Chunked,
    /// By the end of the connection.
    UntilEnd,
}

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes of the body itself.
    Content(Vec<u8>),
    /// Sizes of chunks and what else is between.
    Framing(Vec<u8>),
}

impl Piece {
    /// The bytes as they stand on the wire.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Content(bytes) | Self::Framing(bytes) => bytes,
        }
    }
}

/// Reads a body piece by piece.
#[derive(Debug)]
pub struct Pieces {
    length: Length,
    /// What is left of the body or of the chunk.
    left: u64,
    in_chunk: bool,
    ended: bool,
}

impl Pieces {
    /// The pieces of a body of this length.
    pub fn of(length: Length) -> Self {
        let left = if let Length::Sized(left) = length { left } else { 0 };
        Self { length, left, in_chunk: false, ended: false }
    }

    /// The next piece; `None` after the last. A body that breaks off is an error.
    pub async fn next<R: AsyncRead + Unpin>(&mut self, from: &mut BufReader<R>) -> io::Result<Option<Piece>> {
        match self.length {
            _ if self.ended => Ok(None),
            Length::Sized(_) if self.left == 0 => Ok(None),
            Length::Sized(_) => self.content(from).await,
            Length::Chunked if self.in_chunk && self.left > 0 => self.content(from).await,
            Length::Chunked => self.framing(from).await,
            Length::UntilEnd => {
                let bytes = some(from, PIECE).await?;
                Ok((!bytes.is_empty()).then_some(Piece::Content(bytes)))
            }
        }
    }

    async fn content<R: AsyncRead + Unpin>(&mut self, from: &mut BufReader<R>) -> io::Result<Option<Piece>> {
        let bytes = some(from, self.left.min(PIECE)).await?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= bytes.len() as u64;
        Ok(Some(Piece::Content(bytes)))
    }

    async fn framing<R: AsyncRead + Unpin>(&mut self, from: &mut BufReader<R>) -> io::Result<Option<Piece>> {
        let mut raw = Vec::new();
        if self.in_chunk {
            raw.extend(line(from).await?);
        }
        let size = line(from).await?;
        let digits = String::from_utf8_lossy(&size);
        let digits = digits.trim_end().split(';').next().unwrap_or_default();
        self.left = u64::from_str_radix(digits, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        self.in_chunk = true;
        raw.extend(size);
        while self.left == 0 && !self.ended {
            let trailer = line(from).await?;
            self.ended = trailer == b"\r\n";
            raw.extend(trailer);
        }
        Ok(Some(Piece::Framing(raw)))
    }
}

async fn some<R: AsyncRead + Unpin>(from: &mut BufReader<R>, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(most).unwrap_or(usize::MAX)];
    let length = from.read(&mut bytes).await?;
    bytes.truncate(length);
    Ok(bytes)
}

async fn line<R: AsyncRead + Unpin>(from: &mut BufReader<R>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LONGEST_HEAD).read_until(b'\n', &mut line).await?;
    if line.ends_with(b"\n") { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
