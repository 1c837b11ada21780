//! `chart-publisher lint -f FILE…`: what is wrong with publications, without a cluster.

use std::collections::HashMap;

use chart_publisher::lint::{Finding, Kind, Lint, Rule, kind};
use clap::Args;
use serde_json::{Value, json};

use super::{
    Failure, Output, Usage,
    documents::{Document, ReadFile, none, passed, read},
    note, print, print_json,
    shown::one_line,
};

/// Say what is wrong with publications: what the API server would refuse, and what a run would. Asks no cluster and no network.
#[derive(Args)]
pub(super) struct LintFiles {
    /// A file with `ChartPublications`, a folder with such files, or `-` for standard input; may be given several times. Other objects
    /// are passed over.
    #[arg(long = "filename", short = 'f', value_name = "FILE", required = true)]
    files: Vec<String>,
    /// How the result is printed.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// A finding, and where it stands.
struct Item {
    file: String,
    /// Which document of the file, from 1; nothing where the file cannot be read.
    document: Option<usize>,
    name: Option<String>,
    namespace: Option<String>,
    finding: Finding,
}

/// The definition that the program was built with cannot be read, which its tests rule out.
#[derive(Debug, thiserror::Error)]
#[error("the definition of this program cannot be read: report it")]
struct NoDefinition;

/// Lints; the result is printed.
pub(super) fn linted(lint: &LintFiles) -> Result<(), Failure> {
    let (items, publications) = findings(&read(&lint.files))?;
    match lint.output {
        Output::Text => items.iter().try_for_each(|item| print(&as_text(item)))?,
        Output::Json => print_json(&json!({"items": items.iter().map(as_json).collect::<Vec<_>>()}))?,
    }
    match (items.len(), publications) {
        (0, 0) => Err(none(&lint.files).into()),
        (0, _) => Ok(()),
        (1, _) => Err(Usage("1 finding".to_owned()).into()),
        (count, _) => Err(Usage(format!("{count} findings")).into()),
    }
}

/// What is wrong in files, and how many publications stand there.
fn findings(files: &[ReadFile]) -> Result<(Vec<Item>, usize), NoDefinition> {
    let rules = Lint::new().ok_or(NoDefinition)?;
    let (mut items, mut publications) = (Vec::new(), 0);
    let mut seen = HashMap::new();
    for file in files {
        publications += of_file(&rules, file, &mut seen, &mut items);
    }
    Ok((items, publications))
}

/// Refuses files in which something is wrong, and says all of it.
pub(super) fn refuse(files: &[ReadFile]) -> Result<(), Failure> {
    let (items, _) = findings(files)?;
    if items.is_empty() {
        return Ok(());
    }
    Err(Usage(items.iter().map(as_text).collect::<Vec<_>>().join("\n")).into())
}

/// How many publications stand in `file`; what is wrong with them comes to `items`.
fn of_file(rules: &Lint, file: &ReadFile, seen: &mut HashMap<[String; 2], String>, items: &mut Vec<Item>) -> usize {
    let mut publications = 0;
    for Document { number, within, written } in &file.documents {
        let word = |pointer: &str| written.value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (name, namespace) = (word("/metadata/name"), word("/metadata/namespace"));
        let mut add = |finding: Finding| {
            let (name, namespace) = (name.clone(), namespace.clone());
            let finding = Finding { path: joined(within, &finding.path), ..finding };
            items.push(Item { file: file.name.clone(), document: Some(*number), name, namespace, finding });
        };
        match kind(&written.value) {
            Kind::Other => note(&passed(&file.name, &written.value)),
            Kind::Nothing => add(Finding::new("kind", Rule::Kind, "is missing: it is no object of Kubernetes")),
            Kind::Publication => {
                publications += 1;
                rules.findings(written).into_iter().for_each(&mut add);
                if let Some(name) = &name {
                    let item = if within.is_empty() { String::new() } else { format!("`{within}` of ") };
                    let place = format!("{item}document {number} of `{}`", file.name);
                    if let Some(first) = seen.insert([namespace.clone().unwrap_or_default(), name.clone()], place) {
                        add(Finding::new("metadata.name", Rule::Unique, format!("{first} has the same name: one would replace the other")));
                    }
                }
            }
        }
    }
    if let Some(broken) = &file.broken {
        let finding = Finding::new("", Rule::Text, broken.clone());
        items.push(Item { file: file.name.clone(), document: None, name: None, namespace: None, finding });
    }
    publications
}

/// The path of a field in the document, where it stands in an item of a list.
fn joined(within: &str, path: &str) -> String {
    match (within.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (false, true) => within.to_owned(),
        (false, false) => format!("{within}.{path}"),
    }
}

fn as_json(item: &Item) -> Value {
    json!({
        "file": item.file,
        "document": item.document,
        "name": item.name,
        "namespace": item.namespace,
        "path": item.finding.path,
        "rule": item.finding.rule.as_str(),
        "message": item.finding.message,
    })
}

fn as_text(item: &Item) -> String {
    let document = item.document.map(|number| format!("document {number}"));
    let place = match (&document, &item.name) {
        (Some(document), Some(name)) => Some(format!("{document} `{name}`")),
        (document, _) => document.clone(),
    };
    let path = Some(item.finding.path.clone()).filter(|path| !path.is_empty());
    let parts = [Some(item.file.clone()), place, path, Some(item.finding.message.clone())];
    one_line(&parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
}
