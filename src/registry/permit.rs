//! Whether work at a registry may go on, and whether this process may write a tag now.
//!
//! Where several replicas of a program stand by for each other, one of them leads for as long as it holds a lease. A registry knows
//! nothing of leases (the distribution specification has no fencing), so each of them asks itself right before it writes what others
//! see. While that is uncertain, it waits: blobs go on, tags do not.

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// Until when it is certain that no other replica writes. Copies share it.
#[derive(Debug, Clone, Default)]
pub struct Tenure(Option<watch::Receiver<Instant>>);

impl Tenure {
    /// Of a process that stands alone: always.
    pub fn of_one() -> Self {
        Self(None)
    }

    /// Until the moment that is told last; when nobody tells any more, it has ended.
    pub fn until(told: watch::Receiver<Instant>) -> Self {
        Self(Some(told))
    }

    /// Whether it is certain now.
    pub fn is_certain(&self) -> bool {
        self.0.as_ref().is_none_or(|told| told.has_changed().is_ok() && Instant::now() < *told.borrow())
    }

    /// Waits until it is certain again; never ends where it is over.
    pub async fn certain(&self) {
        let Some(mut told) = self.0.clone() else { return };
        while Instant::now() >= *told.borrow_and_update() {
            if told.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
        if told.has_changed().is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The work was ended from outside: nothing more is sent for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Withdrawn;

/// What one piece of work may do. The default may do everything, for ever. Copies share it.
#[derive(Debug, Clone, Default)]
pub struct Permit {
    withdrawn: CancellationToken,
    tenure: Tenure,
}

impl Permit {
    /// Until `withdrawn` is cancelled, and tags only while `tenure` is certain.
    pub fn new(withdrawn: CancellationToken, tenure: Tenure) -> Self {
        Self { withdrawn, tenure }
    }

    /// Ends when the work is to end.
    pub(super) async fn withdrawn(&self) {
        self.withdrawn.cancelled().await;
    }

    /// Whether something that others see may be written at once.
    pub(super) fn may_write(&self) -> bool {
        !self.withdrawn.is_cancelled() && self.tenure.is_certain()
    }

    /// Waits until something that others see may be written.
    ///
    /// # Errors
    /// [`Withdrawn`] where that will never be.
    pub(super) async fn to_write(&self) -> Result<(), Withdrawn> {
        tokio::select! {
            biased;
            () = self.withdrawn.cancelled() => Err(Withdrawn),
            () = self.tenure.certain() => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn permit() -> (watch::Sender<Instant>, CancellationToken, Permit) {
        let (teller, told) = watch::channel(Instant::now() + SECOND);
        let withdrawn = CancellationToken::new();
        (teller, withdrawn.clone(), Permit::new(withdrawn, Tenure::until(told)))
    }

    #[tokio::test(start_paused = true)]
    async fn who_stands_alone_writes_whenever_it_wants() {
        let permit = Permit::default();
        tokio::time::advance(SECOND * 1000).await;
        assert!(permit.may_write());
        assert_eq!(permit.to_write().now_or_never(), Some(Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tag_waits_while_it_is_uncertain_and_goes_on_when_it_is_certain_again() {
        let (teller, _withdrawn, permit) = permit();
        assert_eq!(permit.to_write().now_or_never(), Some(Ok(())));
        tokio::time::advance(SECOND).await;
        assert!(!permit.may_write());
        assert_eq!(permit.to_write().now_or_never(), None);
        let waiting = tokio::spawn({
            let permit = permit.clone();
            async move { permit.to_write().await }
        });
        tokio::task::yield_now().await;
        // A renewal that is told too late to hold helps nobody.
        teller.send_replace(Instant::now());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        teller.send_replace(Instant::now() + SECOND);
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert!(permit.may_write());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_withdrawn_or_over_writes_nothing() {
        let (teller, withdrawn, permit) = permit();
        drop(teller);
        assert!(!permit.may_write());
        assert_eq!(permit.to_write().now_or_never(), None, "nobody renews it any more");
        withdrawn.cancel();
        assert_eq!(permit.to_write().now_or_never(), Some(Err(Withdrawn)));
        let alone = Permit::new(withdrawn, Tenure::of_one());
        assert!(!alone.may_write());
        assert_eq!(alone.to_write().now_or_never(), Some(Err(Withdrawn)));
    }
}
