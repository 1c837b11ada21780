//! Rows for people: columns as wide as they must be, and a sentence below a row where there is one.

/// Lays them out; the last line has no end.
pub(super) fn table<const N: usize>(rows: Vec<([String; N], Option<String>)>) -> String {
    let mut widths = [0; N];
    for (row, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut lines = Vec::new();
    for (row, sentence) in rows {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        lines.push(cells.join("  ").trim_end().to_owned());
        lines.extend(sentence.map(|sentence| format!("    {sentence}")));
    }
    lines.join("\n")
}
