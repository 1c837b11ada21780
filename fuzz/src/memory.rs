//! An allocator with limits, far above what the limits of the readers allow.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Bytes at once.
const LARGEST: usize = 64 << 20;
/// Bytes at a time.
const MOST: usize = 192 << 20;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, up to the limits.
pub struct Bounded;

// SAFETY: all is left to the system's allocator; what is counted beside it touches no memory of others.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        if layout.size() > LARGEST || held > MOST {
            let _ = std::io::stderr().write_all(b"more memory is asked for than a reader may take\n");
            std::process::abort();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}
