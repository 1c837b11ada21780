//! How a body of some size is framed on one way, before anything was sent.

use crate::model::{Chunks, Framing, Method};

/// Load balancers end requests and idle connections after a minute or so: larger bodies go in pieces.
pub const BALANCED_AT_ONCE: u64 = 64 << 20;
/// Of a chunk, unless `upload.chunkSize` says otherwise.
pub const CHUNK: u64 = 16 << 20;

/// What is known of bodies on one way before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bodies {
    /// The method that the spec asks for; nothing for `Auto`.
    pub fixed: Option<Method>,
    /// The largest chunk.
    pub chunk: u64,
    /// A limit for bodies that something on the way states, in bytes, and what states it.
    pub limit: Option<(u64, String)>,
    /// Above this size, chunks from the start.
    pub at_once: Option<u64>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { fixed: None, chunk: CHUNK, limit: None, at_once: None }
    }
}

/// A framing and what belongs to it: what is tried as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tactic {
    /// The framing.
    pub framing: Framing,
    /// The longest TCP segment.
    pub segment: Option<u32>,
}

impl Tactic {
    /// The method.
    pub fn method(self) -> Method {
        Method::of(self.framing)
    }

    /// What tells tactics apart when they are remembered: sizes of chunks are learnt beside it.
    pub fn key(self) -> (Method, bool, Option<u32>) {
        let renew = matches!(self.framing, Framing::Chunked(chunks) if chunks.renew);
        (self.method(), renew, self.segment)
    }

    /// What differs from the plain method, to stand in a sentence; empty when nothing does.
    pub fn shown(self) -> String {
        let mut parts = Vec::new();
        if let Framing::Chunked(chunks) = self.framing {
            parts.push(format!("chunks from {} KiB", chunks.first >> 10));
            if chunks.renew {
                parts.push("a new connection for each".to_owned());
            }
        }
        if let Some(segment) = self.segment {
            parts.push(format!("TCP segments of {segment} bytes"));
        }
        parts.join(", ")
    }
}

/// What a body of `length` bytes is sent by, first.
pub fn first(bodies: &Bodies, length: u64) -> Tactic {
    let chunks = |first: u64| Framing::Chunked(Chunks { first: first.min(bodies.chunk), most: bodies.chunk, renew: false });
    let framing = match (bodies.fixed, &bodies.limit) {
        (Some(Method::SinglePost), _) => Framing::SinglePost,
        (Some(Method::Streamed), _) => Framing::Streamed,
        (None | Some(Method::Chunked), Some((limit, _))) if length > *limit => under(*limit, bodies),
        (Some(Method::Chunked), _) => chunks(bodies.chunk),
        (None, _) if bodies.at_once.is_some_and(|at_once| length > at_once) => chunks(bodies.chunk),
        (None | Some(Method::Buffered), _) => Framing::Buffered,
    };
    Tactic { framing, segment: None }
}

/// Chunks that stay below a limit that is stated.
fn under(limit: u64, bodies: &Bodies) -> Framing {
    let size = (limit - limit / 16).min(bodies.chunk).max(1);
    Framing::Chunked(Chunks { first: size, most: size, renew: false })
}
