//! What YAML takes for something else where it stands without quotes, as constraints do: `!=1.0` is a tag, `>=1.0` begins a block.

use serde_saphyr::{
    Location,
    granit_parser::{Scanner, StrInput, TokenType},
};

/// Characters that begin something else than a text (YAML 1.2, section 5.3), as far as something that is meant can begin with them.
const INDICATORS: [char; 8] = ['!', '>', '|', '*', '&', '%', '@', '`'];

/// A tag that was meant as a text: of no value, or with the begin of a constraint. go-yaml takes the first for an empty text, and drops the
/// second before what stands behind it.
pub(super) fn tag(text: &str) -> Option<String> {
    // Most files have none.
    if !text.contains('!') {
        return None;
    }
    let mut before: Option<(usize, String)> = None;
    // What is no YAML is left to the parser.
    for token in Scanner::new(StrInput::new(text)).map_while(Result::ok) {
        let kind = token.token_type();
        if let Some((line, name)) = before.take().filter(|(_, name)| name.starts_with('=') || !is_value(kind)) {
            return Some(format!("has `!{name}` in line {line}, which is a tag in YAML, and no text: write the whole value in quotes"));
        }
        if let TokenType::Tag(handle, name) = kind
            && handle == "!"
            && !name.is_empty()
        {
            before = Some((token.span().start.line(), name.to_string()));
        }
    }
    None
}

/// Whether something begins that a tag can be of.
fn is_value(kind: &TokenType<'_>) -> bool {
    matches!(
        kind,
        TokenType::Scalar(..)
            | TokenType::Anchor(_)
            | TokenType::Alias(_)
            | TokenType::BlockSequenceStart
            | TokenType::BlockMappingStart
            | TokenType::FlowSequenceStart
            | TokenType::FlowMappingStart
            | TokenType::BlockEntry
    )
}

/// What helps, where a text could not be read from a character on that begins no text.
pub(super) fn hint(text: &str, place: Location) -> Option<String> {
    let line = text.lines().nth(usize::try_from(place.line()).ok()?.checked_sub(1)?)?;
    let found = line.chars().nth(usize::try_from(place.column()).ok()?.checked_sub(1)?)?;
    INDICATORS.contains(&found).then(|| format!("; a text that begins with {} has to be in quotes", quoted(found)))
}

/// Between backticks, which one of them is itself.
fn quoted(found: char) -> String {
    if found == '`' { "a backtick".to_owned() } else { format!("`{found}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_that_is_a_tag_is_found_and_a_tag_is_left_alone() {
        for (text, expected) in [
            ("a: 1\nversions: !=4.6.0\nlatest: 2", Some(("!=4.6.0", 2))),
            ("versions: !=4.6.0", Some(("!=4.6.0", 1))),
            ("versions: !=4.6.0 <5", Some(("!=4.6.0", 1))),
            ("exclude: [!=1.0]", Some(("!=1.0", 1))),
            ("exclude:\n- !=1.0\n- 2.0", Some(("!=1.0", 2))),
            ("a: {b: !c }", Some(("!c", 1))),
            ("a: !Ref b", None),
            ("a: !list\n- b", None),
            ("a: !list [b]", None),
            ("a: !map\n  b: c", None),
            ("a: !!str", None),
            ("a: \"!=1.0\"", None),
            ("a: b !=1.0", None),
            ("a: [", None),
        ] {
            let part = expected.map(|(tag, line)| format!("has `{tag}` in line {line}, which is a tag"));
            match (tag(text), part) {
                (None, None) => {}
                (Some(said), Some(part)) => assert!(said.starts_with(&part), "{text}: {said}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
