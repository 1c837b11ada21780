//! The frame of a clear-signed message (RFC 9580, section 7): the text, and the signatures below it.
//!
//! Stricter than Helm: nothing stands before or after it, each line that begins with a dash is escaped, and no line has a control
//! character other than a tab. So there is one way to read it.

use super::{
    MOST,
    armor::{self, ArmorError},
};

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
/// What a header `Hash` may name: what Helm takes.
const HASHES: [&str; 9] = ["MD5", "SHA1", "RIPEMD160", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-512"];
/// Bytes of the block with the signatures. One has a few hundred.
const MOST_OF_SIGNATURES: usize = 64 << 10;

/// What was signed, and by which packets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClearSigned {
    /// The lines, joined by line feeds, without the dashes that escape them and without white space at their ends.
    pub(super) text: String,
    /// The packets of the signatures.
    pub(super) signatures: Vec<u8>,
}

/// Why a text is no clear-signed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too long.
    #[error("it is longer than {MOST} bytes")]
    Long,
    /// No text.
    #[error("it is no UTF-8")]
    NoText,
    /// It begins with something else.
    #[error("it does not begin with `{BEGIN}`")]
    Begin,
    /// A header that no such message has.
    #[error("a header before its text is none of `Hash: SHA256` and the like")]
    Header,
    /// It ends too early.
    #[error("it ends before `{SIGNATURE}`: it was cut")]
    Cut,
    /// A dash that is not escaped.
    #[error("a line begins with a dash that is not escaped by `- `")]
    Dash,
    /// A character that can be read in two ways.
    #[error("a line has a control character")]
    Control,
    /// The block with the signatures.
    #[error("its signature cannot be read: {0}")]
    Armor(#[from] ArmorError),
    /// A long block with signatures, or none, or two.
    #[error("there is not one block with signatures at its end, of at most {MOST_OF_SIGNATURES} bytes")]
    Block,
}

impl ClearSigned {
    /// Reads it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > MOST {
            return Err(FrameError::Long);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| FrameError::NoText)?;
        let mut rest = whole;
        if line(&mut rest) != Some(BEGIN) {
            return Err(FrameError::Begin);
        }
        headers(&mut rest)?;
        let mut text: Option<String> = None;
        loop {
            let block = rest;
            let next = line(&mut rest).ok_or(FrameError::Cut)?;
            if next == SIGNATURE {
                return Ok(Self { text: text.unwrap_or_default(), signatures: signatures(block)? });
            }
            let next = unescaped(next)?;
            match &mut text {
                Some(text) => {
                    text.push('\n');
                    text.push_str(next);
                }
                None => text = Some(next.to_owned()),
            }
        }
    }

    /// What the signature is of: its lines end with CR LF.
    pub(super) fn signed(&self) -> Vec<u8> {
        self.text.replace('\n', "\r\n").into_bytes()
    }
}

/// Takes the next line off `rest`, without its end.
fn line<'a>(rest: &mut &'a str) -> Option<&'a str> {
    if rest.is_empty() {
        return None;
    }
    let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
    *rest = after;
    Some(line.strip_suffix('\r').unwrap_or(line))
}

fn headers(rest: &mut &str) -> Result<(), FrameError> {
    loop {
        let header = line(rest).ok_or(FrameError::Cut)?;
        if header.is_empty() {
            return Ok(());
        }
        let names = header.strip_prefix("Hash:").ok_or(FrameError::Header)?;
        if !names.split(',').all(|name| HASHES.contains(&name.trim())) {
            return Err(FrameError::Header);
        }
    }
}

fn unescaped(line: &str) -> Result<&str, FrameError> {
    let line = match line.strip_prefix("- ") {
        Some(escaped) => escaped,
        None if line.starts_with('-') => return Err(FrameError::Dash),
        None => line,
    };
    if line.chars().any(|letter| letter.is_control() && letter != '\t') {
        return Err(FrameError::Control);
    }
    Ok(line.trim_end_matches([' ', '\t']))
}

fn signatures(block: &str) -> Result<Vec<u8>, FrameError> {
    if block.len() > MOST_OF_SIGNATURES {
        return Err(FrameError::Block);
    }
    let mut blocks = armor::blocks(block)?.into_iter();
    match (blocks.next(), blocks.next()) {
        (Some(block), None) if !block.bytes.is_empty() => Ok(block.bytes),
        _ => Err(FrameError::Block),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: web\n- - a: b\n...  \t\nfiles:\n\n-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n";

    fn read(text: &str) -> Result<ClearSigned, FrameError> {
        ClearSigned::read(text.as_bytes())
    }

    #[test]
    fn the_text_is_read_without_escapes_and_white_space_at_line_ends() {
        let read_whole = read(WHOLE).unwrap();
        assert_eq!((read_whole.text.as_str(), read_whole.signatures.as_slice()), ("name: web\n- a: b\n...\nfiles:\n", &b"hello"[..]));
        assert_eq!(read_whole.signed(), b"name: web\r\n- a: b\r\n...\r\nfiles:\r\n");
        for other in [
            WHOLE.replace('\n', "\r\n"),
            WHOLE.replace("Hash: SHA512\n", ""),
            WHOLE.replace("SHA512", "SHA1, SHA3-256"),
            WHOLE.replace("name: web\n", "name: web \t\n"),
            WHOLE.replace("name", "- name"),
            format!("{WHOLE}\n\n"),
            WHOLE.trim_end().to_owned(),
        ] {
            assert_eq!(read(&other).as_ref(), Ok(&read_whole), "{other}");
        }
        let empty = read(&WHOLE.replace("name: web\n- - a: b\n...  \t\nfiles:\n\n", "")).unwrap();
        assert_eq!((empty.text.as_str(), empty.signed().len()), ("", 0));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for (text, expected) in [
            (format!("\n{WHOLE}"), FrameError::Begin),
            (format!("\u{feff}{WHOLE}"), FrameError::Begin),
            (WHOLE.replace("MESSAGE-----", "MESSAGE----- "), FrameError::Begin),
            (String::new(), FrameError::Begin),
            (WHOLE.replace("Hash: SHA512", "Hash: CRC32"), FrameError::Header),
            (WHOLE.replace("Hash: SHA512", "Charset: utf-8"), FrameError::Header),
            (WHOLE.replace("- - a", "- a\n-b"), FrameError::Dash),
            (WHOLE.replace("- - a", "-----BEGIN PGP SIGNATURE----- "), FrameError::Dash),
            (WHOLE.replace("name", "na\rme"), FrameError::Control),
            (WHOLE.replace("name", "na\0me"), FrameError::Control),
            (WHOLE.replace("-----END PGP SIGNATURE-----\n", ""), FrameError::Armor(ArmorError::Cut)),
            (WHOLE.split("-----BEGIN PGP SIGNATURE").next().unwrap().to_owned(), FrameError::Cut),
            (format!("{WHOLE}more"), FrameError::Armor(ArmorError::Outside)),
            (format!("{WHOLE}{}", WHOLE.split("files:\n\n").nth(1).unwrap()), FrameError::Block),
            (WHOLE.replace("aGVsbG8=", ""), FrameError::Block),
            (WHOLE.replace("aGVsbG8=", &"aGVs\n".repeat(20_000)), FrameError::Block),
            (WHOLE.replace("name", &"x".repeat(MOST)), FrameError::Long),
        ] {
            assert_eq!(read(&text), Err(expected), "{}", text.chars().take(200).collect::<String>());
        }
        assert_eq!(ClearSigned::read(&WHOLE.replace("web", "\u{e9}").replace('\u{e9}', "\u{fffd}").into_bytes()).map(|_| ()), Ok(()));
        assert_eq!(ClearSigned::read(b"-----BEGIN PGP SIGNED MESSAGE-----\n\n\xff").unwrap_err(), FrameError::NoText);
    }

    #[test]
    fn a_hostile_megabyte_takes_no_time() {
        let begin = std::time::Instant::now();
        for part in ["a\n", "- -\n", "-----\n", "Hash: SHA1\n"] {
            let _ = read(&format!("{BEGIN}\n\n{}", part.repeat((MOST - 100) / part.len())));
        }
        // A second or two, where nothing is optimised; to look for the end again after each line would take minutes.
        assert!(begin.elapsed() < std::time::Duration::from_secs(40), "{:?}", begin.elapsed());
    }
}
