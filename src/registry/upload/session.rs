//! An upload session: opened by `POST`, asked for how far it is, left by `DELETE`.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};

use super::settle;
use crate::{
    model::RepositoryName,
    net::{Address, Endpoint, NetError},
    registry::{
        Cause, Failure, Registry, Stage,
        exchange::{Call, Line},
        location::{UploadAddress, resolve, with_digest},
        witness::OpenSession,
    },
};

const LONGEST_LEAVE: Duration = Duration::from_secs(5);

/// An upload that failed, with the session that it was in.
pub(super) struct Abandoned<'r> {
    pub(super) failure: Failure,
    session: Option<Box<Session<'r>>>,
}

impl From<Failure> for Abandoned<'_> {
    fn from(failure: Failure) -> Self {
        Self { failure, session: None }
    }
}

impl Abandoned<'_> {
    /// Leaves the session, where there is one; what is left is why.
    pub(super) async fn leave(self, line: &mut Line<'_>, repository: &RepositoryName) -> Failure {
        if let Some(session) = &self.session {
            session.leave_after(&self.failure, line, repository).await;
        }
        self.failure
    }
}

/// An upload session.
pub(super) struct Session<'r> {
    registry: &'r Registry,
    pub(super) address: UploadAddress,
    /// `OCI-Chunk-Min-Length`.
    pub(super) least_chunk: u64,
}

impl<'r> Session<'r> {
    /// Opens one.
    pub(super) async fn open(line: &mut Line<'_>, registry: &'r Registry, repository: &RepositoryName) -> Result<Self, Failure> {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let call = Call::new(Stage::OpenUpload, Method::POST, repository, &path);
        let answered = line.ask(&call).await?;
        if !matches!(answered.head.status.as_u16(), 201 | 202) {
            return Err(line.refused(&call, answered).await);
        }
        let session = Self::of(registry, &path, &answered.head.headers).map_err(|cause| Failure::new(Stage::OpenUpload, cause))?;
        settle(line, answered, Stage::OpenUpload).await?;
        Ok(session)
    }

    /// The session that an answer names.
    pub(super) fn of(registry: &'r Registry, request_path: &str, headers: &HeaderMap) -> Result<Self, Cause> {
        let refused = |detail: &str| Cause::Location { detail: detail.to_owned() };
        let location = headers.get(header::LOCATION).ok_or_else(|| refused("the answer names no upload address"))?;
        let location = location.to_str().map_err(|_| refused("the upload address is no text"))?;
        let address = resolve(&registry.endpoint.origin, request_path, location, &registry.allowed);
        let address = address.map_err(|detail| Cause::Location { detail })?;
        if let Some(named) = &address.misnamed {
            let detail = format!("`{named}` is not where the registry was asked; its path was used there");
            registry.overcame(|| Failure::new(Stage::OpenUpload, Cause::Location { detail }));
        }
        let least = headers.get("oci-chunk-min-length").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let session = Self { registry, address, least_chunk: least.unwrap_or(0) };
        registry.opened(|| OpenSession { path: session.address.path_and_query.clone(), elsewhere: session.elsewhere() });
        Ok(session)
    }

    /// Takes the address that an answer names for the next request, where it names one that may be used.
    pub(super) fn moves(&mut self, headers: &HeaderMap) -> Result<(), Failure> {
        if !headers.contains_key(header::LOCATION) {
            return Ok(());
        }
        let moved = Self::of(self.registry, &self.address.path_and_query, headers).map_err(|cause| Failure::new(Stage::SendBlob, cause))?;
        self.address = moved.address;
        Ok(())
    }

    /// Where its requests go: nothing when that is the registry itself.
    pub(super) fn elsewhere(&self) -> Option<Endpoint> {
        let origin = &self.address.origin;
        (!self.address.own).then(|| Endpoint {
            addresses: vec![Address::of(origin)],
            origin: origin.clone(),
            ..(*self.registry.endpoint).clone()
        })
    }

    /// The address that closes it.
    pub(super) fn closing(&self, digest: &crate::model::Digest) -> String {
        with_digest(&self.address.path_and_query, digest)
    }

    /// What a failure in this session means: where the registry had named another host, that is what led astray.
    pub(super) fn explained(&self, failure: Failure) -> Failure {
        match (&self.address.foreign, failure.answer().map(|answer| answer.status)) {
            (Some(named), Some(400 | 404 | 405)) => {
                // Each session has a name of its own, which would make each failure another one.
                let named = named.split_once("/uploads/").map_or_else(|| named.clone(), |(before, _)| format!("{before}/uploads/…"));
                let detail = format!("`{named}` is on another host, which is not allowed, and its path leads nowhere on our own");
                Failure::new(failure.stage, Cause::Location { detail })
            }
            _ => failure,
        }
    }

    /// What came of it; after a failure it has to be left.
    pub(super) fn ended(self, result: Result<(), Failure>) -> Result<(), Abandoned<'r>> {
        result.map_err(|failure| Abandoned { failure, session: Some(Box::new(self)) })
    }

    /// How many bytes the registry has (distribution specification, "Resuming an upload"); nothing when it does not say.
    pub(super) async fn offset(&mut self, line: &mut Line<'_>, repository: &RepositoryName) -> Result<Option<u64>, Failure> {
        let path = self.address.path_and_query.clone();
        let call = Call::new(Stage::SendBlob, Method::GET, repository, &path);
        let answered = line.ask(&call).await?;
        if !matches!(answered.head.status, StatusCode::NO_CONTENT | StatusCode::OK | StatusCode::ACCEPTED) {
            return Err(line.refused(&call, answered).await);
        }
        let offset = super::range::next_offset(&answered.head.headers);
        self.moves(&answered.head.headers)?;
        settle(line, answered, Stage::SendBlob).await?;
        Ok(offset)
    }

    /// Leaves it (distribution specification, "Canceling an upload"). Registries forget sessions by themselves in the end, so that
    /// nothing depends on this, and nobody waits long for it.
    pub(super) async fn leave(&self, line: &mut Line<'_>, repository: &RepositoryName) {
        let call = Call::new(Stage::SendBlob, Method::DELETE, repository, &self.address.path_and_query);
        let asked = async {
            if let Ok(answered) = line.ask(&call).await {
                let _ = settle(line, answered, Stage::SendBlob).await;
            }
        };
        let _ = tokio::time::timeout(LONGEST_LEAVE, asked).await;
    }

    /// Leaves it after `failure`, wherever it is; not where it is gone, or nobody can be reached.
    async fn leave_after(&self, failure: &Failure, line: &mut Line<'_>, repository: &RepositoryName) {
        let is_gone = failure.answer().is_some_and(|answer| answer.status == 404);
        if is_gone || matches!(failure.cause, Cause::Net(NetError::Connect { .. } | NetError::Tunnel(_))) {
            return;
        }
        if matches!(failure.cause, Cause::Net(_)) {
            line.renew();
        }
        match self.elsewhere() {
            Some(endpoint) => self.leave(&mut Line::elsewhere(self.registry, &endpoint), repository).await,
            None => self.leave(line, repository).await,
        }
    }
}
