//! What a server of the fault bed was asked, request by request: in go heads and bytes of bodies, out come questions for assertions.
//!
//! *Invariant:* a request is in the list before anything of its answer is sent, so whoever saw the answer finds it.

use std::sync::{Arc, Mutex, MutexGuard};

/// How the length of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Neither `Content-Length` nor `Transfer-Encoding`.
    Unsaid,
    /// `Content-Length`.
    Sized(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// One request, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The connection that it came by, counted from 0.
    pub connection: usize,
    /// `GET`, `PUT`, ...
    pub method: String,
    /// The path with the query, as it was sent.
    pub target: String,
    /// The fields in their order, names in lower case.
    pub fields: Vec<(String, String)>,
    /// How the body was framed.
    pub framing: Framing,
    /// The bytes of the body that were received, without the framing.
    pub received: u64,
    /// Whether the body was received to its end.
    pub whole: bool,
    /// The status of the answer; `None` when none was sent.
    pub status: Option<u16>,
}

impl Asked {
    /// The value of the first field of this name (in lower case).
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A line for comparisons: method, path and status, `-` for none.
    pub fn line(&self) -> String {
        let status = self.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        format!("{} {} {status}", self.method, self.path())
    }
}

/// The list of a server; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Vec<Asked>>>);

/// The place of one request in a [`Ledger`].
#[derive(Clone, Debug)]
pub struct Entry {
    ledger: Ledger,
    number: usize,
}

impl Ledger {
    /// Opens an entry.
    pub fn begin(&self, asked: Asked) -> Entry {
        let mut list = self.list();
        list.push(asked);
        Entry { ledger: self.clone(), number: list.len() - 1 }
    }

    /// All requests so far, in the order in which their heads came.
    pub fn all(&self) -> Vec<Asked> {
        self.list().clone()
    }

    /// The requests of one method.
    pub fn of(&self, method: &str) -> Vec<Asked> {
        self.list().iter().filter(|asked| asked.method == method).cloned().collect()
    }

    /// The bytes of all bodies received.
    pub fn received(&self) -> u64 {
        self.list().iter().map(|asked| asked.received).sum()
    }

    /// How many requests there were so far.
    pub fn count(&self) -> usize {
        self.list().len()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.0.lock().expect("the list of requests")
    }
}

impl Entry {
    /// The request as it stands now.
    pub fn asked(&self) -> Asked {
        self.ledger.list()[self.number].clone()
    }

    /// So many more bytes of the body came.
    pub fn receive(&self, bytes: usize) {
        self.ledger.list()[self.number].received += bytes as u64;
    }

    /// The body came to its end.
    pub fn complete(&self) {
        self.ledger.list()[self.number].whole = true;
    }

    /// This is answered.
    pub fn answer(&self, status: u16) {
        self.ledger.list()[self.number].status = Some(status);
    }
}
