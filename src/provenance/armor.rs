//! ASCII armor (RFC 9580, section 6): the bytes in a block, line by line.
//!
//! The library's own reader looks for the end of a text again after each line, and so takes minutes for a hostile megabyte; and of
//! several blocks it reads the first.

use base64::Engine as _;

/// A block of armor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What stands between `BEGIN` and the dashes: `PGP SIGNATURE`.
    pub(super) label: String,
    /// Its content.
    pub(super) bytes: Vec<u8>,
}

/// Why a text is no armor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArmorError {
    /// No first line of a block.
    #[error("it has text outside of a block")]
    Outside,
    /// No last line of a block.
    #[error("a block has no end: it was cut")]
    Cut,
    /// A header that is none.
    #[error("a block has no empty line after its headers")]
    Header,
    /// No base64.
    #[error("a block is no base64")]
    Base64,
}

/// Whether it begins like armor.
pub(super) fn is_armored(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"-----BEGIN PGP ")
}

/// All blocks of `text`, which has nothing else in it but empty lines.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, ArmorError> {
    let mut lines = text.lines().map(str::trim_end);
    let mut blocks = Vec::new();
    while let Some(line) = lines.by_ref().find(|line| !line.is_empty()) {
        let label = marked(line, "BEGIN").ok_or(ArmorError::Outside)?;
        blocks.push(Block { label: label.to_owned(), bytes: body(&mut lines, label)? });
    }
    Ok(blocks)
}

fn marked<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?.strip_suffix("-----")?.strip_prefix(word)?.strip_prefix(' ')
}

fn body<'a>(lines: &mut impl Iterator<Item = &'a str>, label: &str) -> Result<Vec<u8>, ArmorError> {
    for line in lines.by_ref() {
        match line {
            "" => break,
            header if header.contains(": ") || header.ends_with(':') => {}
            _ => return Err(ArmorError::Header),
        }
    }
    let mut text = String::new();
    for line in lines {
        if marked(line, "END") == Some(label) {
            return base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| ArmorError::Base64);
        }
        // Its checksum is optional, and tells nothing that a signature does not.
        if !line.starts_with('=') {
            text.push_str(line.trim_start());
        }
    }
    Err(ArmorError::Cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_one_after_the_other() {
        let one = "-----BEGIN PGP SIGNATURE-----\r\nVersion: GnuPG v2\r\nComment:\r\n\r\naGVs\r\nbG8=\r\n=abcd\r\n-----END PGP SIGNATURE-----\r\n";
        let read = blocks(&format!("\n{one}\n\n{one}")).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[1].label.as_str(), read[1].bytes.as_slice()), ("PGP SIGNATURE", &b"hello"[..]));
        assert!(
            is_armored(b" \n-----BEGIN PGP PUBLIC KEY BLOCK-----")
                && !is_armored(b"\x99\x01")
                && !is_armored(b"-----BEGIN CERTIFICATE-----")
        );
    }

    #[test]
    fn what_is_no_armor_is_refused() {
        let whole = "-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n";
        for (text, expected) in [
            (format!("hello\n{whole}"), ArmorError::Outside),
            (format!("{whole}hello"), ArmorError::Outside),
            (whole.replace("-----END PGP SIGNATURE-----\n", ""), ArmorError::Cut),
            (whole.replace("END PGP SIGNATURE", "END PGP MESSAGE"), ArmorError::Cut),
            (whole.replace("\n\n", "\n"), ArmorError::Header),
            (whole.replace("aGVsbG8=", "aGVsbG8"), ArmorError::Base64),
            (whole.replace("aGVsbG8=", "a*VsbG8="), ArmorError::Base64),
        ] {
            assert_eq!(blocks(&text), Err(expected), "{text}");
        }
        assert_eq!(blocks(" \n"), Ok(Vec::new()));
    }
}
