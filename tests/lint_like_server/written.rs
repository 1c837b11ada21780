//! Texts that differ in how they are written: fields that stand there twice, and what YAML makes of words and numbers.

use serde_json::{Value, json};

use crate::{Case, Form, publication};

/// All of them.
pub fn all() -> Vec<Case> {
    twice().into_iter().chain(scalars()).chain(forms()).collect()
}

fn spec() -> Value {
    json!({
        "interval": "1h", "suspend": false,
        "source": {"helmRepository": {"url": "https://charts.example.com"}},
        "charts": [{"name": "podinfo", "latest": 1}],
        "targets": [{"name": "main", "service": {"name": "registry", "port": "http"}, "allowedHosts": ["a"]}],
    })
}

/// Each field of the object a second time, in JSON and in YAML (of which JSON is a form).
fn twice() -> Vec<Case> {
    let text = publication(&spec()).to_string();
    let mut cases = Vec::new();
    for name in
        ["apiVersion", "kind", "metadata", "name", "spec", "interval", "suspend", "source", "url", "charts", "latest", "targets", "port"]
    {
        let field = format!("\"{name}\":");
        let start = text.find(&field).expect("the field");
        for (what, value) in [("null", "null"), ("a text", "\"a\""), ("a mapping", "{}")] {
            let again = format!("{}{field}{value},{}", &text[..start], &text[start..]);
            cases.extend([(Form::Json, "json"), (Form::Yaml, "yaml")].map(|(form, word)| Case {
                what: format!("`{name}` twice, first as {what}, in {word}"),
                text: again.clone(),
                form,
            }));
        }
    }
    cases
}

/// Plain words of YAML where a boolean, a number, a text stands.
fn scalars() -> Vec<Case> {
    let words = [
        "true",
        "True",
        "TRUE",
        "yes",
        "Yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "~",
        "null",
        "Null",
        "",
        "1",
        "0",
        "01",
        "010",
        "0o10",
        "0x10",
        "0b1",
        "1_000",
        "+1",
        "-0",
        "1.0",
        "1.",
        ".5",
        "1e3",
        "1E3",
        ".inf",
        "-.inf",
        ".nan",
        "1:30",
        "2026-01-02",
        "2026-01-02T03:04:05Z",
        "'yes'",
        "\"1\"",
        "!!str 1",
        "!!str yes",
        "!!int 1",
        "!!int '1'",
        "!!bool yes",
        "!!float 1",
        "!!binary YQ==",
        "!own a",
        "|\n      a",
        ">-\n      a",
        "=",
        "<<",
        "1h",
        "99999999999999999999",
        "0.1",
        "6.5",
        "{}",
        "[]",
    ];
    let of = |place: &str, word: &str| {
        let field = |name: &str, usual: &str| if name == place { word.to_owned() } else { usual.to_owned() };
        let text = format!(
            "apiVersion: chartpublisher.io/v1alpha1\nkind: ChartPublication\nmetadata:\n  name: {}\nspec:\n  suspend: {}\n  source:\n    helmRepository:\n      url: https://charts.example.com\n  charts:\n  - name: {}\n    latest: {}\n  - name: redis\n    versions: {}\n  targets:\n  - name: {}\n    service:\n      name: registry\n      port: {}\n",
            field("metadata.name", "case"),
            field("suspend", "false"),
            field("chart", "podinfo"),
            field("latest", "1"),
            field("versions", "1.2.3"),
            field("target", "main"),
            field("port", "http"),
        );
        Case { what: format!("{place}: {word}"), text, form: Form::Yaml }
    };
    let places = ["metadata.name", "suspend", "chart", "latest", "versions", "target", "port"];
    places.iter().flat_map(|place| words.iter().map(|word| of(place, word))).collect()
}

/// Anchors, merges, directives, keys that are no texts, marks and breaks. Not a field beside a merge that brings it, too: the server's
/// strict YAML refuses it, and kubectl, which reads YAML itself, does not.
fn forms() -> Vec<Case> {
    let head = "apiVersion: chartpublisher.io/v1alpha1\nkind: ChartPublication\nmetadata: {name: case}\n";
    let source = "  source: {helmRepository: {url: https://charts.example.com}}\n  charts: [{name: podinfo}]\n";
    let target = "  targets: [{name: main, service: {name: registry}}]\n";
    let yaml = |what: &str, text: String| Case { what: what.to_owned(), text, form: Form::Yaml };
    vec![
        yaml("nothing", format!("{head}spec:\n{source}{target}")),
        yaml("a comment and a start", format!("# words\n---\n{head}spec:\n{source}{target}")),
        yaml("a directive", format!("%YAML 1.1\n---\n{head}spec:\n{source}{target}")),
        yaml("an end", format!("{head}spec:\n{source}{target}...\n")),
        yaml("a mark of byte order", format!("\u{feff}{head}spec:\n{source}{target}")),
        yaml("breaks of Windows", format!("{head}spec:\n{source}{target}").replace('\n', "\r\n")),
        yaml("an anchor", format!("{head}spec:\n{source}  targets: [{{name: &n main, service: {{name: *n}}}}]\n")),
        yaml("an unknown anchor", format!("{head}spec:\n{source}  targets: [{{name: main, service: {{name: *n}}}}]\n")),
        yaml(
            "a merge that brings a twin",
            format!("{head}spec:\n{source}  targets:\n  - &a {{name: main, service: {{name: registry}}}}\n  - {{<<: *a}}\n"),
        ),
        yaml("a number as key", format!("{head}spec:\n{source}{target}  1: a\n")),
        yaml("a boolean as key", format!("{head}spec:\n{source}{target}  true: a\n")),
        yaml(
            "a label that is a number",
            format!("{}spec:\n{source}{target}", head.replace("{name: case}", "{name: case, labels: {a: 1}}")),
        ),
        yaml("a label that is yes", format!("{}spec:\n{source}{target}", head.replace("{name: case}", "{name: case, labels: {a: yes}}"))),
        yaml("a label named 1", format!("{}spec:\n{source}{target}", head.replace("{name: case}", "{name: case, labels: {1: a}}"))),
        yaml("a tab", format!("{head}spec:\n\t{source}{target}")),
        yaml("a quoted key", format!("{head}\"spec\":\n{source}{target}")),
        yaml("a list that is not set in", format!("{head}spec:\n{source}  targets:\n  - name: main\n    service: {{name: registry}}\n")),
        yaml("a field at the top twice", format!("{head}spec:\n{source}{target}kind: ChartPublication\n")),
    ]
}
