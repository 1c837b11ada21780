//! The publications of files: YAML or JSON, several documents in one, `-` for standard input.

use std::io::Read;

use chart_publisher::api::{ChartPublication, GROUP, VERSION};
use serde_json::Value;

use super::Usage;

/// A file of manifests is smaller.
const LONGEST: u64 = 16 << 20;

/// A publication, and where it stands.
pub(super) struct Document {
    /// The file, or `-`.
    pub(super) file: String,
    /// As it stands there.
    pub(super) value: Value,
}

/// All publications of `files`, and a sentence for each other object.
///
/// # Errors
/// What cannot be read, is no YAML, or holds no publication.
pub(super) fn documents(files: &[String]) -> Result<(Vec<Document>, Vec<String>), Usage> {
    let (mut found, mut passed_over) = (Vec::new(), Vec::new());
    for file in files {
        let text = text(file)?;
        let values: Vec<Value> = serde_saphyr::from_multiple(&text).map_err(|error| no_yaml(file, &error))?;
        for value in values {
            let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (version, kind) = (word("apiVersion"), word("kind"));
            if version == format!("{GROUP}/{VERSION}") && kind == "ChartPublication" {
                found.push(Document { file: file.clone(), value });
            } else if kind.is_empty() {
                return Err(Usage(format!("`{file}` holds a document that is no object of Kubernetes: it has no `kind`")));
            } else {
                let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                passed_over
                    .push(format!("`{file}`: {kind} `{name}` of {version} is passed over: it is no ChartPublication of {GROUP}/{VERSION}"));
            }
        }
    }
    if found.is_empty() {
        return Err(Usage(format!("no ChartPublication of {GROUP}/{VERSION} in `{}`", files.join("`, `"))));
    }
    Ok((found, passed_over))
}

/// Where it is none, without the lines around: a file of manifests may hold Secrets.
fn no_yaml(file: &str, error: &serde_saphyr::Error) -> Usage {
    Usage(format!("`{file}` is no YAML: {}", error.without_snippet()))
}

impl Document {
    /// As the controller would read it, in `namespace` where it names none.
    pub(super) fn publication(&self, namespace: &str) -> Result<ChartPublication, Usage> {
        let name = self.value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let wrong = |error: &dyn std::fmt::Display| Usage(format!("`{}`: ChartPublication `{name}`: {error}", self.file));
        if name.is_empty() {
            return Err(wrong(&"it has no `metadata.name`"));
        }
        let mut publication: ChartPublication = serde_json::from_value(without_nothing(&self.value)).map_err(|error| wrong(&error))?;
        publication.metadata.namespace.get_or_insert_with(|| namespace.to_owned());
        // What it is in a cluster, the cluster says.
        (publication.status, publication.metadata.uid) = (None, None);
        Ok(publication)
    }
}

/// Without fields that are `null`: the API server drops them, and fills in what is left out.
fn without_nothing(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let there = fields.iter().filter(|(_, field)| !field.is_null());
            Value::Object(there.map(|(name, field)| (name.clone(), without_nothing(field))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nothing).collect()),
        other => other.clone(),
    }
}

fn text(file: &str) -> Result<String, Usage> {
    let unreadable = |error: std::io::Error| Usage(format!("`{file}` cannot be read: {error}"));
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text),
        path => std::fs::File::open(path).map_err(unreadable)?.take(LONGEST + 1).read_to_string(&mut text),
    };
    let read = read.map_err(unreadable)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > LONGEST {
        return Err(Usage(format!("`{file}` is larger than 16 MiB")));
    }
    Ok(text)
}
