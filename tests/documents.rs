//! Holds what is written beside the code to what the code says: documents, samples, versions, copies.
#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it expects by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use chart_publisher::api::{ChartInventory, ChartPublication, Reason};
use kube::CustomResourceExt;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// The names in the first column of the tables of a document: `| `name` | … |`, several separated by commas.
fn first_column(document: &str) -> BTreeSet<String> {
    let cells = document.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_reason_stands_in_the_reference_with_its_meaning_and_in_the_page_of_cures() {
    let (reference, cures) = (text("docs/reference.md"), first_column(&text("docs/troubleshooting.md")));
    for reason in Reason::ALL {
        let row = format!("| `{reason}` | {} |", reason.meaning().trim());
        assert!(reference.contains(&row), "docs/reference.md lacks the row\n{row}");
        assert!(cures.contains(reason.as_str()), "docs/troubleshooting.md lacks `{reason}`");
    }
}

#[test]
fn the_page_of_remedies_is_made_from_the_rows() {
    let head = "# What is seen, and what mends it\n\nMade from the rows of `src/remedy/`: `UPDATE_DOCS=1 cargo test --test documents` writes it anew. \
        What the controller does next follows\n*Next*; what stands under *Mend* is said in the status, with the names of the objects \
        filled in. [Troubleshooting](troubleshooting.md)\nis by reason, and [cures](cures.md) shows some of them taken from the status.\n\n";
    let wanted = format!("{head}{}", chart_publisher::remedy::markdown());
    if is_to_be_written() {
        fs::write(root().join("docs/remedies.md"), &wanted).expect("the page");
    }
    assert!(text("docs/remedies.md") == wanted, "docs/remedies.md is out of date: run this test with UPDATE_DOCS=1");
}

#[expect(clippy::disallowed_methods, reason = "a developer's wish, as snapshots have it")]
fn is_to_be_written() -> bool {
    std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1")
}

#[test]
fn every_field_of_the_schema_stands_in_the_reference() {
    let reference = text("docs/reference.md");
    let words: BTreeSet<&str> = reference.split(|c: char| !c.is_alphanumeric()).collect();
    for crd in [ChartPublication::crd(), ChartInventory::crd()] {
        let crd = serde_json::to_value(crd).expect("JSON");
        let mut fields = BTreeSet::new();
        collect(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], &mut fields);
        for field in fields {
            assert!(words.contains(field.as_str()), "docs/reference.md lacks the field `{field}`");
        }
    }
}

/// The fields of a schema; those of conditions are Kubernetes' own.
fn collect(schema: &Value, fields: &mut BTreeSet<String>) {
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        fields.insert(name.clone());
        if name != "conditions" {
            collect(below, fields);
        }
    }
    if schema["items"].is_object() {
        collect(&schema["items"], fields);
    }
}

#[test]
fn every_sample_names_only_fields_that_exist() {
    for path in yaml_files("deploy/samples") {
        let text = fs::read_to_string(&path).expect("a sample");
        for document in text.split("\n---\n") {
            let written: Value = serde_saphyr::from_str(document).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            if written["kind"] != "ChartPublication" {
                continue;
            }
            let typed: ChartPublication =
                serde_json::from_value(written.clone()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_lies_in(&written, &serde_json::to_value(&typed).expect("JSON"), &path.display().to_string());
        }
    }
}

/// Whether everything that is `written` was also read: a field that does not exist is lost on the way.
fn assert_lies_in(written: &Value, read: &Value, place: &str) {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            for (name, value) in written {
                let found = read.get(name).unwrap_or_else(|| panic!("{place}: there is no field `{name}`"));
                assert_lies_in(value, found, &format!("{place}: {name}"));
            }
        }
        (Value::Array(written), Value::Array(read)) => {
            assert_eq!(written.len(), read.len(), "{place}");
            written.iter().zip(read).for_each(|(written, read)| assert_lies_in(written, read, place));
        }
        _ => assert_eq!(written, read, "{place}"),
    }
}

#[test]
fn the_helm_chart_holds_the_same_crds_and_version_as_the_program() {
    let names = |folder: &str| yaml_files(folder).iter().filter_map(|path| path.file_name().map(ToOwned::to_owned)).collect::<Vec<_>>();
    assert_eq!(names("crds"), names("charts/chart-publisher/files/crds"), "run `make generate`");
    for path in yaml_files("crds") {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        assert_eq!(
            text(&format!("crds/{name}")),
            text(&format!("charts/chart-publisher/files/crds/{name}")),
            "{name}: run `make generate`"
        );
    }
    let chart = text("charts/chart-publisher/Chart.yaml");
    let version = env!("CARGO_PKG_VERSION");
    assert!(chart.contains(&format!("\nversion: {version}\n")), "`version` in Chart.yaml is not {version}");
    assert!(chart.contains(&format!("\nappVersion: \"{version}\"\n")), "`appVersion` in Chart.yaml is not {version}");
}

#[test]
fn every_limit_that_a_flag_sets_stands_in_the_documents_and_can_be_set_by_the_helm_chart() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_chart-publisher")).args(["run", "--help"]).output().expect("the program");
    let help = String::from_utf8(help.stdout).expect("text");
    let flags: BTreeSet<&str> = help.split_whitespace().filter(|word| word.starts_with("--max-")).collect();
    assert!(flags.len() >= 6, "{flags:?}");
    let (operations, deployment) = (text("docs/operations.md"), text("charts/chart-publisher/templates/deployment.yaml"));
    for flag in flags {
        assert!(operations.contains(&format!("| `{flag}` | `limits.")), "docs/operations.md lacks a row for `{flag}`");
        assert!(deployment.contains(&format!("- {flag}={{{{ .Values.limits.")), "the Helm chart cannot set `{flag}`");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents =
        ["README.md", "CONTRIBUTING.md", "charts/chart-publisher/README.md", "deploy/argocd/README.md", "deploy/flux/README.md"];
    let below =
        fs::read_dir(root().join("docs")).expect("docs").map(|entry| format!("docs/{}", entry.expect("an entry").file_name().display()));
    for document in documents.into_iter().map(str::to_owned).chain(below) {
        let folder = root().join(&document).parent().expect("a folder").to_owned();
        for link in text(&document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            if path.contains("://") {
                continue;
            }
            let target = if path.is_empty() { root().join(&document) } else { folder.join(path) };
            assert!(target.exists(), "{document}: `{link}` leads nowhere");
            let has_anchor = || fs::read_to_string(&target).is_ok_and(|text| text.lines().any(|line| slug(line) == anchor));
            assert!(anchor.is_empty() || has_anchor(), "{document}: `{link}` has no such heading");
        }
    }
}

/// The anchor of a heading, as forges make it.
fn slug(line: &str) -> String {
    let heading = line.trim_start_matches('#').trim();
    let words = heading.to_lowercase().replace(' ', "-");
    if line.starts_with('#') { words.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect() } else { String::new() }
}
