//! The matrix as a page: a row for each making, a column for each method, what is not there and why, and the figures.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    cell::{Asked, Cell, name},
    drive::Record,
    faults::origin::Origin,
    invariants::{Invariant, violations},
    matrix::Matrix,
};

const HEAD: &str = "# Faults

What becomes of a chart when something is wrong with the registry or with the path to it. Written by `make faults`, which runs every cell
with the real engine; `make test` runs them too, and holds this page to the faults that there are. What is named for a failure may
depend on what came first.

* **A row** is a fault and one way to make it: a quirk of a scripted registry, a rule of a proxy, a proxy that knows only bytes, or an
  address. The registry behind it is distribution 2, distribution 3 or the scripted one.
* **A column** is `upload.method`. A fixed method has one route. `Auto` has two: where the fault lies on the path, the second route is
  free of it; where it is the registry's own, both have it.
* **✓**: published, and pulled back by another client; the chart after it, too. **A reason**: not published, with this reason in the
  status, and published once the fault was gone. **–**: this method never meets the fault.
* Each cell is also held to what always holds: the tag names nothing or what is whole; what is Ready can be pulled; a failure has a
  reason, a cure and an end; at most twice the chart's bytes go out in vain (three times by
  SinglePost, of which distribution makes one, and where Auto finds no way and has kept an attempt for its last route); no session, connection or task is left; nobody elsewhere
  hears of it; a tag that holds other content keeps it. A cell in which something is violated is run once more, alone: requests have
  700 ms here, and a path that stalls has to be told from a machine that does.

";

/// The page.
pub fn page(matrix: &Matrix) -> String {
    format!("{HEAD}{}\n{}{}", table(matrix), absent(matrix), summary(matrix))
}

fn table(matrix: &Matrix) -> String {
    let made: Vec<String> = matrix.records.iter().map(|record| record.cell.made.to_string()).collect();
    let named: Vec<(&Record, &String)> = matrix.records.iter().zip(&made).collect();
    let mut text = "| fault | made by |".to_owned();
    for asked in Asked::ALL {
        let _ = write!(text, " {} |", asked.name());
    }
    let _ = writeln!(text, "\n|---|---|{}", "---|".repeat(Asked::ALL.len()));
    for (fault, made) in rows(&named) {
        let of_row: Vec<_> =
            named.iter().filter(|(record, of)| record.cell.fault == fault && **of == made).map(|(record, _)| *record).collect();
        let says = of_row.first().map_or("", |record| record.cell.says);
        let _ = write!(text, "| {fault} {says} | {made} |");
        for asked in Asked::ALL {
            let of_cell: Vec<_> = of_row.iter().filter(|record| record.cell.asked == asked).copied().collect();
            let _ = write!(text, " {} |", together(&of_cell));
        }
        text.push('\n');
    }
    text
}

/// Fault and making, in the order of the list.
fn rows(named: &[(&Record, &String)]) -> Vec<(&'static str, String)> {
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    for (record, made) in named {
        let row = (record.cell.fault, (*made).clone());
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows.sort_by_key(|(fault, _)| *fault);
    rows
}

/// What came of it before all registries, once where it is the same.
fn together(of_cell: &[&Record]) -> String {
    let mut verdicts: Vec<(String, Vec<Origin>)> = Vec::new();
    for record in of_cell {
        let verdict = record.verdict();
        match verdicts.iter_mut().find(|(known, _)| *known == verdict) {
            Some((_, origins)) => origins.push(record.cell.origin),
            None => verdicts.push((verdict, vec![record.cell.origin])),
        }
    }
    match verdicts.as_slice() {
        [(verdict, _)] => verdict.clone(),
        several => several.iter().map(|(verdict, origins)| format!("{}: {verdict}", names(origins))).collect::<Vec<_>>().join("; "),
    }
}

fn names(origins: &[Origin]) -> String {
    origins.iter().map(|origin| name(*origin)).collect::<Vec<_>>().join(", ")
}

fn absent(matrix: &Matrix) -> String {
    let mut text = "\n## Not in the table\n\nSuch a fault is not made before such a registry, and why:\n\n".to_owned();
    let mut by_reason: BTreeMap<(&str, &str), Vec<Origin>> = BTreeMap::new();
    for absent in &matrix.absent {
        by_reason.entry((absent.fault, absent.reason)).or_default().push(absent.origin);
    }
    for ((fault, reason), origins) in by_reason {
        let _ = writeln!(text, "* {fault}, {}: {reason}.", names(&origins));
    }
    text
}

/// What is violated, cell by cell; empty where nothing is.
pub fn details(matrix: &Matrix) -> String {
    let mut text = String::new();
    for record in &matrix.records {
        for (invariant, what) in violations(record) {
            let _ = writeln!(text, "{}: {invariant}: {what}", record.cell);
        }
    }
    for (record, by) in left_behind(matrix) {
        let _ = writeln!(text, "{}: {}: {}, and it can be published by {by:?}", record.cell, Invariant::Live, record.verdict());
    }
    text
}

/// The cells of [`details`].
pub fn suspects(matrix: &Matrix) -> Vec<&Cell> {
    let violated = matrix.records.iter().filter(|record| !violations(record).is_empty());
    violated.chain(left_behind(matrix).into_iter().map(|(record, _)| record)).map(|record| &record.cell).collect()
}

/// What Auto did not publish and somebody else could, with the methods that did.
fn left_behind(matrix: &Matrix) -> Vec<(&Record, Vec<&'static str>)> {
    let mut left = Vec::new();
    for record in matrix.records.iter().filter(|record| record.cell.asked == Asked::Auto && record.verdict() != "✓" && record.met) {
        let is_same = |other: &&Record| {
            (other.cell.fault, other.cell.made.to_string(), other.cell.origin)
                == (record.cell.fault, record.cell.made.to_string(), record.cell.origin)
        };
        let others = matrix.records.iter().filter(is_same).filter(|other| other.is_there());
        let by: Vec<_> = others.map(|other| other.cell.asked.name()).collect();
        if !by.is_empty() || record.cell.made.is_of_path(record.cell.fault) {
            left.push((record, by));
        }
    }
    left
}

/// The figures.
pub fn summary(matrix: &Matrix) -> String {
    let met = matrix.records.iter().filter(|record| record.met).count();
    let not_met = matrix.records.len() - met;
    let absent: usize = matrix.absent.iter().map(|absent| absent.cells).sum();
    let published = matrix.records.iter().filter(|record| record.verdict() == "✓").count();
    let mut text = format!(
        "\n## In figures\n\n{met} cells run: {published} published in spite of the fault, {} not, each with its reason, and published once it \
         was gone.\n{not_met} cells in which the method does not meet the fault, and {absent} that are not made, are not counted.\n\nViolations: ",
        met - published
    );
    let all: Vec<_> = matrix.records.iter().flat_map(violations).collect();
    let counts = Invariant::ALL.map(|invariant| {
        let count = all.iter().filter(|(violated, _)| *violated == invariant).count();
        format!("{invariant} {count}")
    });
    let _ = writeln!(text, "{}.", counts.join(", "));
    text
}
