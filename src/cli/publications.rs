//! The publications of files, ready to be worked on: nothing is begun where lint finds something in one of them.

use chart_publisher::{
    api::ChartPublication,
    lint::{Kind, NAMESPACE_FORM, kind},
    model::is_label,
};
use serde_json::Value;

use super::{
    Failure, Usage,
    documents::{none, read},
    lint::refuse,
    shown::one_line,
};

/// All publications of `files`; those that name no namespace are in `namespace`.
///
/// # Errors
/// What cannot be read, all that is wrong, or that there is none.
pub(super) fn publications(files: &[String], namespace: &str) -> Result<Vec<ChartPublication>, Failure> {
    if !is_label(namespace) {
        return Err(Usage(one_line(&format!("`--namespace`: `{namespace}` {NAMESPACE_FORM}"))).into());
    }
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
    // As kubectl has it: an empty one is none.
    let named = publication.metadata.namespace.take().filter(|name| !name.is_empty());
    publication.metadata.namespace = Some(named.unwrap_or_else(|| namespace.to_owned()));
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

    fn namespace_of(metadata: &Value, flag: &str) -> Option<String> {
        let spec = json!({"source": {"helmRepository": {"url": "https://charts.example.com"}}, "targets": [{"name": "a", "url": "oci://r.example.com/x"}]});
        let object = json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": metadata, "spec": spec});
        publication("a.yaml", &object, flag).unwrap().metadata.namespace
    }

    #[test]
    fn an_empty_namespace_is_none() {
        for (metadata, expected) in [
            (json!({"name": "web"}), "team"),
            (json!({"name": "web", "namespace": ""}), "team"),
            (json!({"name": "web", "namespace": "own"}), "own"),
        ] {
            assert_eq!(namespace_of(&metadata, "team").as_deref(), Some(expected), "{metadata}");
        }
    }

    #[test]
    fn a_flag_that_names_no_namespace_is_refused_as_in_a_file() {
        for wrong in ["", "A/B", "\u{1b}[31mred", "-a", &"a".repeat(64)] {
            let error = publications(&[], wrong).unwrap_err();
            assert!(error.is::<Usage>(), "{wrong:?}: {error}");
            let said = error.to_string();
            assert!(said.contains("`--namespace`: `") && said.contains(NAMESPACE_FORM) && !said.contains('\u{1b}'), "{said:?}");
        }
    }
}
