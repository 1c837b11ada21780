//! How much may lie in the spool, and who holds how much of it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Shares are counted in pieces of 4 KiB.
const UNIT: u64 = 4096;

/// The limits of a spool, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Of all bodies that lie in memory together.
    pub memory: u64,
    /// Of one body in memory; a larger one goes into a file.
    pub memory_of_one: u64,
    /// Of all files together.
    pub disk: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { memory: 16 << 20, memory_of_one: 1 << 20, disk: 1 << 30 }
    }
}

/// Why a body could not be spooled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// Larger than one body may be.
    #[error("it is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Larger than all that may lie in files together.
    #[error("it has {length} bytes or more, and the spool holds {limit}: give a larger `--spool-size`, and a volume that holds it")]
    NeverFits {
        /// Its bytes, as far as they are known.
        length: u64,
        /// The budget.
        limit: u64,
    },
    /// The budget for files is used up.
    #[error(
        "the spool is full: what is on its way together, each chart with what belongs to it, takes up its {limit} bytes; give a larger `--spool-size`, and a volume that holds it"
    )]
    Full {
        /// The budget.
        limit: u64,
    },
    /// The file system is full before the budget is.
    #[error(
        "the volume of the spool has no room left, and `--spool-size` promises more than it has: enlarge the volume behind `--spool-dir`, or lower `--spool-size`"
    )]
    NoSpace,
    /// The file system refused.
    #[error("the spool's file system failed: {0}; look at the volume behind `--spool-dir`")]
    Disk(String),
}

pub(super) fn units(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}

pub(super) fn bytes(units: usize) -> u64 {
    (units as u64).saturating_mul(UNIT)
}

/// What one body holds of a budget. It is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    from: Arc<Semaphore>,
    permits: Option<OwnedSemaphorePermit>,
}

impl Share {
    pub(super) fn none(from: Arc<Semaphore>) -> Self {
        Self { from, permits: None }
    }

    /// Waits until `bytes` in all are held.
    pub(super) async fn wait_for(from: Arc<Semaphore>, bytes: u64) -> Option<Self> {
        let count = u32::try_from(units(bytes)).ok()?;
        let permits = from.clone().acquire_many_owned(count).await.ok()?;
        Some(Self { from, permits: Some(permits) })
    }

    /// Holds `bytes` in all, or says no at once.
    pub(super) fn grow_to(&mut self, bytes: u64) -> bool {
        let held = self.permits.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(more) = u32::try_from(units(bytes).saturating_sub(held)) else { return false };
        if more == 0 {
            return true;
        }
        let Ok(permits) = self.from.clone().try_acquire_many_owned(more) else { return false };
        match &mut self.permits {
            Some(held) => held.merge(permits),
            none => *none = Some(permits),
        }
        true
    }
}
