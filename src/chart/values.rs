//! `values.yaml`: read only to know that Helm reads it.
//!
//! In: its bytes. Out: nothing, or why Helm would refuse the chart. It may hold several documents, which Helm splits at lines
//! that begin with `---` before any of them is parsed; each must be a mapping or nothing.

use super::{
    ChartError, YamlError,
    metadata::{finite, members},
    parsed,
};

/// Checks the `values.yaml` at this path.
pub(super) fn check(file: &str, text: &[u8]) -> Result<(), ChartError> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let (mut document, mut from) = (Vec::new(), 0);
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let problem = format!("after `---` only a comment may follow, not `{}`", super::header::shown(rest.as_bytes()));
                return Err(ChartError::Yaml { file: file.to_owned(), source: YamlError::Syntax { line: number + 1, problem } });
            }
            if !document.is_empty() {
                check_document(file, &document, from)?;
                document.clear();
                from = number + 1;
                continue;
            }
        }
        document.extend_from_slice(line);
        document.push(b'\n');
    }
    check_document(file, &document, from)
}

/// One document, which begins after so many lines.
fn check_document(file: &str, text: &[u8], lines: usize) -> Result<(), ChartError> {
    let document = parsed(text).map_err(|source| ChartError::Yaml { file: file.to_owned(), source: source.after(lines) })?;
    let field = |source| ChartError::Field { file: file.to_owned(), source };
    for (key, value) in members(&document, "the document").map_err(field)? {
        finite(key, value).map_err(field)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        check("values.yaml", text.as_bytes()).map_or_else(|error| error.to_string(), |()| "read".to_owned())
    }

    #[test]
    fn documents_are_mappings_or_nothing() {
        for text in ["", "\n", "a: 1", "---\na: 1\n---\nb: 2\n", "a: 1\r\n--- # next\r\n~\n", "# only\n---\n---\n", "a: |\n  --- x\n"] {
            assert_eq!(said(text), "read", "{text:?}");
        }
    }

    #[test]
    fn what_helm_refuses_is_refused_with_its_line() {
        for (text, expected) in [
            ("- a\n", "`values.yaml`: `the document` must be a mapping, not a list"),
            ("a: 1\n---\nb\n", "`values.yaml`: `the document` must be a mapping, not text"),
            ("a: 1\n--- b: 2\n", "`values.yaml` is no YAML that Helm reads: line 2: after `---` only a comment may follow, not `b: 2`"),
            ("a: [{b: .nan}]", "`values.yaml`: `a` holds an infinity or NaN, which JSON has no form for: quote it"),
            (
                "a: 1\n---\n\n~: b\n",
                "`values.yaml` is no YAML that Helm reads: line 4: the key of a mapping must be text, a number or a boolean",
            ),
        ] {
            assert_eq!(said(text), expected, "{text:?}");
        }
    }
}
