//! Times of several ways to do the same, measured in turn: in go seconds, out come medians, ratios and a table.
//!
//! A ratio is the median of the ratios of the rounds: what disturbs the machine for a while disturbs both sides of one round.

use std::{fmt::Write, fs};

use crate::support;

/// What was measured, in the order of measuring.
#[derive(Debug)]
pub struct Times {
    title: String,
    /// What all others are compared with.
    base: &'static str,
    rows: Vec<(&'static str, Vec<f64>)>,
}

impl Times {
    /// Nothing so far.
    pub fn new(title: &str, base: &'static str) -> Self {
        Self { title: title.to_owned(), base, rows: Vec::new() }
    }

    /// One more measurement. It is said at once, so that who waits sees where it is.
    pub fn add(&mut self, what: &'static str, seconds: f64) {
        support::say(&format!("{}: {what}: {seconds:.2} s", self.title));
        match self.rows.iter_mut().find(|(row, _)| *row == what) {
            Some((_, times)) => times.push(seconds),
            None => self.rows.push((what, vec![seconds])),
        }
    }

    fn of(&self, what: &str) -> &[f64] {
        self.rows.iter().find(|(row, _)| *row == what).map_or(&[], |(_, times)| times)
    }

    /// How often it took what the base took.
    pub fn ratio(&self, what: &str) -> f64 {
        median(self.of(what).iter().zip(self.of(self.base)).map(|(one, base)| one / base))
    }

    /// Prints the table, with the load that the machine had.
    pub fn print(&self) {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let rounds = self.of(self.base).len();
        let mut text = format!("\n{}: medians of {rounds}, load {}\n\n", self.title, load.split(" ").take(3).collect::<Vec<_>>().join(" "));
        text += "| | seconds | least | most | ratio |\n|---|---|---|---|---|\n";
        for (what, times) in &self.rows {
            let (least, most) = times.iter().fold((f64::MAX, 0_f64), |(least, most), time| (least.min(*time), most.max(*time)));
            let middle = median(times.iter().copied());
            let _ = writeln!(text, "| {what} | {middle:.2} | {least:.2} | {most:.2} | {:.2} |", self.ratio(what));
        }
        support::say(&text);
    }

    /// Panics where a ratio is above what it may be.
    pub fn assert_at_most(&self, what: &str, bound: f64) {
        let ratio = self.ratio(what);
        assert!(ratio <= bound, "{}: `{what}` takes {ratio:.2} times as long as `{}`; it may take {bound}", self.title, self.base);
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
