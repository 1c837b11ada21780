//! Bodies that are kept in case somebody asks again, and give way where room is needed.
//!
//! Who waits for room waits for those on their way, who end; a body that is merely kept would never.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{Spool, Spooled};

type Place = Mutex<Option<Spooled>>;

/// All bodies that are kept.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Vec<Weak<Place>>>);

/// A body that is kept as long as this value lives and nobody needs its room.
pub struct Kept(Arc<Place>);

impl Spool {
    /// Keeps a body until its room is needed.
    pub fn keep(&self, body: Spooled) -> Kept {
        let place = Arc::new(Mutex::new(Some(body)));
        let mut places = self.0.shelf.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|place| place.strong_count() > 0);
        places.push(Arc::downgrade(&place));
        Kept(place)
    }
}

impl Kept {
    /// The body, where it has not given way. Whoever has it holds its room.
    pub fn body(&self) -> Option<Spooled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it has not given way yet.
    pub fn is_there(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl Shelf {
    /// All that lies in files gives way.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|place| {
            let is_in_file = |body: &mut Spooled| !body.is_in_memory();
            place.upgrade().is_some_and(|place| place.lock().unwrap_or_else(PoisonError::into_inner).take_if(is_in_file).is_none())
        });
    }
}
