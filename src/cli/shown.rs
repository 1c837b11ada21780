//! What was given, as a terminal may be shown it: a name in a file can hold escapes that colour, move and delete, and line breaks that
//! make one line look like two.

/// Without control characters; line breaks stay.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || *letter == '\n').collect()
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
}
