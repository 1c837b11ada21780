//! Walks the schema of a CRD: what it demands of which field, and which fields have no documentation.

use serde_json::Value;

/// A demand, as the API server would speak of it: the field, without numbers of items, and a part of the sentence.
pub type Constraint = (String, String);

/// All that the schema `of` demands below `path`.
pub fn of(schema: &Value, path: &str) -> Vec<Constraint> {
    let mut found: Vec<Constraint> = own(schema).into_iter().map(|part| (path.to_owned(), part)).collect();
    let list = schema["x-kubernetes-list-type"].as_str().unwrap_or_default();
    if matches!(list, "set" | "map") {
        found.push((format!("{path}[]"), "Duplicate value".to_owned()));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        found.push((format!("{path}.{name}"), "Required value".to_owned()));
    }
    for (below, schema) in children(schema, path) {
        found.extend(of(schema, &below));
    }
    found
}

/// What stands in the schema of one field, in the words of the API server.
fn own(schema: &Value) -> Vec<String> {
    let number = |name: &str| schema[name].as_f64();
    let words = [
        schema["pattern"].as_str().map(|pattern| format!("should match '{pattern}'")),
        number("maxLength").map(|_| "Too long".to_owned()),
        number("minLength").map(|least| format!("should be at least {least} chars long")),
        number("maxItems").map(|_| "Too many".to_owned()),
        number("minItems").map(|least| format!("should have at least {least} items")),
        number("maximum").map(|most| format!("should be less than or equal to {most}")),
        number("minimum").map(|least| format!("should be greater than or equal to {least}")),
        schema["enum"].as_array().map(|_| "Unsupported value".to_owned()),
    ];
    let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    let messages = rules.map(|rule| rule["message"].as_str().expect("each rule has a message").to_owned());
    words.into_iter().flatten().chain(messages).collect()
}

/// The fields that nothing is said of.
pub fn without_words(schema: &Value, path: &str) -> Vec<String> {
    let mut silent = Vec::new();
    for (below, schema) in children(schema, path) {
        let is_said = schema["description"].as_str().is_some_and(|text| !text.is_empty());
        // Scalars in a list are described by the list.
        if !is_said && !below.ends_with("[]") {
            silent.push(below.clone());
        }
        silent.extend(without_words(schema, &below));
    }
    silent
}

fn children<'a>(schema: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    let properties = schema["properties"].as_object().into_iter().flatten().map(|(name, schema)| (format!("{path}.{name}"), schema));
    let items = schema.get("items").map(|schema| (format!("{path}[]"), schema));
    properties.chain(items).collect()
}
