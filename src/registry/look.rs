//! Small requests that change nothing: whether a registry answers, and whether it says that it has a blob.

use http::{Method, StatusCode};

use super::{
    Failure, Registry, Stage,
    exchange::{Call, Line},
};
use crate::{
    model::{Digest, RepositoryName},
    net::Reuse,
};

impl Registry {
    /// Asks for the API itself, as whoever may write into `repository` (distribution specification, "Determining Support").
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::Greet`].
    pub async fn greet(&self, repository: &RepositoryName) -> Result<(), Failure> {
        let mut line = Line::new(self, Reuse::Never);
        let call = Call::new(Stage::Greet, Method::GET, repository, "/v2/");
        let answered = line.ask(&call).await?;
        if answered.head.status == StatusCode::OK { Ok(()) } else { Err(line.refused(&call, answered).await) }
    }

    /// Whether the registry says that it has a blob, asked by `HEAD` on a connection of its own. A yes was seen to lie.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::FindBlob`].
    pub async fn says_it_has(&self, repository: &RepositoryName, digest: Digest) -> Result<bool, Failure> {
        let path = format!("/v2/{repository}/blobs/{digest}");
        let mut line = Line::new(self, Reuse::Never);
        let call = Call::new(Stage::FindBlob, Method::HEAD, repository, &path);
        let answered = line.ask(&call).await?;
        match answered.head.status.as_u16() {
            200..=399 => Ok(true),
            404 => Ok(false),
            _ => Err(line.refused(&call, answered).await),
        }
    }
}
