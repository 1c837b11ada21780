//! The rows as a page for the documentation.

use super::{ROWS, body_limit, sentence};

/// One table for each heading: what is seen, its reason, what the controller does next, and what to mend; then the settings
/// of the controllers of Ingresses and Gateways.
pub fn markdown() -> String {
    let mut page = String::new();
    for (heading, rows) in ROWS {
        table(&mut page, heading, &["Seen", "Reason", "Next", "Mend"]);
        for row in *rows {
            let cure = sentence::filled(row.sentence, |word| sentence::documented(word).to_owned());
            let reason = format!("`{}`", row.reason);
            line(&mut page, &[row.seen, &reason, row.class.as_str(), &format!("{cure} ([source]({}))", row.link)]);
        }
        page.push('\n');
    }
    table(&mut page, "Body limits", &["Controller", "Limit", "Buffering and time"]);
    for (controller, limit, buffering) in body_limit::documented() {
        line(&mut page, &[controller, limit, buffering]);
    }
    page
}

fn table(page: &mut String, heading: &str, columns: &[&str]) {
    page.push_str("## ");
    page.push_str(heading);
    page.push_str("\n\n");
    line(page, columns);
    line(page, &vec!["---"; columns.len()]);
}

fn line(page: &mut String, cells: &[&str]) {
    page.push_str("| ");
    page.push_str(&cells.join(" | "));
    page.push_str(" |\n");
}
