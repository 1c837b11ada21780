//! Hostile paths × tools: each cell on a path of its own, and the table that is printed.

use std::fmt::Write;

use futures::{StreamExt, stream};

use super::{
    hostile::{self, Hostile, Row},
    origin::Origin,
    path::Path,
    tool::{Became, LIMIT_SECONDS, Package, Tool},
};
use crate::support::Bed;

/// How many cells are worked on at once.
const AT_ONCE: usize = 3;

/// A cell that was run.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The path.
    pub row: Row,
    /// The tool.
    pub tool: Tool,
    /// `None` when it could not be run here.
    pub became: Option<Became>,
}

/// Runs all cells before distribution 3.
pub async fn run(bed: &'static Bed) -> Vec<Cell> {
    let package = Package::large(bed);
    let there: Vec<_> = Tool::ALL.into_iter().filter(|tool| tool.is_there(bed)).collect();
    let cells = hostile::ALL.into_iter().flat_map(|row| Tool::ALL.map(|tool| (row, tool)));
    let runs = cells.map(|(row, tool)| {
        let (package, is_there) = (&package, there.contains(&tool));
        async move {
            let became = if is_there { one(bed, row.hostile, tool, package).await } else { None };
            Cell { row, tool, became }
        }
    });
    stream::iter(runs).buffered(AT_ONCE).collect().await
}

/// One cell.
pub async fn one(bed: &'static Bed, hostile: Hostile, tool: Tool, package: &Package) -> Option<Became> {
    let path = Path::start(bed, hostile, Origin::V3).await?;
    Some(tool.push(&path, package).await)
}

/// How many paths a tool gets through, of how many that were run.
pub fn count(cells: &[Cell], tool: Tool) -> (usize, usize) {
    let run: Vec<_> = cells.iter().filter(|cell| cell.tool == tool).filter_map(|cell| cell.became.as_ref()).collect();
    (run.iter().filter(|became| ***became == Became::Arrived).count(), run.len())
}

/// The table in Markdown, and below it what the tools said.
pub fn markdown(cells: &[Cell]) -> String {
    let mut text = "| path | built from |".to_owned();
    for tool in Tool::ALL {
        let _ = write!(text, " {} |", tool.name());
    }
    let _ = writeln!(text, "\n|---|---|{}", "---|".repeat(Tool::ALL.len()));
    for row in hostile::ALL {
        let _ = write!(text, "| {} | {} |", row.name, row.built);
        for cell in cells.iter().filter(|cell| cell.row.hostile == row.hostile) {
            let _ = write!(text, " {} |", word(cell.became.as_ref()));
        }
        text.push('\n');
    }
    text += "| **arrived** | |";
    for tool in Tool::ALL {
        let (arrived, run) = count(cells, tool);
        let _ = write!(text, " **{arrived}** of {run} |");
    }
    let _ = write!(text, "\n\nEach tool had {LIMIT_SECONDS} s. What they said:\n\n");
    for cell in cells {
        if let Some(Became::Failed(said) | Became::Lied(said)) = &cell.became {
            let _ = writeln!(text, "* {}, {}: {said}", cell.row.name, cell.tool.name());
        }
    }
    text
}

fn word(became: Option<&Became>) -> &'static str {
    match became {
        None => "not run",
        Some(Became::Arrived) => "arrived",
        Some(Became::Lied(_)) => "says so, is not there",
        Some(Became::Failed(_)) => "failed",
        Some(Became::Hung) => "hung",
    }
}
