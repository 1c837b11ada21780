//! Which tags of one registry this process writes now, and when it wrote each last: a list of tags that was read before then does not
//! know of it.
//!
//! In: the place of a tag, and when a run began. Out: the right to write it, alone in this process, and whether it is to be looked at
//! first. It asks nobody; another process is not seen here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{sync::OwnedMutexGuard, time::Instant};

use crate::model::{RepositoryName, Tag};

/// Beyond this number those that nobody writes now are forgotten.
const MOST: usize = 10_000;

/// When a tag was written last.
type Slot = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// Of one registry; copies share all of it.
#[derive(Clone, Default)]
pub(super) struct Claims(Arc<Mutex<HashMap<(RepositoryName, Tag), Slot>>>);

/// One writes a tag; dropping it lets the next one.
pub(super) struct Claim {
    last: OwnedMutexGuard<Option<Instant>>,
}

impl Claims {
    /// Waits until nobody else in this process writes the tag.
    pub(super) async fn claim(&self, repository: &RepositoryName, tag: &Tag) -> Claim {
        let slot = self.slot(repository, tag);
        Claim { last: slot.lock_owned().await }
    }

    fn slot(&self, repository: &RepositoryName, tag: &Tag) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        slots.entry((repository.clone(), tag.clone())).or_default().clone()
    }
}

impl Claim {
    /// Whether another one may have written it since `begin`.
    pub(super) fn was_written_since(&self, begin: Instant) -> bool {
        self.last.is_some_and(|last| last >= begin)
    }
}

impl Drop for Claim {
    /// Also where the work was ended in the middle: a manifest may be under way.
    fn drop(&mut self) {
        *self.last = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;

    fn place(repository: &str, tag: &str) -> (RepositoryName, Tag) {
        (repository.parse().unwrap(), tag.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn one_writes_a_tag_at_a_time_and_the_next_one_knows_that_it_was_written() {
        let claims = Claims::default();
        let (repository, tag) = place("charts/small", "1.0.1");
        let begin = Instant::now();
        let first = claims.claim(&repository, &tag).await;
        assert!(!first.was_written_since(begin));
        assert!(claims.claim(&repository, &tag).now_or_never().is_none(), "it is being written");
        for (repository, tag) in [place("charts/small", "1.0.2"), place("charts/other", "1.0.1")] {
            let other = claims.claim(&repository, &tag).now_or_never().expect("it is another tag");
            assert!(!other.was_written_since(begin));
        }
        let copy = claims.clone();
        let waiting = tokio::spawn(async move { copy.claim(&repository, &tag).await.was_written_since(begin) });
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(first);
        assert!(waiting.await.unwrap());
        let (repository, tag) = place("charts/small", "1.0.1");
        tokio::time::advance(Duration::from_secs(1)).await;
        let later = claims.claim(&repository, &tag).await;
        assert!(later.was_written_since(begin) && !later.was_written_since(Instant::now()), "who begins after it sees it in the list");
    }

    #[tokio::test]
    async fn what_is_remembered_has_a_bound_and_who_writes_is_not_forgotten() {
        let claims = Claims::default();
        let tag: Tag = "1.0.0".parse().unwrap();
        let writes = claims.claim(&"first".parse().unwrap(), &tag).await;
        for number in 0..=MOST {
            claims.claim(&format!("chart-{number}").parse().unwrap(), &tag).await;
        }
        assert!(claims.0.lock().unwrap().len() <= MOST);
        assert!(claims.claim(&"first".parse().unwrap(), &tag).now_or_never().is_none());
        drop(writes);
    }
}
