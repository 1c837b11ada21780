//! `chart-publisher probe`: what it names on each hostile path, what it leaves behind, also when it is stopped, what other tools read of it, and the routes of a
//! Service. And what it and `push` say of mistakes.
#![cfg(test)]

#[path = "../faults/mod.rs"]
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod faults;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

mod document;
mod hostile;
mod leftovers;
mod mistakes;
mod outputs;
mod probed;
mod services;
mod stopped;
