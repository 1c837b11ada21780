//! What was read of indexes, shared by all who name one alike: by the same URL, with the same credential, trust and patience.
//!
//! # Guarantees
//! * One index is fetched by one at a time; who waits takes what came of it, a failure too. A failure that took long to find
//!   out serves those who come a moment later, so that a server that hangs does not hold one after the other.
//! * An answer serves others no longer than the shortest interval of those who have used it, and never somebody who has seen it before.
//! * Other credentials find nothing here: they are part of the key. With the last publication that has asked, all of it goes.
//! * What is held is what is wanted, once for all, and the bytes of the index while a quarter of the spool has room for them and no chart
//!   needs it, so that who wants something else has it parsed again and not fetched.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{HelmRepository, IndexSnapshot, SourceError, Validators, fetch::Fetched, index::Wishes};
use crate::{
    model::Digest,
    spool::{Kept, Spool, Spooled},
};

/// Room is counted in pieces of 4 KiB.
const UNIT: u64 = 4096;
/// The part of the spool that indexes may keep.
const PART: u64 = 4;

/// How long a failure serves others at most.
const REMEMBERED: Duration = Duration::from_secs(5);

/// All indexes that somebody holds.
pub struct Indexes {
    known: Mutex<HashMap<Digest, Weak<SharedIndex>>>,
    shelf: Shelf,
}

/// Where the bytes of indexes are kept. Copies share it.
#[derive(Clone)]
struct Shelf {
    spool: Spool,
    memory: Arc<Semaphore>,
    disk: Arc<Semaphore>,
}

/// What was read of one index.
pub struct SharedIndex {
    state: tokio::sync::Mutex<State>,
    shelf: Shelf,
}

#[derive(Default)]
struct State {
    read: Option<Read>,
    failed: Option<Failure>,
}

/// What the server has said.
struct Read {
    snapshot: Arc<IndexSnapshot>,
    validators: Validators,
    times: Times,
    body: Option<OnShelf>,
}

/// How old an answer is, and may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    /// When the server was asked.
    at: Instant,
    /// How long it may serve others.
    until: Instant,
}

/// Bytes of an index, and the room that they take.
struct OnShelf {
    body: Kept,
    _room: OwnedSemaphorePermit,
}

struct Failure {
    at: Instant,
    /// As long as it took, and no longer than [`REMEMBERED`].
    until: Instant,
    error: Arc<SourceError>,
}

/// What somebody asks an index.
pub struct Ask<'a> {
    /// What they want of it.
    pub wishes: Wishes,
    /// What all want who name it, so that it is parsed once for them.
    pub everybody: &'a (dyn Fn() -> Wishes + Sync),
    /// How often they ask.
    pub interval: Duration,
    /// The answer that they have seen: nothing as old as this serves.
    pub seen: Option<Instant>,
}

/// What an index holds.
pub struct Answer {
    /// At least what was wanted.
    pub snapshot: Arc<IndexSnapshot>,
    /// When the server was asked.
    pub at: Instant,
}

impl Indexes {
    /// With a quarter of `spool` for what is kept.
    pub fn new(spool: &Spool) -> Self {
        let room =
            |limit: u64| Arc::new(Semaphore::new(usize::try_from(limit / PART / UNIT).unwrap_or_default().min(Semaphore::MAX_PERMITS)));
        let usage = spool.usage();
        let shelf = Shelf { spool: spool.clone(), memory: room(usage.memory.limit), disk: room(usage.disk.limit) };
        Self { known: Mutex::default(), shelf }
    }

    /// That of a repository, as long as somebody holds it.
    pub fn of(&self, repository: &HelmRepository) -> Arc<SharedIndex> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, shared| shared.strong_count() > 0);
        let key = repository.key();
        if let Some(shared) = known.get(&key).and_then(Weak::upgrade) {
            return shared;
        }
        let shared = Arc::new(SharedIndex { state: tokio::sync::Mutex::default(), shelf: self.shelf.clone() });
        known.insert(key, Arc::downgrade(&shared));
        shared
    }
}

impl SharedIndex {
    /// What `repository` holds of what is wanted. The server is asked where nobody else has asked it lately.
    ///
    /// # Errors
    /// [`SourceError`], also that of another one who has asked at the same time.
    pub async fn ask(&self, repository: &HelmRepository, ask: &Ask<'_>) -> Result<Answer, Arc<SourceError>> {
        let began = Instant::now();
        let mut state = self.state.lock().await;
        let asked = Instant::now();
        if let Some(failure) = state.failed.as_ref().filter(|failure| failure.at >= began || asked < failure.until) {
            return Err(failure.error.clone());
        }
        let outcome = self.answered(&mut state, repository, ask, began).await;
        state.failed = None;
        outcome.map_err(|error| {
            let (error, at) = (Arc::new(error), Instant::now());
            // Others would wait as long for the same. What is refused at once may speak of this one's Secret or wishes.
            state.failed = error.is_passing().then(|| Failure { at, until: at + (at - asked).min(REMEMBERED), error: error.clone() });
            error
        })
    }

    async fn answered(&self, state: &mut State, repository: &HelmRepository, ask: &Ask<'_>, began: Instant) -> Result<Answer, SourceError> {
        if !state.read.as_ref().is_some_and(|read| read.times.serve(ask, began, Instant::now()) && read.is_usable(&ask.wishes)) {
            self.refresh(&mut state.read, repository, ask).await?;
        }
        if let Some(read) = state.read.as_mut().filter(|read| !read.snapshot.covers(&ask.wishes)) {
            match read.body.as_ref().and_then(|kept| kept.body.body()) {
                Some(body) => read.snapshot = parsed(repository, &body, ask).await?,
                // It gave way while the server was asked whether it has changed.
                None => self.refresh(&mut state.read, repository, ask).await?,
            }
        }
        let Some(read) = &mut state.read else { return Err(repository.unchanged_without_reason()) };
        let Times { at, until } = read.times;
        read.times.until = until.min(at + ask.interval);
        Ok(Answer { snapshot: read.snapshot.clone(), at })
    }

    /// Asks the server, for what has changed where that is enough.
    async fn refresh(&self, read: &mut Option<Read>, repository: &HelmRepository, ask: &Ask<'_>) -> Result<(), SourceError> {
        let known = read.as_mut().filter(|read| read.is_usable(&ask.wishes));
        let at = Instant::now();
        let times = Times { at, until: at + ask.interval };
        let (body, validators) = match (repository.fetch_index(known.as_ref().map(|known| &known.validators)).await?, known) {
            (Fetched::Unchanged, Some(known)) => {
                known.times = times;
                return Ok(());
            }
            (Fetched::Unchanged, None) => return Err(repository.unchanged_without_reason()),
            (Fetched::New(body, validators), Some(known)) if body.digest() == known.snapshot.revision => {
                (known.times, known.validators) = (times, validators);
                return Ok(());
            }
            (Fetched::New(body, validators), _) => (body, validators),
        };
        let snapshot = parsed(repository, &body, ask).await?;
        // The room of what it replaces is free before this takes its own.
        *read = None;
        *read = Some(Read { snapshot, validators, times, body: self.shelf.keep(body) });
        Ok(())
    }
}

impl Shelf {
    /// Keeps it where there is room.
    fn keep(&self, body: Spooled) -> Option<OnShelf> {
        let room = if body.is_in_memory() { &self.memory } else { &self.disk };
        let pieces = u32::try_from(body.length().div_ceil(UNIT)).ok()?;
        let room = room.clone().try_acquire_many_owned(pieces).ok()?;
        Some(OnShelf { body: self.spool.keep(body), _room: room })
    }
}

impl Times {
    /// Whether it is new enough: asked for while this one waited, or by another one a short time ago.
    fn serve(self, ask: &Ask<'_>, began: Instant, now: Instant) -> bool {
        let is_new = ask.seen.is_none_or(|seen| self.at > seen);
        self.at >= began || (is_new && now < self.until && now < self.at + ask.interval)
    }
}

impl Read {
    /// Whether what is wanted can be had of it.
    fn is_usable(&self, wishes: &Wishes) -> bool {
        self.body.as_ref().is_some_and(|kept| kept.body.is_there()) || self.snapshot.covers(wishes)
    }
}

/// For everybody; where that is too much, for this one alone.
async fn parsed(repository: &HelmRepository, body: &Spooled, ask: &Ask<'_>) -> Result<Arc<IndexSnapshot>, SourceError> {
    let all = ask.wishes.clone().joined((ask.everybody)());
    if all != ask.wishes {
        match repository.parse_index(body, all).await {
            Err(SourceError::Index { cause, .. }) if cause.is_limit() => {}
            outcome => return outcome.map(Arc::new),
        }
    }
    repository.parse_index(body, ask.wishes.clone()).await.map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_serves_who_has_not_seen_it_for_the_shorter_interval() {
        let (zero, minutes) = (Instant::now(), |minutes: u64| Duration::from_mins(minutes));
        let everybody = Wishes::default;
        let ask = |interval: u64, seen: Option<u64>| Ask {
            wishes: Wishes::default(),
            everybody: &everybody,
            interval: minutes(interval),
            seen: seen.map(|seen| zero + minutes(seen)),
        };
        // Asked for at minute 10 by who asks every 30 minutes.
        let times = Times { at: zero + minutes(10), until: zero + minutes(40) };
        for (interval, seen, began, now, expected) in [
            (60, None, 39, 39, true),
            (60, None, 40, 40, false),
            (20, None, 29, 29, true),
            (20, None, 30, 30, false),
            (60, Some(9), 20, 20, true),
            (60, Some(10), 20, 20, false),
            (60, Some(20), 20, 20, false),
            // It came while this one waited, however long that took.
            (5, Some(10), 10, 50, true),
            (60, Some(10), 11, 11, false),
        ] {
            let (began, now) = (zero + minutes(began), zero + minutes(now));
            assert_eq!(times.serve(&ask(interval, seen), began, now), expected, "{interval} {seen:?}");
        }
    }
}
