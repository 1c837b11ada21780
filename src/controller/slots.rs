//! How many work at once, in all namespaces together, and who is next.
//!
//! Whoever came first is next, of those that may take one. A part of the slots is kept for namespaces that have none: a namespace whose
//! sources or registries hang takes all the others, and not those. Where as many namespaces wait as there are slots, each has one at a time.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::metrics::Reconciles;

/// Of so many, one is kept.
const KEPT_OF: u16 = 4;

/// The slots of a controller.
pub(super) struct Slots {
    limit: u16,
    /// For namespaces that have none.
    kept: u16,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: u16,
    /// How many each namespace has that has any.
    taken: BTreeMap<String, u16>,
    waiting: VecDeque<Waiter>,
}

struct Waiter {
    namespace: String,
    given: oneshot::Sender<Slot>,
}

/// Given back when it is dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    namespace: String,
}

impl Slots {
    /// So many; of fewer than four, and for one namespace alone, none is kept.
    pub(super) fn new(limit: u16, for_one: bool) -> Arc<Self> {
        let kept = if for_one { 0 } else { limit / KEPT_OF };
        Arc::new(Self { limit, kept, state: Mutex::new(State { free: limit, ..State::default() }) })
    }

    /// Waits for a slot for work of `namespace`.
    pub(super) async fn acquire(self: &Arc<Self>, namespace: &str) -> Slot {
        loop {
            let waiting = {
                let mut state = self.state();
                if self.may_take(&state, namespace) {
                    return self.take(&mut state, namespace.to_owned());
                }
                let (given, waiting) = oneshot::channel();
                state.waiting.push_back(Waiter { namespace: namespace.to_owned(), given });
                waiting
            };
            if let Ok(slot) = waiting.await {
                return slot;
            }
        }
    }

    /// Who works and who waits, at this moment.
    pub(super) fn taken(&self) -> Reconciles {
        let state = self.state();
        let waiting = state.waiting.iter().filter(|waiter| !waiter.given.is_closed()).count() as u64;
        Reconciles { running: u64::from(self.limit - state.free), waiting, limit: u64::from(self.limit) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_take(&self, state: &State, namespace: &str) -> bool {
        state.free > self.kept || (state.free > 0 && !state.taken.contains_key(namespace))
    }

    fn take(self: &Arc<Self>, state: &mut State, namespace: String) -> Slot {
        state.free -= 1;
        *state.taken.entry(namespace.clone()).or_default() += 1;
        Slot { slots: Arc::clone(self), namespace }
    }

    /// The first of those who wait and may take one has it.
    fn give_on(self: &Arc<Self>) {
        loop {
            let (slot, given) = {
                let mut state = self.state();
                state.waiting.retain(|waiter| !waiter.given.is_closed());
                let Some(place) = state.waiting.iter().position(|waiter| self.may_take(&state, &waiter.namespace)) else { return };
                let Some(Waiter { namespace, given }) = state.waiting.remove(place) else { return };
                (self.take(&mut state, namespace), given)
            };
            // Who has given up meanwhile leaves it to the next one: it comes back when it is dropped.
            drop(given.send(slot));
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        {
            let mut state = self.slots.state();
            state.free += 1;
            if let Some(taken) = state.taken.get_mut(&self.namespace) {
                *taken -= 1;
                if *taken == 0 {
                    state.taken.remove(&self.namespace);
                }
            }
        }
        self.slots.give_on();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_waits_is_counted_until_it_works_or_gives_up() {
        let slots = Slots::new(1, false);
        let taken = |running, waiting| Reconciles { running, waiting, limit: 1 };
        assert_eq!(slots.taken(), taken(0, 0));
        let first = slots.acquire("a").await;
        assert_eq!(slots.taken(), taken(1, 0));
        let mut second = Box::pin(slots.acquire("a"));
        let mut third = Box::pin(slots.acquire("b"));
        assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
        assert_eq!(slots.taken(), taken(1, 2));
        drop(third);
        assert_eq!(slots.taken(), taken(1, 1));
        drop(first);
        let second = second.await;
        assert_eq!(slots.taken(), taken(1, 0));
        drop(second);
        assert_eq!(slots.taken(), taken(0, 0));
    }

    #[tokio::test]
    async fn a_namespace_that_hangs_leaves_slots_to_others() {
        let slots = Slots::new(8, false);
        let mut hanging = Vec::new();
        for _ in 0..6 {
            hanging.push(slots.acquire("hung").await);
        }
        let mut more: Vec<_> = (0..4).map(|_| Box::pin(slots.acquire("hung"))).collect();
        assert!(more.iter_mut().all(|more| more.now_or_never().is_none()));
        // Others come after those who wait, and have theirs before them, again and again.
        for _ in 0..3 {
            let (one, other) = (slots.acquire("one").await, slots.acquire("other").await);
            assert_eq!(slots.taken().running, 8);
            let mut second = Box::pin(slots.acquire("one"));
            assert!((&mut second).now_or_never().is_none());
            drop(one);
            drop(second.await);
            drop(other);
        }
        // What the namespace gives back, it may take again.
        hanging.pop();
        let again = more.remove(0).now_or_never().expect("one is free");
        assert_eq!((slots.taken().running, more.iter_mut().filter_map(FutureExt::now_or_never).count()), (6, 0));
        drop(again);
    }

    #[tokio::test]
    async fn of_few_none_is_kept_and_who_came_first_is_next() {
        let slots = Slots::new(2, false);
        let (first, _second) = (slots.acquire("a").await, slots.acquire("a").await);
        let (mut third, mut fourth) = (Box::pin(slots.acquire("a")), Box::pin(slots.acquire("a")));
        assert!((&mut third).now_or_never().is_none() && (&mut fourth).now_or_never().is_none());
        drop(first);
        assert!((&mut fourth).now_or_never().is_none());
        assert!(third.now_or_never().is_some());
        assert!(fourth.now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_slot_that_nobody_waits_for_any_more_goes_to_the_next() {
        let slots = Slots::new(1, false);
        let first = slots.acquire("a").await;
        let (mut second, mut third) = (Box::pin(slots.acquire("a")), Box::pin(slots.acquire("b")));
        assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
        drop(first);
        // It was given, and is dropped unseen.
        drop(second);
        drop(third.await);
        assert_eq!(slots.taken().running, 0);
    }
}
