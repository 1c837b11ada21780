//! What `chart-publisher lint` says of an object is what a real API server says of it, with strict validation.
//!
//! Objects of every kind that [`mutations`] makes are handed to both: to the API server as a dry run with `fieldValidation=Strict`, to
//! the program as a folder of files. Whether they are taken must be the same, and where the server names fields, lint names them too.
//! What lint says beyond (the rule `run`) does not count here.
#![cfg(test)]

#[path = "lint_like_server/mutations.rs"]
mod mutations;
#[expect(dead_code, reason = "of the rows only the objects are taken")]
#[path = "schema/rows.rs"]
mod rows;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "lint_like_server/written.rs"]
mod written;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use futures::{StreamExt, stream};
use kube::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use support::namespace::Namespace;

/// Requests to the API server at once.
const AT_ONCE: usize = 8;

/// A text that is handed to both.
pub struct Case {
    /// What was done to a good object.
    pub what: String,
    /// The object; JSON, or YAML.
    pub text: String,
    /// Which of the two.
    pub form: Form,
}

/// How a text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the API server stores it.
    Json,
    /// As people write it.
    Yaml,
}

impl Form {
    fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }
}

/// What is printed: these fields and no others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    items: Vec<Item>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the fields are named so that no other one may be there")]
struct Item {
    file: String,
    document: Option<usize>,
    name: Option<String>,
    namespace: Option<String>,
    path: String,
    rule: String,
    message: String,
}

/// What the API server says: the sentence of its refusal and the fields that it names.
struct Refusal {
    sentence: String,
    fields: BTreeSet<String>,
}

/// A publication that is good, with the parts that a change needs.
pub fn publication(spec: &Value) -> Value {
    json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "case"}, "spec": spec})
}

async fn ask(client: &Client, namespace: &str, case: &Case) -> Option<Refusal> {
    let path = format!("/apis/chartpublisher.io/v1alpha1/namespaces/{namespace}/chartpublications?dryRun=All&fieldValidation=Strict");
    let request = http::Request::post(path).header("Content-Type", format!("application/{}", case.form.ending()));
    let request = request.body(case.text.clone().into_bytes()).expect("a request");
    match client.request::<Value>(request).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => {
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let fields = causes.map(|cause| cause.field.clone()).filter(|field| !field.is_empty()).collect();
            Some(Refusal { sentence: status.message.clone(), fields })
        }
        Err(error) => panic!("{}: {error}\n{}", case.what, case.text),
    }
}

/// What lint prints of each of `cases`, by their numbers.
fn lint(folder: &Path, cases: &[Case]) -> BTreeMap<usize, Vec<Item>> {
    let name = |index: usize, case: &Case| format!("{index:05}.{}", case.form.ending());
    for (index, case) in cases.iter().enumerate() {
        fs::write(folder.join(name(index, case)), &case.text).expect("a file");
    }
    let program = env!("CARGO_BIN_EXE_chart-publisher");
    let ran = support::shared().run_on_host(&[program, "lint", "-o", "json", "-f", &folder.display().to_string()]);
    assert_eq!(ran.code, Some(2), "{}", ran.errors);
    let printed: Printed = serde_json::from_str(&ran.output).unwrap_or_else(|error| panic!("{error}: {}", ran.errors));
    let mut found = BTreeMap::<usize, Vec<Item>>::new();
    for item in printed.items {
        let file = Path::new(&item.file).file_stem().and_then(|stem| stem.to_str()).expect("a file of ours");
        found.entry(file.parse().expect("its number")).or_default().push(item);
    }
    found
}

/// Where the two differ, as lines.
fn difference(case: &Case, refusal: Option<&Refusal>, items: &[Item]) -> Option<String> {
    let paths: BTreeSet<&str> = items.iter().map(|item| item.path.as_str()).collect();
    let sentences: Vec<_> = items.iter().map(|item| format!("{}: {} ({})", item.path, item.message, item.rule)).collect();
    let said = |what: &str| {
        Some(format!(
            "{} [{what}]\n  server: {}\n  lint:   {sentences:?}",
            case.what,
            refusal.map_or("takes it", |refusal| refusal.sentence.as_str())
        ))
    };
    match refusal {
        None if items.is_empty() => None,
        None => said("lint alone refuses"),
        Some(_) if items.is_empty() => said("the server alone refuses"),
        Some(refusal) if refusal.fields.is_empty() => None,
        // The server stops at the first kind of mistakes, and lint names all: one of the server's is enough.
        Some(refusal) if refusal.fields.iter().any(|field| paths.iter().any(|path| names(path, field))) => None,
        Some(_) => said("other fields"),
    }
}

/// Whether lint's `path` is the server's `field`, or more exact in `metadata`: the server names no label, and no number of an owner.
fn names(path: &str, field: &str) -> bool {
    let below = |path: &str| path.strip_prefix(field).is_some_and(|rest| rest.starts_with(['.', '[']));
    path == field || (field.starts_with("metadata.") && (below(path) || path.replace("[0]", "") == field))
}

async fn compare(namespace: &Namespace, cases: &[Case], least: usize) {
    let (client, name) = (&namespace.client, namespace.name());
    let refusals: Vec<_> = stream::iter(cases).map(|case| ask(client, name, case)).buffered(AT_ONCE).collect().await;
    let mut items = lint(&namespace.bed.folder("lint"), cases);
    for found in items.values_mut() {
        // Beyond the API server's; and that all have one name.
        found.retain(|item| item.rule != "run" && !(item.rule == "unique" && item.path == "metadata.name"));
    }
    let none = Vec::new();
    let of = |index: usize| items.get(&index).unwrap_or(&none);
    let pairs = cases.iter().zip(&refusals).enumerate();
    let differences: Vec<_> = pairs.filter_map(|(index, (case, refusal))| difference(case, refusal.as_ref(), of(index))).collect();
    let refused = refusals.iter().flatten().count();
    support::say(&format!(
        "{} objects: {refused} refused, {} taken, {} differences",
        cases.len(),
        cases.len() - refused,
        differences.len()
    ));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(refused >= least, "{refused} objects were refused");
    assert!(cases.len() - refused >= least / 10, "{} objects were taken", cases.len() - refused);
}

async fn namespace() -> Namespace {
    let namespace = support::shared().namespace().await;
    namespace.bed.install_crds();
    namespace
}

#[tokio::test]
async fn the_rows_of_the_schema_are_judged_alike() {
    let rows = rows::all().into_iter().map(|row| Case::of(row.spec.to_string(), &publication(&row.spec)));
    compare(&namespace().await, &rows.collect::<Vec<_>>(), 100).await;
}

#[tokio::test]
async fn every_field_left_out_or_of_another_type_is_judged_alike() {
    compare(&namespace().await, &mutations::of_types(), 300).await;
}

#[tokio::test]
async fn values_at_their_limits_are_judged_alike() {
    compare(&namespace().await, &mutations::of_limits(), 300).await;
}

#[tokio::test]
async fn metadata_and_status_are_judged_alike() {
    compare(&namespace().await, &mutations::around_the_spec(), 40).await;
}

#[tokio::test]
async fn texts_are_read_alike() {
    compare(&namespace().await, &written::all(), 20).await;
}
