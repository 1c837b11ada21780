//! What the API server does to an object before it looks at it: `null` goes, defaults come.
//!
//! As in apiextensions-apiserver, `schema/defaulting`: a `null` stays where the schema is `nullable`, gives way to a default where there
//! is one, and is dropped else.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray};
use serde_json::Value;

/// Fills `value` in.
pub(super) fn fill(value: &mut Value, schema: &JSONSchemaProps) {
    match value {
        Value::Object(fields) => {
            let properties = schema.properties.iter().flatten();
            for (name, property) in properties {
                if fields.get(name).is_some_and(|field| field.is_null() && !is_nullable(property)) {
                    fields.remove(name);
                }
                if let Some(default) = property.default.as_ref().filter(|_| !fields.contains_key(name)) {
                    fields.insert(name.clone(), default.0.clone());
                }
                if let Some(field) = fields.get_mut(name) {
                    fill(field, property);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema_of_items(schema) {
                for item in items {
                    fill(item, schema);
                }
            }
        }
        _ => {}
    }
}

/// Whether `null` is a value.
pub(super) fn is_nullable(schema: &JSONSchemaProps) -> bool {
    schema.nullable == Some(true)
}

/// What each item must be.
pub(super) fn schema_of_items(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.items.as_ref()? {
        JSONSchemaPropsOrArray::Schema(schema) => Some(schema),
        JSONSchemaPropsOrArray::Schemas(_) => None,
    }
}
