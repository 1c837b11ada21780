//! From the text of a constraint to its comparators.
//!
//! First ranges with a hyphen become two comparators, in the text; then it is split at `||`; then each alternative is read from left
//! to right. This order can be seen from outside: `1||2 - 3` is `>=1 || 2 <=3`. Nothing is recursive, and nothing costs more
//! than the square of 512.

use super::{
    InvalidConstraint, LONGEST, MOST_ALTERNATIVES,
    evaluate::{Comparator, Operator, Stated},
};

const SPACE: [char; 5] = [' ', '\t', '\n', '\r', '\u{c}'];

/// Longer ones first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// A word that is spelt as a version, perhaps with wildcards. The numbers are only words yet.
struct Spelt<'a> {
    whole: &'a str,
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    /// With its `-`; empty where there is none.
    prerelease: &'a str,
}

/// The comparators of each alternative.
pub(super) fn alternatives(text: &str) -> Result<Vec<Vec<Comparator>>, InvalidConstraint> {
    if text.len() > LONGEST {
        return Err(InvalidConstraint::TooLong(text.len()));
    }
    let text = without_hyphens(text);
    let count = text.split("||").count();
    if count > MOST_ALTERNATIVES {
        return Err(InvalidConstraint::TooManyAlternatives(count));
    }
    text.split("||").map(comparators).collect()
}

/// `1.2 - 1.4` becomes `>= 1.2, <= 1.4`, with the space around it.
fn without_hyphens(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    for (at, _) in text.char_indices() {
        let Some(before) = rest.len().checked_sub(text.len() - at).and_then(|length| rest.get(..length)) else { continue };
        let Some((low, high, after)) = text.get(at..).and_then(hyphen) else { continue };
        plain.push_str(before.trim_end_matches(SPACE));
        plain.extend([">= ", low.whole, ", <= ", high.whole, " "]);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// A range that begins here: its ends, and what comes after it.
fn hyphen(text: &str) -> Option<(Spelt<'_>, Spelt<'_>, &str)> {
    let (low, rest) = spelt(text)?;
    let rest = after_space(after_space(rest)?.strip_prefix('-')?)?;
    let (high, rest) = spelt(rest)?;
    Some((low, high, rest.trim_start_matches(SPACE)))
}

/// What comes after space, of which there must be some.
fn after_space(text: &str) -> Option<&str> {
    Some(text.trim_start_matches(SPACE)).filter(|rest| rest.len() < text.len())
}

/// The comparators of one alternative: space or a comma between them.
fn comparators(text: &str) -> Result<Vec<Comparator>, InvalidConstraint> {
    let mut comparators = Vec::new();
    let mut rest = text.trim_start_matches(SPACE);
    loop {
        let (comparator, after) = comparator(rest)?;
        comparators.push(comparator);
        let next = after.trim_start_matches(SPACE);
        rest = match next.strip_prefix(',') {
            Some(next) => next.trim_start_matches(SPACE),
            None if next.is_empty() => return Ok(comparators),
            None if next.len() < after.len() => next,
            None => return Err(syntax(next)),
        };
    }
}

fn comparator(text: &str) -> Result<(Comparator, &str), InvalidConstraint> {
    let found = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
    let (operator, rest) = found.unwrap_or((Operator::Equal, text));
    let (spelt, rest) = spelt(rest.trim_start_matches(SPACE)).ok_or_else(|| syntax(text))?;
    let (stated, version) = spelt.version();
    let bound = version.parse().map_err(|_| InvalidConstraint::Version(shown(spelt.whole)))?;
    Ok((Comparator { operator, stated, bound }, rest))
}

impl Spelt<'_> {
    /// How much is stated, and the version that this is the begin of. Metadata stays only where all is stated.
    fn version(&self) -> (Stated, String) {
        let Self { whole, major, minor, patch, prerelease } = *self;
        if is_open(major) {
            (Stated::Nothing, format!("0.0.0{prerelease}"))
        } else if is_open(minor) {
            (Stated::Major, format!("{major}.0.0{prerelease}"))
        } else if is_open(patch) {
            (Stated::Minor, format!("{major}.{minor}.0{prerelease}"))
        } else {
            (Stated::All, whole.to_owned())
        }
    }
}

/// Missing, or a wildcard.
fn is_open(number: &str) -> bool {
    matches!(number, "" | "x" | "X" | "*")
}

/// The longest word that is spelt as a version, and what comes after it.
fn spelt(text: &str) -> Option<(Spelt<'_>, &str)> {
    let (major, rest) = run(text.strip_prefix('v').unwrap_or(text), is_of_number)?;
    let (minor, rest) = number(rest).unwrap_or(("", rest));
    let (patch, rest) = number(rest).unwrap_or(("", rest));
    let after_patch = rest;
    let rest = identifiers(rest, '-').unwrap_or(rest);
    let prerelease = after_patch.strip_suffix(rest).unwrap_or_default();
    let rest = identifiers(rest, '+').unwrap_or(rest);
    let whole = text.strip_suffix(rest).unwrap_or_default();
    Some((Spelt { whole, major, minor, patch, prerelease }, rest))
}

fn number(text: &str) -> Option<(&str, &str)> {
    run(text.strip_prefix('.')?, is_of_number)
}

/// What comes after the mark and its identifiers.
fn identifiers(text: &str, mark: char) -> Option<&str> {
    let (_, mut rest) = run(text.strip_prefix(mark)?, is_of_identifier)?;
    while let Some((_, next)) = rest.strip_prefix('.').and_then(|next| run(next, is_of_identifier)) {
        rest = next;
    }
    Some(rest)
}

/// The longest begin of such letters, where there is one, and what comes after it.
fn run(text: &str, is_such: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let end = text.find(|letter| !is_such(letter)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(begin, _)| !begin.is_empty())
}

/// `|` is among them, although no number has it: behind a wildcard it is not read.
fn is_of_number(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, 'x' | 'X' | '*' | '|')
}

fn is_of_identifier(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-'
}

fn syntax(rest: &str) -> InvalidConstraint {
    InvalidConstraint::Syntax(shown(rest))
}

fn shown(text: &str) -> String {
    text.trim_end_matches(SPACE).chars().filter(|letter| !letter.is_control()).take(80).collect()
}
