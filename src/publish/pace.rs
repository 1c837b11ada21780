//! When a chart of a run is fetched, sent and pulled back.
//!
//! As many are sent at once as there are workers, and half as many more are fetched, or pulled back, meanwhile. Small charts are pulled back in
//! bursts: a registry answers many reads at a time with less work than the same reads between writes (distribution: a sixth of the processor
//! time of 1,000 charts less, see docs/performance.md). Whoever has sent one waits until enough others have, until nobody else is at work, or
//! for a moment.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

/// Charts of one burst, for each worker.
const OF_A_BURST: usize = 8;
/// And no more of them, however many workers there are: each read costs distribution a buffer of 4 MiB.
const MOST_OF_A_BURST: usize = 64;
/// Nobody waits longer for a burst.
const MOMENT: Duration = Duration::from_secs(2);

/// The pace of a run.
pub(super) struct Pace {
    /// To be fetched, or sent, or large and pulled back.
    places: Arc<Semaphore>,
    /// To be sent.
    turns: Semaphore,
    most_at_once: usize,
    of_a_burst: usize,
    state: Mutex<State>,
    opened: Notify,
    /// Ends the run: nobody waits any more.
    cancel: CancellationToken,
}

#[derive(Default)]
struct State {
    /// Charts that wait for no burst.
    at_work: usize,
    /// Charts that do.
    waiting: usize,
    /// How many there have been.
    bursts: usize,
}

/// A chart that is on its way.
pub(super) struct Stay<'p> {
    pace: &'p Pace,
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

/// A chart that waits for a burst, the one after so many.
struct Wait<'p> {
    pace: &'p Pace,
    after: usize,
}

impl Pace {
    pub(super) fn new(workers: usize, cancel: CancellationToken) -> Self {
        let workers = workers.max(1);
        let places = workers + workers / 2;
        let of_a_burst = (workers * OF_A_BURST).min(MOST_OF_A_BURST);
        Self {
            places: Arc::new(Semaphore::new(places)),
            turns: Semaphore::new(workers),
            most_at_once: places + of_a_burst,
            of_a_burst,
            state: Mutex::default(),
            opened: Notify::new(),
            cancel,
        }
    }

    /// How many charts may be on their way.
    pub(super) fn most_at_once(&self) -> usize {
        self.most_at_once
    }

    /// The way of a chart begins once there is a place for it.
    pub(super) async fn begin(&self) -> Stay<'_> {
        let place = Mutex::new(self.places.clone().acquire_owned().await.ok());
        self.state().at_work += 1;
        Stay { pace: self, place }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, state: &mut State) {
        state.at_work += std::mem::take(&mut state.waiting);
        state.bursts += 1;
        self.opened.notify_waiters();
    }

    fn open_where_due(&self, state: &mut State) {
        if state.waiting >= self.of_a_burst || (state.at_work == 0 && state.waiting > 0) {
            self.open(state);
        }
    }
}

impl<'p> Stay<'p> {
    /// The turn to send. Who has one waits for no other.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'p>> {
        self.pace.turns.acquire().await.ok()
    }

    /// Leaves its place to another chart, until there is a burst of what is to be pulled back.
    pub(super) async fn burst(&self) {
        drop(self.place.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut opened = std::pin::pin!(self.pace.opened.notified());
        // From here on no burst is missed.
        opened.as_mut().enable();
        let wait = Wait::begin(self.pace);
        tokio::select! {
            () = opened => {}
            () = self.pace.cancel.cancelled() => {}
            () = tokio::time::sleep(MOMENT) => wait.end(),
        }
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.at_work -= 1;
        self.pace.open_where_due(&mut state);
    }
}

impl<'p> Wait<'p> {
    fn begin(pace: &'p Pace) -> Self {
        let mut state = pace.state();
        let after = state.bursts;
        state.at_work -= 1;
        state.waiting += 1;
        pace.open_where_due(&mut state);
        Self { pace, after }
    }

    /// The moment is over: the burst is now.
    fn end(&self) {
        let mut state = self.pace.state();
        if state.bursts == self.after {
            self.pace.open(&mut state);
        }
    }
}

impl Drop for Wait<'_> {
    /// It waits no more, whether there was a burst or not.
    fn drop(&mut self) {
        let mut state = self.pace.state();
        if state.bursts == self.after {
            state.waiting -= 1;
            state.at_work += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, poll};
    use tokio::time::Instant;

    use super::*;

    impl Pace {
        /// At work, and waiting.
        fn counts(&self) -> (usize, usize) {
            let state = self.state();
            (state.at_work, state.waiting)
        }
    }

    fn paced(workers: usize) -> Pace {
        Pace::new(workers, CancellationToken::new())
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_alone_waits_for_nobody() {
        let pace = paced(8);
        let stay = pace.begin().await;
        assert!(stay.burst().now_or_never().is_some());
        assert!(stay.burst().now_or_never().is_some(), "for another target");
        drop(stay);
        assert_eq!(pace.counts(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_sent_waits_for_those_at_work_but_no_longer_than_a_moment() {
        let pace = paced(2);
        let (first, second) = (pace.begin().await, pace.begin().await);
        let mut waiting = Box::pin(first.burst());
        assert!(poll!(&mut waiting).is_pending(), "the second one is at work");
        assert!(second.burst().now_or_never().is_some() && poll!(&mut waiting).is_ready(), "both have sent");

        let begin = Instant::now();
        first.burst().await;
        assert_eq!(begin.elapsed(), MOMENT);
        drop(waiting);

        let mut waiting = Box::pin(first.burst());
        assert!(poll!(&mut waiting).is_pending());
        drop(second);
        assert!(poll!(&mut waiting).is_ready(), "the second one has failed");
    }

    #[tokio::test(start_paused = true)]
    async fn enough_that_have_sent_are_a_burst_and_their_places_are_for_others() {
        let pace = paced(2);
        assert_eq!((pace.most_at_once(), paced(64).most_at_once()), (3 + 16, 96 + 64));
        let mut stays = Vec::new();
        let _at_work = pace.begin().await;
        for _ in 0..16 {
            let stay = Box::leak(Box::new(pace.begin().now_or_never().expect("a place")));
            let mut waiting = Box::pin(stay.burst());
            let is_ready = poll!(&mut waiting).is_ready();
            assert_eq!(is_ready, stays.len() == 15);
            stays.push(waiting);
        }
        for mut waiting in stays.drain(..15) {
            assert!(poll!(&mut waiting).is_ready());
        }
        let (_second, _third) = (pace.begin().now_or_never().expect("a place"), pace.begin().now_or_never().expect("a place"));
        assert!(pace.begin().now_or_never().is_none(), "three are fetched or sent");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ended_while_it_waits_counts_for_nothing() {
        let pace = paced(2);
        let (first, second) = (pace.begin().await, pace.begin().await);
        let mut waiting = Box::pin(first.burst());
        assert!(poll!(&mut waiting).is_pending());
        drop(waiting);
        drop(first);
        assert_eq!(pace.counts(), (1, 0));
        assert!(second.burst().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_in_a_run_that_is_ended() {
        let pace = paced(2);
        let (first, _second) = (pace.begin().await, pace.begin().await);
        let mut waiting = Box::pin(first.burst());
        assert!(poll!(&mut waiting).is_pending());
        pace.cancel.cancel();
        assert!(poll!(&mut waiting).is_ready());
        assert!(first.burst().now_or_never().is_some());
        assert_eq!(pace.counts(), (2, 0));
    }
}
