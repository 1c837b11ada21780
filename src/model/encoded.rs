//! Base64 as people write it into a file: in one line, or in lines as `base64` prints them.

use base64::{DecodeError, Engine, prelude::BASE64_STANDARD};

/// What is no base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBase64 {
    /// A letter, counted from 1 without line ends.
    #[error("letter {0} does not belong there")]
    Letter(usize),
    /// Letters are missing.
    #[error("it is cut, or its `=` at the end are")]
    Cut,
}

/// What a text stands for.
///
/// # Errors
/// [`InvalidBase64`].
pub fn decoded(text: &str) -> Result<Vec<u8>, InvalidBase64> {
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64_STANDARD.decode(letters).map_err(|error| match error {
        DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol(offset, _) => InvalidBase64::Letter(offset + 1),
        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => InvalidBase64::Cut,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_the_first_wrong_letter_is_named() {
        for (text, expected) in [
            ("aGVsbG8=", Ok("hello")),
            ("aGVs\n  bG8=\n", Ok("hello")),
            ("", Ok("")),
            ("aGVs\nb%8=", Err(InvalidBase64::Letter(6))),
            ("aGVsbG8", Err(InvalidBase64::Cut)),
            ("aGVsb", Err(InvalidBase64::Cut)),
        ] {
            assert_eq!(decoded(text), expected.map(|text| text.as_bytes().to_vec()), "{text}");
        }
    }
}
