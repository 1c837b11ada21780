//! Whether a document is a publication, or is meant as one.

use serde_json::Value;

use super::{Finding, Rule, sentences::shown};
use crate::{
    api::{GROUP, VERSION},
    model::close,
};

const KIND: &str = "ChartPublication";
/// The other kinds of the group.
const OTHERS: [&str; 1] = ["ChartInventory"];

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A publication, or meant as one: `apiVersion` and `kind` may be misspelt.
    Publication,
    /// Another object.
    Other,
    /// No object of Kubernetes at all.
    Nothing,
}

/// What `document` is.
pub fn kind(document: &Value) -> Kind {
    let (api_version, kind) = (word(document, "apiVersion"), word(document, "kind"));
    let (group, _) = api_version.split_once('/').unwrap_or((api_version, ""));
    let is_ours = group == GROUP || (!group.is_empty() && is_close(group, GROUP));
    if (is_ours && OTHERS.contains(&kind)) || (!is_ours && !kind.is_empty() && !is_close(kind, KIND)) {
        Kind::Other
    } else if is_ours || is_close(kind, KIND) {
        Kind::Publication
    } else {
        Kind::Nothing
    }
}

/// What is wrong with `apiVersion` and `kind` of what is meant as a publication.
pub(super) fn findings(document: &Value) -> Vec<Finding> {
    let must = |name: &str, expected: &str| {
        let said = match document.get(name) {
            Some(Value::String(written)) if written == expected => return None,
            Some(Value::String(written)) => format!("must be `{expected}`, and is {}", shown(written)),
            None => format!("is missing: write `{name}: {expected}`"),
            Some(_) => format!("must be the string `{expected}`"),
        };
        Some(Finding::new(name, Rule::Kind, said))
    };
    [must("apiVersion", &format!("{GROUP}/{VERSION}")), must("kind", KIND)].into_iter().flatten().collect()
}

fn word<'a>(document: &'a Value, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_close(written: &str, expected: &str) -> bool {
    // A part of the name is close to it, too, and may be the whole name of something else.
    written.len().abs_diff(expected.len()) <= 3 && !close::names(written, &[expected.to_owned()]).is_empty()
}
