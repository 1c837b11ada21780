//! What a server says, without what proves who somebody is: some repeat a password or a token in their errors.

use secrecy::{ExposeSecret, SecretString};

/// What stands in place of a secret.
const HIDDEN: &str = "…";
/// What is shorter stands in other words, too, and hides nothing.
const SHORTEST: usize = 4;

/// `text` without `secrets`, and without anything that looks like a signed token.
pub(super) fn discreet(text: &str, secrets: &[SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST) {
        text = text.replace(secret, HIDDEN);
    }
    without_tokens(&text)
}

/// RFC 7519: three parts in base64url, the first of which begins an object of JSON.
fn without_tokens(text: &str) -> String {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut kept = String::new();
    for piece in text.split_inclusive(|c: char| !is_of_token(c)) {
        let word = piece.trim_end_matches(|c: char| !is_of_token(c));
        let is_token = word.starts_with("eyJ") && word.split('.').count() > 2;
        kept += if is_token { HIDDEN } else { word };
        kept += piece.get(word.len()..).unwrap_or_default();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_who_somebody_is_is_hidden_and_nothing_else() {
        let secrets = ["open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "abc"].map(SecretString::from);
        for (said, shown) in [
            ("requested access to the resource is denied", "requested access to the resource is denied"),
            ("wrong password `open sesame` of Aladdin", "wrong password `…` of Aladdin"),
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, says he", "Basic …, says he"),
            ("abc is too short to be told from words", "abc is too short to be told from words"),
            ("token \"eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJyIn0.c2ln-_\" has expired", "token \"…\" has expired"),
            ("eyJ is no token, and 1.2.3 neither: see v2.8.", "eyJ is no token, and 1.2.3 neither: see v2.8."),
            ("", ""),
        ] {
            assert_eq!(discreet(said, &secrets), shown);
        }
    }
}
