//! A controller through its life: what makes it work, what it says while it does, and how it ends and begins again.
#![cfg(test)]

#[path = "life/away.rs"]
mod away;
#[path = "life/charts.rs"]
mod charts;
#[path = "life/door.rs"]
mod door;
#[path = "life/endings.rs"]
mod endings;
#[path = "life/flux.rs"]
mod flux;
#[path = "life/indexes.rs"]
mod indexes;
#[path = "life/objects.rs"]
mod objects;
#[path = "life/repairs.rs"]
mod repairs;
#[path = "life/same_tag.rs"]
mod same_tag;
#[path = "life/scene.rs"]
mod scene;
#[path = "life/secrets.rs"]
mod secrets;
#[path = "life/selected.rs"]
mod selected;
#[path = "life/signed.rs"]
mod signed;
#[path = "life/statuses.rs"]
mod statuses;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "life/told.rs"]
mod told;
#[path = "life/triggers.rs"]
mod triggers;
#[path = "life/witness.rs"]
mod witness;

use scene::scene;

/// Without nodes, sources and registries have addresses of loopback.
const ANYWHERE: [&str; 2] = ["--allow-address", "127.0.0.0/8"];
