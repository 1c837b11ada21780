//! What a source is told of who we are: a name and password, or a token.

use secrecy::{ExposeSecret, SecretString};

use super::{Credential, Digest};

/// What goes into the header `Authorization` of a request to a source. Prints nothing of it.
#[derive(Clone)]
pub enum Authorization {
    /// RFC 7617.
    Basic(Credential),
    /// RFC 6750.
    Bearer(Token),
}

/// A token that a header can carry.
#[derive(Clone)]
pub struct Token(SecretString);

/// What is no token. Never shows what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no token: one has letters, digits and `-`, `.`, `_`, `~`, `+` and `/`, and may have `=` at its end")]
pub struct InvalidToken;

impl Token {
    /// Reads one; the end of a line behind it is none of its letters.
    ///
    /// # Errors
    /// [`InvalidToken`], by RFC 6750, section 2.1.
    pub fn read(text: &str) -> Result<Self, InvalidToken> {
        let token = text.trim_end_matches(['\r', '\n']);
        let letters = token.trim_end_matches('=');
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        if letters.is_empty() || !letters.bytes().all(is_letter) { Err(InvalidToken) } else { Ok(Self(token.into())) }
    }
}

impl Authorization {
    /// The value of the header.
    pub fn header(&self) -> SecretString {
        match self {
            Self::Basic(credential) => credential.basic_header(),
            Self::Bearer(token) => format!("Bearer {}", token.0.expose_secret()).into(),
        }
    }

    /// What of it must not be shown.
    pub fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Basic(credential) => credential.secrets().into(),
            Self::Bearer(token) => vec![token.0.clone()],
        }
    }

    /// Tells two of them apart without showing either.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(self.header().expose_secret().as_bytes())
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Basic(_) => "Basic(…)",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_a_header_can_carry() {
        for good in ["a", "eyJhbGciOi.J_-~+/9", "c2VjcmV0==", "c2VjcmV0\n"] {
            let said = Token::read(good).map(|token| Authorization::Bearer(token).header().expose_secret().to_owned());
            assert_eq!(said, Ok(format!("Bearer {}", good.trim_end())));
        }
        for bad in ["", "=", "two words", "a=b", "Bearer x", "a\r\nHost: x", "é"] {
            assert_eq!(Token::read(bad).map(|_| ()), Err(InvalidToken), "{bad:?}");
        }
    }

    #[test]
    fn two_are_told_apart_and_neither_is_shown() {
        let [basic, bearer] =
            [Authorization::Basic(Credential::new("a", "hunter2")), Authorization::Bearer(Token::read("hunter2").unwrap())];
        assert_ne!(basic.fingerprint(), bearer.fingerprint());
        assert_eq!((format!("{basic:?}"), format!("{bearer:?}")), ("Basic(…)".to_owned(), "Bearer(…)".to_owned()));
    }
}
