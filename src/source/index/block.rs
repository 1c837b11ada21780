//! PURE: items of lists in the form that encoders of Go write YAML in, told line by line from whatever else YAML is.
//!
//! In: lines. Out: whether it is certain that they are one whole item, without an error, an anchor, an alias or a tag. It is no parser:
//! what is not plain to see (comments, flow collections with something in them, keys in quotes, unusual escapes and spaces) is not certain.
//! What it takes, the parser takes as well: a test of random texts and a fuzz target hold that.

/// Blocks in blocks; the parser takes more.
const DEEPEST: usize = 24;
/// A key has to begin within 1,024 characters of its colon (YAML 1.2, section 7.4.2).
const LONGEST_KEY: usize = 200;

/// One item of a list, as far as it was read.
pub(super) struct Item {
    open: Vec<Block>,
    last: Last,
}

/// A collection that is not closed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Block {
    indent: usize,
    is_list: bool,
}

/// What the last line ended with. What it belongs to is the innermost block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A value that is whole.
    Value,
    /// A key, whose value may follow.
    Key,
    /// A value without quotes, which may go on.
    Plain,
    /// An open single quote.
    Single,
    /// An open double quote.
    Double,
    /// The head of a block of text.
    Head,
    /// A line of one, and how far it is indented.
    Text(usize),
}

/// A line without its end: how far it is indented, and what stands there.
pub(super) fn indented(line: &[u8]) -> (usize, &[u8]) {
    let indent = line.iter().take_while(|byte| **byte == b' ').count();
    (indent, line.get(indent..).unwrap_or_default())
}

/// Whether it begins an item of a list.
pub(super) fn is_item(text: &[u8]) -> bool {
    text.starts_with(b"- ")
}

/// The name, where `text` is a key and nothing else that is certain to be one.
pub(super) fn key_alone(text: &[u8]) -> Option<&str> {
    let (key, value) = member(text)?;
    value.is_none().then(|| std::str::from_utf8(key).ok()).flatten()
}

/// Whether it is a key with a value that ends on the same line, or may go on on lines that are further indented.
pub(super) fn is_member_with_value(text: &[u8]) -> bool {
    let mut alone = Item { open: vec![Block { indent: 0, is_list: false }], last: Last::Value };
    alone.member(text) && matches!(alone.last, Last::Value | Last::Plain)
}

impl Item {
    /// Begins with `text`, which [`is_item`], at this indent; nothing where it is not certain what it is.
    pub(super) fn begin(indent: usize, text: &[u8]) -> Option<Self> {
        let mut item = Self { open: vec![Block { indent, is_list: true }], last: Last::Value };
        item.entry(indent, text).then_some(item)
    }

    /// Whether a line that is indented no further than the item may end it.
    pub(super) fn may_end(&self) -> bool {
        !matches!(self.last, Last::Single | Last::Double | Last::Head)
    }

    /// Takes another line of it; false where it is not certain what that is.
    pub(super) fn take(&mut self, line: &[u8]) -> bool {
        let (indent, text) = indented(line);
        if text.is_empty() {
            return indent == 0 && matches!(self.last, Last::Text(_));
        }
        let Some(within) = self.open.last().copied() else { return false };
        let is_within = indent > within.indent;
        match self.last {
            Last::Single | Last::Double => is_within && self.quoted(text),
            Last::Head if is_within => {
                self.last = Last::Text(indent);
                is_text(text)
            }
            Last::Head => false,
            Last::Text(least) if indent >= least => is_text(text),
            Last::Plain if is_within => goes_on(text),
            Last::Key if is_within => self.value(indent, text),
            Last::Key if indent == within.indent && is_item(text) => self.begins(indent, true) && self.entry(indent, text),
            Last::Value | Last::Key | Last::Plain | Last::Text(_) => self.next(indent, text),
        }
    }

    /// The value of the last key, further indented than that.
    fn value(&mut self, indent: usize, text: &[u8]) -> bool {
        let is_list = is_item(text);
        self.begins(indent, is_list) && if is_list { self.entry(indent, text) } else { self.member(text) }
    }

    /// Another entry of what is open at this indent.
    fn next(&mut self, indent: usize, text: &[u8]) -> bool {
        self.last = Last::Value;
        let is_list = is_item(text);
        // A list may stand at the indent of the key that it belongs to.
        while self.open.last().is_some_and(|block| block.indent > indent || (block.indent == indent && block.is_list && !is_list)) {
            self.open.pop();
        }
        self.open.last() == Some(&Block { indent, is_list }) && if is_list { self.entry(indent, text) } else { self.member(text) }
    }

    fn begins(&mut self, indent: usize, is_list: bool) -> bool {
        self.open.push(Block { indent, is_list });
        self.open.len() <= DEEPEST
    }

    /// `- ` and what stands behind it.
    fn entry(&mut self, indent: usize, text: &[u8]) -> bool {
        let value = text.get(2..).unwrap_or_default();
        match member(value) {
            Some(_) => self.begins(indent + 2, false) && self.member(value),
            None => self.scalar(value),
        }
    }

    /// `key:` or `key: value`.
    fn member(&mut self, text: &[u8]) -> bool {
        match member(text) {
            None => false,
            Some((_, None)) => {
                self.last = Last::Key;
                true
            }
            Some((_, Some(b"|" | b"|-" | b"|+" | b">" | b">-" | b">+"))) => {
                self.last = Last::Head;
                true
            }
            Some((_, Some(value))) => self.scalar(value),
        }
    }

    fn scalar(&mut self, value: &[u8]) -> bool {
        match value {
            [b'\'', rest @ ..] => {
                self.last = Last::Single;
                self.quoted(rest)
            }
            [b'"', rest @ ..] => {
                self.last = Last::Double;
                self.quoted(rest)
            }
            b"[]" | b"{}" => {
                self.last = Last::Value;
                true
            }
            [first, ..] => {
                self.last = Last::Plain;
                (first.is_ascii_alphanumeric() || b"/._($^~+".contains(first) || !first.is_ascii()) && goes_on(value)
            }
            [] => false,
        }
    }

    /// What follows an open quote. Where it is closed, nothing may follow.
    fn quoted(&mut self, text: &[u8]) -> bool {
        match if self.last == Last::Single { end_of_single(text) } else { end_of_double(text) } {
            Quote::Open => is_text(text),
            Quote::Closed(at) => {
                self.last = Last::Value;
                at + 1 == text.len() && is_text(text)
            }
            Quote::Unusual => false,
        }
    }
}

/// What becomes of a quote on a line.
enum Quote {
    /// It goes on.
    Open,
    /// It ends here.
    Closed(usize),
    /// It has an escape that is not one of the usual ones.
    Unusual,
}

/// A key, and what stands behind its colon; nothing where it is no key, or one that is not certain.
fn member(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let is_of_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./-".contains(byte);
    let length = text.iter().take(LONGEST_KEY).take_while(|byte| is_of_key(byte)).count();
    let (key, rest) = text.split_at_checked(length)?;
    if !key.first()?.is_ascii_alphanumeric() {
        return None;
    }
    match rest {
        b":" => Some((key, None)),
        [b':', b' ', value @ ..] => Some((key, Some(value))),
        _ => None,
    }
}

/// Two single quotes stand for one.
fn end_of_single(text: &[u8]) -> Quote {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\'')) {
        at += found;
        if text.get(at + 1) != Some(&b'\'') {
            return Quote::Closed(at);
        }
        at += 2;
    }
    Quote::Open
}

fn end_of_double(text: &[u8]) -> Quote {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))) {
        at += found;
        if text.get(at) == Some(&b'"') {
            return Quote::Closed(at);
        }
        at += match text.get(at + 1) {
            // It folds the line.
            None => return Quote::Open,
            Some(b'n' | b't' | b'"' | b'\\') => 2,
            Some(b' ') if at == 0 => 2,
            Some(b'u') if is_character(text.get(at + 2..at + 6)) => 6,
            Some(b'U') if is_character(text.get(at + 2..at + 10)) => 10,
            Some(_) => return Quote::Unusual,
        };
    }
    Quote::Open
}

/// Whether these are the digits of a character that can be printed, and is no half of one.
fn is_character(digits: Option<&[u8]>) -> bool {
    let digits =
        digits.and_then(|digits| std::str::from_utf8(digits).ok()).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    code.is_some_and(|code| matches!(code, 0xA1..0xD800 | 0x1_F000..0x1_FB00))
}

/// Whether it can be a line of a value without quotes, behind its first character.
fn goes_on(text: &[u8]) -> bool {
    let begins = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._($^~+\"'&*!|@[]{}<>=,;)`".contains(byte) || !byte.is_ascii();
    let is_mark = |pair: &[u8]| matches!(pair, b": " | b" #");
    text.first().is_some_and(begins) && text.last() != Some(&b':') && !text.windows(2).any(is_mark) && is_text(text)
}

/// Whether all of it is printed, and none of it is taken for a space or an end of a line.
fn is_text(text: &[u8]) -> bool {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return true;
    }
    let is_plain = |character| {
        matches!(
            character,
            ' '..='~' | '\u{A1}'..='\u{167F}' | '\u{1681}'..='\u{1FFF}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205E}'
                | '\u{2070}'..='\u{2FFF}' | '\u{3001}'..='\u{D7FF}' | '\u{1_F000}'..='\u{1_FAFF}'
        )
    };
    std::str::from_utf8(text).is_ok_and(|text| text.chars().all(is_plain))
}
