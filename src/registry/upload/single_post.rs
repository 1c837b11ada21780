//! Single POST: `POST ?digest=` with the whole body (distribution specification, "Single POST").

use http::Method;

use super::{Abandoned, Blob, Session, buffered::BYTES, settle};
use crate::{
    model::RepositoryName,
    registry::{
        Failure, Registry, Stage,
        exchange::{Call, Line},
        location::with_digest,
    },
};

impl Registry {
    /// A registry that does not do this answers 202, as to a POST without a body: then the session that it names is filled by `PUT`.
    pub(super) async fn single_post(&self, line: &mut Line<'_>, repository: &RepositoryName, blob: Blob<'_>) -> Result<(), Abandoned<'_>> {
        let path = with_digest(&format!("/v2/{repository}/blobs/uploads/"), &blob.digest);
        let call = Call { content_type: Some(BYTES), body: blob.body, ..Call::new(Stage::SendBlob, Method::POST, repository, &path) };
        let answered = line.ask(&call).await?;
        match answered.head.status.as_u16() {
            201 | 204 => Ok(settle(line, answered, Stage::SendBlob).await?),
            202 => {
                let session = Session::of(self, &path, &answered.head.headers).map_err(|cause| Failure::new(Stage::SendBlob, cause))?;
                settle(line, answered, Stage::SendBlob).await?;
                self.deferred();
                let closed = self.close(line, repository, &session, blob, blob.body).await;
                session.ended(closed)
            }
            _ => Err(line.refused(&call, answered).await.into()),
        }
    }
}
