//! What the controller remembers of each publication between two runs. A restart loses it, and nothing but time with it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use super::{
    inputs::Assembly,
    objects::Seen,
    schedule::{Held, Pace, ReaderPace},
    targets::PlannedTarget,
};
use crate::{
    api::InventoryEntry,
    publish::Away,
    source::{ArchiveSnapshot, IndexSnapshot, SharedIndex},
};

/// What is remembered of one publication.
#[derive(Default)]
pub(super) struct Memory {
    /// The last run, once there was one.
    pub(super) last: Option<LastRun>,
    /// How soon one run follows another.
    pub(super) pace: Pace,
    /// When the next round of proofs is due, where there are any.
    pub(super) next_proof: Option<Instant>,
    /// The registries that the last run found away.
    pub(super) away: Vec<Away>,
    /// The same, while nothing else is wrong.
    pub(super) held: Option<Held>,
    /// The Secrets and ConfigMaps whose change can help, while that is so.
    pub(super) awaited: Option<Awaited>,
    /// How soon the routes of readers are checked again.
    pub(super) readers: ReaderPace,
    /// When the objects of the cluster last changed in a way that matters here.
    pub(super) changed: Option<Instant>,
    /// What was read of its index, for as long as a run needs it: it is shared, and another run may find a newer one.
    pub(super) index: Option<Arc<IndexSnapshot>>,
    /// Where that lies for all who ask alike, and the answer that was seen last.
    pub(super) shared_index: Option<(Arc<SharedIndex>, Instant)>,
    /// What was read of its archive.
    pub(super) archive: Option<Arc<ArchiveSnapshot>>,
    /// What was put together of objects, or of the spec.
    pub(super) assembly: Option<Assembly>,
    /// The source that `index` and `archive` were read from, with who read it.
    pub(super) source_key: Option<crate::model::Digest>,
    /// The record of what is published, once it was read.
    pub(super) inventory: Option<Record>,
}

/// What is published, and how far that is written.
pub(super) struct Record {
    pub(super) entries: Vec<InventoryEntry>,
    /// How many objects hold it, at most.
    pub(super) objects: usize,
    /// Whether they hold this and nothing older. It counts all the same.
    pub(super) is_written: bool,
}

impl Default for Record {
    fn default() -> Self {
        Self { entries: Vec::new(), objects: 0, is_written: true }
    }
}

/// Secrets and ConfigMaps as the last run read them.
pub(super) struct Awaited {
    pub(super) seen: Seen,
    /// When they are looked at again.
    pub(super) next: Instant,
}

/// What the last run was made for.
pub(super) struct LastRun {
    pub(super) generation: Option<i64>,
    pub(super) requested_at: Option<String>,
    pub(super) plans: Vec<PlannedTarget>,
    pub(super) next: Instant,
}

impl Memory {
    /// How long nothing has to be done; nothing when a run is due now.
    pub(super) fn rest(
        &self,
        generation: Option<i64>,
        requested_at: Option<&String>,
        plans: &[PlannedTarget],
    ) -> Option<std::time::Duration> {
        let last = self.last.as_ref()?;
        let same = last.generation == generation && last.requested_at.as_ref() == requested_at && last.plans == plans;
        let now = Instant::now();
        let rest = Some(last.next.saturating_duration_since(now)).filter(|rest| !rest.is_zero());
        rest.or_else(|| self.held.as_ref()?.rest(now, fastrand::f64())).filter(|_| same)
    }

    /// Takes note when the same spec is planned otherwise than before; says how long ago that last was.
    pub(super) fn note(&mut self, generation: Option<i64>, plans: &[PlannedTarget]) -> Option<std::time::Duration> {
        if self.last.as_ref().is_some_and(|last| last.generation == generation && last.plans != plans) {
            self.changed = Some(Instant::now());
        }
        self.changed.map(|at| at.elapsed())
    }
}

/// The memories of all publications, by their uid.
#[derive(Default)]
pub(super) struct Memories(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Memory>>>>);

impl Memories {
    pub(super) fn of(&self, uid: &str) -> Arc<tokio::sync::Mutex<Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(uid.to_owned()).or_default().clone()
    }

    /// Forgets all but those that exist.
    pub(super) fn keep(&self, exists: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| exists(uid));
    }
}
