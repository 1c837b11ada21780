//! What Kubernetes asks of the `metadata` of every object (apimachinery, `api/validation/objectmeta.go`).

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Finding, Rule,
    schema::is_whole,
    sentences,
    written::{field_path, item_path},
};
use crate::model::{is_label, is_subdomain};

const AT: &str = "metadata";
/// What a name of a namespace must be.
pub const NAMESPACE_FORM: &str =
    "must be of lower case letters, digits and `-`, begin and end with a letter or digit, and have at most 63 letters";
/// Bytes of all annotations.
const ANNOTATIONS: usize = 256 << 10;

/// The fields, and what they hold.
const FIELDS: [(&str, Holds); 15] = [
    ("name", Holds::Text),
    ("generateName", Holds::Text),
    ("namespace", Holds::Text),
    ("selfLink", Holds::Text),
    ("uid", Holds::Text),
    ("resourceVersion", Holds::Text),
    ("generation", Holds::Number),
    ("creationTimestamp", Holds::Time),
    ("deletionTimestamp", Holds::Time),
    ("deletionGracePeriodSeconds", Holds::Number),
    ("labels", Holds::Texts),
    ("annotations", Holds::Texts),
    ("ownerReferences", Holds::Objects(&["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"])),
    ("finalizers", Holds::List),
    ("managedFields", Holds::Objects(&["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"])),
];

/// Of the fields of owners.
const BOOLEANS: [&str; 2] = ["controller", "blockOwnerDeletion"];

#[derive(Clone, Copy)]
enum Holds {
    Text,
    Number,
    Time,
    /// Names with a text each.
    Texts,
    /// Texts.
    List,
    /// Mappings with these fields.
    Objects(&'static [&'static str]),
}

/// Finds what is wrong with `metadata`.
pub(super) fn check(metadata: &Value, found: &mut Vec<Finding>) {
    let empty = Map::new();
    let fields = match metadata {
        Value::Object(fields) => fields,
        Value::Null => &empty,
        other => return found.push(Finding::new(AT, Rule::Type, sentences::other_type("object", other))),
    };
    let known: Vec<String> = FIELDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for (name, field) in fields {
        let path = field_path(AT, name);
        match FIELDS.iter().find(|(known, _)| known == name) {
            Some(_) if field.is_null() => {}
            Some((_, holds)) => has_type(*holds, field, &path, found),
            None => found.push(Finding::new(path, Rule::UnknownField, sentences::unknown(name, &known))),
        }
    }
    names(fields, found);
    labels(fields, found);
    owners(fields, found);
}

fn has_type(holds: Holds, value: &Value, path: &str, found: &mut Vec<Finding>) {
    let mut must = |path: &str, expected: &str, value: &Value, is: bool| {
        if !is && !value.is_null() {
            found.push(Finding::new(path, Rule::Type, sentences::other_type(expected, value)));
        }
    };
    match (holds, value) {
        (Holds::Number, _) => must(path, "integer", value, is_whole(value)),
        (Holds::Time, Value::String(text)) if text.parse::<Timestamp>().is_err() => {
            found.push(Finding::new(path, Rule::Pattern, "is no time: `2006-01-02T15:04:05Z`"));
        }
        (Holds::Text | Holds::Time, _) => must(path, "string", value, value.is_string()),
        (Holds::Texts, Value::Object(fields)) => {
            fields.iter().for_each(|(name, text)| must(&field_path(path, name), "string", text, text.is_string()));
        }
        (Holds::Texts, _) => must(path, "object", value, false),
        (Holds::List, Value::Array(items)) => items.iter().for_each(|item| must(path, "string", item, item.is_string())),
        (Holds::Objects(known), Value::Array(items)) => {
            let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
            for item in items {
                must(path, "object", item, item.is_object());
                for (name, field) in item.as_object().into_iter().flatten() {
                    let expected = if BOOLEANS.contains(&name.as_str()) { "boolean" } else { "string" };
                    let is = if expected == "boolean" { field.is_boolean() } else { field.is_string() || name == "fieldsV1" };
                    must(&field_path(path, name), expected, field, is || !known.contains(name));
                }
            }
            let names = items.iter().filter_map(Value::as_object).flat_map(Map::keys).filter(|name| !known.contains(name));
            let unknown = names.map(|name| Finding::new(field_path(path, name), Rule::UnknownField, sentences::unknown(name, &known)));
            found.extend(unknown.collect::<Vec<_>>());
        }
        (Holds::List | Holds::Objects(_), _) => must(path, "array", value, false),
    }
}

fn names(fields: &Map<String, Value>, found: &mut Vec<Finding>) {
    let mut wrong = |name: &str, what: &str| found.push(Finding::new(field_path(AT, name), Rule::Metadata, what));
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let form = "must be of lower case letters, digits, `-` and `.`, begin and end with a letter or digit, and have at most 253 letters";
    let is_there = |name: &str| fields.get(name).is_some_and(|value| !value.is_null() && value.as_str() != Some(""));
    if !is_there("name") && !is_there("generateName") {
        found.push(Finding::new("metadata.name", Rule::Required, sentences::MISSING));
        return;
    }
    if text("name").is_some_and(|name| !is_subdomain(name)) {
        wrong("name", form);
    }
    if text("generateName").is_some_and(|name| !is_subdomain(&before_more(name))) {
        wrong("generateName", form);
    }
    if text("namespace").is_some_and(|name| !is_label(name)) {
        wrong("namespace", NAMESPACE_FORM);
    }
}

fn labels(fields: &Map<String, Value>, found: &mut Vec<Finding>) {
    let name_form = "is no name of a label or annotation: letters, digits, `-`, `_` and `.`, at most 63, after `DOMAIN/` where it has one";
    let pairs = |name: &str| fields.get(name).and_then(Value::as_object).into_iter().flatten().collect::<Vec<_>>();
    for (name, value) in pairs("labels") {
        if !is_qualified(name) {
            found.push(Finding::new(field_path("metadata.labels", name), Rule::Metadata, name_form));
        }
        if value.as_str().is_some_and(|value| !value.is_empty() && !is_word(value)) {
            let form = "is no value of a label: letters, digits, `-`, `_` and `.`, at most 63, a letter or digit first and last";
            found.push(Finding::new(field_path("metadata.labels", name), Rule::Metadata, form));
        }
    }
    for (name, _) in pairs("annotations") {
        if !is_qualified(&name.to_lowercase()) {
            found.push(Finding::new(field_path("metadata.annotations", name), Rule::Metadata, name_form));
        }
    }
    let bytes = |(name, value): &(&String, &Value)| name.len() + value.as_str().map_or(0, str::len);
    if pairs("annotations").iter().map(bytes).sum::<usize>() > ANNOTATIONS {
        found.push(Finding::new("metadata.annotations", Rule::Metadata, "have more than 256 KiB together"));
    }
    for name in list(fields, "finalizers").iter().map(|name| name.as_str().unwrap_or_default()) {
        if !is_qualified(name) {
            found.push(Finding::new(
                "metadata.finalizers",
                Rule::Metadata,
                format!("{} is no name of a finalizer", sentences::shown(name)),
            ));
        }
    }
}

fn owners(fields: &Map<String, Value>, found: &mut Vec<Finding>) {
    let owners = list(fields, "ownerReferences");
    for (index, owner) in owners.iter().enumerate() {
        let path = item_path("metadata.ownerReferences", index);
        let word = |name: &str| owner.get(name).and_then(Value::as_str).unwrap_or_default();
        for name in ["apiVersion", "kind", "name", "uid"].into_iter().filter(|name| word(name).is_empty()) {
            found.push(Finding::new(field_path(&path, name), Rule::Required, sentences::MISSING));
        }
        if word("apiVersion").matches('/').count() > 1 || word("apiVersion").ends_with('/') {
            found.push(Finding::new(format!("{path}.apiVersion"), Rule::Metadata, "must be `VERSION` or `GROUP/VERSION`"));
        }
        if (word("apiVersion"), word("kind")) == ("v1", "Event") {
            found.push(Finding::new(path, Rule::Metadata, "is an Event, which may own nothing"));
        }
    }
    // The same one again counts once.
    let mut controllers = owners.iter().filter(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    let first = controllers.next();
    if controllers.any(|other| Some(other) != first) {
        found.push(Finding::new("metadata.ownerReferences", Rule::Metadata, "have more than one with `controller: true`"));
    }
}

fn list<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    fields.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A name that more is put behind: the dash at its end is none then, as in `maskTrailingDash` of apimachinery.
fn before_more(name: &str) -> String {
    match name.strip_suffix('-').and_then(|name| name.char_indices().next_back().map(|(last, _)| name.split_at(last).0)) {
        Some(start) => format!("{start}a"),
        None => name.to_owned(),
    }
}

/// `NAME` or `DOMAIN/NAME`.
fn is_qualified(name: &str) -> bool {
    match name.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_word(name),
        None => is_word(name),
    }
}

fn is_word(word: &str) -> bool {
    let ends = [word.bytes().next(), word.bytes().next_back()];
    let letter = |byte: u8| byte.is_ascii_alphanumeric();
    word.len() <= 63
        && ends.iter().all(|end| end.is_some_and(letter))
        && word.bytes().all(|byte| letter(byte) || matches!(byte, b'-' | b'_' | b'.'))
}
