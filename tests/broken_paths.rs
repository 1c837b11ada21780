//! Paths to a registry behind a NodePort on which something is wrong: other tools fail there and the software under test arrives.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod faults;
#[path = "broken_paths/incident.rs"]
mod incident;
#[path = "broken_paths/large_packets.rs"]
mod large_packets;
#[path = "broken_paths/scene.rs"]
mod scene;
#[path = "broken_paths/soak.rs"]
mod soak;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "broken_paths/turns.rs"]
mod turns;
