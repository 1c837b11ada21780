//! Indexes as servers send them, and what is made of each.

use std::fmt::Write as _;

use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn read(text: &str, wanted: &[&str]) -> Result<Index, IndexError> {
    let wanted = wanted.iter().copied().collect();
    parse(text.as_bytes(), &wanted, &IndexLimits::default())
}

/// What is left of the entries of `web`, and why the others are not.
fn check(entries: &str, versions: &[&str], reasons: &[&str]) {
    let index = read(&format!("apiVersion: v1\nentries:\n  web:\n{entries}"), &["web"]).unwrap();
    let found: Vec<&str> = index.charts["web"].iter().map(|entry| entry.version.as_str()).collect();
    let why: Vec<&str> = index.skipped.iter().map(|skipped| skipped.why.as_str()).collect();
    assert_eq!((found.as_slice(), why.as_slice()), (versions, reasons), "{entries}");
}

#[test]
fn an_entry_is_read_with_all_that_is_needed() {
    let text = format!(
        "apiVersion: v1\ngenerated: 2024-01-01T00:00:00Z\nentries:\n  other: [{{name: other}}]\n  web:\n  - name: web\n    version: 1.2.3\n    \
         apiVersion: v2\n    created: \"2016-10-06T16:23:20.499814565-06:00\"\n    digest: {A}\n    urls:\n    - https://x/web-1.2.3.tgz\n    - web.tgz\n"
    );
    let index = read(&text, &["web"]).unwrap();
    let entry = &index.charts["web"][0];
    assert_eq!((entry.name.as_str(), entry.version.as_str()), ("web", "1.2.3"));
    assert_eq!(entry.urls, ["https://x/web-1.2.3.tgz", "web.tgz"]);
    assert_eq!(entry.digest, Some(A.parse().unwrap()));
    assert_eq!(entry.created, Some(1_475_792_600));
    assert_eq!((index.charts.len(), index.skipped.len()), (1, 0));
}

#[test]
fn json_and_yaml_give_the_same() {
    let json = format!(
        r#" {{"serverInfo":{{"a":[1,{{}}]}},"entries":{{"other":[{{"x":null}}],"web":[{{"name":"web","version":"1.0.0","urls":["a"],"digest":"{A}"}},
        {{"name":"web","version":2}}]}},"apiVersion":"v1"}} "#
    );
    let yaml = format!(
        "apiVersion: v1\nentries:\n  web:\n  - {{name: web, version: 1.0.0, urls: [a], digest: {A}}}\n  - {{name: web, version: 2}}\n"
    );
    let index = read(&json, &["web"]).unwrap();
    assert_eq!(index, read(&yaml, &["web"]).unwrap());
    assert_eq!((index.charts["web"].len(), index.skipped.len()), (1, 1));
}

#[test]
fn versions_come_newest_first_and_once() {
    let entry = |version: &str| format!("  - {{name: web, version: '{version}', urls: [{version}.tgz]}}\n");
    let entries: String = ["1.2.0", "1.10.0", "1.10.0-rc.1", "v1.9", "1.2.0"].map(entry).concat();
    check(&entries, &["1.10.0", "1.10.0-rc.1", "v1.9", "1.2.0"], &["it is listed twice, and the first one counts"]);
}

#[test]
fn an_entry_that_helm_would_refuse_is_passed_over_with_a_reason() {
    let good = "  - {name: web, version: 1.0.0, urls: [a]}\n";
    for (bad, reason) in [
        ("~", "the entry is null, not a mapping"),
        ("[a]", "the entry is a list, not a mapping"),
        ("{name: web, version: 1.10, urls: [a]}", "`version` is a number: it must stand in quotes"),
        ("{name: web, urls: [a]}", "`version` is missing"),
        ("{name: web, version: newest, urls: [a]}", "`version`: `newest` is no semantic version (https://semver.org)"),
        ("{name: ../web, version: 2.0.0, urls: [a]}", "`name` is `../web`: a chart's name is one path segment, without `/`"),
        ("{name: wet, version: 2.0.0, urls: [a]}", "it names another chart, `wet`"),
        ("{name: web, version: 2.0.0, urls: []}", "it has no `urls` to fetch it from"),
        ("{name: web, version: 2.0.0, urls: [a], type: job}", "`type` is `job`: Helm knows `application` and `library`"),
        ("{name: web, version: 2.0.0, urls: [a], maintainers: [~]}", "`maintainers` has an empty entry: remove it"),
        ("{name: web, version: 2.0.0, urls: [a], keywords: {}}", "`keywords` must be a list, not a mapping"),
        ("{name: web, version: 2.0.0, urls: [a], digest: x}", "`x` is no SHA-256 digest: expected `sha256:` and 64 hexadecimal digits"),
        ("{name: web, version: 2.0.0, urls: [a], digest: 12}", "`digest` is a number: it must stand in quotes"),
    ] {
        check(&format!("  - {bad}\n{good}"), &["1.0.0"], &[reason]);
    }
}

#[test]
fn what_helm_lets_through_is_let_through() {
    for good in [
        "{name: web, version: 2.0.0, urls: [a], digest: '', created: ~, unknown: {a: [b]}, appVersion: 1.10}",
        "{name: web, version: 2.0.0, urls: ['', a], created: yesterday, dependencies: [{name: a}, {name: a}]}",
        "{name: web, version: 2.0.0, urls: [a], removed: true, engine: gotpl, tillerVersion: '>2', url: b, checksum: c}",
    ] {
        check(&format!("  - {good}\n"), &["2.0.0"], &[]);
    }
}

#[test]
fn anchors_are_followed_even_into_what_is_not_wanted() {
    let text = "apiVersion: v1\nentries:\n  old:\n  - &base {name: web, urls: &urls [a]}\n  web:\n  - <<: *base\n    version: 1.0.0\n  - name: web\n    version: 2.0.0\n    urls: *urls\n";
    assert_eq!(read(text, &["web"]).unwrap().charts["web"].len(), 2);
    let text = "apiVersion: v1\nentries:\n  old: &all\n  - {name: web, version: 1.0.0, urls: [a]}\n  web: *all\n";
    assert_eq!(read(text, &["web"]).unwrap().charts["web"].len(), 1);
}

#[test]
fn an_index_that_is_compressed_is_named_by_its_encoding() {
    for (begin, name) in [(&b"\x1f\x8b\x08\0\0"[..], "`gzip`"), (b"\x28\xb5\x2f\xfd\0", "`zstd`")] {
        let wanted = ["web"].into_iter().collect();
        let said = parse(begin, &wanted, &IndexLimits::default()).unwrap_err().to_string();
        assert!(said.starts_with(&format!("the index is compressed by {name}, which was not asked for: ")), "{said}");
    }
}

#[test]
fn what_is_no_index_is_told_apart() {
    for (text, expected) in [
        ("", "the index is empty"),
        (" \n\n", "the index is empty"),
        (
            "\n<!DOCTYPE html><html>",
            "the index is an HTML page: check that the URL is the repository's own, and that no login or portal stands before it",
        ),
        ("404 page not found", "`the document` of the index must be a mapping, not text"),
        ("- a\n- b", "`the document` of the index must be a mapping, not a list"),
        ("# nothing", "`the document` of the index must be a mapping, not null"),
        ("name: web\nversion: 1.0.0", "the index has no `entries`: check that the URL is that of a Helm repository"),
        ("apiVersion: v1\nentries: [a]", "`entries` of the index must be a mapping, not a list"),
        ("apiVersion: v1\nentries: {web: 1}", "`entries.web` of the index must be a list, not a number"),
        ("entries: {}", "the index has no `apiVersion`, and Helm refuses it without"),
        ("apiVersion: v1\nentries: {web: [], web: []}", "the index has `web` twice, and Helm refuses that"),
        ("apiVersion: v1\nentries: {}\nentries: {}", "the index has `entries` twice, and Helm refuses that"),
        (r#"{"apiVersion":"v1","entries":{"web":[],"web":[]}}"#, "the index has `web` twice, and Helm refuses that"),
    ] {
        assert_eq!(read(text, &["web"]).unwrap_err().to_string(), expected, "{text:?}");
    }
    assert!(matches!(read("apiVersion: v1\nentries:\n  web: [\n", &["web"]), Err(IndexError::NotYaml { .. })));
    assert_eq!(
        read("apiVersion: v1\nother: a: b\nentries: {}", &["web"]).unwrap_err().to_string(),
        "the index is no YAML: line 2: mapping values are not allowed in this context"
    );
    let long = format!("apiVersion: v1\nentries:\n  web:\n  - version: 1.0.0\n    description: {}\n", "a".repeat(17 << 20));
    let said = read(&long, &["web"]).unwrap_err();
    assert!(said.is_limit(), "{said}");
    assert!(said.to_string().ends_with("the index has one version, or anchors, of more than 16777216 bytes of values"), "{said}");
    assert!(matches!(read("\u{7}", &["web"]), Err(IndexError::NotYaml { line: 1, .. })));
    assert!(matches!(read("{\"entries\":\n{]", &["web"]), Err(IndexError::NotJson { line: 2, .. })));
    assert!(matches!(read(r#"{"entries":{"web":{}}}"#, &["web"]), Err(IndexError::OtherJson { line: 1, .. })));
}

#[test]
fn a_sentence_is_one_line_whatever_stands_in_the_index() {
    let long = "b".repeat(2_000);
    for text in [
        "apiVersion: v1\nentries: {\"a\\e\": [], \"a\\e\": []}",
        &format!(r#"{{"apiVersion":"v1","entries":"{long}"}}"#),
        &format!("apiVersion: v1\nentries: {{a: *{long}}}"),
    ] {
        let wanted = ["a\u{1b}", "a"].into_iter().collect();
        let error = parse(text.as_bytes(), &wanted, &IndexLimits::default()).unwrap_err().to_string();
        assert!(!error.contains(char::is_control) && error.len() < 400, "{error:?}");
    }
}

#[test]
fn of_an_entrys_addresses_the_first_four_count() {
    let many: Vec<String> = (0..1_000).map(|number| format!("'{number}.tgz'")).collect();
    let text = format!("apiVersion: v1\nentries: {{web: [{{name: web, version: 1.0.0, urls: ['', {}]}}]}}", many.join(", "));
    let index = parse(text.as_bytes(), &["web"].into_iter().collect(), &IndexLimits::default()).unwrap();
    assert_eq!(index.charts["web"][0].urls, ["0.tgz", "1.tgz", "2.tgz", "3.tgz"]);
}

#[test]
fn an_empty_repository_is_an_index() {
    for text in ["apiVersion: v1\nentries: {}\n", "apiVersion: v1\nentries:\ngenerated: x\n", r#"{"apiVersion":"v1","entries":null}"#] {
        assert_eq!(read(text, &["web"]).unwrap(), Index::default(), "{text}");
    }
}

#[test]
fn a_chart_that_is_missing_comes_with_names_that_are_close() {
    let index = read("apiVersion: v1\nentries: {nginx: [], redis: [], ngnix-plus: []}", &["ngin", "mongo"]).unwrap();
    assert_eq!(index.close, BTreeMap::from([("ngin".to_owned(), vec!["nginx".to_owned()])]));
    let index = read("apiVersion: v1\nentries: {nginx: [], redis: []}", &["ngin", "nginx"]).unwrap();
    assert_eq!(index.close, BTreeMap::from([("ngin".to_owned(), vec!["nginx".to_owned()])]));
}

#[test]
fn the_limit_is_held_and_named() {
    let wanted = ["web"].into_iter().collect();
    for text in ["apiVersion: v1\n".repeat(10), format!("{{\"a\":\"{}\"}}", "b".repeat(200)), "x".repeat(2_000)] {
        let error = parse(text.as_bytes(), &wanted, &IndexLimits { bytes: 100 }).unwrap_err();
        assert_eq!(error.to_string(), "the index has more than 100 bytes");
    }
}

/// A reader that fails after some bytes.
struct Broken(&'static [u8]);
impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() { Err(std::io::Error::other("gone")) } else { self.0.read(buffer) }
    }
}

#[test]
fn a_reader_that_fails_is_no_bad_index() {
    for begin in [&b""[..], b"apiVersion: v1\nentries:\n", b"{\"a\":1,"] {
        let error = parse(Broken(begin), &Wishes::default(), &IndexLimits::default()).unwrap_err();
        assert_eq!(error.to_string(), "the index cannot be read: gone");
    }
}

#[test]
fn a_large_index_passes_the_limits_of_the_parser() {
    let mut text = String::from("apiVersion: v1\nentries:\n");
    for chart in 0..40 {
        let _ = writeln!(text, "  chart{chart}:");
        for version in 0..100 {
            let _ = write!(
                text,
                "  - apiVersion: v2\n    name: chart{chart}\n    version: 1.{version}.0\n    description: 'a: long \"text\"'\n    keywords: [a, b, c]\n    \
                 urls:\n    - https://example.com/{chart}-{version}.tgz\n    digest: {A}\n"
            );
        }
    }
    assert_eq!(read(&text, &["chart7"]).unwrap().charts["chart7"].len(), 100);
}

/// What two patterns and a name find in an index of these names.
fn matched(names: &[&str]) -> Index {
    let entries: Vec<_> = names.iter().map(|name| format!("  {name}:\n  - {{name: {name}, version: 1.0.0, urls: [a]}}\n")).collect();
    let entries = entries.concat();
    let patterns = ["^web", "^kube-state$"].map(|pattern| pattern.parse().unwrap());
    let wanted = Wishes { names: ["proxy".to_owned()].into(), patterns: patterns.into() };
    let yaml = parse(format!("apiVersion: v1\nentries:\n{entries}").as_bytes(), &wanted, &IndexLimits::default()).unwrap();
    let entries: Vec<_> = names.iter().map(|name| format!(r#""{name}":[{{"name":"{name}","version":"1.0.0","urls":["a"]}}]"#)).collect();
    let json = format!(r#"{{"apiVersion":"v1","entries":{{{}}}}}"#, entries.join(","));
    assert_eq!(parse(json.as_bytes(), &wanted, &IndexLimits::default()).unwrap(), yaml);
    yaml
}

#[test]
fn patterns_find_charts_while_the_rest_passes_by() {
    let index = matched(&["web", "other", "webhook", "my-web", "proxy"]);
    assert_eq!(index.charts.keys().collect::<Vec<_>>(), ["proxy", "web", "webhook"]);
}

#[test]
fn a_pattern_that_nothing_matches_comes_with_names_that_are_close() {
    let index = matched(&["kube-state-metrics", "web", "other", "proxy"]);
    assert_eq!(index.close, BTreeMap::from([("^kube-state$".to_owned(), vec!["kube-state-metrics".to_owned()])]));
}

#[test]
fn what_is_wanted_is_held_in_memory_and_bounded() {
    let mut text = String::from(r#"{"apiVersion":"v1","entries":{"web":["#);
    for version in 0..=MOST_WANTED {
        let _ = write!(text, r#"{}{{"name":"web","version":"1.0.{version}","urls":["a"]}}"#, if version == 0 { "" } else { "," });
    }
    text.push_str("]}}");
    let error = read(&text, &["web"]).unwrap_err();
    assert_eq!(error.to_string(), "the index has more than 100000 versions of the charts that are asked for");
    assert_eq!(read(&text, &["other"]).unwrap().charts.len(), 0);
}
