//! A value between YAML and JSON, as Helm's YAML library (sigs.k8s.io/yaml over go-yaml v2) sees it.
//!
//! In: a scalar's text, tag and style. Out: null, boolean, integer, float or text by the rules of YAML 1.1 as go-yaml v2
//! applies them (`yes` is true, `010` is eight, `1.10` is a number). These rules decide bytes of the config blob, so they
//! may not follow YAML 1.2. Keys of mappings are text, as in JSON, and sorted.

use std::collections::BTreeMap;

use base64::Engine as _;

const CORE: &str = "tag:yaml.org,2002:";

/// A node of a document.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Value {
    /// `null`, `~` or nothing.
    #[default]
    Null,
    /// A YAML 1.1 boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above the signed range.
    Unsigned(u64),
    /// A number with a fraction or an exponent, or out of the range of integers.
    Float(f64),
    /// Everything else.
    Text(String),
    /// A sequence.
    List(Vec<Value>),
    /// A mapping.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// What it is, for an error: `a number`, `a list`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Unsigned(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    /// As text where text is wanted: Helm turns unquoted numbers and booleans into it. None for null, lists and mappings.
    pub(crate) fn as_text(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(value) => Some(value.to_string()),
            Self::Unsigned(value) => Some(value.to_string()),
            Self::Float(value) => Some(single_precision(*value)),
            Self::Text(value) => Some(value.clone()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// As the key of a mapping. None for what JSON has no key for.
    pub(crate) fn into_key(self) -> Option<String> {
        match self {
            Self::Float(value) => Some(match single_precision(value).as_str() {
                "NaN" => ".nan".to_owned(),
                "+Inf" => ".inf".to_owned(),
                "-Inf" => "-.inf".to_owned(),
                number => number.to_owned(),
            }),
            Self::Null | Self::Unsigned(_) | Self::List(_) | Self::Map(_) => None,
            other => other.as_text(),
        }
    }

    /// Whether JSON can hold it: false when an infinity or NaN is in it.
    pub(crate) fn is_finite(&self) -> bool {
        match self {
            Self::Float(value) => value.is_finite(),
            Self::List(items) => items.iter().all(Self::is_finite),
            Self::Map(members) => members.values().all(Self::is_finite),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Unsigned(_) | Self::Text(_) => true,
        }
    }
}

/// Resolves a scalar. `tag` is the whole tag, without short forms; `plain` is true for a scalar without quotes or block
/// indicator. None when the text is not of the kind that its tag says.
pub(crate) fn resolve(text: &str, plain: bool, tag: Option<&str>) -> Option<Value> {
    let Some(tag) = tag else {
        return Some(if plain { implicit(text) } else { Value::Text(text.to_owned()) });
    };
    match tag.strip_prefix(CORE) {
        Some("null") => Some(implicit(text)).filter(|value| *value == Value::Null),
        Some("bool") => Some(implicit(text)).filter(|value| matches!(value, Value::Bool(_))),
        Some("int") => Some(implicit(text)).filter(|value| matches!(value, Value::Int(_) | Value::Unsigned(_))),
        Some("float") => match implicit(text) {
            #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
            Value::Int(value) => Some(Value::Float(value as f64)),
            value @ Value::Float(_) => Some(value),
            _ => None,
        },
        Some("binary") => base64::engine::general_purpose::STANDARD
            .decode(text.replace(['\r', '\n'], ""))
            .ok()
            .map(|bytes| Value::Text(valid_utf8(&bytes))),
        _ => Some(Value::Text(text.to_owned())),
    }
}

/// Go replaces each invalid byte by U+FFFD, where Rust replaces each invalid sequence.
fn valid_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// A plain scalar without a tag.
fn implicit(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    match text.bytes().next()? {
        b'.' => decimal(text),
        b'0'..=b'9' | b'+' | b'-' => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| decimal(&digits))
        }
        _ => None,
    }
}

/// An integer with the prefixes that Go reads: `0x`, `0o`, `0b`, and a bare leading 0 for octal.
fn integer(text: &str) -> Option<Value> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, text.get(1..)?),
        b'+' => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let (radix, digits) = match (digits.as_bytes(), digits.len()) {
        ([b'0', b'x' | b'X', ..], 3..) => (16, digits.get(2..)?),
        ([b'0', b'o' | b'O', ..], 3..) => (8, digits.get(2..)?),
        ([b'0', b'b' | b'B', ..], 3..) => (2, digits.get(2..)?),
        ([b'0', _, ..], _) => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.bytes().next()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(value)) => Some(Value::Int(value)),
        (true, _) => 0_i64.checked_sub_unsigned(magnitude).map(Value::Int),
        (false, Err(_)) => (!signed).then_some(Value::Unsigned(magnitude)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; what overflows stays text.
fn decimal(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let has_digits = if whole.is_empty() { fraction.is_some_and(|fraction| !fraction.is_empty()) } else { true };
    let well_formed = has_digits
        && all_digits(whole)
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent));
    if !well_formed {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Value::Float)
}

/// As Go's `strconv.FormatFloat(value, 'g', -1, 32)` prints it: the shortest digits that tell it from its neighbours in
/// single precision, with an exponent below -4 and from 6.
fn single_precision(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "Helm's YAML library prints numbers in single precision")]
    let value = value as f32;
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e').and_then(|(mantissa, exponent)| Some((mantissa, exponent.parse::<i32>().ok()?))) {
        Some((mantissa, exponent)) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(scalar: &str) -> Option<String> {
        resolve(scalar, true, None).and_then(|value| value.as_text())
    }

    /// Each right side was printed by sigs.k8s.io/yaml v1.6.0.
    #[test]
    fn scalars_become_the_text_that_helm_makes_of_them() {
        for (scalar, expected) in [
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("010", "8"),
            ("08", "8"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("-0x1F", "-31"),
            ("0b101", "5"),
            ("1_000", "1000"),
            ("+7", "7"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("1e6", "1e+06"),
            ("1234567.0", "1.234567e+06"),
            ("1.123456789", "1.1234568"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e-5", "1e-05"),
            ("1e40", "+Inf"),
            ("1e400", "1e400"),
            ("-0.0", "-0"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "1.8446744e+19"),
            ("-9223372036854775808", "-9223372036854775808"),
            (".nan", "NaN"),
            ("-.INF", "-Inf"),
            ("yes", "true"),
            ("Off", "false"),
            ("y", "true"),
            ("yEs", "yEs"),
            ("1.2.3", "1.2.3"),
            ("2024-01-02", "2024-01-02"),
            ("12:30:45", "12:30:45"),
            ("0x", "0x"),
            ("1.2e", "1.2e"),
            (".", "."),
            ("-", "-"),
            ("--1", "--1"),
            ("0x-1", "0x-1"),
            ("+", "+"),
            ("_1", "_1"),
            ("<<", "<<"),
        ] {
            assert_eq!(text(scalar).as_deref(), Some(expected), "{scalar}");
        }
        for nothing in ["", "~", "null", "NULL"] {
            assert_eq!(resolve(nothing, true, None), Some(Value::Null), "{nothing:?}");
        }
        assert_eq!(resolve("1.10", false, None), Some(Value::Text("1.10".to_owned())), "quoted");
    }

    #[test]
    fn tags_decide_the_kind_or_refuse() {
        let tagged = |tag: &str, scalar| resolve(scalar, false, Some(&format!("{CORE}{tag}")));
        assert_eq!(tagged("str", "1.10"), Some(Value::Text("1.10".to_owned())));
        assert_eq!(tagged("int", "010"), Some(Value::Int(8)));
        assert_eq!(tagged("float", "3"), Some(Value::Float(3.0)));
        assert_eq!(tagged("bool", "on"), Some(Value::Bool(true)));
        assert_eq!(tagged("bool", "maybe"), None);
        assert_eq!(tagged("binary", "Z\n/-8="), None);
        assert_eq!(tagged("binary", "Yf//"), Some(Value::Text("a\u{fffd}\u{fffd}".to_owned())));
        assert_eq!(resolve("1", true, Some("!mine")), Some(Value::Text("1".to_owned())));
    }

    #[test]
    fn keys_are_text_or_nothing() {
        for (scalar, expected) in [("1", Some("1")), ("yes", Some("true")), ("1.50", Some("1.5")), ("1e40", Some(".inf")), ("~", None)] {
            assert_eq!(resolve(scalar, true, None).and_then(Value::into_key).as_deref(), expected, "{scalar}");
        }
        assert_eq!(Value::List(Vec::new()).into_key(), None);
    }
}
