//! The documents of files: YAML or JSON, several documents in one, lists of objects, `-` for standard input, a folder for the files in it.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use chart_publisher::{
    api::{GROUP, VERSION},
    lint::Written,
};
use serde_json::{Map, Value};
use serde_saphyr::{budget::BudgetBreach, options::DuplicateKeyPolicy};

use super::{Usage, bounded::LONGEST, shown::one_line, unquoted};

/// How files of manifests end.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// A document of a file, or an item of one that is a list.
pub(super) struct Document {
    /// Which document of the file, from 1.
    pub(super) number: usize,
    /// Where in it: `items[2]` of a list, else nothing.
    pub(super) within: String,
    /// As it stands there.
    pub(super) written: Written,
}

/// What could be read of a file.
pub(super) struct ReadFile {
    /// Its name, or `-`.
    pub(super) name: String,
    /// Its documents, in their order; empty ones are passed over, and of lists the items stand for them.
    pub(super) documents: Vec<Document>,
    /// What keeps the rest from being read.
    pub(super) broken: Option<String>,
}

/// That there is no publication at all.
pub(super) fn none(files: &[String]) -> Usage {
    Usage(format!("no ChartPublication of {GROUP}/{VERSION} in `{}`", files.join("`, `")))
}

/// That an object is none.
pub(super) fn passed(file: &str, value: &Value) -> String {
    let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind, name) = (word("/apiVersion"), word("/kind"), word("/metadata/name"));
    one_line(&format!("`{file}`: {kind} `{name}` of {version} is passed over: it is no ChartPublication of {GROUP}/{VERSION}"))
}

/// What stands in `files`, and in the files of those that are folders.
pub(super) fn read(files: &[String]) -> Vec<ReadFile> {
    let mut all = Vec::new();
    for given in files {
        match in_folder(given) {
            Ok(names) => all.extend(names.iter().map(|name| read_file(name))),
            Err(error) => all.push(ReadFile { name: given.clone(), documents: Vec::new(), broken: Some(unreadable(&error)) }),
        }
    }
    all
}

/// The manifests in a folder, by name; what is no folder stands for itself.
fn in_folder(given: &str) -> std::io::Result<Vec<String>> {
    if given == "-" || !Path::new(given).is_dir() {
        return Ok(vec![given.to_owned()]);
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(given)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    // A link that leads nowhere is a manifest that somebody misses.
    let is_there = |path: &PathBuf| path.is_file() || (path.is_symlink() && !path.exists());
    found.retain(|path| path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) && is_there(path));
    found.sort();
    Ok(found.into_iter().map(|path| path.display().to_string()).collect())
}

fn read_file(name: &str) -> ReadFile {
    let mut file = ReadFile { name: name.to_owned(), documents: Vec::new(), broken: None };
    file.broken = text(name).and_then(|text| parse(&text, &mut file.documents)).err();
    file
}

/// Reads numbers as kubectl does: `010` is 8.
fn parse(text: &str, documents: &mut Vec<Document>) -> Result<(), String> {
    let options =
        serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough, with_snippet: false, legacy_octal_numbers: true };
    if let Some(found) = unquoted::tag(text) {
        return Err(found);
    }
    let mut reader = Cursor::new(text);
    let mut number = 0;
    for written in serde_saphyr::read_with_options::<_, Written>(&mut reader, options) {
        let written = written.map_err(|error| unparsed(&error, text))?;
        if !written.value.is_null() {
            number += 1;
            unfold(Document { number, within: String::new(), written }, documents)?;
        }
    }
    Ok(())
}

/// Takes lists apart, as kubectl does; in a list of one kind (`ChartPublicationList`) an item need not say what it is.
fn unfold(document: Document, documents: &mut Vec<Document>) -> Result<(), String> {
    let Document { number, within, written: Written { value, twice } } = document;
    let (mut fields, version, kind) = match value {
        Value::Object(fields) if is_list(&fields) => {
            let word = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (version, kind) = (word("apiVersion"), word("kind"));
            (fields, version, kind)
        }
        value => {
            documents.push(Document { number, within, written: Written { value, twice } });
            return Ok(());
        }
    };
    let Some(Value::Array(items)) = fields.remove("items") else {
        return Err(format!("has a {kind} in document {number} whose `items` are no list"));
    };
    let mut twice_of: HashMap<usize, Vec<String>> = HashMap::new();
    for path in twice {
        let (index, below) = of_item(&path).ok_or_else(|| format!("has the field `{path}` of a {kind} twice: leave one of them"))?;
        twice_of.entry(index).or_default().push(below);
    }
    for (index, mut value) in items.into_iter().enumerate() {
        if let (Some(item), Value::Object(fields)) = (kind.strip_suffix("List").filter(|item| !item.is_empty()), &mut value)
            && !fields.contains_key("kind")
        {
            fields.insert("kind".to_owned(), item.into());
            fields.insert("apiVersion".to_owned(), version.as_str().into());
        }
        let within = if within.is_empty() { format!("items[{index}]") } else { format!("{within}.items[{index}]") };
        let written = Written { value, twice: twice_of.remove(&index).unwrap_or_default() };
        unfold(Document { number, within, written }, documents)?;
    }
    Ok(())
}

/// Whether it is a list of objects; a kind of its own may end so, too.
fn is_list(fields: &Map<String, Value>) -> bool {
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    kind == "List" || (kind.ends_with("List") && fields.get("items").is_some_and(Value::is_array))
}

/// `items[2].spec.x` is `spec.x` of item 2.
fn of_item(path: &str) -> Option<(usize, String)> {
    let (index, below) = path.strip_prefix("items[")?.split_once(']')?;
    Some((index.parse().ok()?, below.trim_start_matches('.').to_owned()))
}

/// What the parser says of a key that is empty, a list or a mapping; the place stands behind it.
const OTHER_KEYS: [&str; 2] = ["cannot deserialize null into string; use Option<String>", "expected string scalar"];

/// Why a text is not read.
fn unparsed(error: &serde_saphyr::Error, text: &str) -> String {
    if let Some((much, line)) = limit(error) {
        return format!("has {much} by line {line}: no manifest has so much, and it is not read");
    }
    let said = error.without_snippet().to_string();
    if let Some(place) = OTHER_KEYS.iter().find_map(|words| said.strip_prefix(words)) {
        return format!("is no manifest: a key must be a text{place}");
    }
    let hint = error.location().and_then(|place| unquoted::hint(text, place));
    format!("is no YAML: {said}{}", hint.unwrap_or_default())
}

/// Of what there is too much, and the line where it is.
fn limit(error: &serde_saphyr::Error) -> Option<(&'static str, u64)> {
    use serde_saphyr::Error;
    const ALIASES: &str = "too many anchors, aliases or merge keys";
    let (much, location) = match error.without_snippet() {
        // What an alias stands for counts where it is put in.
        Error::AliasError { error, .. } => return limit(error),
        Error::Budget { breach, location } => {
            let much = match breach {
                BudgetBreach::Depth { .. } => "lists and mappings nested more than 64 deep",
                BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => "more than 250,000 values",
                BudgetBreach::Documents { .. } => "more than 1,024 documents",
                BudgetBreach::ScalarBytes { .. } => "more than 64 MiB of text",
                _ => ALIASES,
            };
            (much, location)
        }
        Error::AliasReplayLimitExceeded { location, .. }
        | Error::AliasExpansionLimitExceeded { location, .. }
        | Error::AliasReplayStackDepthExceeded { location, .. } => (ALIASES, location),
        _ => return None,
    };
    Some((much, location.line()))
}

fn unreadable(error: &std::io::Error) -> String {
    let cure = match error.kind() {
        std::io::ErrorKind::InvalidData => "; a manifest is YAML or JSON in UTF-8, and an archive is published by `push`",
        _ => "",
    };
    format!("cannot be read: {error}{cure}")
}

fn text(file: &str) -> Result<String, String> {
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text),
        path => std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)),
    };
    let read = read.map_err(|error| unreadable(&error))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > LONGEST {
        return Err("is larger than 16 MiB".to_owned());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn aliases_that_expand_are_refused_with_the_limit_that_they_break() {
        let mut text = format!("a0: &a0 [{}]\n", ["x"; 10].join(", "));
        for level in 1..=7 {
            let _ = writeln!(text, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", "));
        }
        let said = parse(&text, &mut Vec::new()).unwrap_err();
        assert!(said.starts_with("has more than 250,000 values by line ") || said.starts_with("has too many anchors, aliases"), "{said}");
        assert!(said.ends_with(": no manifest has so much, and it is not read"), "{said}");
    }

    #[test]
    fn what_yaml_takes_for_something_else_is_to_be_quoted() {
        for (value, part) in [
            (">=1.2 <2", "; a text that begins with `>` has to be in quotes"),
            ("*", "; a text that begins with `*` has to be in quotes"),
            ("*.x", "; a text that begins with `*` has to be in quotes"),
            ("[>=2]", "; a text that begins with `>` has to be in quotes"),
            ("|1.0", "; a text that begins with `|` has to be in quotes"),
            ("@1", "; a text that begins with `@` has to be in quotes"),
            ("`1", "; a text that begins with a backtick has to be in quotes"),
            ("!=1.2", "has `!=1.2` in line 3, which is a tag in YAML, and no text: write the whole value in quotes"),
        ] {
            let said = parse(&format!("a: 1\n---\nversions: {value}\nb: c\n"), &mut Vec::new()).unwrap_err();
            assert!(said.ends_with(part) && said.contains("line 3"), "{value}: {said}");
        }
        let said = parse("a: [b\n", &mut Vec::new()).unwrap_err();
        assert!(!said.contains("quotes"), "{said}");
    }

    #[test]
    fn keys_that_are_no_texts_are_named_with_their_place() {
        for (text, place) in [(": : :", "line 1, column 1"), ("a: b\n~: c", "line 2, column 1"), ("? [a]\n: b", "line 1, column 3")] {
            let said = parse(text, &mut Vec::new()).unwrap_err();
            assert_eq!(said, format!("is no manifest: a key must be a text at {place}"));
        }
    }
}
