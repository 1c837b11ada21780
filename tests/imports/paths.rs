//! Reads a Rust file far enough to know which paths it names, which functions it holds and which parts are only for tests.
//!
//! In: the text of a file and the module that it is. Out: [`Source`]. It is no parser: it knows comments, literals, `use` trees,
//! `mod` and braces, and that is all that the walls need.

/// What a file says.
#[derive(Debug, Default, PartialEq)]
pub struct Source {
    /// Each path outside of tests, with its line: `crate::net::Address`, `std::fs::File`, `tokio::select`.
    pub paths: Vec<(usize, String)>,
    /// Each function, with its line and its number of lines.
    pub functions: Vec<(usize, String, usize)>,
    /// Modules in files of their own that are only for tests.
    pub test_modules: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Sign(char),
    /// `::`
    Into,
}

/// Reads `text`, the file of the module `module` (`["plan", "routes"]`).
pub fn read(text: &str, module: &[String]) -> Source {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0, depth: 0, module: module.to_vec(), open: Vec::new(), source: Source::default() };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.source
}

/// A brace that is open.
enum Open {
    Module,
    Function { line: usize, name: String },
    Tests,
}

struct Reader<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
    depth: usize,
    module: Vec<String>,
    open: Vec<(usize, Open)>,
    source: Source,
}

impl Reader<'_> {
    fn sign(&self, ahead: usize, sign: char) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some((_, Token::Sign(other))) if *other == sign)
    }

    fn word(&self, ahead: usize) -> Option<&str> {
        match self.tokens.get(self.at + ahead) {
            Some((_, Token::Word(word))) => Some(word),
            _ => None,
        }
    }

    fn in_tests(&self) -> bool {
        self.open.iter().any(|(_, open)| matches!(open, Open::Tests))
    }

    fn step(&mut self) {
        let (line, token) = self.tokens[self.at].clone();
        match token {
            Token::Sign('{') => self.depth += 1,
            Token::Sign('}') => self.close(line),
            Token::Sign('#') if self.is_for_tests() => return self.test_item(),
            Token::Word(word) if word == "use" => return self.use_tree(line),
            Token::Word(word) if word == "mod" && self.word(1).is_some() && self.sign(2, '{') => {
                self.module.push(self.word(1).unwrap_or_default().to_owned());
                self.open.push((self.depth, Open::Module));
                self.depth += 1;
                self.at += 2;
            }
            Token::Word(word) if word == "fn" && self.word(1).is_some() => self.function(line),
            Token::Word(_) => return self.path(line),
            _ => {}
        }
        self.at += 1;
    }

    fn close(&mut self, line: usize) {
        self.depth = self.depth.saturating_sub(1);
        while let Some((_, open)) = self.open.pop_if(|(depth, _)| *depth == self.depth) {
            match open {
                Open::Module => drop(self.module.pop()),
                Open::Function { line: first, name } => self.source.functions.push((first, name, line - first + 1)),
                Open::Tests => {}
            }
        }
    }

    /// `#[cfg(test)]`
    fn is_for_tests(&self) -> bool {
        self.sign(1, '[') && self.word(2) == Some("cfg") && self.sign(3, '(') && self.word(4) == Some("test") && self.sign(5, ')')
    }

    /// Passes over the attribute; a module in a file of its own is noted, anything with a body is marked until its brace closes.
    fn test_item(&mut self) {
        self.at += 7;
        if self.word(0) == Some("mod") && self.sign(2, ';') {
            self.source.test_modules.push(self.word(1).unwrap_or_default().to_owned());
            self.at += 3;
            return;
        }
        let ahead = (0..).take_while(|ahead| !self.sign(*ahead, '{') && !self.sign(*ahead, ';')).take(self.tokens.len()).count();
        if self.sign(ahead, '{') {
            self.open.push((self.depth, Open::Tests));
        } else {
            self.at += ahead;
        }
    }

    /// A function with a body: one without ends in `;` outside of all brackets.
    fn function(&mut self, line: usize) {
        let mut nested = 0_i32;
        for (_, token) in &self.tokens[self.at..] {
            match token {
                Token::Sign('(' | '[') => nested += 1,
                Token::Sign(')' | ']') => nested -= 1,
                Token::Sign(';') if nested == 0 => return,
                Token::Sign('{') if nested == 0 => {
                    let name = self.word(1).unwrap_or_default().to_owned();
                    self.open.push((self.depth, Open::Function { line, name }));
                    return;
                }
                _ => {}
            }
        }
    }

    fn use_tree(&mut self, line: usize) {
        self.at += 1;
        let mut found = Vec::new();
        self.branch(&mut Vec::new(), &mut found);
        for path in found {
            self.note(line, path);
        }
    }

    /// `a::b::{c, d::*}`
    fn branch(&mut self, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        let depth = prefix.len();
        while let Some((_, token)) = self.tokens.get(self.at) {
            match token {
                Token::Word(word) if word == "as" => self.at += 1,
                Token::Word(word) => prefix.push(word.clone()),
                Token::Sign('{') => {
                    while !self.sign(0, '}') && self.at < self.tokens.len() {
                        self.at += 1;
                        self.branch(prefix, found);
                    }
                    self.at += 1;
                    prefix.truncate(depth);
                    return;
                }
                Token::Sign('*') => prefix.push("*".to_owned()),
                Token::Sign(_) => break,
                Token::Into => {}
            }
            self.at += 1;
        }
        if prefix.len() > depth {
            found.push(prefix.clone());
        }
        prefix.truncate(depth);
    }

    fn path(&mut self, line: usize) {
        let mut path = vec![self.word(0).unwrap_or_default().to_owned()];
        self.at += 1;
        while matches!(self.tokens.get(self.at), Some((_, Token::Into))) {
            let Some(word) = self.word(1) else { break };
            path.push(word.to_owned());
            self.at += 2;
        }
        if path.len() > 1 {
            self.note(line, path);
        }
    }

    /// `super` and `self` are resolved, so that each path begins with `crate` or the name of a crate or of something in scope.
    fn note(&mut self, line: usize, path: Vec<String>) {
        if self.in_tests() {
            return;
        }
        let ups = path.iter().take_while(|word| *word == "super").count();
        let path = match path.first().map(String::as_str) {
            Some("super") => self.absolute(self.module.len().saturating_sub(ups), &path[ups..]),
            Some("self") => self.absolute(self.module.len(), &path[1..]),
            _ => path,
        };
        self.source.paths.push((line, path.join("::")));
    }

    fn absolute(&self, kept: usize, rest: &[String]) -> Vec<String> {
        std::iter::once("crate")
            .chain(self.module[..kept].iter().map(String::as_str))
            .map(str::to_owned)
            .chain(rest.iter().cloned())
            .collect()
    }
}

/// Words and signs with their lines, without comments and literals.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let characters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(&character) = characters.get(at) {
        let rest = &characters[at..];
        let length = match character {
            '/' if rest.get(1) == Some(&'/') => rest.iter().take_while(|c| **c != '\n').count(),
            '/' if rest.get(1) == Some(&'*') => block_comment(rest),
            'r' | 'b' if raw_literal(rest).is_some() => raw_literal(rest).unwrap_or(1),
            '"' => literal(rest),
            '\'' => character_or_lifetime(rest),
            ':' if rest.get(1) == Some(&':') => {
                tokens.push((line, Token::Into));
                2
            }
            _ if character.is_alphanumeric() || character == '_' => {
                let word: String = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                let length = word.chars().count();
                tokens.push((line, Token::Word(word)));
                length
            }
            _ if character.is_whitespace() => 1,
            _ => {
                tokens.push((line, Token::Sign(character)));
                1
            }
        };
        line += rest[..length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    tokens
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// `"…"` with escapes.
fn literal(rest: &[char]) -> usize {
    let mut at = 1;
    while let Some(character) = rest.get(at) {
        match character {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`, `br"…"`, `b"…"`.
fn raw_literal(rest: &[char]) -> Option<usize> {
    let mut at = usize::from(rest.first() == Some(&'b'));
    let raw = rest.get(at) == Some(&'r');
    at += usize::from(raw);
    let hashes = if raw { rest[at..].iter().take_while(|c| **c == '#').count() } else { 0 };
    at += hashes;
    if rest.get(at) != Some(&'"') {
        return None;
    }
    if !raw {
        return Some(at + literal(&rest[at..]));
    }
    let end = |from: usize| rest[from] == '"' && rest[from + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    (at + 1..rest.len()).find(|from| end(*from)).map(|from| from + 1 + hashes)
}

/// `'x'`, `'\n'`, `'\u{7f}'`; or a lifetime, of which only the quote is passed over.
fn character_or_lifetime(rest: &[char]) -> usize {
    match (rest.get(1), rest.get(2)) {
        (Some('\\'), _) => 3 + rest.iter().skip(3).take_while(|c| **c != '\'').count() + 1,
        (Some(_), Some('\'')) => 3,
        _ => 1,
    }
}
