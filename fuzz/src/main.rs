//! One program for all targets: `FUZZ_TARGET` says which, the rest is libFuzzer's. `run.sh` builds and starts it.
//!
//! Memory is bounded here, since what a target reads must be bounded: an allocation beyond the limits ends the program, and is a finding.
#![no_main]

mod memory;
mod mutator;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use targets::{TARGETS, Target};

#[global_allocator]
static MEMORY: memory::Bounded = memory::Bounded;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "libFuzzer reads the arguments")]
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let names = || TARGETS.map(|target| target.name).join(", ");
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("FUZZ_TARGET is `{name}`, and none of {}", names()))
});

fuzz_target!(|input: &[u8]| {
    if input.len() <= TARGET.longest {
        (TARGET.run)(input);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    if TARGET.name == "archive" { mutator::within_gzip(data, size, most, seed) } else { libfuzzer_sys::fuzzer_mutate(data, size, most) }
});
