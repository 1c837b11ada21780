//! `chart-publisher publish`: what it brings into registries, what it says of that, and what is left when it is stopped.
#![cfg(test)]

#[path = "publish/again.rs"]
mod again;
#[path = "publish/air_gap.rs"]
mod air_gap;
#[path = "publish/bootstrap.rs"]
mod bootstrap;
#[path = "publish/cluster.rs"]
mod cluster;
#[path = "publish/document.rs"]
mod document;
#[path = "publish/files.rs"]
mod files;
#[path = "publish/held.rs"]
mod held;
#[path = "publish/logins.rs"]
mod logins;
#[path = "publish/printed.rs"]
mod printed;
#[path = "publish/signed.rs"]
mod signed;
#[path = "publish/stopped.rs"]
mod stopped;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
