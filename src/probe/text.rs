//! PURE: the report for people: a matrix of at most 120 columns, its footnotes, and the verdict.

use std::fmt::Write;

use super::{Action, Auto, Cell, Fault, Outcome, Protocol, Report, Requirement, RouteReport, Thing, cell::METHODS, figures};
use crate::model::Method;

const WIDTH: usize = 120;
const NAME: usize = 13;
const COLUMN: usize = 17;

/// Numbered as they are met; one that was met before keeps its number.
#[derive(Default)]
struct Footnotes(Vec<(String, String)>);

impl Footnotes {
    /// A later text replaces an earlier one: it is of a larger body.
    fn number(&mut self, key: String, text: String) -> usize {
        for (at, (known, old)) in self.0.iter_mut().enumerate() {
            if *known == key {
                *old = text;
                return at + 1;
            }
        }
        self.0.push((key, text));
        self.0.len()
    }
}

impl Report {
    /// What a terminal shows.
    pub fn as_text(&self, required: &[Requirement]) -> String {
        let mut text = format!("{} (repository {})\n", self.target, self.repository);
        for route in &self.routes {
            matrix(&mut text, route, &self.sizes);
        }
        for left in &self.left_out {
            wrapped(&mut text, "", &format!("Left out: {}: {}", left.route.as_str(), left.why));
        }
        if !self.unseen.is_empty() {
            wrapped(&mut text, "", &format!("Not seen: what these lead to, which could not be read: {}", self.unseen.join(", ")));
        }
        text.push('\n');
        auto(&mut text, &self.auto, self.sizes.last().copied().unwrap_or_default());
        faults(&mut text, &self.faults);
        self.requirements(&mut text, required);
        self.remains(&mut text);
        text.trim_end().to_owned()
    }

    fn requirements(&self, text: &mut String, required: &[Requirement]) {
        if required.is_empty() {
            let answer = if self.something_arrives() { "yes" } else { "no" };
            let _ = writeln!(text, "One method arrives by one route, up and down: {answer}");
        }
        for one in required {
            let answer = if one.holds(self) { "yes" } else { "no" };
            let _ = writeln!(text, "Required: {one}: {answer}");
        }
    }

    fn remains(&self, text: &mut String) {
        if self.removed > 0 {
            let (blobs, size) = (self.removed, figures::size(self.removed_bytes));
            let freed = "distribution frees the bytes when its garbage is collected next";
            wrapped(text, "", &format!("Removed: {blobs} blobs, {size} ({freed})"));
        }
        let (mut blobs, mut bytes) = (0, 0);
        for left in &self.left_behind {
            let what = match left.thing {
                Thing::Blob(digest) => digest.to_string(),
                Thing::Session => "an upload session".to_owned(),
            };
            (blobs, bytes) = (blobs + 1, bytes + left.bytes);
            let _ = writeln!(text, "Left behind: {what}, {} ({})", figures::size(left.bytes), left.why);
        }
        if let Some(left) = self.left_behind.first() {
            wrapped(
                text,
                "",
                &format!("Left behind in all: {blobs} things, {}, in {}: {}.", figures::size(bytes), self.repository, left.cure()),
            );
        }
    }
}

fn matrix(text: &mut String, route: &RouteReport, sizes: &[u64]) {
    let mut footnotes = Footnotes::default();
    text.push('\n');
    wrapped(text, "", &format!("{} {}: {}", route.route.as_str(), route.origin, route.why));
    for cell in route.of(Action::Greet) {
        let _ = writeln!(text, "  {:<NAME$}{}", "GET /v2/", in_few_words(cell, &mut footnotes));
    }
    let heads: Vec<String> =
        sizes.iter().flat_map(|size| [format!("{} up", figures::size(*size)), format!("{} down", figures::size(*size))]).collect();
    row(text, "", &heads);
    for method in METHODS {
        let cells = sizes.iter().flat_map(|size| [Action::Upload(method), Action::Download(method)].map(|action| (action, *size)));
        let shown: Vec<String> = cells.map(|(action, size)| found(route, action, Protocol::Http1, size, &mut footnotes)).collect();
        row(text, method.as_str(), &shown);
    }
    let actions = [Action::Upload(Method::Buffered), Action::Download(Method::Buffered)];
    let shown: Vec<String> = sizes
        .iter()
        .flat_map(|size| actions.map(|action| (action, *size)))
        .map(|(action, size)| found(route, action, Protocol::Http2, size, &mut footnotes))
        .collect();
    row(text, Protocol::Http2.as_str(), &shown);
    for (number, (_, note)) in footnotes.0.iter().enumerate() {
        wrapped(text, "  ", &format!("[{}] {note}", number + 1));
    }
}

fn row(text: &mut String, name: &str, cells: &[String]) {
    let mut line = format!("  {name:<width$}", width = NAME - 2);
    for cell in cells {
        let _ = write!(line, "{cell:<width$} ", width = COLUMN - 1);
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn found(route: &RouteReport, action: Action, protocol: Protocol, bytes: u64, footnotes: &mut Footnotes) -> String {
    let mut cells = route.cells.iter();
    let cell = cells.find(|cell| cell.action == action && cell.protocol == protocol && cell.bytes == bytes);
    cell.map(|cell| in_few_words(cell, footnotes)).unwrap_or_default()
}

/// At most as long as a column.
fn in_few_words(cell: &Cell, footnotes: &mut Footnotes) -> String {
    let mut words = match &cell.outcome {
        Outcome::Passed { latency, .. } => {
            let latency = latency.map(figures::time);
            latency.into_iter().chain(cell.rate().map(figures::rate)).collect::<Vec<_>>().join(" ")
        }
        Outcome::Failed(_) => "FAILED".to_owned(),
        Outcome::NotApplicable(why) => {
            let number = footnotes.number(why.clone(), format!("n/a: {why}"));
            format!("n/a[{number}]")
        }
    };
    for finding in cell.findings() {
        let number = footnotes.number(finding.remedy.to_owned(), format!("{}: {}", finding.reason, finding.sentence));
        let _ = write!(words, "[{number}]");
    }
    words
}

fn auto(text: &mut String, auto: &Auto, size: u64) {
    let before: Vec<String> = auto
        .attempts
        .iter()
        .map(|tried| format!("{} by {} ({})", tried.method.as_str(), tried.route.as_str(), tried.verdict.reason))
        .collect();
    let after = if before.is_empty() { String::new() } else { format!(", after {}", before.join(", ")) };
    let line = match &auto.chosen {
        Ok(chosen) => {
            let tactic = if chosen.tactic.is_empty() { String::new() } else { format!(" ({})", chosen.tactic) };
            let (method, route) = (chosen.method.as_str(), chosen.route.as_str());
            format!("Auto would send {} by {method}{tactic} over {route}{after}: {}", figures::size(size), chosen.why)
        }
        Err(verdict) => format!("Auto would find no way for {}{after}: {}: {}", figures::size(size), verdict.reason, verdict.sentence),
    };
    wrapped(text, "", &line);
}

fn faults(text: &mut String, faults: &[Fault]) {
    if faults.is_empty() {
        text.push_str("Fault: none\n");
    }
    for fault in faults {
        let met = format!("{} cells, {} of them failed", fault.cells, fault.failed);
        wrapped(text, "", &format!("Fault: {} ({met}): {}", fault.reason, fault.sentence));
    }
}

/// In lines of at most [`WIDTH`] characters; all but the first are indented.
fn wrapped(text: &mut String, indent: &str, paragraph: &str) {
    let mut line = indent.to_owned();
    let mut is_empty = true;
    for word in paragraph.split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = format!("{indent}    ");
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}
