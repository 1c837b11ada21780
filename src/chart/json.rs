//! JSON byte for byte as Go's `encoding/json` writes it.
//!
//! In: text, numbers and values. Out: JSON appended to a string. What differs from `serde_json` and decides digests: `<`, `>`,
//! `&`, U+2028 and U+2029 are escaped, numbers are 64-bit floats in Go's form, and empty members are left out where Helm
//! says so.

use super::value::Value;

/// An object that is being written. Members come in the order of the calls.
pub(super) struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    /// Begins an object at the end of `out`; [`Object::end`] closes it.
    pub(super) fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// Closes it.
    pub(super) fn end(self) {
        self.out.push('}');
    }

    /// Writes the name of a member; the value is written to what is given back.
    pub(super) fn member(&mut self, name: &str) -> &mut String {
        if !std::mem::replace(&mut self.first, false) {
            self.out.push(',');
        }
        text(self.out, name);
        self.out.push(':');
        self.out
    }

    /// A member with text, left out when it is empty.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            text(self.member(name), value);
        }
    }

    /// A member that is a list, left out when it is empty.
    pub(super) fn list<T>(&mut self, name: &str, items: &[T], write: impl FnMut(&mut String, &T)) {
        if !items.is_empty() {
            list(self.member(name), items, write);
        }
    }

    /// A member that is true, left out when it is false.
    pub(super) fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.member(name).push_str("true");
        }
    }

    /// A member that maps text to text, left out when it is empty.
    pub(super) fn texts<'b>(&mut self, name: &str, members: impl IntoIterator<Item = (&'b String, &'b String)>) {
        let mut members = members.into_iter().peekable();
        if members.peek().is_some() {
            let mut object = Object::begin(self.member(name));
            for (key, value) in members {
                text(object.member(key), value);
            }
            object.end();
        }
    }
}

/// Writes a list.
pub(super) fn list<T>(out: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// Writes text in quotes.
pub(super) fn text(out: &mut String, value: &str) {
    use std::fmt::Write as _;
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{C}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1F}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Writes a value whose type Helm leaves open. Integers become 64-bit floats on their way through JSON.
pub(super) fn value(out: &mut String, any: &Value) {
    #[expect(clippy::cast_precision_loss, reason = "Go decodes every number of unknown type into a 64-bit float")]
    match any {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&double_precision(*number as f64)),
        Value::Unsigned(number) => out.push_str(&double_precision(*number as f64)),
        Value::Float(number) => out.push_str(&double_precision(*number)),
        Value::Text(string) => text(out, string),
        Value::List(items) => list(out, items, value),
        Value::Map(members) => {
            let mut object = Object::begin(out);
            for (key, member) in members {
                value(object.member(key), member);
            }
            object.end();
        }
    }
}

/// Without an exponent from 1e-6 up to 1e21; a negative exponent has no leading zero, a positive one has its sign.
fn double_precision(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let scientific = format!("{number:e}");
        return if magnitude < 1.0 { scientific } else { scientific.replace('e', "e+") };
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each right side was printed by Go's `json.Marshal`.
    #[test]
    fn text_is_escaped_as_go_does() {
        for (plain, expected) in [
            ("a\"b\\c/", r#""a\"b\\c/""#),
            ("<a href='x'>&</a>", r#""\u003ca href='x'\u003e\u0026\u003c/a\u003e""#),
            ("\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}\""),
            ("\u{2028}\u{2029}é😀", "\"\\u2028\\u2029é😀\""),
        ] {
            let mut out = String::new();
            text(&mut out, plain);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn numbers_are_written_as_go_does() {
        for (number, expected) in [
            (1.0, "1"),
            (1.5, "1.5"),
            (-0.0, "-0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (-2.5e-10, "-2.5e-10"),
            (123_456_789.0, "123456789"),
        ] {
            assert_eq!(double_precision(number), expected);
        }
    }

    #[test]
    fn empty_members_are_left_out() {
        let mut out = String::new();
        let mut object = Object::begin(&mut out);
        object.text("a", "");
        object.list("b", &[] as &[String], |out, item| text(out, item));
        object.flag("c", false);
        object.texts("d", []);
        object.text("e", "x");
        object.flag("f", true);
        object.end();
        assert_eq!(out, r#"{"e":"x","f":true}"#);
    }
}
