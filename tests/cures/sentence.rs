//! Reads the cure out of a sentence: what stands in backticks after some words of it.

/// What stands in backticks right after `words`.
pub fn quoted_after<'a>(sentence: &'a str, words: &str) -> &'a str {
    let after = sentence.split_once(&format!("{words}`")).map(|(_, after)| after);
    let quoted = after.and_then(|after| after.split('`').next());
    quoted.unwrap_or_else(|| panic!("nothing in backticks after \"{words}\" in: {sentence}"))
}

/// The two sides of `key: value`.
pub fn setting(quoted: &str) -> (&str, &str) {
    quoted.split_once(": ").unwrap_or_else(|| panic!("no setting: {quoted}"))
}

/// `http.secret` of distribution's documentation, as a pointer into its configuration.
pub fn pointer(dotted: &str) -> String {
    format!("/{}", dotted.replace('.', "/"))
}

/// The namespace and name of the object of this kind: `Ingress "platform/registry"`.
pub fn object<'a>(sentence: &'a str, kind: &str) -> (&'a str, &'a str) {
    let after = sentence.split_once(&format!("pass {kind} \"")).map(|(_, after)| after);
    let named = after.and_then(|after| after.split('"').next()?.split_once('/'));
    named.unwrap_or_else(|| panic!("no {kind} in: {sentence}"))
}
