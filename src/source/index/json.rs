//! An index as JSON: only what is wanted is built, the rest is passed over.

use std::{
    cell::RefCell,
    fmt,
    io::{BufReader, Read},
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{IndexError, Picker};
use crate::chart::{metadata::folded, value::Value};

/// Reads the document.
pub(super) fn pick(source: impl Read, picker: &mut Picker<'_>) -> Result<(), IndexError> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(64 * 1024, source));
    let state = RefCell::new((picker, None));
    let outcome = Part { of: Level::Document, state: &state }.deserialize(&mut json).and_then(|()| json.end());
    let failure = state.into_inner().1;
    if let Some(failure) = failure {
        return Err(failure);
    }
    outcome.map_err(|error| {
        let line = error.line();
        let problem = error.to_string();
        let problem = problem.split(" at line ").next().unwrap_or(&problem).to_owned();
        if error.is_data() { IndexError::OtherJson { line, problem } } else { IndexError::NotJson { line, problem } }
    })
}

type State<'a, 'p> = RefCell<(&'a mut Picker<'p>, Option<IndexError>)>;

/// Where in the document it is.
#[derive(Clone, Copy)]
enum Level<'n> {
    Document,
    Entries,
    Versions(&'n str),
}

struct Part<'n, 's, 'a, 'p> {
    of: Level<'n>,
    state: &'s State<'a, 'p>,
}

impl Part<'_, '_, '_, '_> {
    /// Notes why the picker refused, and stops the parser.
    fn checked<T, E: serde::de::Error>(&self, take: impl FnOnce(&mut Picker<'_>) -> Result<T, IndexError>) -> Result<T, E> {
        let mut state = self.state.borrow_mut();
        take(state.0).map_err(|error| {
            state.1 = Some(error);
            E::custom("stopped")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.of {
            Level::Document => "an index",
            Level::Entries => "a mapping of charts in `entries`",
            Level::Versions(_) => "a list of versions in `entries`",
        })
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is not general enough in its lifetimes")]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if let Level::Versions(_) = self.of {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Map, &self));
        }
        while let Some(key) = map.next_key::<String>()? {
            match (self.of, folded(&key).as_str()) {
                (Level::Document, "apiversion") => {
                    let value = map.next_value::<Any>()?.0;
                    self.state.borrow_mut().0.api_version(&value);
                }
                (Level::Document, "entries") => {
                    self.checked(|picker| picker.begin_entries())?;
                    map.next_value_seed(Part { of: Level::Entries, state: self.state })?;
                }
                (Level::Entries, _) if self.checked(|picker| picker.begin_chart(&key))? => {
                    map.next_value_seed(Part { of: Level::Versions(&key), state: self.state })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Level::Versions(chart) = self.of else {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        };
        while let Some(Any(version)) = items.next_element()? {
            self.checked(|picker| picker.version(chart, &version))?;
        }
        Ok(())
    }
}

/// Any JSON as a value.
struct Any(Value);

impl<'de> serde::Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor).map(Self)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Unsigned(value), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Any(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = std::collections::BTreeMap::new();
        while let Some((key, Any(member))) = map.next_entry()? {
            members.insert(key, member);
        }
        Ok(Value::Map(members))
    }
}
