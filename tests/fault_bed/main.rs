//! The fault bed itself: that each fault is what it claims to be, shown to clients that are not the software under test.
#![cfg(test)]

#[path = "../faults/mod.rs"]
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod faults;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

mod catalogue;
mod correct;
mod fronts;
mod learns;
mod ours;
mod paths;
mod proxies;
mod quirks;
mod steps;

use std::sync::LazyLock;

/// A body of which no part is like another.
fn blob(length: usize) -> Vec<u8> {
    static LONGEST: LazyLock<Vec<u8>> =
        LazyLock::new(|| (0..8 << 20).map(|place: usize| u8::try_from((place * 31 + place / 251) % 256).expect("a byte")).collect());
    LONGEST[..length].to_vec()
}
