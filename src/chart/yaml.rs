//! Reads YAML event by event, and builds values of the parts that are wanted.
//!
//! In: bytes from a reader. Out: the events of the first document, or a [`Value`] of one node. Memory is bounded by what
//! is built, not by what is read: [`Bounds`] caps the bytes read, the depth, and the cost of what is kept, aliases included.
//! What is an error in go-yaml v2 (control characters, unknown anchors, lists as keys) is one here.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_saphyr::granit_parser::{ErrorKind, Event, FallibleBufferedInput, Parser, ScalarStyle, ScanError, Tag, options};

use super::{
    characters::Characters,
    error::shown,
    value::{Value, resolve},
};

/// What reading a document may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes of the document.
    pub(crate) bytes: u64,
    /// Bytes of the values that are built, with 64 for each node.
    pub(crate) built: u64,
    /// Nested lists and mappings.
    pub(crate) depth: u32,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// No YAML.
    #[error("line {line}: {}", shown(.problem))]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// A key that JSON has no form for.
    #[error("line {line}: the key of a mapping must be text, a number or a boolean")]
    Key {
        /// Counted from 1.
        line: usize,
    },
    /// A value that its tag does not allow.
    #[error("line {line}: `{text}` is not what its tag says")]
    Tag {
        /// Counted from 1.
        line: usize,
        /// The value, shortened.
        text: String,
    },
    /// `<<` with something else than mappings.
    #[error("line {line}: `<<` takes a mapping or a list of mappings")]
    Merge {
        /// Counted from 1.
        line: usize,
    },
    /// A limit.
    #[error("line {line}: more than {limit} {what}")]
    Limit {
        /// Counted from 1.
        line: usize,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: u64,
    },
}

impl YamlError {
    /// The same, when what was read begins after so many lines.
    pub(crate) fn after(mut self, lines: usize) -> Self {
        let (Self::Syntax { line, .. } | Self::Key { line } | Self::Tag { line, .. } | Self::Merge { line } | Self::Limit { line, .. }) =
            &mut self;
        *line += lines;
        self
    }
}

/// The events of the first document of a stream.
pub(crate) struct Events<R: Read> {
    parser: Parser<'static, FallibleBufferedInput<Characters<R>>>,
    /// Where the characters ended with an error.
    ended: Arc<AtomicUsize>,
    bounds: Bounds,
    spent: u64,
    kept: u64,
    line: usize,
    anchors: HashMap<usize, (Value, u64)>,
}

/// What begins a node, or ends a collection or the document.
pub(crate) enum Step {
    /// A scalar, resolved.
    Leaf(Value),
    /// Another place's value.
    Alias(usize),
    /// The key `<<`.
    MergeKey,
    /// A list begins; the number is its anchor, 0 without one.
    List(usize),
    /// A mapping begins; the number is its anchor, 0 without one.
    Map(usize),
    /// The list or mapping, or the document, ends here.
    End,
}

impl<R: Read> Events<R> {
    /// Begins to read.
    pub(crate) fn new(reader: R, bounds: Bounds) -> Self {
        let depth = bounds.depth as usize + 2;
        let options = options! {
            emit_comments: false,
            bom_inside_document_as_content: true,
            block_scalar_eof_without_line_feed: true,
            flow_nesting_limit: depth,
            block_nesting_limit: depth,
        };
        let characters = Characters::new(reader, bounds.bytes);
        let ended = characters.ended();
        let input = FallibleBufferedInput::new(characters);
        Self { parser: Parser::with_options(input, options), ended, bounds, spent: 0, kept: 0, line: 1, anchors: HashMap::new() }
    }

    /// The next node or end.
    pub(crate) fn step(&mut self) -> Result<Step, YamlError> {
        loop {
            let (event, span) = match self.parser.next_event() {
                None => return Ok(Step::End),
                Some(Err(error)) => return Err(self.failure(&error)),
                Some(Ok(next)) => next,
            };
            self.line = span.start.line().max(1);
            return match event {
                Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style == ScalarStyle::Plain, anchor, tag.as_deref()),
                Event::SequenceStart(_, anchor, _) => Ok(Step::List(anchor)),
                Event::MappingStart(_, anchor, _) => Ok(Step::Map(anchor)),
                Event::Alias(anchor) => Ok(Step::Alias(anchor)),
                Event::SequenceEnd | Event::MappingEnd | Event::DocumentEnd | Event::StreamEnd => Ok(Step::End),
                _ => continue,
            };
        }
    }

    /// The value of the node that `step` begins. For `End` it is null.
    pub(crate) fn value(&mut self, step: Step, depth: u32) -> Result<Value, YamlError> {
        if depth > self.bounds.depth {
            return Err(YamlError::Limit { line: self.line, what: NESTED, limit: self.bounds.depth.into() });
        }
        let before = self.spent;
        self.spend(NODE)?;
        let (value, anchor) = match step {
            Step::Leaf(value) => {
                self.spend(length(&value))?;
                return Ok(value);
            }
            Step::Alias(anchor) => return self.aliased(anchor),
            Step::MergeKey => return Ok(Value::Text("<<".to_owned())),
            Step::End => return Ok(Value::Null),
            Step::List(anchor) => (self.list(depth)?, anchor),
            Step::Map(anchor) => (self.map(depth)?, anchor),
        };
        self.keep(anchor, &value, self.spent - before)?;
        Ok(value)
    }

    /// Forgets the cost of what was built so far, save for what has an anchor: the caller has dropped it.
    pub(crate) fn dropped(&mut self) {
        self.spent = self.kept;
    }

    /// Passes over the node that `step` begins. Only what has an anchor is kept.
    pub(crate) fn skip(&mut self, step: Step) -> Result<(), YamlError> {
        let mut open = 0_u32;
        let mut next = step;
        loop {
            match next {
                Step::List(0) | Step::Map(0) => open += 1,
                Step::List(_) | Step::Map(_) => drop(self.value(next, open)?),
                Step::End => open = open.saturating_sub(1),
                Step::Leaf(_) | Step::Alias(_) | Step::MergeKey => {}
            }
            if open == 0 {
                return Ok(());
            }
            next = self.step()?;
        }
    }

    /// The key that `step` begins, as JSON would spell it.
    pub(crate) fn key(&mut self, step: Step, depth: u32) -> Result<String, YamlError> {
        let line = self.line;
        self.value(step, depth)?.into_key().ok_or(YamlError::Key { line })
    }

    fn list(&mut self, depth: u32) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.step()? {
                Step::End => return Ok(Value::List(items)),
                step => items.push(self.value(step, depth + 1)?),
            }
        }
    }

    /// Of a key that comes twice the last one counts, and `<<` counts where it stands, as in go-yaml v2.
    fn map(&mut self, depth: u32) -> Result<Value, YamlError> {
        let mut members = BTreeMap::new();
        loop {
            match self.step()? {
                Step::End => return Ok(Value::Map(members)),
                Step::MergeKey => {
                    let line = self.line;
                    let step = self.step()?;
                    let merged = self.value(step, depth + 1)?;
                    merge(&mut members, merged).ok_or(YamlError::Merge { line })?;
                }
                step => {
                    let key = self.key(step, depth + 1)?;
                    let step = self.step()?;
                    members.insert(key, self.value(step, depth + 1)?);
                }
            }
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, anchor: usize, tag: Option<&Tag>) -> Result<Step, YamlError> {
        let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
        if text == "<<" && (plain && tag.is_none() || tag.as_deref() == Some("tag:yaml.org,2002:merge")) {
            return Ok(Step::MergeKey);
        }
        let value = resolve(text, plain, tag.as_deref())
            .ok_or_else(|| YamlError::Tag { line: self.line, text: text.chars().filter(|c| !c.is_control()).take(40).collect() })?;
        self.keep(anchor, &value, NODE + length(&value))?;
        Ok(Step::Leaf(value))
    }

    /// Keeps a copy for aliases.
    fn keep(&mut self, anchor: usize, value: &Value, cost: u64) -> Result<(), YamlError> {
        if anchor == 0 {
            return Ok(());
        }
        self.spend(cost)?;
        self.kept += cost;
        self.anchors.insert(anchor, (value.clone(), cost));
        Ok(())
    }

    fn aliased(&mut self, anchor: usize) -> Result<Value, YamlError> {
        let within_itself = || YamlError::Syntax { line: self.line, problem: "the value of an anchor contains itself".to_owned() };
        let cost = self.anchors.get(&anchor).ok_or_else(within_itself)?.1;
        self.spend(cost)?;
        self.anchors.get(&anchor).map(|(value, _)| value.clone()).ok_or(YamlError::Merge { line: self.line })
    }

    fn spend(&mut self, cost: u64) -> Result<(), YamlError> {
        self.spent += cost;
        if self.spent > self.bounds.built {
            return Err(YamlError::Limit { line: self.line, what: VALUES, limit: self.bounds.built });
        }
        Ok(())
    }

    fn failure(&self, error: &ScanError) -> YamlError {
        let at = || error.marker().line().max(1);
        // The parser reads ahead, and knows the place only of what it asked for.
        let read = || Some(self.ended.load(Ordering::Relaxed)).filter(|line| *line > 0).unwrap_or_else(at);
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => YamlError::Limit { line: at(), what: NESTED, limit: self.bounds.depth.into() },
            ErrorKind::InputByteLimitExceeded { .. } => YamlError::Limit { line: read(), what: "bytes", limit: self.bounds.bytes },
            ErrorKind::InputDecoding { .. } | ErrorKind::InputIo { .. } => YamlError::Syntax { line: read(), problem: error.info() },
            _ => YamlError::Syntax { line: at(), problem: error.info() },
        }
    }
}

/// What has a depth.
pub(crate) const NESTED: &str = "nested lists and mappings";
/// What the other limit is about.
pub(crate) const VALUES: &str = "bytes of values";

/// Bytes that a node costs beside its text.
const NODE: u64 = 64;

fn length(value: &Value) -> u64 {
    if let Value::Text(text) = value { text.len() as u64 } else { 0 }
}

/// Of a list of mappings the earlier one counts.
fn merge(members: &mut BTreeMap<String, Value>, merged: Value) -> Option<()> {
    match merged {
        Value::Map(merged) => members.extend(merged),
        Value::List(items) => {
            for item in items.into_iter().rev() {
                let Value::Map(merged) = item else { return None };
                members.extend(merged);
            }
        }
        _ => return None,
    }
    Some(())
}

/// The first document of `text` as one value; null when there is none. What follows it is looked at as far as its end.
pub(crate) fn document(text: &[u8], bounds: Bounds) -> Result<Value, YamlError> {
    let mut events = Events::new(text, bounds);
    let step = events.step()?;
    let value = events.value(step, 0)?;
    events.step().map(|_| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 10_000, built: 20_000, depth: 10 };

    fn read(text: &str) -> Result<Value, YamlError> {
        document(text.as_bytes(), BOUNDS)
    }

    fn check(text: &str, same_as: &str) {
        assert_eq!(read(text).unwrap(), read(same_as).unwrap(), "{text}");
    }

    #[test]
    fn anchors_and_merge_keys_are_resolved_as_go_yaml_does() {
        check("a: &x {b: 1}\nc: *x", "{a: {b: 1}, c: {b: 1}}");
        check("- &x {b: 1, c: 1}\n- c: 2\n  <<: *x", "[{b: 1, c: 1}, {b: 1, c: 1}]");
        check("- &x {b: 1, c: 1}\n- <<: *x\n  c: 2", "[{b: 1, c: 1}, {b: 1, c: 2}]");
        check("- &x {b: 1}\n- &y {b: 2, d: 2}\n- <<: [*x, *y]", "[{b: 1}, {b: 2, d: 2}, {b: 1, d: 2}]");
        check("a: 1\na: 2", "a: 2");
        check("\"<<\": 1", "{'<<': 1}");
        check("--- {a: 1}\n--- {b: 2}", "a: 1");
        check("1: x\nyes: y\n1.50: z", "{'1': x, 'true': y, '1.5': z}");
        check("# nothing", "~");
    }

    #[test]
    fn what_go_yaml_refuses_is_refused() {
        for text in ["a: *x", "a: &x [*x]", "? [a]\n: b", "~: b", "<<: 1", "a: \u{7}", "a: b: c", "a: [", "a: !!int b", "a: {b: c} @"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn limits_hold_for_bytes_depth_and_aliases() {
        let limit = |text: &str| match read(text) {
            Err(YamlError::Limit { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(limit(&"# long\n".repeat(2_000)), "bytes");
        assert_eq!(limit("{a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {}}}}}}}}}}}}"), "nested lists and mappings");
        assert_eq!(limit(&format!("- &x {}\n{}", "y".repeat(2_000), "- *x\n".repeat(20))), "bytes of values");
    }

    #[test]
    fn what_is_passed_over_costs_nothing() {
        let text = format!("a: [{}]\nb: 1", "long, ".repeat(1_500));
        let mut events = Events::new(text.as_bytes(), BOUNDS);
        let Step::Map(0) = events.step().unwrap() else { panic!("a mapping") };
        for expected in ["a", "b"] {
            let step = events.step().unwrap();
            assert_eq!(events.key(step, 0).unwrap(), expected);
            let step = events.step().unwrap();
            events.skip(step).unwrap();
        }
        assert!(matches!(events.step().unwrap(), Step::End));
        assert!(events.spent < 1_000);
    }
}
