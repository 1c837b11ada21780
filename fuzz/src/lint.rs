//! A ChartPublication as `lint` reads it: what is found is short, and what is right stays right when it is written again.

use std::sync::LazyLock;

use chart_publisher::lint::{Lint, Rule, Written};
use serde_saphyr::options::DuplicateKeyPolicy;

use super::sentence;

static LINT: LazyLock<Lint> = LazyLock::new(|| Lint::new().expect("the definition can be read"));

/// Reads it.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let options =
        serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough, with_snippet: false, legacy_octal_numbers: true };
    let Ok(written) = serde_saphyr::from_str_with_options::<Written>(text, options) else { return };
    let findings = LINT.findings(&written);
    for finding in &findings {
        sentence::check(&finding.message);
        sentence::check(&finding.path);
    }
    let again: Written = serde_json::from_str(&written.value.to_string()).expect("JSON");
    let of_values = findings.into_iter().filter(|finding| finding.rule != Rule::DuplicateField);
    assert_eq!(LINT.findings(&again), of_values.collect::<Vec<_>>());
}
