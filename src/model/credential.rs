//! What proves who we are to a registry or a source.

use secrecy::{ExposeSecret, SecretString};

/// A name and a password. Prints neither.
#[derive(Clone)]
pub struct Credential {
    username: String,
    password: SecretString,
}

impl Credential {
    /// Takes both as they were read.
    pub fn new(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self { username: username.into(), password: password.into() }
    }

    /// The value of an `Authorization` header by RFC 7617.
    pub fn basic_header(&self) -> SecretString {
        use base64::{Engine, prelude::BASE64_STANDARD};
        let pair = format!("{}:{}", self.username, self.password.expose_secret());
        format!("Basic {}", BASE64_STANDARD.encode(pair)).into()
    }

    /// What of it must not be shown: the password, and both as a header has them.
    pub fn secrets(&self) -> [SecretString; 2] {
        let header = self.basic_header();
        let encoded = header.expose_secret().strip_prefix("Basic ").unwrap_or_default();
        [self.password.clone(), encoded.into()]
    }

    /// Tells two credentials apart without showing either: caches of tokens are keyed by it.
    pub fn fingerprint(&self) -> super::Digest {
        super::Digest::of(format!("{}\0{}", self.username, self.password.expose_secret()).as_bytes())
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Credential(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_rfc_7617_shows_and_prints_nothing() {
        let credential = Credential::new("Aladdin", "open sesame");
        assert_eq!(credential.basic_header().expose_secret(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(format!("{credential:?}"), "Credential(…)");
    }
}
