//! An index as YAML: event by event, so that only what is wanted is built.

use std::io::Read;

use super::{IndexError, IndexLimits, Picker, structure};
use crate::chart::{
    YamlError,
    metadata::folded,
    value::Value,
    yaml::{Bounds, Events, Step, VALUES},
};

/// Bytes that the values of one version, and all anchors together, may take.
const BUILT: u64 = 16 * 1024 * 1024;

/// Reads the document.
pub(super) fn pick(source: impl Read, picker: &mut Picker<'_>, limits: &IndexLimits) -> Result<(), IndexError> {
    let mut events = Events::new(source, Bounds { bytes: limits.bytes, built: BUILT, depth: 64 });
    let step = events.step()?;
    expect_map(&step, "the document")?;
    loop {
        let key = match events.step()? {
            Step::End => return Ok(()),
            step => events.key(step, 0)?,
        };
        let step = events.step()?;
        match folded(&key).as_str() {
            "apiversion" => picker.api_version(&events.value(step, 1)?),
            "entries" => {
                picker.begin_entries()?;
                if !matches!(step, Step::Leaf(Value::Null)) {
                    expect_map(&step, "entries")?;
                    charts(&mut events, picker)?;
                }
            }
            _ => events.skip(step)?,
        }
    }
}

fn charts<R: Read>(events: &mut Events<R>, picker: &mut Picker<'_>) -> Result<(), IndexError> {
    loop {
        let name = match events.step()? {
            Step::End => return Ok(()),
            step => events.key(step, 1)?,
        };
        events.dropped();
        let step = events.step()?;
        if !picker.begin_chart(&name)? {
            events.skip(step)?;
            continue;
        }
        match step {
            Step::List(0) => versions(events, picker, &name)?,
            step => picker.versions(&name, &events.value(step, 2)?)?,
        }
    }
}

fn versions<R: Read>(events: &mut Events<R>, picker: &mut Picker<'_>, chart: &str) -> Result<(), IndexError> {
    loop {
        match events.step()? {
            Step::End => return Ok(()),
            step => picker.version(chart, &events.value(step, 3)?)?,
        }
        events.dropped();
    }
}

fn expect_map(step: &Step, part: &str) -> Result<(), IndexError> {
    match step {
        Step::Map(_) => Ok(()),
        Step::Leaf(value) => Err(structure(part, "a mapping", value.kind())),
        Step::Alias(_) | Step::MergeKey => Err(structure(part, "a mapping", "an alias")),
        Step::List(_) => Err(structure(part, "a mapping", "a list")),
        Step::End => Err(structure(part, "a mapping", "null")),
    }
}

impl From<YamlError> for IndexError {
    fn from(error: YamlError) -> Self {
        match error {
            YamlError::Limit { line, what: VALUES, limit } => Self::LargeVersion { line, what: VALUES, limit },
            YamlError::Limit { what, limit, .. } => Self::TooLarge { what, limit },
            YamlError::Syntax { line, problem } => Self::NotYaml { line, problem },
            YamlError::Key { line } => Self::NotYaml { line, problem: "a key is neither text nor number nor boolean".to_owned() },
            YamlError::Tag { line, text } => Self::NotYaml { line, problem: format!("`{text}` is not what its tag says") },
            YamlError::Merge { line } => Self::NotYaml { line, problem: "`<<` takes mappings".to_owned() },
        }
    }
}
