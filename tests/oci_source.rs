//! Charts from one registry into another: what arrives is what was there, byte for byte, and it costs no more than it has to.
#![cfg(test)]

#[path = "oci_source/attached.rs"]
mod attached;
#[path = "oci_source/by_index.rs"]
mod by_index;
#[path = "oci_source/content.rs"]
mod content;
#[path = "oci_source/crowded.rs"]
mod crowded;
#[path = "oci_source/hostile.rs"]
mod hostile;
#[path = "oci_source/lists.rs"]
mod lists;
#[path = "oci_source/logins.rs"]
mod logins;
#[path = "oci_source/refused.rs"]
mod refused;
#[path = "oci_source/scene.rs"]
mod scene;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "oci_source/written_over.rs"]
mod written_over;
