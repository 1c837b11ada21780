//! What a registry did wrong and what was overcome on the spot, and what was begun there and not ended: for those who look for faults
//! and must leave nothing behind. A client without a witness does the same and tells nobody.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Failure, Registry, Stage};
use crate::{model::RepositoryName, net::Endpoint};

/// More of these tell nothing new.
const MOST: usize = 64;

/// Sees one exchange after another with one registry.
#[derive(Default)]
pub struct Witness(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    overcome: Vec<Failure>,
    open: Option<OpenSession>,
}

/// An upload session that was opened and not ended.
pub(super) struct OpenSession {
    /// Path and query.
    pub(super) path: String,
    /// Where it is, when not at the registry itself.
    pub(super) elsewhere: Option<Endpoint>,
}

impl Witness {
    /// What was overcome since this was last asked.
    pub fn take(&self) -> Vec<Failure> {
        std::mem::take(&mut self.seen().overcome)
    }

    pub(super) fn take_open(&self) -> Option<OpenSession> {
        self.seen().open.take()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Something was wrong at `stage`, and work goes on.
    pub(super) fn overcame(&self, failure: impl FnOnce() -> Failure) {
        let Some(witness) = &self.witness else { return };
        let mut seen = witness.seen();
        if seen.overcome.len() < MOST {
            seen.overcome.push(failure());
        }
    }

    /// An upload session stands at this address now.
    pub(super) fn opened(&self, session: impl FnOnce() -> OpenSession) {
        if let Some(witness) = &self.witness {
            witness.seen().open = Some(session());
        }
    }

    /// The upload has ended, and its session with it.
    pub(super) fn ended(&self) {
        if let Some(witness) = &self.witness {
            witness.seen().open = None;
        }
    }

    /// Ends the session that the last upload left open, by `DELETE`, where the witness saw one.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::Remove`]: the registry keeps it until it forgets it by itself.
    pub async fn abandon(&self, repository: &RepositoryName) -> Result<(), Failure> {
        let Some(session) = self.witness.as_ref().and_then(|witness| witness.take_open()) else { return Ok(()) };
        self.remove(repository, &session.path, session.elsewhere.as_ref()).await
    }

    /// Removes `repository`'s link to a blob. Whether the registry frees the bytes at once or at its next collection of garbage is its own.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::Remove`]; 405 where the registry does not allow it.
    pub async fn remove_blob(&self, repository: &RepositoryName, digest: crate::model::Digest) -> Result<(), Failure> {
        self.remove(repository, &format!("/v2/{repository}/blobs/{digest}"), None).await
    }

    /// What is not there any more counts as removed. A replica that knows nothing of a session is not the one that opened it: the next
    /// request of a round robin finds that one.
    async fn remove(&self, repository: &RepositoryName, path: &str, elsewhere: Option<&Endpoint>) -> Result<(), Failure> {
        use super::exchange::{Call, Line};
        let mut asked_again = false;
        loop {
            let mut line = match elsewhere {
                None => Line::new(self, crate::net::Reuse::Idle),
                Some(endpoint) => Line::elsewhere(self, endpoint),
            };
            let call = Call::new(Stage::Remove, http::Method::DELETE, repository, path);
            let answered = line.ask(&call).await?;
            if matches!(answered.head.status.as_u16(), 200 | 202 | 204) {
                return Ok(());
            }
            let failure = line.refused(&call, answered).await;
            match failure.answer() {
                Some(answer) if answer.codes.iter().any(|code| code == "BLOB_UPLOAD_INVALID") && !asked_again => asked_again = true,
                Some(answer) if answer.status == 404 => return Ok(()),
                _ => return Err(failure),
            }
        }
    }
}
