//! What is wrong with a publication, from its text alone: what the API server would refuse, and what a run would.
//!
//! ```text
//! text ─▶ Written ─▶ kind ─▶ unknown fields ─▶ defaults ─▶ schema and CEL ─▶ metadata ─▶ what a run refuses
//! ```
//!
//! In: a document as it was read. Out: all that is wrong with it, each with its path. The rules are those of the definition that
//! `chart-publisher crd` prints; no rule of it is written here a second time. No I/O, no clock.

mod cel;
mod defaults;
mod kind;
mod metadata;
mod patterns;
mod quantities;
mod refused;
mod schema;
mod sentences;
mod written;

#[cfg(test)]
mod tests;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::Value;

use self::{cel::Rules, patterns::Patterns};
pub use self::{
    kind::{Kind, kind},
    metadata::NAMESPACE_FORM,
    written::Written,
};
use crate::api;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: `spec.targets[0].url`. Empty where it is the document as a whole.
    pub path: String,
    /// Which kind of rule says so.
    pub rule: Rule,
    /// What is wrong, and the cure where it is known.
    pub message: String,
}

/// The kinds of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It is no YAML, or cannot be read.
    Text,
    /// `apiVersion` or `kind` is another one than it is meant for.
    Kind,
    /// There is no such field.
    UnknownField,
    /// A field stands there twice.
    DuplicateField,
    /// A field that must be there is missing.
    Required,
    /// A value has another type.
    Type,
    /// A value is none of those that are possible.
    Enum,
    /// A text has another form.
    Pattern,
    /// A text is too short or too long.
    Length,
    /// A list or mapping has too few or too many items.
    Items,
    /// A number is too small or too large.
    Range,
    /// An item stands in a list twice.
    Unique,
    /// A rule of the definition in CEL.
    Cel,
    /// What Kubernetes asks of the `metadata` of every object.
    Metadata,
    /// The API server takes it, and no run can do anything with it.
    Run,
}

impl Rule {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Kind => "kind",
            Self::UnknownField => "unknownField",
            Self::DuplicateField => "duplicateField",
            Self::Required => "required",
            Self::Type => "type",
            Self::Enum => "enum",
            Self::Pattern => "pattern",
            Self::Length => "length",
            Self::Items => "items",
            Self::Range => "range",
            Self::Unique => "unique",
            Self::Cel => "cel",
            Self::Metadata => "metadata",
            Self::Run => "run",
        }
    }
}

/// The rules of the definition, ready to be asked.
pub struct Lint {
    schema: JSONSchemaProps,
    rules: Rules,
    patterns: Patterns,
}

impl Lint {
    /// Reads the definition. `None` when it has no schema or a rule that cannot be read, which a test rules out.
    pub fn new() -> Option<Self> {
        let [publication, _] = api::definitions();
        let mut schema = publication.spec.versions.into_iter().next()?.schema?.open_api_v3_schema?;
        // The cluster's word, which nobody applies; unknown fields below it are refused all the same.
        let status = schema.properties.as_mut().and_then(|properties| properties.get_mut("status"));
        if let Some(status) = status {
            schema::without_demands(status);
        }
        let (rules, patterns) = (Rules::of(&schema)?, Patterns::of(&schema)?);
        Some(Self { schema, rules, patterns })
    }

    /// All that is wrong with a document that is meant as a publication.
    pub fn findings(&self, written: &Written) -> Vec<Finding> {
        let mut found = kind::findings(&written.value);
        let twice = written.twice.iter().map(|path| Finding::new(path, Rule::DuplicateField, sentences::TWICE));
        found.extend(twice);
        schema::unknown(&self.schema, &written.value, &mut found);
        let mut filled = written.value.clone();
        defaults::fill(&mut filled, &self.schema);
        schema::check(&self.schema, &filled, (&self.rules, &self.patterns), &mut found);
        metadata::check(filled.get("metadata").unwrap_or(&Value::Null), &mut found);
        refused::check(&filled, &mut found);
        found
    }
}

impl Finding {
    /// Puts one together.
    pub fn new(path: impl Into<String>, rule: Rule, message: impl Into<String>) -> Self {
        Self { path: path.into(), rule, message: message.into() }
    }
}
