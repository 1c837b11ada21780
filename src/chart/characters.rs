//! The characters of a byte stream, for the YAML parser.
//!
//! In: a reader and a limit in bytes. Out: characters, or why there are no more. What go-yaml v2 refuses is refused: bytes that
//! are no UTF-8, and control characters. A byte order mark at the beginning is passed over. U+0085 ends a line, as in YAML 1.1
//! (U+2028 and U+2029 would too; they are left as text, where the difference is seen only outside of quotes).

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_saphyr::granit_parser::{ErrorKind, InputIoError};

/// Decodes UTF-8 as it is asked for.
pub(crate) struct Characters<R> {
    reader: R,
    buffer: Box<[u8]>,
    position: usize,
    filled: usize,
    left: u64,
    limit: u64,
    begun: bool,
    done: bool,
    /// Counted from 1.
    line: usize,
    after_return: bool,
    /// Where it ended with an error: the parser, which reads ahead, knows only what it asked for.
    ended: Arc<AtomicUsize>,
}

impl<R: Read> Characters<R> {
    /// Reads at most `limit` bytes.
    pub(crate) fn new(reader: R, limit: u64) -> Self {
        Self {
            reader,
            buffer: vec![0; 32 * 1024].into(),
            position: 0,
            filled: 0,
            left: limit,
            limit,
            begun: false,
            done: false,
            line: 1,
            after_return: false,
            ended: Arc::default(),
        }
    }

    /// The line at which it ended with an error; 0 where it did not.
    pub(crate) fn ended(&self) -> Arc<AtomicUsize> {
        self.ended.clone()
    }

    /// As YAML ends lines: by a return, a line feed, or both.
    fn count(&mut self, character: char) {
        if character == '\r' || (character == '\n' && !self.after_return) {
            self.line += 1;
        }
        self.after_return = character == '\r';
    }

    /// The next byte without taking it; None at the end.
    fn peek(&mut self) -> Result<Option<u8>, ErrorKind> {
        while self.position == self.filled {
            match self.reader.read(&mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => (self.position, self.filled) = (0, count),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ErrorKind::InputIo { error: InputIoError::from_io(error) }),
            }
            let count = self.filled as u64;
            if count > self.left {
                return Err(ErrorKind::InputByteLimitExceeded { limit: usize::try_from(self.limit).unwrap_or(usize::MAX) });
            }
            self.left -= count;
        }
        Ok(self.buffer.get(self.position).copied())
    }

    fn decode(&mut self) -> Result<Option<char>, ErrorKind> {
        let Some(first) = self.peek()? else { return Ok(None) };
        self.position += 1;
        if first.is_ascii() {
            return Ok(Some(char::from(first)));
        }
        let length = match first {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return Err(no_utf8()),
        };
        let mut bytes = [first, 0, 0, 0];
        for byte in bytes.iter_mut().take(length).skip(1) {
            *byte = self.peek()?.ok_or_else(no_utf8)?;
            self.position += 1;
        }
        let text = bytes.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.and_then(|text| text.chars().next()).ok_or_else(no_utf8).map(Some)
    }
}

fn no_utf8() -> ErrorKind {
    ErrorKind::InputDecoding { message: "the text is not UTF-8".to_owned() }
}

/// The characters that the reader of go-yaml v2 lets through.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{1_0000}'..)
}

impl<R: Read> Iterator for Characters<R> {
    type Item = Result<char, ErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut next = self.decode();
        if !std::mem::replace(&mut self.begun, true) && next == Ok(Some('\u{FEFF}')) {
            next = self.decode();
        }
        let next = match next {
            Ok(Some(character)) if !is_allowed(character) => {
                let message = format!("control characters are not allowed (U+{:04X})", u32::from(character));
                Some(Err(ErrorKind::InputDecoding { message }))
            }
            Ok(Some('\u{85}')) => Some(Ok('\n')),
            other => other.transpose(),
        };
        match &next {
            Some(Ok(character)) => self.count(*character),
            Some(Err(_)) => self.ended.store(self.line, Ordering::Relaxed),
            None => {}
        }
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte at a time.
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let take = self.0.len().min(1).min(buffer.len());
            self.0.read(&mut buffer[..take])
        }
    }

    fn read(bytes: &[u8], limit: u64) -> Result<String, ErrorKind> {
        Characters::new(Slow(bytes), limit).collect()
    }

    #[test]
    fn the_line_of_what_is_no_character_is_known() {
        for (text, line) in [("a\0", 1), ("a\nb\0", 2), ("a\r\nb\rc\n\n\u{85}\0", 6), ("a\n", 0)] {
            let mut characters = Characters::new(text.as_bytes(), 100);
            let ended = characters.ended();
            assert_eq!(characters.by_ref().any(|one| one.is_err()), line > 0, "{text:?}");
            assert_eq!(ended.load(Ordering::Relaxed), line, "{text:?}");
        }
    }

    #[test]
    fn characters_survive_cuts_anywhere() {
        assert_eq!(read("\u{FEFF}aß→😀\u{85}".as_bytes(), 100).unwrap(), "aß→😀\n");
        assert_eq!(read(b"", 0).unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [&b"\x00"[..], b"a\x07", b"\x7f", b"\xc2\x81", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbf\xbf"] {
            assert!(matches!(read(bytes, 100), Err(ErrorKind::InputDecoding { .. })), "{bytes:?}");
        }
        assert!(matches!(read(b"abc", 2), Err(ErrorKind::InputByteLimitExceeded { limit: 2 })));
    }
}
