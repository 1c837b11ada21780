//! The publications of files, ready to be worked on: nothing is begun where lint finds something in one of them.

use chart_publisher::{
    api::ChartPublication,
    lint::{Kind, kind},
};
use serde_json::Value;

use super::{
    Failure, Usage,
    documents::{none, read},
    lint::refuse,
};

/// All publications of `files`; those that name no namespace are in `namespace`.
///
/// # Errors
/// What cannot be read, all that is wrong, or that there is none.
pub(super) fn publications(files: &[String], namespace: &str) -> Result<Vec<ChartPublication>, Failure> {
    let read = read(files);
    refuse(&read)?;
    let all = read.iter().flat_map(|file| file.documents.iter().map(move |document| (file, &document.written.value)));
    let wanted = all.filter(|(_, value)| kind(value) == Kind::Publication);
    let found: Vec<_> = wanted.map(|(file, value)| publication(&file.name, value, namespace)).collect::<Result<_, _>>()?;
    if found.is_empty() { Err(none(files).into()) } else { Ok(found) }
}

/// As the controller would read it.
fn publication(file: &str, value: &Value, namespace: &str) -> Result<ChartPublication, Usage> {
    let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let name = word("/metadata/name");
    let wrong = |error: &dyn std::fmt::Display| Usage(format!("`{file}`: ChartPublication `{name}`: {error}"));
    if name.is_empty() {
        let start = word("/metadata/generateName");
        let sentence = "it has no `metadata.name`, and which one the API server would make of its `generateName` is not known: write one";
        return Err(Usage(format!("`{file}`: ChartPublication `{start}`: {sentence}")));
    }
    let mut publication: ChartPublication = serde_json::from_value(as_kept(value)).map_err(|error| wrong(&error))?;
    publication.metadata.namespace.get_or_insert_with(|| namespace.to_owned());
    // What it is in a cluster, the cluster says.
    (publication.status, publication.metadata.uid) = (None, None);
    Ok(publication)
}

/// As the API server keeps it: fields that are `null` are dropped, so that defaults fill in what is left out, and `1.0` is a whole number.
fn as_kept(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let there = fields.iter().filter(|(_, field)| !field.is_null());
            Value::Object(there.map(|(name, field)| (name.clone(), as_kept(field))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(as_kept).collect()),
        Value::Number(number) if number.is_f64() => match number.as_f64().map(|number| format!("{number}").parse::<i64>()) {
            Some(Ok(whole)) => whole.into(),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_publication_is_read_as_the_api_server_keeps_it() {
        let kept = as_kept(&json!({"a": null, "b": [1.0, 1e3, 1.5, -2.0, 7], "c": {"d": null, "e": "1.0"}}));
        assert_eq!(kept, json!({"b": [1, 1000, 1.5, -2, 7], "c": {"e": "1.0"}}));
    }
}
