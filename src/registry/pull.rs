//! A blob read whole and hashed: the only honest proof that a registry has it (`HEAD`, ranges and 304 were seen to lie).

use bytes::Bytes;
use http::{Method, StatusCode};

use super::{
    Cause, Failure, Registry, Stage,
    exchange::{Call, Line},
    manifest::{PulledManifest, Reference, read_manifest},
    referrers::{Answered as ListedReferrers, read_referrers},
    trail::Trail,
};
use crate::{
    model::{Digest, DigestWriter, Origin, RepositoryName},
    net::{Answered, Reuse},
};

/// Reads what was pushed, on a connection of its own, so that it owes nothing to the one that sent the bytes.
pub struct Pull<'r> {
    line: Line<'r>,
}

/// A blob that is being read, by somebody who checks what comes.
pub struct OpenedBlob {
    answered: Answered,
    trail: Trail,
}

impl Registry {
    /// Begins to read. The connection is made by the first request and serves all of them.
    pub fn pull(&self) -> Pull<'_> {
        Pull { line: Line::new(self, Reuse::Never) }
    }

    /// Begins to read what others have written: no proof, so that connections of before will do.
    pub fn read(&self) -> Pull<'_> {
        Pull { line: Line::new(self, Reuse::Idle) }
    }
}

impl Pull<'_> {
    /// What `reference` holds; nothing when it does not exist.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::PullManifest`].
    pub async fn manifest<'a>(
        &mut self,
        repository: &RepositoryName,
        reference: impl Into<Reference<'a>>,
    ) -> Result<Option<PulledManifest>, Failure> {
        read_manifest(&mut self.line, repository, reference.into(), Stage::PullManifest).await
    }

    /// What refers to `subject`, as the registry lists it.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::PullManifest`].
    pub async fn referrers(&mut self, repository: &RepositoryName, subject: Digest) -> Result<ListedReferrers, Failure> {
        read_referrers(&mut self.line, repository, subject).await
    }

    /// Reads the blob and compares length and digest with what was asked for. A redirect to a storage host is followed, and nobody
    /// learns there who we are.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::PullBlob`]; [`Cause::Content`] when other bytes came.
    pub async fn blob(&mut self, repository: &RepositoryName, digest: Digest, length: u64) -> Result<(), Failure> {
        let mut opened = self.open(repository, digest).await?;
        compared(&mut opened, digest, length).await?;
        self.close(opened);
        Ok(())
    }

    /// Begins to read a blob, after the same redirects. What comes is whatever the registry sends: who reads it stops where it is too
    /// long, and compares.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::PullBlob`].
    pub async fn open(&mut self, repository: &RepositoryName, digest: Digest) -> Result<OpenedBlob, Failure> {
        let mut trail = Trail::of_blob(format!("/v2/{repository}/blobs/{digest}"));
        let call = Call::new(Stage::PullBlob, Method::GET, repository, "");
        let answered = trail.ask(&mut self.line, &call).await?;
        match answered.head.status {
            StatusCode::OK => Ok(OpenedBlob { answered, trail }),
            _ => Err(trail.refused(&mut self.line, &call, answered).await),
        }
    }

    /// The connection of a blob that was read to its end serves the next request.
    pub fn close(&mut self, opened: OpenedBlob) {
        self.line.done(opened.answered);
    }
}

impl OpenedBlob {
    /// Who gives it, where the registry led to another server.
    pub fn elsewhere(&self) -> Option<&Origin> {
        self.trail.elsewhere()
    }

    /// The next bytes; nothing at the end.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::PullBlob`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        self.answered.chunk().await.map_err(|error| self.trail.failed(Stage::PullBlob, error))
    }
}

async fn compared(opened: &mut OpenedBlob, digest: Digest, length: u64) -> Result<(), Failure> {
    let mut writer = DigestWriter::default();
    let mut received = 0;
    while let Some(piece) = opened.next().await? {
        received += piece.len() as u64;
        if received > length {
            break;
        }
        writer.update(&piece);
    }
    let (found, _) = writer.finish();
    if (received, found) == (length, digest) {
        return Ok(());
    }
    let found = match received.cmp(&length) {
        std::cmp::Ordering::Greater => format!("more than {length} bytes"),
        _ => format!("{received} bytes with {found}"),
    };
    Err(Failure::new(Stage::PullBlob, Cause::Content { expected: format!("{length} bytes with {digest}"), found }))
}
