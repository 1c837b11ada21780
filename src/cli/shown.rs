//! What was given, as a terminal may be shown it: a name in a file can hold escapes that colour, move and delete, and line breaks that
//! make one line look like two.

use std::fmt::Write as _;

use serde_json::Value;

/// Without control characters; line breaks stay.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || *letter == '\n').collect()
}

/// JSON whose texts have control characters as escapes alone; what it says stays the same.
pub(super) fn json(value: &Value) -> String {
    let mut text = String::new();
    for letter in format!("{value:#}").chars() {
        // Those of ASCII are escaped already, and line breaks stand between its parts alone.
        if letter.is_control() && letter != '\n' {
            let _ = write!(text, "\\u{:04x}", u32::from(letter));
        } else {
            text.push(letter);
        }
    }
    text
}

/// In one line.
pub(super) fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_is_shown() {
        let text = "a \u{1b}[31mb\u{7}\u{9b}2J\n  c\r\t\u{85}d";
        assert_eq!(printable(text), "a [31mb2J\n  cd");
        assert_eq!(one_line(text), "a [31mb2J c d");
    }

    #[test]
    fn json_keeps_control_characters_as_escapes() {
        let value = serde_json::json!({"a": "\u{1b}[31m\u{9b}2J\u{7f}\n"});
        let text = json(&value);
        assert_eq!(text, "{\n  \"a\": \"\\u001b[31m\\u009b2J\\u007f\\n\"\n}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
