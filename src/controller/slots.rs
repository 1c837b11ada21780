//! How many work at once, in all namespaces together, and how many wait.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use crate::metrics::Reconciles;

/// The slots of a controller.
pub(super) struct Slots {
    free: Semaphore,
    limit: u16,
    waiting: AtomicU64,
}

impl Slots {
    pub(super) fn new(limit: u16) -> Self {
        Self { free: Semaphore::new(limit.into()), limit, waiting: AtomicU64::new(0) }
    }

    /// Waits for a slot; it is given back when what this gives is dropped.
    pub(super) async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        if let Ok(slot) = self.free.try_acquire() {
            return Ok(slot);
        }
        let _waiting = Waiting::begin(&self.waiting);
        self.free.acquire().await
    }

    /// Who works and who waits, at this moment.
    pub(super) fn taken(&self) -> Reconciles {
        let free = self.free.available_permits() as u64;
        let limit = u64::from(self.limit);
        Reconciles { running: limit.saturating_sub(free), waiting: self.waiting.load(Ordering::Relaxed), limit }
    }
}

/// Counted until it is dropped, also where the wait was given up.
struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_waits_is_counted_until_it_works_or_gives_up() {
        let slots = Slots::new(1);
        let taken = |running, waiting| Reconciles { running, waiting, limit: 1 };
        assert_eq!(slots.taken(), taken(0, 0));
        let first = slots.acquire().await.unwrap();
        assert_eq!(slots.taken(), taken(1, 0));
        let mut second = Box::pin(slots.acquire());
        let mut third = Box::pin(slots.acquire());
        assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
        assert_eq!(slots.taken(), taken(1, 2));
        drop(third);
        assert_eq!(slots.taken(), taken(1, 1));
        drop(first);
        let second = second.await.unwrap();
        assert_eq!(slots.taken(), taken(1, 0));
        drop(second);
        assert_eq!(slots.taken(), taken(0, 0));
    }
}
