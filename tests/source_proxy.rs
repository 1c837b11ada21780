//! Sources behind a forward proxy: all of them is asked by it, as who it wants to know, and its failures are its own.
#![cfg(test)]

#[path = "source_proxy/changes.rs"]
mod changes;
#[path = "source_proxy/commands.rs"]
mod commands;
#[path = "source_proxy/every_source.rs"]
mod every_source;
#[path = "source_proxy/indexes.rs"]
mod indexes;
#[path = "source_proxy/scene.rs"]
mod scene;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
