//! Blobs go up, one file for each method. A session is opened, filled and closed on one connection, as long as that lives.

mod buffered;
mod chunked;
pub(super) mod range;
mod session;
mod single_post;
mod streamed;

use std::time::Duration;

use http::Method;

use super::{
    Cause, Failure, Registry, Stage,
    exchange::{Call, Line},
};
use crate::{
    model::{Digest, Framing, RepositoryName},
    net::{OpenBody, Reuse},
};
use session::{Abandoned, Session};

/// How long a session that is being opened is awaited when the work is ended.
const LONGEST_OPENING: Duration = Duration::from_millis(250);
/// How long leaving a session may take then: registries forget them by themselves in the end.
const LONGEST_FAREWELL: Duration = Duration::from_secs(1);

/// A blob that is ready to be sent.
#[derive(Clone, Copy)]
pub struct Blob<'a> {
    /// Its bytes.
    pub body: &'a dyn OpenBody,
    /// Of its bytes.
    pub digest: Digest,
}

/// What came of an upload.
#[derive(Debug)]
pub struct Uploaded {
    /// Whether the registry took it. That it has it is shown only by pulling it back.
    pub result: Result<(), Failure>,
    /// Bytes of bodies that went out, those that were lost included.
    pub sent: u64,
    /// What was seen of chunks.
    pub seen: SeenOfChunks,
}

/// What was seen of the sizes of chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeenOfChunks {
    /// The largest that was taken.
    pub taken: u64,
    /// The smallest that was too large.
    pub refused: Option<u64>,
    /// Whether connections end after some of them: each needs its own.
    pub renew: bool,
}

impl SeenOfChunks {
    /// A chunk of this size was too large.
    fn refuse(&mut self, size: u64) {
        *self = self.and(Self { refused: Some(size), ..Self::default() });
    }

    /// What both saw.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let refused = match (self.refused, other.refused) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self { taken: self.taken.max(other.taken), refused, renew: self.renew || other.renew }
    }
}

impl Registry {
    /// Sends `blob` into `repository`. Where the work is ended before that, its session is left.
    pub async fn upload(&self, repository: &RepositoryName, blob: Blob<'_>, framing: Framing) -> Uploaded {
        let witness = self.witness.clone().unwrap_or_default();
        let watched = self.before(witness.clone());
        let mut sending = Box::pin(watched.sent(repository, blob, framing));
        tokio::select! {
            biased;
            uploaded = &mut sending => return uploaded,
            () = self.permit.withdrawn() => {}
        }
        // What is being opened has no name yet by which it could be left.
        tokio::select! {
            biased;
            uploaded = &mut sending => return uploaded,
            () = witness.sees_open() => {}
            () = tokio::time::sleep(LONGEST_OPENING) => {}
        }
        drop(sending);
        let _ = tokio::time::timeout(LONGEST_FAREWELL, watched.abandon_in_the_middle(repository)).await;
        Uploaded { result: Err(Failure::new(Stage::SendBlob, Cause::Withdrawn)), sent: 0, seen: SeenOfChunks::default() }
    }

    async fn sent(&self, repository: &RepositoryName, blob: Blob<'_>, framing: Framing) -> Uploaded {
        let mut line = Line::new(self, Reuse::Idle);
        let mut seen = SeenOfChunks::default();
        let result = match framing {
            Framing::Buffered => self.buffered(&mut line, repository, blob).await,
            Framing::Chunked(chunks) => self.chunked(&mut line, repository, blob, chunks, &mut seen).await,
            Framing::SinglePost => self.single_post(&mut line, repository, blob).await,
            Framing::Streamed => self.streamed(&mut line, repository, blob).await,
        };
        let lost = line.has_lost();
        let result = match result {
            Ok(()) => Ok(()),
            Err(abandoned) => {
                let lost_answer = || Failure::new(Stage::SendBlob, crate::net::NetError::AnswerCut { received: 0 });
                let is_done_twice = lost && abandoned.failure.may_be_of_a_second_time();
                if (is_done_twice || abandoned.failure.may_have_been_taken()) && self.has(repository, blob).await {
                    self.overcame(lost_answer);
                    Ok(())
                } else {
                    let failure = abandoned.leave(&mut line, repository).await;
                    Err(if is_done_twice { lost_answer() } else { failure })
                }
            }
        };
        if result.is_ok() {
            self.ended();
        }
        Uploaded { result, sent: line.sent(), seen }
    }

    /// Asks, over another connection, whether a blob is there. A yes is believed only until the pull-back.
    async fn has(&self, repository: &RepositoryName, blob: Blob<'_>) -> bool {
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        let mut line = Line::new(self, Reuse::Never);
        let call = Call::new(Stage::FindBlob, Method::HEAD, repository, &path);
        let length = |headers: &http::HeaderMap| headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok();
        line.ask(&call).await.is_ok_and(|answered| {
            answered.head.status == 200 && length(&answered.head.headers).is_none_or(|length| length == blob.body.length())
        })
    }
}

impl Failure {
    /// The whole body went out and no answer came, or the session was gone when the same was asked again: the registry may have taken
    /// it. Asking settles that.
    fn may_have_been_taken(&self) -> bool {
        let is_gone = self.is_of_no_session() && self.answer().is_some_and(|answer| answer.status == 404);
        self.stage == Stage::SendBlob && (is_gone || self.is_unanswered())
    }

    /// Whether the request may have been done although no answer came.
    pub fn is_unanswered(&self) -> bool {
        use super::Cause;
        use crate::net::NetError;
        matches!(
            &self.cause,
            Cause::Net(
                NetError::Cut { .. }
                    | NetError::NoAnswer { .. }
                    | NetError::ReadStalled { .. }
                    | NetError::AnswerSlow { .. }
                    | NetError::FramingBroken { .. }
                    | NetError::AnswerCut { .. }
            )
        )
    }

    /// What a registry says of a session to which the same was done before, and the answer was lost.
    fn may_be_of_a_second_time(&self) -> bool {
        const CODES: [&str; 4] = ["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "RANGE_INVALID", "DIGEST_INVALID"];
        let says_so =
            |answer: &super::Answer| matches!(answer.status, 404 | 416) || answer.codes.iter().any(|code| CODES.contains(&code.as_str()));
        self.stage == Stage::SendBlob && self.answer().is_some_and(says_so)
    }
}

/// Reads the rest of an answer that was the one hoped for, so that the connection can be used again.
async fn settle(line: &mut Line<'_>, mut answered: crate::net::Answered, stage: Stage) -> Result<(), Failure> {
    answered.bounded(64 * 1024).await.map_err(|error| Failure::new(stage, error))?;
    line.done(answered);
    Ok(())
}
