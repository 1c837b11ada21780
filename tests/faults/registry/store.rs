//! What a scripted registry keeps: blobs, manifests, tags and upload sessions, in memory.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A manifest as it was written.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its `Content-Type`.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// An upload session.
#[derive(Debug, Default)]
pub struct Upload {
    /// The repository that it belongs to.
    pub repository: String,
    /// What has come.
    pub data: Vec<u8>,
    /// What has come and is not written yet.
    pub late: Vec<u8>,
    /// How many chunks have come.
    pub chunks: usize,
    /// The smallest chunk so far.
    pub smallest: Option<u64>,
    /// The replica that began it.
    pub replica: usize,
    /// What its `Location` must have as its query.
    pub query: Option<String>,
}

/// All of it. Names are `(repository, digest or tag)`.
#[derive(Debug, Default)]
pub struct Store {
    /// Blobs by digest.
    pub blobs: HashMap<(String, String), Bytes>,
    /// Manifests by digest.
    pub manifests: HashMap<(String, String), Manifest>,
    /// Digests by tag, in the order of the specification.
    pub tags: BTreeMap<(String, String), String>,
    /// Sessions by their id.
    pub uploads: HashMap<String, Upload>,
    /// Blobs that `HEAD` sees and `GET` does not.
    pub hollow: Vec<(String, String)>,
}

impl Store {
    /// The tags of a repository.
    pub fn tags_of(&self, repository: &str) -> Vec<String> {
        self.tags.keys().filter(|(of, _)| of == repository).map(|(_, tag)| tag.clone()).collect()
    }

    /// A manifest by tag or digest, with its digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Manifest)> {
        let named = (repository.to_owned(), reference.to_owned());
        let digest = if reference.contains(':') { reference.to_owned() } else { self.tags.get(&named)?.clone() };
        let manifest = self.manifests.get(&(repository.to_owned(), digest.clone()))?.clone();
        Some((digest, manifest))
    }
}

/// The digest of bytes, as it is written.
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}
