//! What a registry did wrong and what was overcome on the spot, and what was begun there and not ended: for those who look for faults
//! and must leave nothing behind. A client without a witness does the same and tells nobody.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderValue, Method, header};
use tokio::sync::Notify;

use super::{
    Failure, Registry, Stage,
    exchange::{Call, Line},
    location::resolve,
};
use crate::{
    model::{Digest, RepositoryName},
    net::{Endpoint, Reuse},
};

/// More of these tell nothing new.
const MOST: usize = 64;
/// How often a session is asked for its name.
const MOST_NAMES: usize = 20;
const PAUSE: Duration = Duration::from_millis(200);

/// Sees one exchange after another with one registry.
#[derive(Default)]
pub struct Witness {
    seen: Mutex<Seen>,
    opened: Notify,
}

#[derive(Default)]
struct Seen {
    overcome: Vec<Failure>,
    deferred: bool,
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

    /// Whether a `POST` with a whole blob was answered by an upload that still wanted it, as by registries that take no blob so.
    pub fn saw_deferral(&self) -> bool {
        self.seen().deferred
    }

    pub(super) fn take_open(&self) -> Option<OpenSession> {
        self.seen().open.take()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when an upload session stands open.
    pub(super) async fn sees_open(&self) {
        loop {
            let opened = self.opened.notified();
            if self.seen().open.is_some() {
                return;
            }
            opened.await;
        }
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

    /// The registry wants a blob once more.
    pub(super) fn deferred(&self) {
        if let Some(witness) = &self.witness {
            witness.seen().deferred = true;
        }
    }

    /// An upload session stands at this address now.
    pub(super) fn opened(&self, session: impl FnOnce() -> OpenSession) {
        if let Some(witness) = &self.witness {
            witness.seen().open = Some(session());
            witness.opened.notify_waiters();
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
        match self.witness.as_ref().and_then(|witness| witness.take_open()) {
            Some(session) => self.end(repository, &session).await,
            None => Ok(()),
        }
    }

    /// The same for one whose body was given up in its middle: a registry that has not noticed yet would write back what it has of it.
    pub(super) async fn abandon_in_the_middle(&self, repository: &RepositoryName) {
        let Some(session) = self.witness.as_ref().and_then(|witness| witness.take_open()) else { return };
        for _ in 0..MOST_NAMES {
            tokio::time::sleep(PAUSE).await;
            let is_left = self.end(repository, &session).await.is_ok();
            tokio::time::sleep(PAUSE).await;
            if is_left && self.renamed(repository, &session).await.is_none() {
                return;
            }
        }
    }

    async fn end(&self, repository: &RepositoryName, session: &OpenSession) -> Result<(), Failure> {
        let elsewhere = session.elsewhere.as_ref();
        let mut result = self.remove(repository, &session.path, elsewhere).await;
        let mut before = None;
        for _ in 0..MOST_NAMES {
            // An address with another offset than the session has: distribution 3 takes one that it names now.
            if !result.as_ref().is_err_and(|failure| failure.answer().is_some_and(|answer| answer.status == 416)) {
                break;
            }
            let Some((path, reached)) = self.renamed(repository, session).await else { break };
            // What was cut may still be on its way into the session, and would make a part of it anew.
            if before.as_ref() == Some(&reached) {
                result = self.remove(repository, &path, elsewhere).await;
            }
            before = Some(reached);
            if result.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        result
    }

    /// What a session is called now, and how far it is (distribution specification, "Resuming an upload").
    async fn renamed(&self, repository: &RepositoryName, session: &OpenSession) -> Option<(String, Option<HeaderValue>)> {
        let mut line = self.line(session.elsewhere.as_ref());
        let call = Call::new(Stage::Remove, Method::GET, repository, &session.path);
        let answered = line.ask(&call).await.ok()?;
        let location = answered.head.headers.get(header::LOCATION)?.to_str().ok()?;
        let origin = session.elsewhere.as_ref().map_or(&self.endpoint.origin, |endpoint| &endpoint.origin);
        let path = resolve(origin, &session.path, location, &self.allowed).ok()?.path_and_query;
        Some((path, answered.head.headers.get(header::RANGE).cloned()))
    }

    fn line<'r>(&'r self, elsewhere: Option<&'r Endpoint>) -> Line<'r> {
        elsewhere.map_or_else(|| Line::new(self, Reuse::Idle), |endpoint| Line::elsewhere(self, endpoint))
    }

    /// Removes `repository`'s link to a blob. Whether the registry frees the bytes at once or at its next collection of garbage is its own.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::Remove`]; 405 where the registry does not allow it.
    pub async fn remove_blob(&self, repository: &RepositoryName, digest: Digest) -> Result<(), Failure> {
        self.remove(repository, &format!("/v2/{repository}/blobs/{digest}"), None).await
    }

    /// What is not there any more counts as removed. A replica that knows nothing of a session is not the one that opened it: the next
    /// request of a round robin finds that one. Distribution 2 says the same for ever of a session that was cut in a body.
    async fn remove(&self, repository: &RepositoryName, path: &str, elsewhere: Option<&Endpoint>) -> Result<(), Failure> {
        let mut asked_again = false;
        loop {
            let mut line = self.line(elsewhere);
            let call = Call::new(Stage::Remove, Method::DELETE, repository, path);
            let answered = line.ask(&call).await?;
            if matches!(answered.head.status.as_u16(), 200 | 202 | 204) {
                return Ok(());
            }
            let failure = line.refused(&call, answered).await;
            match failure.answer() {
                Some(answer) if answer.codes.iter().any(|code| code == "BLOB_UPLOAD_INVALID") => {
                    if asked_again {
                        return Err(failure);
                    }
                    asked_again = true;
                }
                Some(answer) if answer.status == 404 => return Ok(()),
                _ => return Err(failure),
            }
        }
    }
}
