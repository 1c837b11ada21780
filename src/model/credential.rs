//! What proves who we are to a registry or a source.

use secrecy::{ExposeSecret, SecretString};

/// A name and a password. Prints neither.
#[derive(Clone)]
pub struct Credential {
    username: String,
    password: SecretString,
}

/// What no login can be made of. Never shows what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredential {
    /// Of the name.
    #[error("`username` has a colon or a control character in it, and the name of a login may not")]
    Username,
    /// Of the password.
    #[error("`password` has a line break or another control character in it, and that of a login may not")]
    Password,
}

impl Credential {
    /// Takes both where a header can carry them: by RFC 7617, section 2, neither may have control characters, and the name ends at the
    /// first colon.
    ///
    /// # Errors
    /// [`InvalidCredential`].
    pub fn read(username: &str, password: &str) -> Result<Self, InvalidCredential> {
        if username.contains(|c: char| c == ':' || c.is_control()) {
            return Err(InvalidCredential::Username);
        }
        if password.contains(char::is_control) {
            return Err(InvalidCredential::Password);
        }
        Ok(Self::new(username, password))
    }

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
    fn a_login_is_what_a_header_can_carry() {
        for (username, password, expected) in [
            ("Aladdin", "open: sesame", None),
            ("robot$x", "é", None),
            ("", "", None),
            ("a:b", "c", Some(InvalidCredential::Username)),
            ("a\n", "c", Some(InvalidCredential::Username)),
            ("a", "c\r\nHost: x", Some(InvalidCredential::Password)),
            ("a", "c\u{7f}", Some(InvalidCredential::Password)),
        ] {
            assert_eq!(Credential::read(username, password).err(), expected, "{username:?} {password:?}");
        }
    }

    #[test]
    fn encodes_as_rfc_7617_shows_and_prints_nothing() {
        let credential = Credential::new("Aladdin", "open sesame");
        assert_eq!(credential.basic_header().expose_secret(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(format!("{credential:?}"), "Credential(…)");
    }
}
