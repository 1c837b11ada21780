//! All cells at work, as many at once as the machine bears, and what came of them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, mpsc::channel},
    thread,
};

use crate::{
    cell::{self, Absent, Cell},
    drive::{self, Record},
    faults::origin::Origin,
    report,
    scene::Registries,
    seeded::Bug,
    support::Bed,
};

/// Cells at once: much of what they do is waiting.
const AT_ONCE: usize = 24;

/// A matrix that was run.
pub struct Matrix {
    /// Cells in their order.
    pub records: Vec<Record>,
    /// What could not be a cell.
    pub absent: Vec<Absent>,
}

impl Matrix {
    /// Runs the cells that `pick` wants.
    pub fn run(bed: &'static Bed, pick: impl Fn(&Cell) -> bool, bug: Option<Bug>) -> Self {
        Self::by(AT_ONCE, bed, pick, bug)
    }

    /// Runs all of them, and those in which something is violated once more, alone: a path that stalls is told from a machine that does
    /// (requests have 700 ms here) by what happens again.
    pub fn settled(bed: &'static Bed, pick: impl Fn(&Cell) -> bool) -> Self {
        let mut matrix = Self::run(bed, pick, None);
        let suspects: Vec<String> = report::suspects(&matrix).iter().map(ToString::to_string).collect();
        if !suspects.is_empty() {
            let again = Self::by(1, bed, |cell| suspects.contains(&cell.to_string()), None);
            matrix.records.retain(|record| !suspects.contains(&record.cell.to_string()));
            matrix.records.extend(again.records);
        }
        matrix
    }

    fn by(at_once: usize, bed: &'static Bed, pick: impl Fn(&Cell) -> bool, bug: Option<Bug>) -> Self {
        let (cells, absent) = cell::all();
        let registries = Arc::new(start(bed));
        let queue: VecDeque<_> = cells.into_iter().filter(pick).enumerate().collect();
        let count = queue.len();
        let queue = Arc::new(Mutex::new(queue));
        let (sender, receiver) = channel();
        for _ in 0..at_once.min(count) {
            let (queue, sender, registries) = (Arc::clone(&queue), sender.clone(), Arc::clone(&registries));
            thread::spawn(move || {
                while let Some((number, cell)) = next(&queue) {
                    // Each has a runtime of its own, so that nothing of another cell's is counted.
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                    let record = runtime.block_on(drive::run(&cell, number, &registries, bug));
                    if sender.send((number, record)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut records: Vec<_> = receiver.iter().collect();
        assert_eq!(records.len(), count, "a cell did not come to its end");
        records.sort_by_key(|(number, _)| *number);
        Self { records: records.into_iter().map(|(_, record)| record).collect(), absent }
    }
}

fn next(queue: &Mutex<VecDeque<(usize, Cell)>>) -> Option<(usize, Cell)> {
    queue.lock().expect("the queue").pop_front()
}

fn start(bed: &'static Bed) -> Registries {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let both = async |origin: Origin| {
            let first = origin.start(bed, &[]).await;
            let second = origin.start(bed, &first.beside()).await;
            [first, second]
        };
        Registries { v2: both(Origin::V2).await, v3: both(Origin::V3).await }
    })
}
