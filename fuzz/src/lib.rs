//! What reads untrusted input, one file for each target: each is handed bytes, and panics where a promise is broken.
//!
//! libFuzzer calls them by `main.rs`, and `tests/fuzzed.rs` of the project, which includes this file, calls them with what is kept in
//! `seeds/` and `corpus/`. A target does no I/O and gives the same twice.

mod archive;
mod chart_yaml;
mod constraint;
mod docker_config;
mod error_body;
mod index;
mod lint;
mod location;
mod range;
pub mod script;
mod sentence;
mod www_authenticate;

/// A target.
pub struct Target {
    /// As `FUZZ_TARGET`, its folders and its dictionary name it.
    pub name: &'static str,
    /// Reads an input.
    pub run: fn(&[u8]),
    /// Bytes that an input has at most.
    pub longest: usize,
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    Target { name: "archive", run: archive::bytes, longest: 16 * 1024 },
    Target { name: "archive_entries", run: archive::entries, longest: 8 * 1024 },
    Target { name: "chart_yaml", run: chart_yaml::run, longest: 4 * 1024 },
    Target { name: "constraint", run: constraint::run, longest: 1024 },
    Target { name: "docker_config", run: docker_config::run, longest: 2 * 1024 },
    Target { name: "error_body", run: error_body::run, longest: 4 * 1024 },
    Target { name: "index", run: index::run, longest: 4 * 1024 },
    Target { name: "lint", run: lint::run, longest: 4 * 1024 },
    Target { name: "location", run: location::run, longest: 1024 },
    Target { name: "range", run: range::run, longest: 256 },
    Target { name: "www_authenticate", run: www_authenticate::run, longest: 4 * 1024 },
];
