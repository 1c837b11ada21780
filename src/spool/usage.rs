//! How much of the spool is taken. Shares are counted in pieces of 4 KiB, and so is this.

use tokio::sync::Semaphore;

use super::{Spool, budget};

/// How much of one of the two places is taken, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// By bodies that are there or arriving.
    pub used: u64,
    /// By the budget.
    pub limit: u64,
}

/// How much of a spool is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// In memory.
    pub memory: Room,
    /// In files.
    pub disk: Room,
}

impl Spool {
    /// What is taken at this moment.
    pub fn usage(&self) -> Usage {
        let room = |free: &Semaphore, limit: u64| {
            let taken = budget::units(limit).saturating_sub(free.available_permits());
            Room { used: budget::bytes(taken), limit }
        };
        Usage { memory: room(&self.0.memory, self.0.budget.memory), disk: room(&self.0.disk, self.0.budget.disk) }
    }
}
