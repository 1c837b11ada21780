//! `chart-publisher lint`: it refuses what a real API server refuses and takes what that takes, and says so in one line each.
#![cfg(test)]

#[path = "lint/mutants.rs"]
mod mutants;
#[path = "schema/rows.rs"]
mod rows;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use chart_publisher::lint::{Lint, Rule, Written};
use serde::Deserialize;
use serde_json::{Value, json};
use support::namespace::Namespace;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn publication(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": name}, "spec": spec})
}

/// What the API server says to a text, with strict validation and without keeping it: nothing where it takes it.
async fn refusal(namespace: &Namespace, text: &str) -> Option<String> {
    let path =
        format!("/apis/chartpublisher.io/v1alpha1/namespaces/{}/chartpublications?dryRun=All&fieldValidation=Strict", namespace.name());
    let request = http::Request::post(path).header("content-type", "application/yaml").body(text.as_bytes().to_vec()).expect("a request");
    match namespace.client.request::<Value>(request).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) if [400, 422].contains(&status.code) => Some(status.message),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn read(text: &str) -> Written {
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough };
    serde_saphyr::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What lint says to it, without what only a run refuses.
fn findings(lint: &Lint, written: &Written) -> Vec<String> {
    let found = lint.findings(written).into_iter().filter(|one| one.rule != Rule::Run);
    found.map(|one| format!("{}: {}", one.path, one.message)).collect()
}

/// The texts of which lint and the API server say different things; the numbers of those that are taken and refused.
async fn differences(texts: &[(String, String)]) -> (Vec<String>, usize, usize) {
    let namespace = support::shared().namespace().await;
    namespace.bed.install_crds();
    let lint = Lint::new().expect("the definition");
    let (mut different, mut taken, mut refused) = (Vec::new(), 0, 0);
    for (name, text) in texts {
        let (found, refusal) = (findings(&lint, &read(text)), refusal(&namespace, text).await);
        *(if refusal.is_some() { &mut refused } else { &mut taken }) += 1;
        if found.is_empty() == refusal.is_some() {
            different.push(format!("{name}\n  lint       {found:?}\n  API server {refusal:?}"));
        }
    }
    (different, taken, refused)
}

#[tokio::test]
async fn lint_and_the_api_server_agree_on_every_row() {
    let texts: Vec<_> = rows::all().into_iter().map(|row| (row.spec.to_string(), publication("row", &row.spec).to_string())).collect();
    let (different, taken, refused) = differences(&texts).await;
    assert!(taken >= 20 && refused >= 80, "{taken} taken, {refused} refused");
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), texts.len(), different.join("\n"));
}

#[test]
fn lint_names_the_same_field_as_the_api_server() {
    let lint = Lint::new().expect("the definition");
    let mut wrong = Vec::new();
    for row in rows::all() {
        let found = lint.findings(&Written { value: publication("row", &row.spec), twice: Vec::new() });
        let paths: Vec<_> = found.iter().map(|one| without_numbers(&one.path)).collect();
        if row.refusal.is_some_and(|(field, _)| !paths.iter().any(|path| path == field)) {
            wrong.push(format!("{}\n  expected {:?}\n  is       {found:?}", row.spec, row.refusal));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `spec.targets[3].name` is `spec.targets[].name`.
fn without_numbers(path: &str) -> String {
    path.split('[')
        .enumerate()
        .map(
            |(index, part)| {
                if index == 0 { part.to_owned() } else { format!("[{}", part.trim_start_matches(|c: char| c.is_ascii_digit())) }
            },
        )
        .collect()
}

#[tokio::test]
async fn lint_and_the_api_server_agree_on_every_mutant() {
    let texts: Vec<_> = mutants::all().into_iter().map(|(name, mutant)| (name, mutant.to_string())).collect();
    let (different, taken, refused) = differences(&texts).await;
    support::say(&format!("{} mutants: {taken} taken, {refused} refused, {} differences", texts.len(), different.len()));
    assert!(texts.len() >= 300 && taken >= 100 && refused >= 300, "{taken} taken, {refused} refused");
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), texts.len(), different.join("\n"));
}
