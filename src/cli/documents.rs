//! The publications of files: YAML or JSON, several documents in one, `-` for standard input, a folder for the files in it.

use std::{
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use chart_publisher::{
    api::{ChartPublication, GROUP, VERSION},
    lint::Written,
};
use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::Usage;

/// A file of manifests is smaller.
const LONGEST: u64 = 16 << 20;
/// How files of manifests end.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// A publication, and where it stands.
pub(super) struct Document {
    /// The file, or `-`.
    pub(super) file: String,
    /// As it stands there.
    pub(super) value: Value,
}

/// What could be read of a file.
pub(super) struct ReadFile {
    /// Its name, or `-`.
    pub(super) name: String,
    /// Its documents, in their order; empty ones are passed over.
    pub(super) documents: Vec<Written>,
    /// What keeps the rest from being read.
    pub(super) broken: Option<String>,
}

/// All publications of `files`, and a sentence for each other object.
///
/// # Errors
/// What cannot be read, is no YAML, or holds no publication.
pub(super) fn documents(files: &[String]) -> Result<(Vec<Document>, Vec<String>), Usage> {
    sorted(files, read(files))
}

/// The same of files that were read.
pub(super) fn sorted(files: &[String], read: Vec<ReadFile>) -> Result<(Vec<Document>, Vec<String>), Usage> {
    let (mut found, mut passed_over) = (Vec::new(), Vec::new());
    for ReadFile { name: file, documents, broken } in read {
        if let Some(sentence) = broken {
            return Err(Usage(format!("`{file}` {sentence}")));
        }
        for Written { value, twice } in documents {
            if let Some(path) = twice.first() {
                return Err(Usage(format!("`{file}` has the field `{path}` twice: leave one of them")));
            }
            let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (version, kind) = (word("apiVersion"), word("kind"));
            if version == format!("{GROUP}/{VERSION}") && kind == "ChartPublication" {
                found.push(Document { file: file.clone(), value });
            } else if kind.is_empty() {
                return Err(Usage(format!("`{file}` holds a document that is no object of Kubernetes: it has no `kind`")));
            } else {
                passed_over.push(passed(&file, &value));
            }
        }
    }
    if found.is_empty() {
        return Err(none(files));
    }
    Ok((found, passed_over))
}

/// That there is no publication at all.
pub(super) fn none(files: &[String]) -> Usage {
    Usage(format!("no ChartPublication of {GROUP}/{VERSION} in `{}`", files.join("`, `")))
}

/// That an object is none.
pub(super) fn passed(file: &str, value: &Value) -> String {
    let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind, name) = (word("/apiVersion"), word("/kind"), word("/metadata/name"));
    format!("`{file}`: {kind} `{name}` of {version} is passed over: it is no ChartPublication of {GROUP}/{VERSION}")
}

/// What stands in `files`, and in the files of those that are folders.
pub(super) fn read(files: &[String]) -> Vec<ReadFile> {
    let mut all = Vec::new();
    for given in files {
        match in_folder(given) {
            Ok(names) => all.extend(names.iter().map(|name| read_file(name))),
            Err(error) => all.push(ReadFile { name: given.clone(), documents: Vec::new(), broken: Some(unreadable(&error)) }),
        }
    }
    all
}

/// The manifests in a folder, by name; what is no folder stands for itself.
fn in_folder(given: &str) -> std::io::Result<Vec<String>> {
    if given == "-" || !Path::new(given).is_dir() {
        return Ok(vec![given.to_owned()]);
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(given)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    found.retain(|path| path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) && path.is_file());
    found.sort();
    Ok(found.into_iter().map(|path| path.display().to_string()).collect())
}

fn read_file(name: &str) -> ReadFile {
    let mut file = ReadFile { name: name.to_owned(), documents: Vec::new(), broken: None };
    match text(name) {
        Err(sentence) => file.broken = Some(sentence),
        Ok(text) => {
            let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough, with_snippet: false };
            let mut reader = Cursor::new(text);
            for document in serde_saphyr::read_with_options::<_, Written>(&mut reader, options) {
                match document {
                    Ok(written) if written.value.is_null() => {}
                    Ok(written) => file.documents.push(written),
                    Err(error) => {
                        file.broken = Some(format!("is no YAML: {error}"));
                        break;
                    }
                }
            }
        }
    }
    file
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

fn unreadable(error: &std::io::Error) -> String {
    format!("cannot be read: {error}")
}

fn text(file: &str) -> Result<String, String> {
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text),
        path => std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)),
    };
    let read = read.map_err(|error| unreadable(&error))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > LONGEST {
        return Err("is larger than 16 MiB".to_owned());
    }
    Ok(text)
}
