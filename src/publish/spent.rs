//! What a search may cost: attempts, and bodies that went out in vain.

use crate::plan::{Method, Tactic};

const MOST_ATTEMPTS: usize = 8;
/// What goes out beside a body in vain: config and manifest.
const BESIDE: u64 = 64 << 10;

/// What a search has cost so far.
#[derive(Default)]
pub(super) struct Spent {
    attempts: usize,
    sent: u64,
    /// Whether the last body was lost for its length, and not for what it holds.
    lost_on_the_path: bool,
    /// Whether something was left to try that would have cost too much.
    stopped: bool,
}

/// Where an attempt stands in the search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// By the last way.
    pub is_last: bool,
    /// The first by its way.
    pub is_first: bool,
}

impl Spent {
    /// An attempt failed after `sent` bytes.
    pub(super) fn lost(&mut self, sent: u64, on_the_path: bool) {
        self.attempts += 1;
        self.sent += sent;
        self.lost_on_the_path = on_the_path;
    }

    /// Whether another attempt may be made: one that may lose the whole body after one in vain; after two, one in parts where it is
    /// the path that loses them. The last is kept for the last way.
    pub(super) fn allows(&self, tactic: Tactic, place: Place, body_length: u64) -> bool {
        let in_vain = if tactic.method() == Method::Chunked && self.lost_on_the_path { 2 } else { 1 };
        let is_affordable = self.attempts == 0 || self.sent <= body_length.saturating_mul(in_vain).saturating_add(BESIDE);
        if place.is_last {
            self.attempts < MOST_ATTEMPTS && (is_affordable || place.is_first)
        } else {
            self.attempts < MOST_ATTEMPTS - 1 && is_affordable
        }
    }

    /// The same, for what is made if it may be: what has to be left is left to the next run.
    pub(super) fn takes(&mut self, tactic: Tactic, place: Place, body_length: u64) -> bool {
        let is_allowed = self.allows(tactic, place, body_length);
        self.stopped |= !is_allowed;
        is_allowed
    }

    /// Whether something was left to the next run.
    pub(super) fn has_stopped(&self) -> bool {
        self.stopped
    }
}
