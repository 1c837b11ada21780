//! PURE: the report as JUnit XML, one test case a cell, as CI systems read it.

use std::fmt::Write;

use super::{Action, Cell, Outcome, Report, RouteReport, figures};

impl Report {
    /// A document.
    pub fn as_junit(&self) -> String {
        let cells = || self.routes.iter().flat_map(|route| &route.cells);
        let failed = cells().filter(|cell| cell.failure().is_some()).count();
        let skipped = cells().filter(|cell| matches!(cell.outcome, Outcome::NotApplicable(_))).count();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(
            xml,
            "<testsuites>\n<testsuite name=\"chart-publisher probe {}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\" time=\"{:.3}\">",
            escaped(&self.target),
            cells().count(),
            self.took.as_secs_f64()
        );
        for route in &self.routes {
            for cell in &route.cells {
                case(&mut xml, route, cell);
            }
        }
        xml += "</testsuite>\n</testsuites>";
        xml
    }
}

fn case(xml: &mut String, route: &RouteReport, cell: &Cell) {
    let class = format!("{} {}", route.route.as_str(), route.origin);
    let seconds = if let Outcome::Passed { took, .. } = cell.outcome { took.as_secs_f64() } else { 0.0 };
    let _ = write!(xml, "<testcase classname=\"{}\" name=\"{}\" time=\"{seconds:.6}\">", escaped(&class), escaped(&title(cell)));
    match &cell.outcome {
        Outcome::Passed { .. } => {}
        Outcome::Failed(finding) => {
            let _ =
                write!(xml, "<failure message=\"{}\" type=\"{}\">{}</failure>", finding.reason, finding.remedy, escaped(&finding.sentence));
        }
        Outcome::NotApplicable(why) => {
            let _ = write!(xml, "<skipped message=\"{}\"/>", escaped(why));
        }
    }
    if !cell.notes.is_empty() {
        let lines: Vec<_> = cell.notes.iter().map(|note| format!("{}: {}", note.reason, note.sentence)).collect();
        let _ = write!(xml, "<system-out>{}</system-out>", escaped(&lines.join("\n")));
    }
    xml.push_str("</testcase>\n");
}

fn title(cell: &Cell) -> String {
    let (protocol, size) = (cell.protocol.as_str(), figures::size(cell.bytes));
    match cell.action {
        Action::Greet => "GET /v2/".to_owned(),
        Action::Upload(method) => format!("{} {size} upload {protocol}", method.as_str()),
        Action::Download(method) => format!("{} {size} download {protocol}", method.as_str()),
    }
}

/// What may stand in text and in attributes (XML 1.0, section 2.2).
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_the_document() {
        assert_eq!(escaped("a<b>\"&\u{7}\u{ffff}\nc"), "a&lt;b&gt;&quot;&amp;\nc");
    }
}
