//! One version of a chart in an index: what is needed of it, or why it cannot be used.
//!
//! The rules are Helm's for loading an index (an entry that breaks one is passed over), and those without which nothing could
//! be fetched or trusted: an address, and a digest that can be checked.

use k8s_openapi::jiff::Timestamp;

use super::{IndexEntry, Skipped};
use crate::{
    chart::{
        RuleError,
        metadata::{Metadata, folded},
        value::Value,
    },
    model::{ChartVersion, Digest},
};

/// Reads an entry of `chart`.
pub(super) fn read(chart: &str, value: &Value) -> Result<IndexEntry, Skipped> {
    let Value::Map(members) = value else {
        return Err(skipped(chart, "", format!("the entry is {}, not a mapping", value.kind())));
    };
    let find = |name: &str| members.iter().rev().find(|(key, _)| folded(key) == name).map_or(&Value::Null, |(_, value)| value);
    let shown = find("version").as_text().unwrap_or_default();
    let refuse = |why: String| skipped(chart, &shown, why);
    let mut metadata = Metadata::default();
    for (key, value) in members {
        match folded(key).as_str() {
            "urls" | "created" | "removed" | "digest" | "checksum" | "engine" | "tillerversion" | "url" => {}
            "name" | "version" if !matches!(value, Value::Text(_) | Value::Null) => {
                return Err(refuse(format!("`{key}` is {}: it must stand in quotes", value.kind())));
            }
            _ => metadata.field(key, value).map_err(|error| refuse(error.to_string()))?,
        }
    }
    let version = validate(&mut metadata).map_err(|error| refuse(error.to_string()))?;
    if metadata.name != chart {
        return Err(refuse(format!("it names another chart, `{}`", shortened(&metadata.name))));
    }
    let urls = urls(find("urls")).ok_or_else(|| refuse("it has no `urls` to fetch it from".to_owned()))?;
    let digest = digest(find("digest")).map_err(refuse)?;
    Ok(IndexEntry { name: metadata.name, version, urls, digest, created: created(find("created")) })
}

/// A note of an entry that is passed over.
pub(super) fn skipped(chart: &str, version: &str, why: impl Into<String>) -> Skipped {
    Skipped { chart: chart.to_owned(), version: shortened(version), why: why.into() }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// Helm's rules, with the exception that Helm makes for indexes (<https://github.com/helm/helm/issues/12748>).
fn validate(metadata: &mut Metadata) -> Result<ChartVersion, RuleError> {
    if metadata.api_version.is_empty() {
        "v1".clone_into(&mut metadata.api_version);
    }
    match metadata.validate() {
        Err(RuleError::DuplicateDependency(_)) => Ok(metadata.version.parse()?),
        outcome => outcome,
    }
}

/// Helm takes the first address alone. Each of these may take the whole of `timeout`.
const MOST_URLS: usize = 4;

/// The first addresses of an archive, in their order.
fn urls(value: &Value) -> Option<Vec<String>> {
    let Value::List(items) = value else { return None };
    let urls: Vec<String> = items.iter().filter_map(Value::as_text).filter(|url| !url.trim().is_empty()).take(MOST_URLS).collect();
    (!urls.is_empty()).then_some(urls)
}

fn digest(value: &Value) -> Result<Option<Digest>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) if text.is_empty() => Ok(None),
        Value::Text(text) => text.parse().map(Some).map_err(|error: crate::model::InvalidDigest| error.to_string()),
        other => Err(format!("`digest` is {}: it must stand in quotes", other.kind())),
    }
}

/// The time that Go writes for none is none.
fn created(value: &Value) -> Option<i64> {
    let Value::Text(text) = value else { return None };
    let time: Timestamp = text.parse().ok()?;
    Some(time.as_second()).filter(|seconds| *seconds > -62_135_596_800)
}
