//! A chart's metadata: decoded as Go's `encoding/json` fills Helm's struct, and written as it writes that struct.
//!
//! In: a [`Value`] of `Chart.yaml`, and of `requirements.yaml` on top of it. Out: the fields, and the JSON of the config blob.
//! Decoding onto fields that are set merges as Go does: lists element by element, mappings key by key; null empties a list
//! and leaves text alone; names match without regard to case; unknown names are passed over.

use std::collections::BTreeMap;

use super::{
    error::shown,
    json::{self, Object},
    value::Value,
};

/// A field holds what it cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Another type is needed.
    #[error("`{}` must be {expected}, not {found}", shown(.field))]
    Type {
        /// The field, for example `maintainers[0].name`.
        field: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// An infinity or NaN.
    #[error("`{}` holds an infinity or NaN, which JSON has no form for: quote it", shown(.field))]
    NotFinite {
        /// The field.
        field: String,
    },
}

/// What Helm knows of a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) home: String,
    pub(crate) sources: Vec<String>,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) keywords: Vec<String>,
    pub(crate) maintainers: Vec<Option<Maintainer>>,
    pub(crate) icon: String,
    pub(crate) api_version: String,
    pub(crate) condition: String,
    pub(crate) tags: String,
    pub(crate) app_version: String,
    pub(crate) deprecated: bool,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) kube_version: String,
    pub(crate) dependencies: Vec<Option<Dependency>>,
    pub(crate) kind: String,
}

/// One of `maintainers`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Maintainer {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) url: String,
}

/// One of `dependencies`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repository: String,
    pub(crate) condition: String,
    pub(crate) tags: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) import_values: Vec<Value>,
    pub(crate) alias: String,
}

impl Metadata {
    /// Takes what `document` sets. Null sets nothing.
    pub(crate) fn decode(&mut self, document: &Value) -> Result<(), FieldError> {
        for (key, value) in members(document, "the document")? {
            self.field(key, value)?;
        }
        Ok(())
    }

    /// Takes one field; what Helm does not know is passed over.
    pub(crate) fn field(&mut self, key: &str, value: &Value) -> Result<(), FieldError> {
        match folded(key).as_str() {
            "name" => text(&mut self.name, key, value),
            "home" => text(&mut self.home, key, value),
            "sources" => list(&mut self.sources, key, value, text),
            "version" => text(&mut self.version, key, value),
            "description" => text(&mut self.description, key, value),
            "keywords" => list(&mut self.keywords, key, value, text),
            "maintainers" => list(&mut self.maintainers, key, value, |slot, path, value| optional(slot, path, value, Maintainer::field)),
            "icon" => text(&mut self.icon, key, value),
            "apiversion" => text(&mut self.api_version, key, value),
            "condition" => text(&mut self.condition, key, value),
            "tags" => text(&mut self.tags, key, value),
            "appversion" => text(&mut self.app_version, key, value),
            "deprecated" => flag(&mut self.deprecated, key, value),
            "annotations" => texts(&mut self.annotations, key, value),
            "kubeversion" => text(&mut self.kube_version, key, value),
            "dependencies" => list(&mut self.dependencies, key, value, |slot, path, value| optional(slot, path, value, Dependency::field)),
            "type" => text(&mut self.kind, key, value),
            _ => finite(key, value),
        }
    }

    /// The config blob.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::with_capacity(512);
        let mut object = Object::begin(&mut out);
        object.text("name", &self.name);
        object.text("home", &self.home);
        object.list("sources", &self.sources, |out, item| json::text(out, item));
        object.text("version", &self.version);
        object.text("description", &self.description);
        object.list("keywords", &self.keywords, |out, item| json::text(out, item));
        object.list("maintainers", &self.maintainers, |out, item| nullable(out, item.as_ref(), Maintainer::write));
        object.text("icon", &self.icon);
        object.text("apiVersion", &self.api_version);
        object.text("condition", &self.condition);
        object.text("tags", &self.tags);
        object.text("appVersion", &self.app_version);
        object.flag("deprecated", self.deprecated);
        object.texts("annotations", &self.annotations);
        object.text("kubeVersion", &self.kube_version);
        object.list("dependencies", &self.dependencies, |out, item| nullable(out, item.as_ref(), Dependency::write));
        object.text("type", &self.kind);
        object.end();
        out
    }
}

impl Maintainer {
    fn field(&mut self, path: &str, key: &str, value: &Value) -> Result<(), FieldError> {
        match folded(key).as_str() {
            "name" => text(&mut self.name, path, value),
            "email" => text(&mut self.email, path, value),
            "url" => text(&mut self.url, path, value),
            _ => finite(path, value),
        }
    }

    fn write(&self, object: &mut Object<'_>) {
        object.text("name", &self.name);
        object.text("email", &self.email);
        object.text("url", &self.url);
    }
}

impl Dependency {
    pub(super) fn field(&mut self, path: &str, key: &str, value: &Value) -> Result<(), FieldError> {
        match folded(key).as_str() {
            "name" => text(&mut self.name, path, value),
            "version" => text(&mut self.version, path, value),
            "repository" => text(&mut self.repository, path, value),
            "condition" => text(&mut self.condition, path, value),
            "tags" => list(&mut self.tags, path, value, text),
            "enabled" => flag(&mut self.enabled, path, value),
            "import-values" => list(&mut self.import_values, path, value, |slot, path, value| {
                slot.clone_from(value);
                finite(path, value)
            }),
            "alias" => text(&mut self.alias, path, value),
            _ => finite(path, value),
        }
    }

    /// Name and repository are written even when they are empty.
    fn write(&self, object: &mut Object<'_>) {
        json::text(object.member("name"), &self.name);
        object.text("version", &self.version);
        json::text(object.member("repository"), &self.repository);
        object.text("condition", &self.condition);
        object.list("tags", &self.tags, |out, item| json::text(out, item));
        object.flag("enabled", self.enabled);
        object.list("import-values", &self.import_values, json::value);
        object.text("alias", &self.alias);
    }
}

fn nullable<T>(out: &mut String, item: Option<&T>, write: impl Fn(&T, &mut Object<'_>)) {
    let Some(item) = item else { return out.push_str("null") };
    let mut object = Object::begin(out);
    write(item, &mut object);
    object.end();
}

/// Go matches names without regard to case, and takes the long s and the Kelvin sign for their letters.
pub(crate) fn folded(key: &str) -> String {
    key.chars()
        .map(|character| match character {
            '\u{17F}' => 's',
            '\u{212A}' => 'k',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

fn mismatch(field: &str, expected: &'static str, found: &Value) -> FieldError {
    FieldError::Type { field: field.to_owned(), expected, found: found.kind() }
}

/// The members of a mapping; none of null.
pub(crate) fn members<'a>(value: &'a Value, path: &str) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, FieldError> {
    match value {
        Value::Null => Ok(None.into_iter().flatten()),
        Value::Map(members) => Ok(Some(members).into_iter().flatten()),
        other => Err(mismatch(path, "a mapping", other)),
    }
}

pub(super) fn finite(path: &str, value: &Value) -> Result<(), FieldError> {
    if value.is_finite() { Ok(()) } else { Err(FieldError::NotFinite { field: path.to_owned() }) }
}

pub(super) fn text(target: &mut String, path: &str, value: &Value) -> Result<(), FieldError> {
    if *value != Value::Null {
        *target = value.as_text().ok_or_else(|| mismatch(path, "text", value))?;
    }
    Ok(())
}

fn flag(target: &mut bool, path: &str, value: &Value) -> Result<(), FieldError> {
    match value {
        Value::Null => {}
        Value::Bool(flag) => *target = *flag,
        other => return Err(mismatch(path, "true or false, without quotes", other)),
    }
    Ok(())
}

fn texts(target: &mut BTreeMap<String, String>, path: &str, value: &Value) -> Result<(), FieldError> {
    if *value == Value::Null {
        target.clear();
    }
    for (key, value) in members(value, path)? {
        let mut member = String::new();
        text(&mut member, &format!("{path}.{key}"), value)?;
        target.insert(key.clone(), member);
    }
    Ok(())
}

pub(super) fn list<T: Default>(
    target: &mut Vec<T>,
    path: &str,
    value: &Value,
    decode: impl Fn(&mut T, &str, &Value) -> Result<(), FieldError>,
) -> Result<(), FieldError> {
    let items = match value {
        Value::Null => &[][..],
        Value::List(items) => items,
        other => return Err(mismatch(path, "a list", other)),
    };
    target.resize_with(items.len(), T::default);
    for (position, (slot, item)) in target.iter_mut().zip(items).enumerate() {
        decode(slot, &format!("{path}[{position}]"), item)?;
    }
    Ok(())
}

pub(super) fn optional<T: Default>(
    slot: &mut Option<T>,
    path: &str,
    value: &Value,
    field: impl Fn(&mut T, &str, &str, &Value) -> Result<(), FieldError>,
) -> Result<(), FieldError> {
    if *value == Value::Null {
        *slot = None;
        return Ok(());
    }
    let target = slot.get_or_insert_default();
    for (key, value) in members(value, path)? {
        field(target, &format!("{path}.{key}"), key, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::yaml::{Bounds, document};

    fn decoded(texts: &[&str]) -> Result<Metadata, FieldError> {
        let mut metadata = Metadata::default();
        for text in texts {
            metadata.decode(&document(text.as_bytes(), Bounds { bytes: 10_000, built: 100_000, depth: 20 }).unwrap())?;
        }
        Ok(metadata)
    }

    fn check(texts: &[&str], expected: &str) {
        let found = decoded(texts).map_or_else(|error| error.to_string(), |metadata| metadata.to_json());
        assert_eq!(found, expected, "{texts:?}");
    }

    #[test]
    fn members_come_in_the_order_of_helm_and_empty_ones_are_left_out() {
        check(&["type: t\nname: w\nversion: 1\nhome: ''\nsources: []\ndeprecated: no"], r#"{"name":"w","version":"1","type":"t"}"#);
        check(
            &["dependencies: [{enabled: yes, import-values: [1e21]}]"],
            r#"{"dependencies":[{"name":"","repository":"","enabled":true,"import-values":[1e+21]}]}"#,
        );
    }

    #[test]
    fn a_second_document_merges_as_go_does() {
        check(&["keywords: [a, b]", "keywords: [c]"], r#"{"keywords":["c"]}"#);
        check(&["keywords: [a, b]", "keywords: [~, c]"], r#"{"keywords":["a","c"]}"#);
        check(&["keywords: [a]", "keywords: ~"], "{}");
        check(&["name: a", "name: ~"], r#"{"name":"a"}"#);
        check(&["annotations: {a: 1}", "annotations: {b: ~}"], r#"{"annotations":{"a":"1","b":""}}"#);
        check(&["maintainers: [{name: a, url: u}]", "maintainers: [{name: b}]"], r#"{"maintainers":[{"name":"b","url":"u"}]}"#);
        check(&["name: a", "~"], r#"{"name":"a"}"#);
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named() {
        for (text, expected) in [
            ("[a]", "`the document` must be a mapping, not a list"),
            ("name: [a]", "`name` must be text, not a list"),
            ("Keywords: a", "`Keywords` must be a list, not text"),
            ("keywords: [a, {}]", "`keywords[1]` must be text, not a mapping"),
            ("deprecated: 'yes'", "`deprecated` must be true or false, without quotes, not text"),
            ("maintainers: [{name: [x]}]", "`maintainers[0].name` must be text, not a list"),
            ("annotations: {a: [b]}", "`annotations.a` must be text, not a list"),
            ("other: {a: [.inf]}", "`other` holds an infinity or NaN, which JSON has no form for: quote it"),
            (
                "dependencies: [{import-values: [.nan]}]",
                "`dependencies[0].import-values[0]` holds an infinity or NaN, which JSON has no form for: quote it",
            ),
        ] {
            check(&[text], expected);
        }
    }
}
