//! What is said of what is wrong. A value is shown only where it can hold no secret.

use serde_json::Value;

use crate::model::close;

/// Of a field that must be there.
pub(super) const MISSING: &str = "is missing";
/// Of a field that is written again in the same mapping.
pub(super) const TWICE: &str = "stands here twice: leave one of them";

/// What patterns of the definition mean.
const FORMS: [(&str, &str); 9] = [
    (r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$", "is no span of time: write numbers with `h`, `m`, `s` or `ms`, for example `1h30m`"),
    (
        r"^https?://[^\s@]+$",
        "must be `http://HOST` or `https://HOST` with a path, without user name and spaces; a password belongs into `secretRef`",
    ),
    (r"^sha256:[0-9a-f]{64}$", "must be `sha256:` and 64 hexadecimal digits in lower case"),
    (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "must be of lower case letters, digits and `-`, and begin and end with a letter or digit"),
    (
        r"^oci://[^\s@/?#]+(/[^\s?#]*)?$",
        "must be `oci://HOST[:PORT]/PREFIX`, without user name and query; a password belongs into `secretRef`",
    ),
    (r"^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$", "must be `HOST` or `HOST:PORT`"),
    (r"^([0-9]{1,5}|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$", "must be the number of a port, or its name, in lower case"),
    (r"^[a-z0-9._/-]*$", "must be a path of lower case letters, digits, `.`, `_`, `-` and `/`"),
    (r"^[0-9]+(Ki|Mi|Gi)$", "must be a whole number with `Ki`, `Mi` or `Gi`, for example `16Mi`"),
];

/// More names than this are no help.
const MOST_NAMES: usize = 12;
/// What is shown of a value.
const LONGEST: usize = 60;

/// A field that does not exist.
pub(super) fn unknown(name: &str, known: &[String]) -> String {
    match close::names(name, known) {
        close if !close.is_empty() => format!("there is no such field. Close to it: {}", in_backticks(&close)),
        _ if known.len() <= MOST_NAMES => format!("there is no such field: here are {}", in_backticks(known)),
        _ => "there is no such field".to_owned(),
    }
}

/// A value of another type.
pub(super) fn other_type(expected: &str, value: &Value) -> String {
    let unquoted = |text: &str| match expected {
        "boolean" => ["true", "false"].contains(&text),
        "integer" | "number" => text.parse::<f64>().is_ok(),
        _ => false,
    };
    let cure = match (expected, value) {
        ("string", Value::Bool(_) | Value::Number(_)) => ": write it in quotes",
        (_, Value::String(text)) if unquoted(text) => ": write it without quotes",
        ("array", _) => ": begin each item with `-`",
        _ => "",
    };
    format!("is {}, and must be {}{cure}", article(type_of(value)), article(expected))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn article(kind: &str) -> &str {
    match kind {
        "null" => "empty",
        "boolean" => "a boolean (`true` or `false`)",
        "number" => "a number",
        "integer" => "a whole number",
        "string" => "a string",
        "integer or string" => "a whole number or a string",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}

/// A value that is none of those that are possible.
pub(super) fn none_of(value: &Value, all: &[String]) -> String {
    let written = value.as_str().unwrap_or_default();
    let close = close::names(written, all);
    let hint = if close.is_empty() { String::new() } else { format!(". Close to it: {}", in_backticks(&close)) };
    format!("{} is none of {}{hint}", shown(written), in_backticks(all))
}

/// A text that has another form.
pub(super) fn other_form(path: &str, text: &str, pattern: &str) -> String {
    let meaning = FORMS.iter().find(|(of, _)| *of == pattern).map(|(_, meaning)| (*meaning).to_owned());
    format!("{} {}{}", shown(text), meaning.unwrap_or_else(|| format!("does not match `{pattern}`")), other_source(path, text))
}

/// The address of another source than the one that it stands in.
fn other_source(path: &str, text: &str) -> &'static str {
    match path {
        "spec.source.helmRepository.url" | "spec.source.archive.url" if text.to_ascii_lowercase().starts_with("oci://") => {
            ". A registry is the source `oci`"
        }
        "spec.source.oci.url" if text.starts_with("http") && text.to_ascii_lowercase().ends_with(".tgz") => {
            ". One chart at a URL is the source `archive`"
        }
        "spec.source.oci.url" if text.starts_with("http") => {
            ". A server with an `index.yaml` is the source `helmRepository`; a registry without TLS has `insecure: true`"
        }
        _ => "",
    }
}

/// A text that is too short or too long.
pub(super) fn length(letters: i64, least: Option<i64>, most: Option<i64>) -> Option<String> {
    match (least, most) {
        (Some(_), _) if letters == 0 && least != Some(0) => Some("is empty".to_owned()),
        (Some(least), _) if letters < least => Some(format!("has {letters} letters, and must have at least {least}")),
        (_, Some(most)) if letters > most => Some(format!("has {letters} letters, and {most} are the most")),
        _ => None,
    }
}

/// A list or mapping that has too few or too many.
pub(super) fn count(of: &str, number: usize, least: Option<i64>, most: Option<i64>) -> Option<String> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    match (least, most) {
        (Some(least), _) if number < least => Some(format!("has {number} {of}, and needs at least {least}")),
        (_, Some(most)) if number > most => Some(format!("has {number} {of}, and {most} are the most")),
        _ => None,
    }
}

/// An item that was there before.
pub(super) fn again(keys: &[String], identity: &[Value], first: &str) -> String {
    let values: Vec<_> = identity.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), shown)).collect();
    let values = values.join(", ");
    if keys.is_empty() {
        format!("{values} stands in `{first}` already")
    } else {
        format!("`{first}` has the same {}: {values}", in_backticks(keys))
    }
}

/// A rule without a sentence of its own.
pub(super) fn rule(rule: &str) -> String {
    format!("does not keep to the rule `{rule}`")
}

/// A value in backticks, where it can hold no secret: neither what may be a user name nor a query.
pub(super) fn shown(text: &str) -> String {
    if text.contains(['@', '?', '#']) || text.is_empty() || text.chars().count() > LONGEST {
        return "the value".to_owned();
    }
    format!("`{}`", text.chars().filter(|letter| !letter.is_control()).collect::<String>())
}

pub(super) fn in_backticks(names: &[String]) -> String {
    format!("`{}`", names.join("`, `"))
}
