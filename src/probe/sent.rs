//! Bodies that no registry can have already, and what is left of them there.

use bytes::Bytes;

use crate::{
    model::{Digest, RepositoryName},
    registry::{Failure, Registry},
};

/// A random body.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) digest: Digest,
}

impl Body {
    /// Of `length` bytes.
    pub(super) fn random(length: u64) -> Self {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        fastrand::Rng::new().fill(&mut bytes);
        Self { digest: Digest::of(&bytes), bytes: bytes.into() }
    }
}

/// What can stay behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A blob.
    Blob(Digest),
    /// An upload that was begun.
    Session,
}

/// Something that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// What.
    pub thing: Thing,
    /// Bytes that were sent for it.
    pub bytes: u64,
    /// What the registry said, in a few words.
    pub why: String,
}

impl LeftBehind {
    /// What removes it.
    pub fn cure(&self) -> &'static str {
        match self.thing {
            Thing::Blob(_) => {
                "no manifest names it, so a collection of garbage frees it (distribution: `registry garbage-collect CONFIG`); with `storage.delete.enabled: true` (REGISTRY_STORAGE_DELETE_ENABLED=true) the next probe removes its own"
            }
            Thing::Session => "the registry forgets it by itself (distribution: `storage.maintenance.uploadpurging`, after a week)",
        }
    }
}

/// What became of all that was sent.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) removed: u64,
    pub(super) removed_bytes: u64,
    pub(super) left_behind: Vec<LeftBehind>,
}

impl Ledger {
    /// Removes what an upload may have left.
    pub(super) async fn clean(&mut self, registry: &Registry, repository: &RepositoryName, body: &Body, was_taken: bool) {
        let bytes = body.bytes.len() as u64;
        if let Err(failure) = registry.abandon(repository).await {
            self.left_behind.push(LeftBehind { thing: Thing::Session, bytes, why: in_short(&failure) });
        }
        match registry.remove_blob(repository, body.digest).await {
            Ok(()) => {
                self.removed += u64::from(was_taken);
                self.removed_bytes += if was_taken { bytes } else { 0 };
            }
            Err(failure) => {
                // An upload that failed may have arrived all the same.
                if was_taken || registry.says_it_has(repository, body.digest).await == Ok(true) {
                    self.left_behind.push(LeftBehind { thing: Thing::Blob(body.digest), bytes, why: in_short(&failure) });
                }
            }
        }
    }
}

/// Without what an error body says: `405 UNSUPPORTED`.
fn in_short(failure: &Failure) -> String {
    match failure.answer() {
        Some(answer) => format!("{} {}", answer.status, answer.codes.first().map(String::as_str).unwrap_or_default()).trim_end().to_owned(),
        None => failure.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_bodies_are_alike() {
        let [one, two] = [Body::random(1000), Body::random(1000)];
        assert_ne!(one.digest, two.digest);
        assert_eq!((one.bytes.len(), one.digest), (1000, Digest::of(&one.bytes)));
    }
}
