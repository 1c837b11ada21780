//! docs/source-logins.md: what each source takes as login, and what a wrong one leads to, as it was seen here.

use std::{fmt::Write, fs, path::Path};

use super::cell::{Cell, Kind, Login, Seen};

const HEAD: &str = "\
# Logins of sources

Who is shown to a source, and what is said where it does not take that. `tests/source_logins.rs` writes this page: each cell is a chart
that was published from that server with that login, and each failure was seen there; names and addresses are put in place of those of
the test. The fields stand in [reference.md](reference.md), other mistakes in [wrong-input.md](wrong-input.md).

";
const FOOT: &str = "
* `oci`: a registry gives tokens itself, by its token service, for user and password. A Secret with a `bearerToken` is for HTTP sources;
  that it is none for a registry is said (`SecretInvalid`).
* `fluxRef`: the login of the object of Flux, here a HelmRepository, by the references that it has.
* `configMaps`, `secrets` and `inline`: no cell, for no server is asked but the API server, with the controller's own rights.

## A login that is wrong

";

/// Compares the document with what was seen; writes it when `UPDATE_DOCS` is set.
pub fn compare(cells: &[Cell], seen: &[Seen]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/source-logins.md");
    let wanted = text(cells, seen);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).expect("the document");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "docs/source-logins.md, line {}: UPDATE_DOCS=1 writes it anew", number + 1);
    }
    assert_eq!(found, wanted, "docs/source-logins.md: UPDATE_DOCS=1 writes it anew");
}

fn text(cells: &[Cell], seen: &[Seen]) -> String {
    let mut text = HEAD.to_owned();
    let heads: Vec<_> = Login::ALL.iter().map(|login| login.shown()).collect();
    let _ = writeln!(text, "| source | {} |\n|---|---|---|---|---|", heads.join(" | "));
    for kind in Kind::ALL {
        let of_kind = cells.iter().filter(|cell| cell.kind == kind).map(|cell| format!("{}: {}", cell.server, cell.given));
        let _ = writeln!(text, "| {} | {} |", kind.shown(), of_kind.collect::<Vec<_>>().join(" | "));
    }
    text += FOOT;
    text += "| source | login | wrong | reason | message |\n|---|---|---|---|---|\n";
    for (cell, seen) in cells.iter().zip(seen) {
        for (wrong, message) in cell.wrong.iter().zip(&seen.messages) {
            let (kind, login, message) = (cell.kind.shown(), cell.login.shown(), message.replace('|', "\\|"));
            let _ = writeln!(text, "| {kind} | {login} | {} | `{}` | {message} |", wrong.input, wrong.reason);
        }
    }
    text
}
