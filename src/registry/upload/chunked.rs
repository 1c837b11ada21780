//! Chunked: bounded `PATCH`es with `Content-Length` and `Content-Range`, resumed from what the registry says it has (distribution
//! specification, "Pushing a blob in chunks").
//!
//! What registries and proxies make of it:
//! * no `Range`, or another than what was sent: ask, and go on from there (ocx-sh/ocx issue 237); who does not say is taken at our own count, and the digest in the closing `PUT` decides
//!   (regclient/regclient issue 961);
//! * 416: ask; another offset is the one to go on from, and the same one means that the chunk is too large (GHCR);
//! * 413: the chunk is too large, and the session is as it was;
//! * 429, 503: a passing trouble, the session is as it was; once more the same, then smaller;
//! * a cut: ask over a new connection until the answer stands still, for what was cut may still be on its way into the blob (a chunk that
//!   is sent to where it then is no more is refused with 416 and lost), and send again only what is missing.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, header};

use super::{Abandoned, Blob, SeenOfChunks, Session, buffered::BYTES, range::next_offset, settle};
use crate::{
    model::{Chunks, RepositoryName},
    net::Part,
    registry::{
        Cause, Failure, Registry, Stage,
        exchange::{Call, Line},
    },
};

/// Below this size a limit is none that chunks can get under.
const LEAST: u64 = 32 << 10;
/// Under nginx's default of 1 MiB, with room for what a proxy counts beside the body.
const FIRST_UNDER_A_LIMIT: u64 = 960 << 10;
/// Cuts in a row without progress after which the connection, or the path, is given up.
const MOST_CUTS: u32 = 4;
/// Changes of mind of one registry about how much it has.
const MOST_DOUBTS: u32 = 3;
/// A registry writes what it has of a chunk that was cut within this time, and is asked this often whether it has.
const STANDS_STILL: Duration = Duration::from_millis(100);
const MOST_LOOKS: u32 = 20;

/// Where a chunked upload stands.
struct Progress<'a, 'r> {
    registry: &'r Registry,
    session: Session<'r>,
    blob: Blob<'a>,
    offset: u64,
    size: u64,
    cuts: u32,
    doubts: u32,
    /// Requests of this upload that the present connection has carried: at first, the one that opened the session.
    carried: u32,
    /// What went wrong last: why more had to be sent than there is.
    trouble: Option<Failure>,
}

/// What a chunk led to.
enum Step {
    /// On to the next.
    On,
    /// The registry's idea of the offset has to be asked for.
    Ask {
        /// By our own count.
        counted: u64,
    },
    /// From where it stands now.
    Again,
    /// Too large: a smaller one.
    Smaller(Failure),
}

impl Registry {
    pub(super) async fn chunked(
        &self,
        line: &mut Line<'_>,
        repository: &RepositoryName,
        blob: Blob<'_>,
        chunks: Chunks,
        seen: &mut SeenOfChunks,
    ) -> Result<(), Abandoned<'_>> {
        let session = Session::open(line, self, repository).await?;
        if let Some(endpoint) = session.elsewhere() {
            let mut other = Line::elsewhere(self, &endpoint);
            return self.filled(&mut other, repository, session, blob, chunks, seen).await;
        }
        self.filled(line, repository, session, blob, chunks, seen).await
    }

    async fn filled<'r>(
        &'r self,
        line: &mut Line<'_>,
        repository: &RepositoryName,
        session: Session<'r>,
        blob: Blob<'_>,
        chunks: Chunks,
        seen: &mut SeenOfChunks,
    ) -> Result<(), Abandoned<'r>> {
        let size = chunks.first.max(LEAST).max(session.least_chunk.min(blob.body.length().max(1)));
        let mut progress = Progress { registry: self, session, blob, offset: 0, size, cuts: 0, doubts: 0, carried: 1, trouble: None };
        let most = line.sent().saturating_add(blob.body.length().saturating_mul(2));
        while progress.offset < blob.body.length() {
            let next = progress.size.min(blob.body.length() - progress.offset);
            if line.sent().saturating_add(next) > most {
                let there = progress.offset;
                let detail = format!("twice the blob's {} bytes were sent, and the registry has {there}", blob.body.length());
                let failure = progress.trouble.unwrap_or_else(|| Failure::new(Stage::SendBlob, Cause::Malformed { detail }));
                return progress.session.ended(Err(failure));
            }
            if let Err(failure) = progress.step(line, repository, chunks, seen).await {
                return progress.session.ended(Err(failure));
            }
        }
        if chunks.renew || seen.renew {
            line.renew();
        }
        let closed = self.close(line, repository, &progress.session, blob, &Bytes::new()).await;
        progress.session.ended(closed)
    }
}

impl Progress<'_, '_> {
    async fn step(
        &mut self,
        line: &mut Line<'_>,
        repository: &RepositoryName,
        chunks: Chunks,
        seen: &mut SeenOfChunks,
    ) -> Result<(), Failure> {
        if chunks.renew || seen.renew {
            line.renew();
            self.carried = 0;
        }
        let length = self.size.min(self.blob.body.length() - self.offset);
        match self.send(line, repository, length).await {
            Ok(Step::On) => {
                self.cuts = 0;
                self.carried += 1;
                seen.taken = seen.taken.max(length);
                let below = seen.refused.map_or(chunks.most, |refused| chunks.most.min(refused.saturating_sub(1)));
                // Never again into a size that was refused: it would be refused again.
                if let Some(doubled) = self.size.checked_mul(2).filter(|doubled| *doubled <= below) {
                    self.size = doubled;
                }
                Ok(())
            }
            Ok(Step::Again) => Ok(()),
            Ok(Step::Ask { counted }) => self.ask(line, repository, counted).await,
            Ok(Step::Smaller(failure)) => {
                line.overcame(failure.clone());
                seen.refuse(length);
                self.shrink(length, seen, failure)
            }
            Err(failure) if is_cut(&failure) && self.cuts < MOST_CUTS => {
                self.cuts += 1;
                tracing::debug!(offset = self.offset, cuts = self.cuts, %failure, "a chunk was cut; asking how far it got");
                line.overcame(failure.clone());
                self.trouble = Some(failure.clone());
                let was_first = std::mem::take(&mut self.carried) == 0;
                line.renew();
                let before = self.offset;
                while let Err(again) = self.recover(line, repository, is_stale(&failure)).await {
                    self.cuts += 1;
                    if self.cuts > MOST_CUTS || !is_cut(&again) {
                        return Err(failure);
                    }
                    line.renew();
                }
                self.learn(length, before, was_first, is_stale(&failure), seen);
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// What a cut says of connections and sizes.
    fn learn(&mut self, length: u64, before: u64, was_first: bool, is_stale: bool, seen: &mut SeenOfChunks) {
        // Where the connection had carried others, it may be its length that is limited, not the chunk's.
        seen.renew |= !was_first;
        if seen.taken > 0 && length > seen.taken {
            // Or it had grown too large: what is known to pass is enough.
            seen.refuse(length);
            self.size = smaller(length, seen);
        }
        if self.offset > before {
            self.cuts = 0;
        } else if was_first && !is_stale {
            // Nothing of it arrived: it may be its size that is cut.
            seen.refuse(length);
            self.size = smaller(length, seen).max(LEAST);
        }
    }

    async fn send(&mut self, line: &mut Line<'_>, repository: &RepositoryName, length: u64) -> Result<Step, Failure> {
        let part = Part { of: self.blob.body, offset: self.offset, length };
        let path = self.session.address.path_and_query.clone();
        let call = Call {
            content_type: Some(BYTES),
            range: Some((self.offset, self.offset + length - 1)),
            body: &part,
            ..Call::new(Stage::SendBlob, Method::PATCH, repository, &path)
        };
        let answered = line.ask(&call).await?;
        match answered.head.status.as_u16() {
            200..=202 | 204 => {
                let told = next_offset(&answered.head.headers);
                let is_told = answered.head.headers.contains_key(header::RANGE);
                if !is_told {
                    line.overcame(Failure::new(Stage::SendBlob, Cause::HeaderMissing { header: "Range" }));
                }
                self.session.moves(&answered.head.headers)?;
                settle(line, answered, Stage::SendBlob).await?;
                Ok(self.advanced(length, told, is_told))
            }
            // Too large for what stands between: the session is as it was.
            413 => Ok(Step::Smaller(line.refused(&call, answered).await)),
            // Another offset than the registry's, or too large; the rest are gateways for which it was too long on its way.
            408 | 416 | 502 | 504 => {
                let failure = line.refused(&call, answered).await;
                Ok(if self.is_elsewhere(line, repository).await? { Step::On } else { Step::Smaller(failure) })
            }
            // A passing trouble, so the same again; what meets it again and again may be too long on its way.
            429 | 503 if self.cuts < MOST_CUTS => {
                let failure = line.refused(&call, answered).await;
                self.cuts += 1;
                Ok(if !self.is_elsewhere(line, repository).await? && self.cuts > 1 { Step::Smaller(failure) } else { Step::Again })
            }
            _ => Err(line.refused(&call, answered).await),
        }
    }

    fn advanced(&mut self, length: u64, told: Option<u64>, is_told: bool) -> Step {
        let end = self.offset + length;
        match told {
            Some(offset) if offset == end => self.offset = end,
            // `0-0` after the first byte, which is all that such a body has.
            None if is_told && end == 1 => self.offset = end,
            _ => return Step::Ask { counted: end },
        }
        Step::On
    }

    /// Goes on from what the registry says after a chunk that it took; where it does not say, from our own count, and the digest in
    /// the closing `PUT` decides.
    async fn ask(&mut self, line: &mut Line<'_>, repository: &RepositoryName, counted: u64) -> Result<(), Failure> {
        let told = self.session.offset(line, repository).await?;
        self.go_to(told.unwrap_or(counted))
    }

    /// Goes on from what the registry says after a chunk that was refused; says whether that is another offset than ours. Where it is
    /// the same, there is no doubt.
    async fn is_elsewhere(&mut self, line: &mut Line<'_>, repository: &RepositoryName) -> Result<bool, Failure> {
        let (before, doubts) = (self.offset, self.doubts);
        self.ask(line, repository, before).await?;
        if self.offset == before {
            self.doubts = doubts;
        }
        Ok(self.offset != before)
    }

    /// Goes on after a cut: from what the registry says; in a new session where it has forgotten this one, or does not say.
    async fn recover(&mut self, line: &mut Line<'_>, repository: &RepositoryName, is_still: bool) -> Result<(), Failure> {
        match self.session.offset(line, repository).await {
            Ok(Some(offset)) if is_still => return self.go_to(offset),
            Ok(Some(offset)) => {
                let offset = self.stands_still(line, repository, offset).await?;
                return self.go_to(offset);
            }
            Err(failure) if is_cut(&failure) => return Err(failure),
            Ok(None) => self.session.leave(line, repository).await,
            Err(_) => {}
        }
        self.session = Session::open(line, self.registry, repository).await?;
        self.offset = 0;
        Ok(())
    }

    /// What a registry has once it says the same twice in a row.
    async fn stands_still(&mut self, line: &mut Line<'_>, repository: &RepositoryName, mut offset: u64) -> Result<u64, Failure> {
        for _ in 0..MOST_LOOKS {
            tokio::time::sleep(STANDS_STILL).await;
            match self.session.offset(line, repository).await {
                Ok(Some(moved)) if moved != offset => offset = moved,
                Err(failure) if is_cut(&failure) => return Err(failure),
                Ok(_) | Err(_) => break,
            }
        }
        Ok(offset)
    }

    fn go_to(&mut self, offset: u64) -> Result<(), Failure> {
        let length = self.blob.body.length();
        self.doubts = if offset > self.offset { 0 } else { self.doubts + 1 };
        if offset > length || self.doubts > MOST_DOUBTS {
            let detail = format!("the registry says that it has {offset} bytes of a blob of {length}, of which {} were sent", self.offset);
            return Err(Failure::new(Stage::SendBlob, Cause::Malformed { detail }));
        }
        self.offset = offset;
        Ok(())
    }

    fn shrink(&mut self, length: u64, seen: &SeenOfChunks, failure: Failure) -> Result<(), Failure> {
        let smaller = smaller(length, seen);
        if smaller < LEAST || smaller < self.session.least_chunk {
            return Err(failure);
        }
        self.size = smaller;
        Ok(())
    }
}

/// The next size after one that was refused: what is known to pass, else under the most common limit, else half.
fn smaller(length: u64, seen: &SeenOfChunks) -> u64 {
    match Some(seen.taken).filter(|taken| *taken > 0 && *taken < length) {
        Some(taken) => taken,
        None if length > FIRST_UNDER_A_LIMIT => FIRST_UNDER_A_LIMIT,
        None => length / 2,
    }
}

/// The connection may have ended before the chunk: that says nothing of its size.
fn is_stale(failure: &Failure) -> bool {
    matches!(&failure.cause, Cause::Net(crate::net::NetError::StaleConnection))
}

fn is_cut(failure: &Failure) -> bool {
    use crate::net::NetError;
    matches!(
        &failure.cause,
        Cause::Net(
            NetError::Cut { .. }
                | NetError::StaleConnection
                | NetError::AnswerCut { .. }
                | NetError::NoAnswer { .. }
                | NetError::WriteStalled { .. }
                | NetError::ReadStalled { .. }
                | NetError::Connect { .. }
                | NetError::Tunnel(_)
        )
    )
}
