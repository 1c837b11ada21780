//! The rules of the definition in CEL (`x-kubernetes-validations`).
//!
//! In: a value that has its defaults, and the rules that its schema has. Out: the message of each rule that does not hold. Of what
//! Kubernetes adds to CEL, that is there which the definition uses; a test holds that each of its rules can be evaluated.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use cel::{Context, Env, ExecutionError, Program, extractors::This};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, ValidationRule};
use serde_json::Value;

use super::{defaults::schema_of_items, quantities};

/// All rules of a definition, read once.
pub(super) struct Rules {
    env: Arc<Env>,
    programs: BTreeMap<String, Program>,
}

/// What a rule says to a value.
pub(super) enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Broken,
    /// It cannot be asked of such a value, which breaks other rules, else this one.
    Unasked,
}

impl Rules {
    /// Reads the rules of `schema` and of all below it; `None` when one cannot be read.
    pub(super) fn of(schema: &JSONSchemaProps) -> Option<Self> {
        let env = Arc::new(Env::stdlib());
        let mut programs = BTreeMap::new();
        collect(schema, &env, &mut programs)?;
        Some(Self { env, programs })
    }

    /// Asks `rule` of `value`.
    pub(super) fn ask(&self, rule: &ValidationRule, value: &Value) -> Verdict {
        let verdict = || {
            let program = self.programs.get(&rule.rule)?;
            let mut context = Context::with_env(Arc::clone(&self.env));
            context.add_function("duration", |text: Arc<String>| read("duration", quantities::nanoseconds(&text))).ok()?;
            context.add_function("quantity", |text: Arc<String>| read("quantity", quantities::quantity(&text))).ok()?;
            context.add_function("compareTo", |This(this): This<i64>, other: i64| this.cmp(&other) as i64).ok()?;
            context.add_variable_from_value("self", converted(value));
            program.execute(&context).ok()
        };
        match verdict() {
            Some(cel::Value::Bool(true)) => Verdict::Holds,
            Some(cel::Value::Bool(false)) => Verdict::Broken,
            _ => Verdict::Unasked,
        }
    }
}

fn collect(schema: &JSONSchemaProps, env: &Env, programs: &mut BTreeMap<String, Program>) -> Option<()> {
    for rule in schema.x_kubernetes_validations.iter().flatten() {
        programs.insert(rule.rule.clone(), env.compile(&rule.rule).ok()?);
    }
    for below in schema.properties.iter().flat_map(BTreeMap::values).chain(schema_of_items(schema)) {
        collect(below, env, programs)?;
    }
    Some(())
}

fn read(function: &str, value: Option<i64>) -> Result<i64, ExecutionError> {
    value.ok_or_else(|| ExecutionError::function_error(function, "it cannot be read"))
}

/// As rules see it: to them a field that is `null` is not there.
fn converted(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) => number.into(),
            (None, None) => cel::Value::Null,
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(converted).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            let there = fields.iter().filter(|(_, field)| !field.is_null());
            there.map(|(name, field)| (name.clone(), converted(field))).collect::<HashMap<_, _>>().into()
        }
    }
}
