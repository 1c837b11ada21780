//! The fault matrix: each fault of the list × each method × each registry, driven by the real engine and judged from outside.
#![cfg(test)]

#[path = "../faults/mod.rs"]
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod faults;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

mod cell;
mod charts;
mod drive;
mod engine;
mod held;
mod invariants;
mod matrix;
mod report;
mod scene;
mod seeded;
mod trap;

use invariants::{Invariant, violations};
use matrix::Matrix;

#[test]
#[ignore = "prints: `make faults`"]
#[expect(clippy::print_stdout, reason = "the table is the product")]
fn faults() {
    if std::env::var("TRACE").is_ok() {
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(std::io::stderr).init();
    }
    let matrix = Matrix::run(support::on_loopback(), |cell| std::env::var("PICK").map_or(true, |pick| pick.split(',').any(|pick| cell.to_string().contains(pick))), None);
    println!("{}\n{}", matrix.debug(), report::page(&matrix));
}
