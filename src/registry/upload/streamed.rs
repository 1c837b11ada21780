//! Streamed: `POST`, one `PATCH` in chunked transfer encoding, `PUT`. What go-containerregistry does with a layer that it reads from a
//! stream; never chosen by itself, there to compare and to diagnose (google/go-containerregistry issue 2005).

use bytes::Bytes;
use http::{HeaderMap, Method, header};

use super::{Abandoned, Blob, Session, buffered::BYTES, range::next_offset, settle};
use crate::{
    model::RepositoryName,
    net::Untold,
    registry::{
        Cause, Failure, Registry, Stage,
        exchange::{Call, Line},
    },
};

/// What the registry says that it has. Some never say, or say `0-0` whatever they have: only the digest decides.
fn arrived(headers: &HeaderMap) -> Option<u64> {
    next_offset(headers).or_else(|| headers.get(header::RANGE).is_some_and(|range| range == "0-0").then_some(0))
}

fn is_of_digest(failure: &Failure) -> bool {
    failure.answer().is_some_and(|answer| answer.codes.iter().any(|code| code == "DIGEST_INVALID"))
}

impl Registry {
    pub(super) async fn streamed(&self, line: &mut Line<'_>, repository: &RepositoryName, blob: Blob<'_>) -> Result<(), Abandoned<'_>> {
        let mut session = Session::open(line, self, repository).await?;
        let streamed = match session.elsewhere() {
            Some(endpoint) => self.streamed_to(&mut Line::elsewhere(self, &endpoint), repository, &mut session, blob).await,
            None => self.streamed_to(line, repository, &mut session, blob).await,
        };
        session.ended(streamed)
    }

    async fn streamed_to(
        &self,
        line: &mut Line<'_>,
        repository: &RepositoryName,
        session: &mut Session<'_>,
        blob: Blob<'_>,
    ) -> Result<(), Failure> {
        let untold = Untold(blob.body);
        let path = session.address.path_and_query.clone();
        let call = Call {
            content_type: Some(BYTES),
            tells_length: false,
            body: &untold,
            ..Call::new(Stage::SendBlob, Method::PATCH, repository, &path)
        };
        let answered = line.ask(&call).await?;
        if !matches!(answered.head.status.as_u16(), 200..=202 | 204) {
            return Err(line.refused(&call, answered).await);
        }
        let arrived = arrived(&answered.head.headers);
        session.moves(&answered.head.headers)?;
        settle(line, answered, Stage::SendBlob).await?;
        if arrived.is_some_and(|arrived| arrived < blob.body.length()) {
            // Who took less than was sent may end the connection, on which the rest still lies.
            line.renew();
        }
        let closed = self.close(line, repository, session, blob, &Bytes::new()).await;
        closed.map_err(|failure| match arrived {
            Some(arrived) if is_of_digest(&failure) && arrived < blob.body.length() => {
                Failure::new(Stage::SendBlob, Cause::Swallowed { sent: blob.body.length(), arrived })
            }
            _ => failure,
        })
    }
}
