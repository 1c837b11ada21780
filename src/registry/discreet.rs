//! What a server says, without what proves who we are: some repeat a password, a token or an upload's address in their errors.

use secrecy::{ExposeSecret, SecretString};

use crate::model::{self, HIDDEN};

/// What is shorter stands in other words, too, and hides nothing.
const SHORTEST: usize = 4;

/// `text` without `secrets`, and without what of others is none of ours to show.
pub(super) fn discreet(text: &str, secrets: &[SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST) {
        text = text.replace(secret, HIDDEN);
    }
    model::discreet(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_who_we_are_is_hidden_and_nothing_else() {
        let secrets = ["open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "abc"].map(SecretString::from);
        for (said, shown) in [
            ("wrong password `open sesame` of Aladdin", "wrong password `…` of Aladdin"),
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, says he", "Basic …, says he"),
            ("abc is too short to be told from words", "abc is too short to be told from words"),
            ("/v2/a?_state=x is closed", "/v2/a is closed"),
        ] {
            assert_eq!(discreet(said, &secrets), shown);
        }
    }
}
