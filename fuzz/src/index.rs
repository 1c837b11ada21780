//! The index of a repository. Whether all of it is wanted or one chart, as YAML or as JSON, an entry is the same, and was checked.

use std::{collections::BTreeMap, sync::LazyLock};

use chart_publisher::{
    model::ChartVersion,
    source::index::{Index, IndexEntry, IndexError, IndexLimits, Wishes, parse, parse_whole},
};
use serde_json::json;

use super::sentence;

static ALL: LazyLock<Wishes> =
    LazyLock::new(|| Wishes { names: ["web".to_owned()].into(), patterns: vec![".*".parse().expect("a pattern")] });
static ONE: LazyLock<Wishes> = LazyLock::new(|| ["web"].into_iter().collect());

fn read(text: &[u8], wanted: &Wishes) -> Result<Index, IndexError> {
    parse(text, wanted, &IndexLimits { bytes: 64 * 1024 })
}

/// Reads it.
pub fn run(input: &[u8]) {
    let (all, one) = (read(input, &ALL), read(input, &ONE));
    for index in [&all, &one].into_iter().flatten() {
        index.charts.iter().for_each(|(name, versions)| check(name, versions));
        assert!(index.skipped.len() <= 1_000, "what is passed over is remembered within bounds");
        for skipped in &index.skipped {
            sentence::check(&skipped.version);
            sentence::check(&skipped.why);
        }
    }
    let whole = parse_whole(input, &ONE, &IndexLimits { bytes: 64 * 1024 });
    assert_eq!(one.as_ref().map_err(ToString::to_string), whole.as_ref().map_err(ToString::to_string), "what is left out changes nothing");
    match (&all, &one) {
        (Ok(all), Ok(one)) => {
            assert_eq!(all.charts.get("web"), one.charts.get("web"), "what is not wanted changes nothing");
            again(&all.charts);
        }
        (Ok(_), Err(error)) => panic!("all of it can be read, and a part cannot: {error}"),
        (Err(error), _) => sentence::check(&error.to_string()),
    }
    if input.trim_ascii_start().starts_with(b"{")
        && let (Ok(json), Ok(yaml)) = (&all, read(&[b"# JSON is YAML\n", input].concat(), &ALL))
    {
        assert_eq!(json.charts, yaml.charts, "JSON and YAML say the same");
    }
}

fn check(name: &str, versions: &[IndexEntry]) {
    for entry in versions {
        assert_eq!(entry.name, name);
        assert!(!name.is_empty() && !name.contains('/') && name != "." && name != "..", "{name:?}");
        assert_eq!(entry.version.as_str().parse::<ChartVersion>().as_ref(), Ok(&entry.version));
        assert!(!entry.urls.is_empty() && entry.urls.iter().all(|url| !url.trim().is_empty()), "it can be fetched from somewhere");
    }
    assert!(versions.is_sorted_by(|one, other| one.version > other.version), "newest first, and each once");
}

/// What was read and is written gives the same.
fn again(charts: &BTreeMap<String, Vec<IndexEntry>>) {
    let entry = |entry: &IndexEntry| {
        let digest = entry.digest.map(|digest| digest.to_string());
        json!({"name": entry.name, "version": entry.version.as_str(), "urls": entry.urls, "digest": digest})
    };
    let entries: serde_json::Map<_, _> =
        charts.iter().map(|(name, versions)| (name.clone(), versions.iter().map(entry).collect::<Vec<_>>().into())).collect();
    let written = json!({"apiVersion": "v1", "entries": entries}).to_string();
    let found = parse(written.as_bytes(), &ALL, &IndexLimits::default()).expect("an index");
    let without_time =
        |versions: &Vec<IndexEntry>| -> Vec<_> { versions.iter().map(|entry| IndexEntry { created: None, ..entry.clone() }).collect() };
    for (name, versions) in charts {
        assert_eq!(found.charts.get(name), Some(&without_time(versions)));
    }
    assert_eq!(found.skipped, []);
}
