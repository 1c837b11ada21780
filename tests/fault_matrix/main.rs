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

use std::collections::BTreeSet;

use invariants::violations;
use matrix::Matrix;
use seeded::Bug;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/faults.md");

#[test]
fn each_invariant_has_a_bug_that_the_matrix_finds() {
    let bed = support::on_loopback();
    for (bug, invariant) in Bug::ALL {
        let matrix = Matrix::run(bed, |cell| cell.to_string() == bug.cell(), Some(bug));
        assert_eq!(matrix.records.len(), 1, "{bug:?}: no cell `{}`", bug.cell());
        let found = violations(&matrix.records[0]);
        let broken: BTreeSet<_> = found.iter().map(|(violated, _)| *violated).collect();
        assert_eq!(broken, BTreeSet::from([invariant]), "{bug:?}: {found:#?}");
        let sound = Matrix::run(bed, |cell| cell.to_string() == bug.cell(), None);
        assert_eq!(violations(&sound.records[0]), [], "without {bug:?}");
    }
}

#[test]
#[ignore = "prints: `make faults`"]
#[expect(clippy::print_stdout, reason = "the page is the product")]
#[expect(clippy::disallowed_methods, reason = "which cells, when one looks for what is wrong")]
fn faults() {
    let pick = std::env::var("PICK").unwrap_or_default();
    let matrix = Matrix::settled(support::on_loopback(), |cell| cell.to_string().contains(&pick));
    println!("{}{}", report::page(&matrix), report::details(&matrix));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the way in which all documents are written anew")]
fn every_cell_holds_what_always_holds_and_ends_as_the_page_says() {
    let matrix = Matrix::settled(support::on_loopback(), |_| true);
    let (found, page) = (report::details(&matrix), report::page(&matrix));
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(PAGE, &page).expect("a document");
    }
    assert!(found.is_empty(), "{found}");
    // What is named for a failure may depend on what came first; which faults there are does not.
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert_eq!(faults_in(&page), faults_in(&kept), "docs/faults.md is of other faults; UPDATE_DOCS=1 writes it anew");
}

/// The first two columns: fault, and what makes it.
fn faults_in(page: &str) -> Vec<(&str, &str)> {
    page.lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?.split_once(" | ").map(|(fault, rest)| (fault, rest.split(" | ").next().unwrap_or(rest)))
        })
        .collect()
}
