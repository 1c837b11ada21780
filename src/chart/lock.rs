//! `Chart.lock` and `requirements.lock`: read only to know that Helm reads them.
//!
//! In: a decoded document. Out: nothing, or the field that Helm's struct cannot take.

use super::{
    FieldError,
    metadata::{Dependency, finite, folded, list, members, optional, text},
    value::Value,
};

/// Whether Helm could fill its struct with it.
pub(super) fn check(document: &Value) -> Result<(), FieldError> {
    let (mut digest, mut dependencies): (String, Vec<Option<Dependency>>) = Default::default();
    for (key, value) in members(document, "the document")? {
        match folded(key).as_str() {
            "generated" => time(key, value)?,
            "digest" => text(&mut digest, key, value)?,
            "dependencies" => list(&mut dependencies, key, value, |slot, path, value| optional(slot, path, value, Dependency::field))?,
            _ => finite(key, value)?,
        }
    }
    Ok(())
}

fn time(field: &str, value: &Value) -> Result<(), FieldError> {
    let found = match value {
        Value::Null => return Ok(()),
        Value::Text(text) if is_time(text).is_some() => return Ok(()),
        Value::Text(_) => "other text",
        other => other.kind(),
    };
    Err(FieldError::Type { field: field.to_owned(), expected: "a time like `2024-01-02T03:04:05Z`", found })
}

/// `2006-01-02T15:04:05` with or without a fraction, and `Z` or an offset, as Go's `time.Parse` takes it for RFC 3339.
fn is_time(text: &str) -> Option<()> {
    let rest = &mut { text };
    let year = digits(rest, 4, 4)?;
    let month = mark(rest, "-").and_then(|()| digits(rest, 2, 2))?;
    let day = mark(rest, "-").and_then(|()| digits(rest, 2, 2))?;
    let hour = mark(rest, "T").and_then(|()| digits(rest, 1, 2))?;
    let minute = mark(rest, ":").and_then(|()| digits(rest, 2, 2))?;
    let second = mark(rest, ":").and_then(|()| digits(rest, 2, 2))?;
    let is_digit = |character: char| character.is_ascii_digit();
    if let Some(fraction) = rest.strip_prefix(['.', ',']).filter(|fraction| fraction.starts_with(is_digit)) {
        *rest = fraction.trim_start_matches(is_digit);
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        1..=12 => 31,
        _ => 0,
    };
    let is_right = (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let is_whole = *rest == "Z" || {
        mark(rest, "+").or_else(|| mark(rest, "-"))?;
        let hours = digits(rest, 2, 2)?;
        let minutes = mark(rest, ":").and_then(|()| digits(rest, 2, 2))?;
        hours <= 24 && minutes <= 60 && rest.is_empty()
    };
    (is_right && is_whole).then_some(())
}

fn mark(rest: &mut &str, mark: &str) -> Option<()> {
    *rest = rest.strip_prefix(mark)?;
    Some(())
}

/// A number of so many digits.
fn digits(rest: &mut &str, least: usize, most: usize) -> Option<u32> {
    let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, after) = rest.split_at_checked(length).filter(|_| length >= least)?;
    *rest = after;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::parsed;

    fn said(text: &str) -> String {
        check(&parsed(text.as_bytes()).unwrap()).map_or_else(|error| error.to_string(), |()| "read".to_owned())
    }

    #[test]
    fn locks_fit_the_struct_of_helm() {
        for (text, expected) in [
            ("", "read"),
            (
                "digest: sha256:1\ngenerated: '2024-02-29T03:04:05.123456789+02:00'\ndependencies: [{name: a, version: 1}, ~]\nother: x",
                "read",
            ),
            ("generated: 2024-01-02T03:04:05Z", "read"),
            ("generated: '2024-01-02T3:04:05,5-24:60'", "read"),
            ("Digest: 5", "read"),
            ("- a", "`the document` must be a mapping, not a list"),
            ("digest: [a]", "`digest` must be text, not a list"),
            ("generated: yesterday", "`generated` must be a time like `2024-01-02T03:04:05Z`, not other text"),
            ("generated: 2023-02-29T03:04:05Z", "`generated` must be a time like `2024-01-02T03:04:05Z`, not other text"),
            ("generated: 2024-01-02T03:04:05", "`generated` must be a time like `2024-01-02T03:04:05Z`, not other text"),
            ("generated: 5", "`generated` must be a time like `2024-01-02T03:04:05Z`, not a number"),
            ("dependencies: {a: b}", "`dependencies` must be a list, not a mapping"),
            ("dependencies: [{name: {}}]", "`dependencies[0].name` must be text, not a mapping"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}
