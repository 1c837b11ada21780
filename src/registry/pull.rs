//! A blob read whole and hashed: the only honest proof that a registry has it (`HEAD`, ranges and 304 were seen to lie).

use bytes::Bytes;
use http::{Method, StatusCode};

use super::{
    Cause, Failure, Registry, Stage,
    exchange::{Call, Line},
    manifest::{PulledManifest, Reference, read_manifest},
    referrers::{Answered as ListedReferrers, read_referrers},
    trail::{MOST_REDIRECTS, redirected},
};
use crate::{
    model::{Digest, DigestWriter, RepositoryName},
    net::{Answered, Endpoint, Reuse},
};

/// Reads what was pushed, on a connection of its own, so that it owes nothing to the one that sent the bytes.
pub struct Pull<'r> {
    registry: &'r Registry,
    line: Line<'r>,
}

/// A blob that is being read, by somebody who checks what comes.
pub struct OpenedBlob {
    answered: Answered,
    /// Whether the registry itself answers, and no storage host.
    own: bool,
}

impl Registry {
    /// Begins to read. The connection is made by the first request and serves all of them.
    pub fn pull(&self) -> Pull<'_> {
        Pull { registry: self, line: Line::new(self, Reuse::Never) }
    }

    /// Begins to read what others have written: no proof, so that connections of before will do.
    pub fn read(&self) -> Pull<'_> {
        Pull { registry: self, line: Line::new(self, Reuse::Idle) }
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
        let mut path = format!("/v2/{repository}/blobs/{digest}");
        let mut elsewhere: Option<Endpoint> = None;
        for _ in 0..=MOST_REDIRECTS {
            let call = Call::new(Stage::PullBlob, Method::GET, repository, &path);
            let led = match &elsewhere {
                None => asked(&mut self.line, &call, &self.registry.endpoint).await?,
                Some(endpoint) => asked(&mut Line::elsewhere(self.registry, endpoint), &call, endpoint).await?,
            };
            match led {
                Led::Here(answered) => return Ok(OpenedBlob { answered: *answered, own: elsewhere.is_none() }),
                Led::There(endpoint, next) => (elsewhere, path) = (endpoint.or(elsewhere), next),
            }
        }
        Err(Failure::new(Stage::PullBlob, Cause::Malformed { detail: format!("more than {MOST_REDIRECTS} redirects") }))
    }

    /// The connection of a blob that was read to its end serves the next request.
    pub fn close(&mut self, opened: OpenedBlob) {
        if opened.own {
            self.line.done(opened.answered);
        }
    }
}

impl OpenedBlob {
    /// The next bytes; nothing at the end.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::PullBlob`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        self.answered.chunk().await.map_err(|error| Failure::new(Stage::PullBlob, error))
    }
}

/// What a request for a blob came to.
enum Led {
    Here(Box<Answered>),
    There(Option<Endpoint>, String),
}

/// Asks for the blob, or gives the place where the answer leads.
async fn asked(line: &mut Line<'_>, call: &Call<'_>, current: &Endpoint) -> Result<Led, Failure> {
    let answered = line.ask(call).await?;
    match answered.head.status {
        StatusCode::OK => Ok(Led::Here(Box::new(answered))),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            redirected(call, current, &answered.head.headers).map(|(endpoint, path)| Led::There(endpoint, path))
        }
        _ => Err(line.refused(call, answered).await),
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
