//! What YAML 1.2 allows and go-yaml v2 refuses.
//!
//! In: a whole file. Out: the first place that Helm would stumble over, and why. Found by holding texts that were broken on
//! purpose against the real library (`tests/archives_like_helm.rs`).

use serde_saphyr::granit_parser::{FallibleBufferedInput, ScalarStyle, Scanner, Span, TokenType, options};

use super::{YamlError, characters::Characters};

/// Looks at the tokens of the first document. What is no YAML at all is left to the parser.
pub(super) fn check(text: &[u8], depth: u32) -> Result<(), YamlError> {
    let limit = text.len() as u64;
    let characters: Vec<char> = Characters::new(text, limit).map_while(Result::ok).collect();
    let depth = depth as usize + 2;
    let options = options! { emit_comments: false, flow_nesting_limit: depth, block_nesting_limit: depth };
    let scanner = Scanner::with_options(FallibleBufferedInput::new(Characters::new(text, limit)), options);
    let mut older = Older::new(&characters);
    for token in scanner {
        let Ok(token) = token else { break };
        let (span, kind) = (token.span(), token.token_type());
        let is_end =
            matches!(kind, TokenType::StreamEnd) || older.begun && matches!(kind, TokenType::DocumentStart | TokenType::DocumentEnd);
        let looked = if is_end { older.gap(span.start.index()) } else { older.token(span, kind) };
        looked.map_err(|problem| YamlError::Syntax { line: older.line, problem: problem.to_owned() })?;
        if is_end {
            break;
        }
    }
    Ok(())
}

/// What came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Plain,
    /// Text in quotes or a block.
    Scalar,
    Other,
}

/// Where go-yaml would stand.
struct Older<'a> {
    characters: &'a [char],
    /// The last token begins and ends here.
    begin: usize,
    end: usize,
    /// Its line.
    line: usize,
    flow: u32,
    /// The columns of the blocks that are open.
    blocks: Vec<usize>,
    /// What goes on with the text of the last token is indented so far.
    indent: usize,
    /// Whether a key could begin here; tabs cannot come before one.
    allowed: bool,
    last: Last,
    begun: bool,
}

impl<'a> Older<'a> {
    fn new(characters: &'a [char]) -> Self {
        let (last, blocks) = (Last::Other, Vec::new());
        Self { characters, begin: 0, end: 0, line: 1, flow: 0, blocks, indent: 0, allowed: true, last, begun: false }
    }

    fn token(&mut self, span: Span, kind: &TokenType<'_>) -> Result<(), &'static str> {
        match kind {
            TokenType::BlockMappingStart | TokenType::BlockSequenceStart => self.blocks.push(span.start.col()),
            TokenType::BlockEnd => drop(self.blocks.pop()),
            _ => {}
        }
        let start = span.start.index();
        // Marks of one character come without their length.
        let end = if matches!(kind, TokenType::Value | TokenType::BlockEntry) { start + 1 } else { span.end.index() };
        if end <= start || start < self.end {
            return Ok(());
        }
        self.gap(start)?;
        self.line = span.start.line().max(1);
        let written = self.characters.get(start..end).unwrap_or_default();
        self.written(kind, written)?;
        let key = self.characters.get(self.begin..start).unwrap_or_default();
        if matches!(kind, TokenType::Value) && self.flow > 0 && self.last != Last::Other && key.iter().any(|c| matches!(c, '\n' | '\r')) {
            return Err("a key within brackets must be on one line");
        }
        (self.begin, self.end) = (start, end);
        self.indent = self.blocks.last().map_or(0, |column| column + 1);
        self.begun |= !matches!(kind, TokenType::VersionDirective(..) | TokenType::TagDirective(..));
        self.allowed =
            matches!(kind, TokenType::BlockEntry | TokenType::Key | TokenType::Scalar(ScalarStyle::Literal | ScalarStyle::Folded, _));
        self.last = match kind {
            TokenType::Scalar(ScalarStyle::Plain, _) => Last::Plain,
            TokenType::Scalar(..) => Last::Scalar,
            _ => Last::Other,
        };
        Ok(())
    }

    fn written(&mut self, kind: &TokenType<'_>, written: &[char]) -> Result<(), &'static str> {
        let in_flow = self.flow > 0;
        match kind {
            TokenType::FlowSequenceStart | TokenType::FlowMappingStart => self.flow += 1,
            TokenType::FlowSequenceEnd | TokenType::FlowMappingEnd => self.flow = self.flow.saturating_sub(1),
            TokenType::VersionDirective(major, minor) if (*major, *minor) != (1, 1) => return Err("the version of YAML must be 1.1"),
            TokenType::DocumentEnd => return Err("`...` ends a document before it begins"),
            TokenType::ReservedDirective(..) => return Err("there is no such directive"),
            TokenType::Anchor(name) | TokenType::Alias(name) if !name.bytes().all(is_word) => {
                return Err("the name of an anchor may hold letters, digits, `_` and `-` only");
            }
            TokenType::Tag(..) if !written.iter().all(|c| c.is_ascii_alphanumeric() || "-_;/?:@&=+$,.!~*'()[]%<>".contains(*c)) => {
                return Err("a tag has a character that must be written with `%`");
            }
            TokenType::Scalar(ScalarStyle::Plain, _) => return plain(written, in_flow),
            TokenType::Scalar(ScalarStyle::DoubleQuoted, _) if has_slash(written) => {
                return Err("`\\/` is no escape in YAML 1.1: leave the `\\` out");
            }
            _ => {}
        }
        Ok(())
    }

    /// White space and comments before the next token.
    fn gap(&mut self, to: usize) -> Result<(), &'static str> {
        let gap = self.characters.get(self.end..to).unwrap_or_default();
        let (mut column, mut is_tail, mut in_comment, mut in_indent) = (0, self.last == Last::Plain, false, false);
        for character in gap {
            match character {
                '\n' | '\r' => {
                    (column, in_comment, in_indent) = (0, false, true);
                    self.allowed |= self.flow == 0;
                    continue;
                }
                '#' => (is_tail, in_comment) = (false, true),
                '?' if !in_comment => self.allowed |= self.flow == 0,
                '\t' if !in_comment && self.flow == 0 => {
                    let is_refused = if is_tail { in_indent && column < self.indent } else { self.allowed };
                    if is_refused {
                        return Err("a tab cannot indent: use spaces");
                    }
                }
                _ => {}
            }
            column += 1;
        }
        Ok(())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn plain(written: &[char], in_flow: bool) -> Result<(), &'static str> {
    if written.first() == Some(&'%') {
        return Err("text that begins with `%` needs quotes");
    }
    let is_odd = in_flow && (written.contains(&'?') || written.first() == Some(&':'));
    if is_odd { Err("within brackets, text with a `?`, or with a `:` before it, needs quotes") } else { Ok(()) }
}

/// Whether a slash follows an escaping backslash.
fn has_slash(written: &[char]) -> bool {
    let mut characters = written.iter();
    while let Some(character) = characters.next() {
        if *character == '\\' && characters.next() == Some(&'/') {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        check(text.as_bytes(), 10).map_or_else(|error| error.to_string(), |()| "read".to_owned())
    }

    #[test]
    fn what_go_yaml_takes_is_taken() {
        for text in [
            "a: \"b/\\\\/c\"",
            "a: 'b\\/c'",
            "a: b\\/c",
            "# c\n%YAML 1.1\n---\na: b",
            "a: &b_-1 c\nd: *b_-1",
            "a: !!str b # \tc\n",
            "a: b?c\nd: [\"e?\", f:g]\n",
            "a:\tb\t# c\nd: e \t\n",
            "a:\n  b: c\n   \t\n  d: |\n    \te\n",
            "a: [\n\tb,\n\tc\n]\n",
            "a: {\"b\":\n  c, d:\te}\n- f\n",
            "a: b\n---\n%no: {d?}\n",
        ] {
            assert_eq!(said(text), "read", "{text:?}");
        }
    }

    #[test]
    fn what_go_yaml_alone_refuses_is_found() {
        for (text, expected) in [
            ("b: 1\na: \"ü\\/\"", "line 2: `\\/` is no escape in YAML 1.1: leave the `\\` out"),
            ("# c\n%YAML 1.2\n---\na: b", "line 2: the version of YAML must be 1.1"),
            ("%OTHER\n---\na: b", "line 1: there is no such directive"),
            ("...\na: b", "line 1: `...` ends a document before it begins"),
            ("a: &é b", "line 1: the name of an anchor may hold letters, digits, `_` and `-` only"),
            ("&a: b", "line 1: the name of an anchor may hold letters, digits, `_` and `-` only"),
            ("a: !!st#r b", "line 1: a tag has a character that must be written with `%`"),
            ("a: [b? c]", "line 1: within brackets, text with a `?`, or with a `:` before it, needs quotes"),
            ("a: b\n\t", "line 1: a tab cannot indent: use spaces"),
            ("a: {b: c}\n\t", "line 1: a tab cannot indent: use spaces"),
            ("a:\n- -\t b\n", "line 2: a tab cannot indent: use spaces"),
            ("? \ta\n: b\n", "line 1: a tab cannot indent: use spaces"),
            ("a: {b\nc: d}", "line 2: a key within brackets must be on one line"),
            ("a: {b\rc: d}", "line 2: a key within brackets must be on one line"),
        ] {
            assert_eq!(said(text), expected, "{text:?}");
        }
    }
}
