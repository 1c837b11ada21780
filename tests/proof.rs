//! What was published is proven again: by time, by the routes of readers, and at each replica.
#![cfg(test)]

#[path = "proof/content.rs"]
mod content;
#[path = "proof/readers.rs"]
mod readers;
#[path = "proof/replicas.rs"]
mod replicas;
#[path = "proof/rounds.rs"]
mod rounds;
#[path = "proof/scene.rs"]
mod scene;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
