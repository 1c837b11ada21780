//! Secrets, the forms in which they may be seen, and the search for them.

use std::{
    fmt::{self, Debug, Formatter},
    path::Path,
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use serde_json::Value;

use super::support::random_word;

/// A secret.
#[derive(Clone)]
pub struct Planted {
    /// What it is.
    pub name: String,
    /// It; of a key, each of its lines.
    parts: Vec<String>,
}

/// A text that somebody can read.
pub struct Shown {
    place: String,
    text: String,
}

/// Letters that stand nowhere else.
pub fn word() -> String {
    random_word() + &random_word() + &random_word()
}

impl Planted {
    pub fn new(name: &str, value: &str) -> Self {
        assert!(value.len() >= 16, "{name}: too short to be told from other words");
        Self { name: name.to_owned(), parts: vec![value.to_owned()] }
    }

    /// A private key in PEM.
    pub fn key(name: &str, pem: &str) -> Self {
        let lines: Vec<String> = pem.lines().filter(|line| !line.is_empty() && !line.starts_with('-')).map(str::to_owned).collect();
        assert!(lines.len() > 1, "{name}: no key");
        Self { name: name.to_owned(), parts: lines }
    }

    /// As it is, as URLs have it, and as base64 has it, wherever in a longer text it begins.
    fn forms(&self) -> Vec<String> {
        let mut forms = Vec::new();
        for part in &self.parts {
            forms.push(part.clone());
            forms.push(url::form_urlencoded::byte_serialize(part.as_bytes()).collect());
            for before in 0..3 {
                let text = "-".repeat(before) + part;
                // What depends on the neighbours is cut off.
                let (begin, end) = ([0, 2, 3][before], text.len() * 8 / 6);
                forms.extend([BASE64_STANDARD.encode(&text), BASE64_URL_SAFE.encode(&text)].map(|encoded| encoded[begin..end].to_owned()));
            }
        }
        forms.sort();
        forms.dedup();
        forms
    }
}

impl Debug for Planted {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl Shown {
    pub fn new(place: &str, text: &str) -> Self {
        Self { place: place.to_owned(), text: text.to_owned() }
    }
}

/// Each secret that stands somewhere: where, and in which line first.
pub fn found(planted: &[Planted], shown: &[Shown]) -> Vec<String> {
    let mut problems = Vec::new();
    for Shown { place, text } in shown {
        assert!(!text.is_empty(), "{place} says nothing");
        for secret in planted {
            let forms = secret.forms();
            let line = text.lines().find(|line| forms.iter().any(|form| line.contains(form)));
            problems.extend(line.map(|line| format!("{} in {place}: {}", secret.name, line.chars().take(600).collect::<String>())));
        }
    }
    problems
}

/// How much was searched.
pub fn bytes(shown: &[Shown]) -> usize {
    shown.iter().map(|shown| shown.text.len()).sum()
}

/// The token in a kubeconfig of the bed.
pub fn token_of(kubeconfig: &Path) -> String {
    let kubeconfig: Value = serde_json::from_slice(&std::fs::read(kubeconfig).expect("a kubeconfig")).expect("JSON");
    kubeconfig.pointer("/users/0/user/token").and_then(Value::as_str).expect("a token").to_owned()
}

#[test]
fn a_secret_is_found_in_each_of_its_forms_and_nowhere_else() {
    let secret = Planted::new("a password", "correct horse/battery?");
    let standard = |before: &str| BASE64_STANDARD.encode(format!("{before}correct horse/battery?\n"));
    for text in [
        "it is correct horse/battery? indeed".to_owned(),
        "q=correct+horse%2Fbattery%3F&x".to_owned(),
        format!("Basic {}", standard("user:")),
        format!("Basic {}", standard("users:")),
        format!("Basic {}", standard("a user:")),
        format!("\"{}\"", BASE64_URL_SAFE.encode("??correct horse/battery?")),
    ] {
        assert_eq!(found(std::slice::from_ref(&secret), &[Shown::new("a text", &text)]).len(), 1, "{text}");
    }
    let other = format!("correct horse, {}", BASE64_STANDARD.encode("user:correct house/battery?"));
    assert_eq!(found(&[secret], &[Shown::new("a text", &other)]), Vec::<String>::new());
}
