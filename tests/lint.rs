//! `chart-publisher lint`: it refuses what a real API server refuses and takes what that takes, and says so in one line each.
#![cfg(test)]

#[path = "lint/mutants.rs"]
mod mutants;
#[path = "schema/rows.rs"]
mod rows;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use chart_publisher::lint::{Lint, Rule, Written};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use support::namespace::Namespace;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn publication(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": name}, "spec": spec})
}

/// What the API server says to a text, with strict validation and without keeping it: nothing where it takes it.
async fn refusal(namespace: &Namespace, text: &str) -> Option<String> {
    let path =
        format!("/apis/chartpublisher.io/v1alpha1/namespaces/{}/chartpublications?dryRun=All&fieldValidation=Strict", namespace.name());
    let request = http::Request::post(path).header("content-type", "application/yaml").body(text.as_bytes().to_vec()).expect("a request");
    match namespace.client.request::<Value>(request).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) if [400, 422].contains(&status.code) => Some(status.message),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn read(text: &str) -> Written {
    let options =
        serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough, legacy_octal_numbers: true };
    serde_saphyr::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What lint says to it, without what only a run refuses.
fn findings(lint: &Lint, written: &Written) -> Vec<String> {
    let found = lint.findings(written).into_iter().filter(|one| one.rule != Rule::Run);
    found.map(|one| format!("{}: {}", one.path, one.message)).collect()
}

/// The texts of which lint and the API server say different things; the numbers of those that are taken and refused.
async fn differences(texts: &[(String, String)]) -> (Vec<String>, usize, usize) {
    let namespace = support::shared().namespace().await;
    namespace.bed.install_crds();
    let lint = Lint::new().expect("the definition");
    let (mut different, mut taken, mut refused) = (Vec::new(), 0, 0);
    let refusals = futures::stream::iter(texts).map(|(_, text)| refusal(&namespace, text)).buffered(16).collect::<Vec<_>>().await;
    for ((name, text), refusal) in texts.iter().zip(refusals) {
        let found = findings(&lint, &read(text));
        *(if refusal.is_some() { &mut refused } else { &mut taken }) += 1;
        if found.is_empty() == refusal.is_some() {
            different.push(format!("{name}\n  lint       {found:?}\n  API server {refusal:?}"));
        }
    }
    (different, taken, refused)
}

#[tokio::test]
async fn lint_and_the_api_server_agree_on_every_row() {
    let texts: Vec<_> = rows::all().into_iter().map(|row| (row.spec.to_string(), publication("row", &row.spec).to_string())).collect();
    let (different, taken, refused) = differences(&texts).await;
    assert!(taken >= 20 && refused >= 80, "{taken} taken, {refused} refused");
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), texts.len(), different.join("\n"));
}

#[test]
fn lint_names_the_same_field_as_the_api_server() {
    let lint = Lint::new().expect("the definition");
    let mut wrong = Vec::new();
    for row in rows::all() {
        let found = lint.findings(&Written { value: publication("row", &row.spec), twice: Vec::new() });
        let paths: Vec<_> = found.iter().map(|one| without_numbers(&one.path)).collect();
        if row.refusal.is_some_and(|(field, _)| !paths.iter().any(|path| path == field)) {
            wrong.push(format!("{}\n  expected {:?}\n  is       {found:?}", row.spec, row.refusal));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `spec.targets[3].name` is `spec.targets[].name`.
fn without_numbers(path: &str) -> String {
    path.split('[')
        .enumerate()
        .map(
            |(index, part)| {
                if index == 0 { part.to_owned() } else { format!("[{}", part.trim_start_matches(|c: char| c.is_ascii_digit())) }
            },
        )
        .collect()
}

#[tokio::test]
async fn lint_and_the_api_server_agree_on_every_mutant() {
    let texts: Vec<_> = mutants::all().into_iter().map(|(name, mutant)| (name, mutant.to_string())).collect();
    let (different, taken, refused) = differences(&texts).await;
    support::say(&format!("{} mutants: {taken} taken, {refused} refused, {} differences", texts.len(), different.len()));
    assert!(texts.len() >= 300 && taken >= 100 && refused >= 300, "{taken} taken, {refused} refused");
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), texts.len(), different.join("\n"));
}

#[tokio::test]
async fn lint_and_the_api_server_agree_on_fields_that_stand_there_twice() {
    let head = "apiVersion: chartpublisher.io/v1alpha1\nkind: ChartPublication\nmetadata: {name: row}\n";
    let spec = "source: {helmRepository: {url: 'https://charts.example.com'}}, targets: [{name: main, service: {name: registry}}]";
    let texts = [
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo}}]}}\n"),
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo, name: podinfo}}]}}\n"),
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo}}], interval: 1h, interval: 1h}}\n"),
        format!("{head}kind: ChartPublication\nspec: {{{spec}, charts: [{{name: podinfo}}]}}\n"),
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo}}], suspend: yes}}\n"),
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo}}], interval: ~}}\n"),
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo, versions: 1.10}}]}}\n"),
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo, latest: 0x10}}]}}\n"),
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo, latest: 1.0}}]}}\n"),
        // To kubectl 8192, and not over the limit of 10000.
        format!("{head}spec: {{{spec}, charts: [{{name: podinfo, latest: 020000}}]}}\n"),
        format!("{head}metadata: {{name: row}}\nspec: {{{spec}, charts: [{{name: podinfo}}]}}\n"),
    ];
    let texts: Vec<_> = texts.into_iter().map(|text| (text.clone(), text)).collect();
    let (different, taken, refused) = differences(&texts).await;
    assert!(taken >= 3 && refused >= 4, "{taken} taken, {refused} refused");
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What is printed: these fields and no others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    file: String,
    document: Option<usize>,
    name: Option<String>,
    namespace: Option<String>,
    path: String,
    rule: String,
    message: String,
}

/// Runs it: its exit code, what it printed, and what it said beside.
fn lint(words: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chart-publisher"));
    // Nothing that it could find a cluster by.
    command.arg("lint").args(words).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("its end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn items(printed: &str) -> Vec<Item> {
    serde_json::from_str::<Printed>(printed).unwrap_or_else(|error| panic!("{error}: {printed}")).items
}

/// The YAML files below a folder that have publications.
fn with_publications(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            with_publications(&path, found);
        } else if fs::read_to_string(&path).is_ok_and(|text| text.contains("\nkind: ChartPublication\n"))
            && path.extension().is_some_and(|end| end == "yaml")
        {
            found.push(path);
        }
    }
}

#[test]
fn all_samples_are_good() {
    let mut files = Vec::new();
    with_publications(&Path::new(ROOT).join("deploy"), &mut files);
    assert!(files.len() >= 8, "{files:?}");
    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    for file in &files {
        let (code, printed, errors) = lint(&["-f", file], "");
        assert_eq!((code, printed.as_str()), (Some(0), ""), "{file}: {errors}");
    }
    let (code, printed, errors) = lint(&["-f", &format!("{ROOT}/deploy/samples")], "");
    assert_eq!((code, printed.as_str()), (Some(0), ""), "{errors}");
    assert!(errors.contains("is passed over"), "a folder has other objects, too: {errors}");
}

#[test]
fn each_finding_is_a_line_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: beside}\n---\n---\n\
                 apiVersion: chartpublisher.io/v1alpha1\nkind: ChartPublication\nmetadata: {name: web, namespace: team}\n\
                 spec:\n  intervall: 1h\n  timeout: 2h\n  source: {helmRepository: {url: 'https://charts.example.com'}}\n\
                 \x20 charts: [{name: web}]\n  targets: [{name: main, service: {name: registry}, insecure: 'true'}]\n---\n{\n";
    fs::write(folder.path().join("a.yml"), wrong).expect("a file");
    fs::write(folder.path().join("b.txt"), "{").expect("a file");
    let file = folder.path().join("a.yml").display().to_string();
    let given = folder.path().display().to_string();
    let (code, printed, errors) = lint(&["-f", &given, "-o", "json"], "");
    assert_eq!(code, Some(2), "{errors}");
    let items = items(&printed);
    let said: Vec<_> = items.iter().map(|one| (one.path.as_str(), one.rule.as_str(), one.document)).collect();
    assert_eq!(
        said,
        [
            ("spec.intervall", "unknownField", Some(2)),
            ("spec.targets[0].insecure", "type", Some(2)),
            ("spec.timeout", "cel", Some(2)),
            ("", "text", None)
        ]
    );
    assert!(items.iter().all(|one| one.file == file), "{items:?}");
    let first = &items[0];
    assert_eq!((first.name.as_deref(), first.namespace.as_deref()), (Some("web"), Some("team")));
    assert_eq!(first.message, "there is no such field. Close to it: `interval`");
    let (code, printed, errors) = lint(&["-f", &given], "");
    assert_eq!(code, Some(2));
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[0], format!("{file}: document 2 `web`: spec.intervall: there is no such field. Close to it: `interval`"));
    assert_eq!(lines.len(), 4, "{printed}");
    assert!(lines[3].starts_with(&format!("{file}: is no YAML: ")), "{printed}");
    assert!(errors.contains("ConfigMap `beside` of v1 is passed over") && errors.contains("4 findings"), "{errors}");
}

#[test]
fn what_is_given_decides_the_exit_code() {
    let good = publication("good", &rows::smallest());
    let twice = format!("{good}\n---\n{good}\n");
    for (input, code, part) in [
        (good.to_string(), 0, ""),
        (String::new(), 2, "no ChartPublication"),
        ("{kind: Pod, apiVersion: v1, metadata: {name: a}}".to_owned(), 2, "no ChartPublication"),
        ("a: b".to_owned(), 2, "document 1: kind: is missing"),
        (twice, 2, "document 2 `good`: metadata.name: document 1 of `-` has the same name"),
    ] {
        let (ended, printed, errors) = lint(&["-f", "-"], &input);
        assert_eq!(ended, Some(code), "{input}: {printed}{errors}");
        assert!(format!("{printed}{errors}").contains(part), "{input}: {printed}{errors}");
    }
    let (code, printed, _) = lint(&["-f", "/nowhere/at/all.yaml"], "");
    assert_eq!(code, Some(2));
    assert!(printed.starts_with("/nowhere/at/all.yaml: cannot be read: "), "{printed}");
}

#[test]
fn lists_are_taken_apart_as_kubectl_does() {
    let item = |name: &str, spec: &Value| publication(name, spec);
    let mut wrong = rows::smallest();
    wrong["intervall"] = json!("1h");
    let list = |version: &str, kind: &str, items: Value| json!({"apiVersion": version, "kind": kind, "items": items}).to_string();
    let good = item("good", &rows::smallest());
    let bare = json!({"metadata": {"name": "bare"}, "spec": wrong});
    let other = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "beside"}});
    for (input, expected, path) in [
        (list("v1", "List", json!([good, other])), 0, ""),
        (list("v1", "List", json!([good, item("bad", &wrong)])), 2, "document 1 `bad`: items[1].spec.intervall: "),
        (list("v1", "List", json!([list_of(&item("bad", &wrong))])), 2, "document 1 `bad`: items[0].items[0].spec.intervall: "),
        (list("chartpublisher.io/v1alpha1", "ChartPublicationList", json!([bare])), 2, "document 1 `bare`: items[0].spec.intervall: "),
        (list("v1", "List", json!([good, good])), 2, "metadata.name: `items[0]` of document 1 of `-` has the same name"),
        (list("v1", "List", json!([good, {"a": "b"}])), 2, "items[1].kind: is missing"),
        (list("v1", "List", json!([])), 2, "no ChartPublication"),
        (list("v1", "List", json!({})), 2, "`items` are no list"),
        (format!("kind: List\napiVersion: v1\nitems: [{good}]\nitems: []\n"), 2, "has the field `items` of a List twice"),
        (
            "kind: List\napiVersion: v1\nitems:\n- {kind: ChartPublication, kind: ChartPublication}\n".to_owned(),
            2,
            "items[0].kind: stands here twice",
        ),
    ] {
        let (code, printed, errors) = lint(&["-f", "-"], &input);
        assert_eq!(code, Some(expected), "{input}: {printed}{errors}");
        assert!(format!("{printed}{errors}").contains(path), "{input}: {printed}{errors}");
        assert!(!printed.contains("ChartPublicationList"), "{printed}");
    }
}

fn list_of(item: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": [item]})
}

#[test]
fn nothing_of_a_file_moves_the_terminal_or_makes_a_line() {
    let mut object = publication("x\u{1b}[31m\nforged", &rows::smallest());
    object["spec"]["a\u{1b}[2Jb"] = json!(1);
    let other = json!({"apiVersion": "v1", "kind": "Secret\u{1b}[31m", "metadata": {"name": "a\nchart-publisher: forged"}});
    let input = format!("{object}\n---\n{other}\n");
    let (code, printed, errors) = lint(&["-f", "-"], &input);
    assert_eq!(code, Some(2), "{errors}");
    let all = format!("{printed}{errors}");
    assert!(all.contains("spec[a[2Jb]: ") && all.contains("x[31m forged"), "{all}");
    assert!(!all.contains('\u{1b}') && !errors.contains("\nchart-publisher: forged"), "{all:?}");
    assert_eq!(printed.lines().count(), 2, "{printed}");
}

#[test]
fn what_is_too_much_or_leads_nowhere_is_said() {
    let deep = format!("a: {}{}", "[".repeat(65), "]".repeat(65));
    let many = format!("a: [{}]", vec!["1"; 250_001].join(","));
    for (input, part) in [(deep, "nested"), (many, "has more than 250,000 values by line 1")] {
        let (code, printed, errors) = lint(&["-f", "-"], &input);
        assert_eq!(code, Some(2), "{printed}{errors}");
        assert!(printed.contains(part) && !printed.contains("Nodes") && !printed.contains("{ "), "{printed}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.yaml"), publication("good", &rows::smallest()).to_string()).expect("a file");
    std::os::unix::fs::symlink("nowhere.yaml", folder.path().join("b.yaml")).expect("a link");
    let (code, printed, errors) = lint(&["-f", &folder.path().display().to_string()], "");
    assert_eq!(code, Some(2), "{printed}{errors}");
    assert!(printed.contains("b.yaml: cannot be read: "), "{printed}");
}

#[test]
fn the_page_shows_what_is_printed() {
    let page = fs::read_to_string(format!("{ROOT}/docs/lint.md")).expect("the page");
    let block = |language: &str| {
        let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a block");
        rest.split("```").next().expect("its end").to_owned()
    };
    let mut spec = rows::smallest();
    spec["intervall"] = json!("1h");
    spec["timeout"] = json!("2h");
    spec["targets"][0]["insecure"] = json!("true");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("publication.yaml").display().to_string();
    fs::write(&file, publication("podinfo", &spec).to_string()).expect("a file");
    let (_, lines, _) = lint(&["-f", &file], "");
    assert!(page.contains(&format!("```\n{}```\n", lines.replace(&file, "publication.yaml"))), "{lines}");
    let (_, printed, _) = lint(&["-f", &file, "-o", "json"], "");
    let mut printed: Value = serde_json::from_str(&printed.replace(&file, "publication.yaml")).expect("JSON");
    printed["items"].as_array_mut().expect("items").retain(|item| item["rule"] == "cel");
    assert_eq!(printed, serde_json::from_str::<Value>(&block("json")).expect("JSON"));
    let rules = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next()).collect::<String>();
    for item in items(&lint(&["-f", &file, "-o", "json"], "").1) {
        assert!(rules.contains(&item.rule), "docs/lint.md lacks the rule {}", item.rule);
        assert!(!item.message.is_empty());
    }
}
