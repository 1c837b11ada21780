//! Whoever polls the tags ten times a second, past the path: sees nothing under a tag, or something that pulls whole and hashes right.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures::future::join_all;
use tokio::time::interval;

use super::watch::pull;

/// No more tags than these are looked for in one tick.
const AT_ONCE: usize = 12;

/// What is polled and what was seen; clones share it.
#[derive(Clone, Default)]
pub struct Puller(Arc<Mutex<Seen>>);

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    awaited: VecDeque<(String, &'static str)>,
    /// How often it looked for a tag.
    pub looks: usize,
    /// How many tags were pulled whole.
    pub pulled: usize,
    /// What was not there at first and whole when it was asked for again at once: distribution 2 writes the file of a tag in place, and
    /// whoever reads it in that moment gets a 500.
    pub blinked: Vec<String>,
    /// What a user could not have pulled.
    pub broken: Vec<String>,
}

impl Puller {
    fn seen_mut(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().expect("what was seen")
    }

    /// Looks for these too.
    pub fn awaits(&self, repository: String, tag: &'static str) {
        self.seen_mut().awaited.push_back((repository, tag));
    }

    /// What it saw so far.
    pub fn seen(&self) -> Seen {
        self.seen_mut().clone()
    }

    /// Whether all that it saw was whole.
    pub fn all_whole(&self) -> Result<(), String> {
        let broken = self.seen().broken;
        if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
    }

    /// Polls `registry`, or what leads to it past the faults, for ever.
    pub async fn poll(self, registry: SocketAddr) {
        let mut ticks = interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            let now: Vec<_> = {
                let mut seen = self.seen_mut();
                let count = seen.awaited.len().min(AT_ONCE);
                seen.awaited.drain(..count).collect()
            };
            let looked = join_all(now.iter().map(async |(repository, tag)| match pull(registry, repository, tag).await {
                Err(problem) => (Some(problem), pull(registry, repository, tag).await),
                found => (None, found),
            }));
            let looked = looked.await;
            let mut seen = self.seen_mut();
            for (place, (problem, found)) in now.into_iter().zip(looked) {
                seen.looks += 1;
                seen.blinked.extend(problem.filter(|_| found.is_ok()));
                match found {
                    Ok(Some(_)) => seen.pulled += 1,
                    Ok(None) => seen.awaited.push_back(place),
                    Err(problem) => seen.broken.push(format!("{place:?}: {problem}")),
                }
            }
        }
    }
}
