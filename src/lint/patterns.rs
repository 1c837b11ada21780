//! The patterns of the definition, as Go matches them; each is read once.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use regex::Regex;

use super::defaults::schema_of_items;

/// All patterns of a definition.
pub(super) struct Patterns(BTreeMap<String, Regex>);

impl Patterns {
    /// Reads the patterns of `schema` and of all below it; `None` when one cannot be read.
    pub(super) fn of(schema: &JSONSchemaProps) -> Option<Self> {
        let mut all = BTreeMap::new();
        collect(schema, &mut all)?;
        Some(Self(all))
    }

    /// Whether `text` matches `pattern`, which is one of them.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.0.get(pattern).is_some_and(|pattern| pattern.is_match(text))
    }
}

fn collect(schema: &JSONSchemaProps, all: &mut BTreeMap<String, Regex>) -> Option<()> {
    if let Some(pattern) = schema.pattern.as_deref().filter(|pattern| !all.contains_key(*pattern)) {
        all.insert(pattern.to_owned(), read(pattern)?);
    }
    schema.properties.iter().flat_map(BTreeMap::values).chain(schema_of_items(schema)).try_for_each(|below| collect(below, all))
}

/// With Go's classes of letters, which are those of ASCII.
fn read(pattern: &str) -> Option<Regex> {
    Regex::new(&spelt_out(pattern)).ok()
}

fn spelt_out(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let (mut letters, mut inside) = (pattern.chars(), false);
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            written.push_str(&class(letters.next(), inside));
        } else {
            inside = (inside && letter != ']') || letter == '[';
            written.push(letter);
        }
    }
    written
}

/// What stands behind a backslash.
fn class(letter: Option<char>, inside: bool) -> String {
    let letters = match letter {
        Some('s') => r"\t\n\f\r ",
        Some('d') => "0-9",
        Some('w') => "0-9A-Za-z_",
        other => return other.map(|letter| format!("\\{letter}")).unwrap_or_default(),
    };
    if inside { letters.to_owned() } else { format!("[{letters}]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_go_reads_them() {
        let matches = |pattern: &str, text: &str| read(pattern).unwrap().is_match(text);
        let url = r"^https?://[^\s@]+$";
        for (text, expected) in
            [("https://a", true), ("https://a b", false), ("https://a\u{a0}b", true), ("https://a\u{b}b", true), ("https://a\n", false)]
        {
            assert_eq!(matches(url, text), expected, "{text:?}");
        }
        assert!(matches(r"^\d+\.\w$", "12._"));
        assert!(!matches(r"^\d$", "٣"));
    }
}
