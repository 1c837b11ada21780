//! What is said while something cannot be watched: of `ChartPublications` nothing of a moment, and of nothing again and again.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kube::{core::Status, runtime::watcher};
use tokio::time::Instant;

/// A watch that begins again within this time has nothing to complain of.
const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN: Duration = Duration::from_mins(1);
/// Longer than kube's longest pause between two attempts: what fails later fails anew.
const ANEW: Duration = Duration::from_secs(90);

/// When something was complained of.
#[derive(Default)]
pub(super) struct Complaints(Mutex<Record>);

#[derive(Default)]
struct Record {
    since: Option<Instant>,
    last: Option<Instant>,
    said: Option<Instant>,
}

impl Complaints {
    /// A watch on `ChartPublications` failed.
    pub(super) fn hear(&self, error: &watcher::Error) {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).is_due(Instant::now()) {
            tracing::warn!("ChartPublications cannot be watched: {}", cause(error));
        }
    }
}

/// Why one watch failed last, and when.
#[derive(Default)]
pub(super) struct Causes(Mutex<Option<(String, Instant)>>);

impl Causes {
    /// Whether a watch that fails now does so for another cause than before, or anew.
    pub(super) fn is_new(&self, error: &watcher::Error) -> bool {
        let (cause, now) = (error.to_string(), Instant::now());
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = last.as_ref().is_some_and(|(known, at)| *known == cause && now.duration_since(*at) < ANEW);
        *last = Some((cause, now));
        !is_known
    }
}

impl Record {
    /// It failed now; whether that is to be said.
    fn is_due(&mut self, now: Instant) -> bool {
        let goes_on = self.last.is_some_and(|last| now.duration_since(last) < ANEW);
        self.last = Some(now);
        let since = *self.since.insert(self.since.filter(|_| goes_on).unwrap_or(now));
        let is_due = now.duration_since(since) >= PATIENCE && self.said.is_none_or(|said| now.duration_since(said) >= BETWEEN);
        if is_due {
            self.said = Some(now);
        }
        is_due
    }
}

fn cause(error: &watcher::Error) -> String {
    match answer(error) {
        Some(Status { code: 404, .. }) => "the kind is not there: apply the CRDs of this version".to_owned(),
        Some(Status { code: 403, message, .. }) => format!("a right is missing: apply the roles of this version ({message})"),
        _ => error.to_string(),
    }
}

/// What the API server answered.
fn answer(error: &watcher::Error) -> Option<&Status> {
    use watcher::Error::{InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | WatchError(status) => Some(status),
        InitialListFailed(_) | WatchStartFailed(_) | WatchFailed(_) | NoResourceVersion => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_lasts_is_told_after_five_seconds_and_then_once_a_minute() {
        let (begin, mut record) = (Instant::now(), Record::default());
        for (second, expected) in [
            (0, false),
            (2, false),
            (5, true),
            (12, false),
            (40, false),
            (64, false),
            (65, true),
            (90, false),
            (200, false),
            (204, false),
            (206, true),
        ] {
            assert_eq!(record.is_due(begin + Duration::from_secs(second)), expected, "after {second} s");
        }
    }

    fn refused(code: u16, message: &str) -> watcher::Error {
        let status = Status { code, message: message.to_owned(), ..Status::default() };
        watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status)))
    }

    #[tokio::test(start_paused = true)]
    async fn each_cause_is_said_once_until_the_watch_has_held() {
        let causes = Causes::default();
        for (pause, cause, expected) in [
            (0, "cannot list", true),
            (1, "cannot list", false),
            (60, "cannot list", false),
            (1, "etcd is away", true),
            (95, "etcd is away", true),
        ] {
            tokio::time::advance(Duration::from_secs(pause)).await;
            assert_eq!(causes.is_new(&refused(403, cause)), expected, "{cause} after {pause} s");
        }
    }

    #[test]
    fn the_cause_is_named_with_its_cure() {
        let answered = |code: u16, message: &str| cause(&refused(code, message));
        assert_eq!(answered(404, "page not found"), "the kind is not there: apply the CRDs of this version");
        assert_eq!(answered(403, "cannot list"), "a right is missing: apply the roles of this version (cannot list)");
        assert!(answered(500, "etcd is away").contains("etcd is away"));
    }
}
