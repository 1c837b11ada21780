//! An answer that was not hoped for: its status in the first line, headers up to an empty line, then its body.
//!
//! What is shown of it is short, in one line, and holds neither what proves who we are nor what proves who somebody else is.

use std::time::Duration;

use chart_publisher::registry::{BodyKind, Failure, Stage, doors::answer};
use http::{HeaderName, HeaderValue, Response};
use secrecy::SecretString;

use super::sentence;

const PASSWORD: &str = "open-sesame";
const BASIC: &str = "Basic d2ViOm9wZW4tc2VzYW1l";

/// Reads it.
pub fn run(input: &[u8]) {
    let mut rest = input;
    let status = std::str::from_utf8(line(&mut rest)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(500);
    let mut response = Response::builder().status(status);
    loop {
        let header = line(&mut rest);
        let Some(colon) = header.iter().position(|byte| *byte == b':') else { break };
        let (name, value) = (HeaderName::from_bytes(&header[..colon]), HeaderValue::from_bytes(header[colon + 1..].trim_ascii()));
        if let (Ok(name), Ok(value)) = (name, value) {
            response = response.header(name, value);
        }
    }
    let Ok(response) = response.body(()) else { return };
    check(&response.into_parts().0, rest);
}

fn line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let line = &rest[..end];
    *rest = rest.get(end + 1..).unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn check(head: &http::response::Parts, body: &[u8]) {
    let found = answer(head, body, &[PASSWORD, BASIC].map(SecretString::from));
    assert!(found.codes.len() <= 8 && found.codes.iter().all(|code| code.chars().count() <= 64), "{:?}", found.codes);
    assert!(found.message.chars().count() <= 256 + 64, "{}", found.message);
    assert!(found.server.iter().all(|server| server.chars().count() <= 80), "{:?}", found.server);
    assert!(found.redirect.iter().all(|location| !location.contains(['?', '#'])), "{:?}", found.redirect);
    assert!(found.retry_after.is_none_or(|pause| pause <= Duration::from_hours(1)), "{:?}", found.retry_after);
    assert!(found.body != BodyKind::Json && found.body != BodyKind::Empty || found.message.is_empty(), "{}", found.message);
    let texts = found.codes.iter().chain([&found.message]).chain(&found.server).chain(&found.redirect);
    for text in texts {
        discreet(text);
    }
    let failure = Failure::new(Stage::SendBlob, found).to_string();
    assert!(failure.chars().count() <= 700, "{failure}");
    discreet(&failure);
}

fn discreet(text: &str) {
    sentence::check(text);
    assert!(!text.contains(PASSWORD) && !text.contains(BASIC), "who we are is shown: {text}");
    for word in text.split_whitespace() {
        let is_url = word.contains('/') && word.contains('?');
        let has_user = word.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')));
        assert!(!is_url && !has_user, "a query or user information is shown: {text}");
    }
    let is_of_token = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let is_token = |word: &str| word.starts_with("eyJ") && word.split('.').count() > 2;
    assert!(!text.split(|letter| !is_of_token(letter)).any(is_token), "a token is shown: {text}");
}
