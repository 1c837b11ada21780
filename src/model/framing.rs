//! How the bytes of a blob are framed (distribution specification, "Pushing blobs").

/// How large chunks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chunks {
    /// Of the first.
    pub first: u64,
    /// After a success the next is twice as large, up to this.
    pub most: u64,
    /// Each over a connection of its own.
    pub renew: bool,
}

/// How the bytes are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// `POST`, then one `PUT` with the whole body and its length.
    Buffered,
    /// `POST`, bounded `PATCH`es with `Content-Length` and `Content-Range`, then `PUT`; resumed where it is cut.
    Chunked(Chunks),
    /// `POST ?digest=` with the whole body.
    SinglePost,
    /// `POST`, one `PATCH` in chunked transfer encoding, then `PUT`: what go-containerregistry does with a stream.
    Streamed,
}

/// The name of a framing, whatever its sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// `POST`, then one `PUT` with the whole body and its Content-Length.
    Buffered,
    /// `POST`, bounded `PATCH`es with Content-Length and Content-Range, then `PUT`.
    Chunked,
    /// `POST ?digest=` with the whole body.
    SinglePost,
    /// `POST`, one `PATCH` in chunked transfer encoding, then `PUT`: to compare and to diagnose.
    Streamed,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Buffered, Self::Chunked, Self::SinglePost, Self::Streamed];

    /// As it stands in the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buffered => "Buffered",
            Self::Chunked => "Chunked",
            Self::SinglePost => "SinglePost",
            Self::Streamed => "Streamed",
        }
    }

    /// Of a framing.
    pub fn of(framing: Framing) -> Self {
        match framing {
            Framing::Buffered => Self::Buffered,
            Framing::Chunked(_) => Self::Chunked,
            Framing::SinglePost => Self::SinglePost,
            Framing::Streamed => Self::Streamed,
        }
    }
}
