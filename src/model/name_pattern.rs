//! A regular expression for names of charts, as a user writes it: not anchored unless it says so, and bounded in what it may cost.

use std::str::FromStr;

use regex::bytes::{Regex, RegexBuilder};

/// Bytes of a pattern.
pub const LONGEST: usize = 256;
/// Bytes of what is made of it, and of what matching remembers.
const COMPILED: usize = 64 * 1024;
const NESTED: u32 = 20;

/// A regular expression. Two of the same text are equal.
#[derive(Debug, Clone)]
pub struct NamePattern {
    text: String,
    regex: Regex,
}

/// What is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// It has another form.
    #[error("it is no regular expression: {0}; one is written like `^pod`, `^(nginx|redis)$` or `-exporter$`")]
    Syntax(String),
    /// It would cost too much.
    #[error("it is too large: at most {LONGEST} bytes, and repetitions such as `{{1000}}` count as often as they repeat")]
    TooLarge,
}

impl FromStr for NamePattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text.len() > LONGEST {
            return Err(InvalidPattern::TooLarge);
        }
        // Names of charts are ASCII, and the tables of Unicode would be most of what a pattern costs.
        let regex = RegexBuilder::new(text).unicode(false).size_limit(COMPILED).dfa_size_limit(COMPILED).nest_limit(NESTED).build();
        match regex {
            Ok(regex) => Ok(Self { text: text.to_owned(), regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err(InvalidPattern::TooLarge),
            Err(error) => Err(InvalidPattern::Syntax(cause(&error))),
        }
    }
}

/// The last line of what the crate says; those before it show the pattern.
fn cause(error: &regex::Error) -> String {
    let said = error.to_string();
    let last = said.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

impl NamePattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name.as_bytes())
    }

    /// The longest run of letters in it that a name can have: what somebody had in mind.
    pub fn gist(&self) -> &str {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        let runs = self.text.split(|letter| !is_letter(letter));
        runs.fold("", |longest, run| if run.len() > longest.len() { run } else { longest })
    }
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for NamePattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_anchored_as_it_is_written() {
        for (pattern, name, expected) in [
            ("^pod.*", "podinfo", true),
            ("^pod.*", "my-podinfo", false),
            ("pod", "my-podinfo", true),
            ("^(nginx|redis)$", "redis", true),
            ("^(nginx|redis)$", "redis-cluster", false),
            (r"^\w+$", "a_b", true),
            ("(?i)^POD", "podinfo", true),
            (".*", "", true),
        ] {
            assert_eq!(pattern.parse::<NamePattern>().unwrap().matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said_in_a_line() {
        let said = |text: &str| text.parse::<NamePattern>().map(|_| ()).map_err(|error| error.to_string());
        let like = "; one is written like `^pod`, `^(nginx|redis)$` or `-exporter$`";
        assert_eq!(said("^pod("), Err(format!("it is no regular expression: unclosed group{like}")));
        assert_eq!(said("*"), Err(format!("it is no regular expression: repetition operator missing expression{like}")));
        let too_large = "it is too large: at most 256 bytes, and repetitions such as `{1000}` count as often as they repeat";
        for text in ["a".repeat(257), "(a{1000}){1000}".to_owned(), "[a-z]{9999}".to_owned()] {
            assert_eq!(said(&text), Err(too_large.to_owned()), "{text}");
        }
        assert!(said(&"(".repeat(100)).is_err() && said(r"\pL").is_err());
        assert_eq!(said(&"a".repeat(256)), Ok(()));
    }

    #[test]
    fn what_somebody_had_in_mind_is_the_longest_word() {
        for (pattern, gist) in [("^pod.*", "pod"), ("^(nginx|redis-cluster)$", "redis-cluster"), ("^.*$", "")] {
            assert_eq!(pattern.parse::<NamePattern>().unwrap().gist(), gist);
        }
    }
}
