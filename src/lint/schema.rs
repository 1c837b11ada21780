//! What the schema of the definition demands, asked of a value: as the API server asks it, and all of it at once.
//!
//! In: the schema, and a value (for [`check`] with its defaults). Out: findings. A rule that cannot be asked of a value because it breaks
//! another one is passed over.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray, ValidationRule};
use serde_json::Value;

use super::{
    Finding, Rule,
    cel::{Rules, Verdict},
    defaults::{is_nullable, schema_of_items},
    patterns::Patterns,
    sentences,
    written::{field_path, item_path},
};

/// What every object has, and no schema of a kind names.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Takes away all that is demanded, and leaves the names of fields.
pub(super) fn without_demands(schema: &mut JSONSchemaProps) {
    let bare = |mut below: JSONSchemaProps| {
        without_demands(&mut below);
        below
    };
    let properties = schema.properties.take().map(|all| all.into_iter().map(|(name, below)| (name, bare(below))).collect());
    let items = match schema.items.take() {
        Some(JSONSchemaPropsOrArray::Schema(below)) => Some(JSONSchemaPropsOrArray::Schema(Box::new(bare(*below)))),
        other => other,
    };
    *schema = JSONSchemaProps { properties, items, nullable: Some(true), ..JSONSchemaProps::default() };
}

/// Finds the fields that the schema does not have.
pub(super) fn unknown(schema: &JSONSchemaProps, value: &Value, found: &mut Vec<Finding>) {
    unknown_below(schema, value, "", found);
}

fn unknown_below(schema: &JSONSchemaProps, value: &Value, path: &str, found: &mut Vec<Finding>) {
    match value {
        Value::Object(fields) => {
            let Some(properties) = &schema.properties else { return };
            for (name, field) in fields {
                let below = field_path(path, name);
                match properties.get(name) {
                    Some(property) => unknown_below(property, field, &below, found),
                    None if path.is_empty() && OF_EVERY_OBJECT.contains(&name.as_str()) => {}
                    None => {
                        let mut known: Vec<String> = properties.keys().cloned().collect();
                        if path.is_empty() {
                            known.extend(OF_EVERY_OBJECT.map(str::to_owned));
                        }
                        found.push(Finding::new(below, Rule::UnknownField, sentences::unknown(name, &known)));
                    }
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema_of_items(schema) else { return };
            for (index, item) in items.iter().enumerate() {
                unknown_below(schema, item, &item_path(path, index), found);
            }
        }
        _ => {}
    }
}

/// Finds what breaks the schema and its rules.
pub(super) fn check(schema: &JSONSchemaProps, value: &Value, (rules, patterns): (&Rules, &Patterns), found: &mut Vec<Finding>) {
    let mut walk = Walk { rules, patterns, found };
    walk.value(schema, value, "");
}

struct Walk<'a> {
    rules: &'a Rules,
    patterns: &'a Patterns,
    found: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    fn add(&mut self, path: &str, rule: Rule, message: impl Into<String>) {
        self.found.push(Finding::new(path, rule, message));
    }

    fn value(&mut self, schema: &JSONSchemaProps, value: &Value, path: &str) {
        if value.is_null() && is_nullable(schema) {
            return;
        }
        if let Some(expected) = schema.type_.as_deref().filter(|expected| !is_of_type(value, expected)) {
            return self.add(path, Rule::Type, sentences::other_type(expected, value));
        }
        if schema.x_kubernetes_int_or_string == Some(true) && !["integer", "string"].iter().any(|expected| is_of_type(value, expected)) {
            return self.add(path, Rule::Type, sentences::other_type("integer or string", value));
        }
        let before = self.found.len();
        if let Some(all) = schema.enum_.as_ref().filter(|all| !all.iter().any(|one| one.0 == *value)) {
            let all: Vec<String> = all.iter().map(|one| one.0.as_str().map_or_else(|| one.0.to_string(), str::to_owned)).collect();
            self.add(path, Rule::Enum, sentences::none_of(value, &all));
        }
        match value {
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or_default(), path),
            Value::Array(items) => self.items(schema, items, path),
            Value::Object(fields) => self.fields(schema, fields, path),
            Value::Null | Value::Bool(_) => {}
        }
        for rule in schema.x_kubernetes_validations.iter().flatten() {
            let is_clean = self.found.len() == before;
            self.rule(rule, value, path, is_clean);
        }
    }

    fn text(&mut self, schema: &JSONSchemaProps, text: &str, path: &str) {
        let letters = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(message) = sentences::length(letters, schema.min_length, schema.max_length) {
            self.add(path, Rule::Length, message);
        }
        if let Some(pattern) = schema.pattern.as_deref().filter(|pattern| !self.patterns.matches(pattern, text)) {
            self.add(path, Rule::Pattern, sentences::other_form(path, text, pattern));
        }
    }

    fn number(&mut self, schema: &JSONSchemaProps, number: f64, path: &str) {
        let low = schema.minimum.filter(|least| number < *least || (number <= *least && schema.exclusive_minimum == Some(true)));
        let high = schema.maximum.filter(|most| number > *most || (number >= *most && schema.exclusive_maximum == Some(true)));
        if let Some(least) = low {
            self.add(path, Rule::Range, format!("is {number}, and {least} is the least"));
        }
        if let Some(most) = high {
            self.add(path, Rule::Range, format!("is {number}, and {most} is the most"));
        }
    }

    fn items(&mut self, schema: &JSONSchemaProps, items: &[Value], path: &str) {
        if let Some(message) = sentences::count("items", items.len(), schema.min_items, schema.max_items) {
            self.add(path, Rule::Items, message);
        }
        if let Some(below) = schema_of_items(schema) {
            for (index, item) in items.iter().enumerate() {
                self.value(below, item, &item_path(path, index));
            }
        }
        let keys = schema.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
        let identity = |item: &Value| match schema.x_kubernetes_list_type.as_deref() {
            Some("set") => Some(vec![item.clone()]),
            Some("map") => keys.iter().map(|key| item.get(key).cloned()).collect(),
            _ => None,
        };
        // Where each stands first: a long list is gone through once.
        let mut firsts = HashMap::new();
        for (index, identity) in items.iter().enumerate().filter_map(|(index, item)| Some((index, identity(item)?))) {
            if let Some(first) = firsts.get(&identity) {
                self.add(&item_path(path, index), Rule::Unique, sentences::again(keys, &identity, &item_path(path, *first)));
            } else {
                firsts.insert(identity, index);
            }
        }
    }

    fn fields(&mut self, schema: &JSONSchemaProps, fields: &serde_json::Map<String, Value>, path: &str) {
        if let Some(message) = sentences::count("fields", fields.len(), schema.min_properties, schema.max_properties) {
            self.add(path, Rule::Items, message);
        }
        for name in schema.required.iter().flatten().filter(|name| !fields.contains_key(*name)) {
            self.add(&field_path(path, name), Rule::Required, sentences::MISSING);
        }
        let empty = BTreeMap::new();
        for (name, property) in schema.properties.as_ref().unwrap_or(&empty) {
            if let Some(field) = fields.get(name) {
                self.value(property, field, &field_path(path, name));
            }
        }
    }

    fn rule(&mut self, rule: &ValidationRule, value: &Value, path: &str, is_clean: bool) {
        let place = format!("{path}{}", rule.field_path.as_deref().unwrap_or_default());
        match self.rules.ask(rule, value) {
            Verdict::Holds => {}
            Verdict::Broken => self.add(&place, Rule::Cel, rule.message.clone().unwrap_or_else(|| sentences::rule(&rule.rule))),
            // What keeps it from being asked was found before, below this value.
            Verdict::Unasked if !is_clean => {}
            Verdict::Unasked => self.add(&place, Rule::Cel, sentences::rule(&rule.rule)),
        }
    }
}

fn is_of_type(value: &Value, expected: &str) -> bool {
    match expected {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => is_whole(value),
        _ => true,
    }
}

/// Whether it is a whole number; `3.0` is one, too.
pub(super) fn is_whole(value: &Value) -> bool {
    const MOST: f64 = 9_007_199_254_740_992.0;
    value.is_i64() || value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() <= MOST)
}
