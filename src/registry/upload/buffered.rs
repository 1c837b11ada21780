//! Buffered: `POST`, then one `PUT` with the whole body and its length (distribution specification, "POST then PUT").

use http::Method;

use super::{Abandoned, Blob, Session, settle};
use crate::{
    model::RepositoryName,
    registry::{
        Failure, Registry, Stage,
        exchange::{Call, Line},
    },
};

pub(super) const BYTES: &str = "application/octet-stream";

impl Registry {
    pub(super) async fn buffered(&self, line: &mut Line<'_>, repository: &RepositoryName, blob: Blob<'_>) -> Result<(), Abandoned<'_>> {
        let session = Session::open(line, self, repository).await?;
        let closed = self.close(line, repository, &session, blob, blob.body).await;
        session.ended(closed)
    }

    /// The `PUT` that closes a session, with what is left of the body.
    pub(super) async fn close(
        &self,
        line: &mut Line<'_>,
        repository: &RepositoryName,
        session: &Session<'_>,
        blob: Blob<'_>,
        rest: &dyn crate::net::OpenBody,
    ) -> Result<(), Failure> {
        let path = session.closing(&blob.digest);
        let call = Call { content_type: Some(BYTES), body: rest, ..Call::new(Stage::SendBlob, Method::PUT, repository, &path) };
        let Some(endpoint) = session.elsewhere() else { return taken(line, &call).await.map_err(|failure| session.explained(failure)) };
        taken(&mut Line::elsewhere(self, &endpoint), &call).await
    }
}

/// Where replicas do not know of each other's sessions, the one that opened it is asked again by the next request of a round robin
/// (distribution/distribution issue 2519), or by the next connection, where those are what is balanced: the same address once more
/// before a new session.
async fn taken(line: &mut Line<'_>, call: &Call<'_>) -> Result<(), Failure> {
    let mut asked_again = false;
    loop {
        let answered = line.ask(call).await?;
        if matches!(answered.head.status.as_u16(), 201 | 204) {
            return settle(line, answered, Stage::SendBlob).await;
        }
        let failure = line.refused(call, answered).await;
        if asked_again || !failure.is_of_no_session() {
            return Err(failure);
        }
        // The session of a closing request that was done before is gone, and all replicas know that.
        if !line.has_lost() {
            line.overcame(failure);
        }
        line.renew();
        asked_again = true;
    }
}
