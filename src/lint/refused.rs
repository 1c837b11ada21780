//! What the API server takes and a run surely refuses: names that no object, host or repository can have.
//!
//! Only what stands in the text decides. Where the schema has found something, nothing more is said of the same field.

use std::collections::HashSet;

use serde_json::Value;
use url::Url;

use super::{Finding, Rule, sentences, written::item_path};
use crate::model::{Constraint, NamePattern, Origin, RepositoryName, Scheme, decoded, is_label, is_subdomain};

/// Finds it.
pub(super) fn check(publication: &Value, found: &mut Vec<Finding>) {
    let mut wrong = Vec::new();
    source(publication, &mut wrong);
    charts(publication, &mut wrong);
    if let Some(provenance) = publication.pointer("/spec/verify/provenance") {
        secrets(provenance, "spec.verify.provenance", &mut wrong);
    }
    for (index, target) in list(publication, "/spec/targets").iter().enumerate() {
        self::target(target, &item_path("spec.targets", index), &mut wrong);
    }
    let named: HashSet<&str> = found.iter().map(|other| other.path.as_str()).collect();
    wrong.retain(|one: &Finding| !named.contains(one.path.as_str()));
    found.append(&mut wrong);
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn source(publication: &Value, wrong: &mut Vec<Finding>) {
    for kind in ["helmRepository", "archive"] {
        let Some(source) = publication.pointer(&format!("/spec/source/{kind}")) else { continue };
        let path = format!("spec.source.{kind}");
        if let Some(Err(error)) = text(source, "/url").map(Url::parse) {
            wrong.push(Finding::new(format!("{path}.url"), Rule::Run, format!("is no URL: {error}")));
        }
        secrets(source, &path, wrong);
    }
    if let Some(oci) = publication.pointer("/spec/source/oci") {
        if let Some(message) = text(oci, "/url").and_then(unusable_registry) {
            wrong.push(Finding::new("spec.source.oci.url", Rule::Run, message));
        }
        secrets(oci, "spec.source.oci", wrong);
        hosts(oci, "spec.source.oci", wrong);
    }
    for (field, kind) in [("configMaps", "ConfigMap"), ("secrets", "Secret")] {
        let path = format!("spec.source.{field}");
        for (index, name) in list(publication, &format!("/spec/source/{field}")).iter().enumerate() {
            if let Some(name) = name.as_str().filter(|name| !is_subdomain(name)) {
                wrong.push(Finding::new(item_path(&path, index), Rule::Run, unnameable(kind, name)));
            }
        }
    }
    if let Some(name) = text(publication, "/spec/source/fluxRef/name").filter(|name| !is_subdomain(name)) {
        let kind = text(publication, "/spec/source/fluxRef/kind").unwrap_or("object of Flux");
        wrong.push(Finding::new("spec.source.fluxRef.name", Rule::Run, unnameable(kind, name)));
    }
    if let Some(Err(error)) = text(publication, "/spec/source/inline").map(decoded) {
        wrong.push(Finding::new("spec.source.inline", Rule::Run, format!("is no base64: {error}")));
    }
}

fn charts(publication: &Value, wrong: &mut Vec<Finding>) {
    let is_of_registry = publication.pointer("/spec/source/oci").is_some();
    for (index, chart) in list(publication, "/spec/charts").iter().enumerate() {
        let path = item_path("spec.charts", index);
        if let Some(message) = text(chart, "/name").and_then(|name| unusable_name(name, is_of_registry)) {
            wrong.push(Finding::new(format!("{path}.name"), Rule::Run, message));
        }
        if let Some(Err(error)) = text(chart, "/pattern").map(str::parse::<NamePattern>) {
            wrong.push(Finding::new(format!("{path}.pattern"), Rule::Run, error.to_string()));
        }
        constraint(text(chart, "/versions"), format!("{path}.versions"), wrong);
        for (index, excluded) in list(chart, "/exclude").iter().enumerate() {
            constraint(excluded.as_str(), item_path(&format!("{path}.exclude"), index), wrong);
        }
    }
}

/// What is wrong with the name of a chart.
fn unusable_name(name: &str, is_of_registry: bool) -> Option<String> {
    match (name.parse::<RepositoryName>(), name.rsplit_once('/')) {
        (Err(error), _) if name.contains(['*', '^', '$', '|', '(', '[']) => {
            Some(format!("{error}. Several charts of a repository with an index are taken by `pattern`, a regular expression"))
        }
        (Err(error), _) => Some(error.to_string()),
        (Ok(_), Some((path, last))) if is_of_registry => Some(format!(
            "is a path: put {} at the end of `spec.source.oci.url`, and give the chart as {}",
            sentences::shown(path),
            sentences::shown(last)
        )),
        (Ok(_), _) => None,
    }
}

fn constraint(text: Option<&str>, path: String, wrong: &mut Vec<Finding>) {
    if let Some(Err(error)) = text.map(str::parse::<Constraint>) {
        wrong.push(Finding::new(path, Rule::Run, format!("is no constraint: {error}")));
    }
}

fn target(target: &Value, path: &str, wrong: &mut Vec<Finding>) {
    let mut add = |field: &str, message: String| wrong.push(Finding::new(format!("{path}.{field}"), Rule::Run, message));
    if let Some(message) = text(target, "/url").and_then(unusable_registry) {
        add("url", message);
    }
    if let Some(Err(error)) = text(target, "/hostname").map(|name| Origin::parse(Scheme::Https, name)) {
        add("hostname", error.to_string());
    }
    if let Some(Err(error)) = text(target, "/service/repository").map(|prefix| RepositoryName::below(prefix, "x")) {
        add("service.repository", without_chart(&error.to_string()));
    }
    if text(target, "/service/name").is_some_and(|name| !is_label(name)) {
        add("service.name", "no Service can have this name: lower case letters, digits and `-`".to_owned());
    }
    let port = text(target, "/service/port").filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        add("service.port", "no Service can have this port: the numbers are 1 to 65535".to_owned());
    }
    secrets(target, path, wrong);
    hosts(target, path, wrong);
}

/// An entry of `allowedHosts` that no address can be the same as.
fn hosts(holder: &Value, path: &str, wrong: &mut Vec<Finding>) {
    let path = format!("{path}.allowedHosts");
    for (index, host) in list(holder, "/allowedHosts").iter().enumerate() {
        if let Some(host) = host.as_str().filter(|host| !is_host(host)) {
            let sentence = format!("{} is no `HOST` or `HOST:PORT`, without scheme and path, and never matches", sentences::shown(host));
            wrong.push(Finding::new(item_path(&path, index), Rule::Run, sentence));
        }
    }
}

fn is_host(host: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | ':' | '[' | ']');
    host.chars().all(letter) && Origin::parse(Scheme::Https, host).is_ok()
}

/// What is wrong with `oci://HOST[:PORT]/PREFIX`.
fn unusable_registry(url: &str) -> Option<String> {
    let url = url.strip_prefix("oci://")?;
    let (host, prefix) = url.split_once('/').unwrap_or((url, ""));
    if let Err(error) = Origin::parse(Scheme::Https, host) {
        return Some(error.to_string());
    }
    if let Some((path, tag)) = prefix.rsplit_once(':').filter(|(path, tag)| !path.is_empty() && !path.contains('@') && !tag.contains('/')) {
        let (path, tag) = (sentences::shown(path), sentences::shown(tag));
        return Some(format!("has the tag {tag} behind {path}, and a tag does not belong here: charts are tagged with their versions"));
    }
    RepositoryName::below(prefix, "x").err().map(|error| without_chart(&error.to_string()))
}

/// The last part is a chart's, which is not asked for here.
fn without_chart(sentence: &str) -> String {
    sentence.replacen("/x`", "`", 1)
}

fn secrets(holder: &Value, path: &str, wrong: &mut Vec<Finding>) {
    for reference in ["secretRef", "certSecretRef", "proxySecretRef"] {
        if let Some(name) = text(holder, &format!("/{reference}/name")).filter(|name| !is_subdomain(name)) {
            wrong.push(Finding::new(format!("{path}.{reference}.name"), Rule::Run, unnameable("Secret", name)));
        }
    }
}

fn unnameable(kind: &str, name: &str) -> String {
    format!("no {kind} can be named {}: lower case letters, digits, `-` and `.`", sentences::shown(name))
}
