//! A document as it was written: its values, and the fields that stand there twice.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// A document, and what its values do not show.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The values; of a field that stands there twice the last one.
    pub value: Value,
    /// The paths of fields that stand there twice.
    pub twice: Vec<String>,
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let mut twice = Vec::new();
        let value = node.settle("", &mut twice);
        let mut seen = HashSet::new();
        twice.retain(|path| seen.insert(path.clone()));
        Ok(Self { value, twice })
    }
}

/// A value whose fields may stand there twice.
enum Node {
    Scalar(Value),
    Items(Vec<Node>),
    Fields(Vec<(String, Node)>),
}

impl Node {
    fn settle(self, path: &str, twice: &mut Vec<String>) -> Value {
        match self {
            Self::Scalar(value) => value,
            Self::Items(items) => {
                Value::Array(items.into_iter().enumerate().map(|(index, item)| item.settle(&item_path(path, index), twice)).collect())
            }
            Self::Fields(fields) => {
                let mut settled = Map::new();
                for (name, field) in fields {
                    let below = field_path(path, &name);
                    let value = field.settle(&below, twice);
                    if settled.insert(name, value).is_some() {
                        twice.push(below);
                    }
                }
                Value::Object(settled)
            }
        }
    }
}

/// The path of a field.
pub(super) fn field_path(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(100).collect();
    match (path.is_empty(), plain) {
        (true, _) => name,
        (false, true) => format!("{path}.{name}"),
        (false, false) => format!("{path}[{name}]"),
    }
}

/// The path of an item.
pub(super) fn item_path(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Takes whatever comes.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON has")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        // What JSON cannot write is no number to the API server either.
        Ok(Node::Scalar(Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::Items(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Fields(fields))
    }
}
