//! The rules that Helm holds metadata against when it loads a chart, and the cleaning that it does before.
//!
//! In: decoded metadata. Out: the same with white space and unprintable characters replaced as Helm does (this decides bytes
//! of the config blob), or the first rule that it breaks.

use std::collections::HashSet;

use super::{
    error::shown,
    metadata::{Dependency, Metadata},
};
use crate::model::{ChartVersion, InvalidVersion};

/// A rule of Helm's that the metadata breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A field that every chart needs.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A name that is no file name.
    #[error("`name` is `{0}`: a chart's name is one path segment, without `/`")]
    Name(String),
    /// A version that Helm cannot read.
    #[error("`version`: {0}")]
    Version(#[from] InvalidVersion),
    /// An unknown type.
    #[error("`type` is `{0}`: Helm knows `application` and `library`")]
    Type(String),
    /// A hole in a list.
    #[error("`{0}` has an empty entry: remove it")]
    Empty(&'static str),
    /// An alias that could not be a key in the values.
    #[error("the alias of dependency `{}` may hold letters, digits, `_` and `-` only", shown(.0))]
    Alias(String),
    /// Two dependencies that go by one name.
    #[error("more than one dependency goes by `{}`: give one of them an alias", shown(.0))]
    DuplicateDependency(String),
}

impl Metadata {
    /// Cleans the fields and checks them; gives the version.
    pub(crate) fn validate(&mut self) -> Result<ChartVersion, RuleError> {
        self.clean();
        let version = self.check_identity()?;
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return Err(RuleError::Type(self.kind.chars().filter(|c| !c.is_control()).take(80).collect()));
        }
        for maintainer in &mut self.maintainers {
            let maintainer = maintainer.as_mut().ok_or(RuleError::Empty("maintainers"))?;
            clean_all([&mut maintainer.name, &mut maintainer.email, &mut maintainer.url]);
        }
        let mut taken = HashSet::new();
        for dependency in &mut self.dependencies {
            let dependency = dependency.as_mut().ok_or(RuleError::Empty("dependencies"))?;
            dependency.validate()?;
            let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if !taken.insert(key.as_str()) {
                return Err(RuleError::DuplicateDependency(key.clone()));
            }
        }
        Ok(version)
    }

    fn clean(&mut self) {
        clean_all([
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ]);
        clean_all(self.sources.iter_mut().chain(&mut self.keywords));
    }

    fn check_identity(&self) -> Result<ChartVersion, RuleError> {
        for (field, value) in [("apiVersion", &self.api_version), ("name", &self.name)] {
            if value.is_empty() {
                return Err(RuleError::Missing(field));
            }
        }
        if self.name == "." || self.name == ".." || self.name.contains('/') {
            return Err(RuleError::Name(self.name.chars().take(250).collect()));
        }
        if self.version.is_empty() {
            return Err(RuleError::Missing("version"));
        }
        Ok(self.version.parse()?)
    }
}

impl Dependency {
    fn validate(&mut self) -> Result<(), RuleError> {
        clean_all([&mut self.name, &mut self.version, &mut self.repository, &mut self.condition]);
        clean_all(&mut self.tags);
        if !self.alias.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            return Err(RuleError::Alias(self.name.clone()));
        }
        Ok(())
    }
}

fn clean_all<'a>(fields: impl IntoIterator<Item = &'a mut String>) {
    for field in fields {
        if !field.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            *field = cleaned(field);
        }
    }
}

/// Each white space becomes a space, what cannot be printed goes.
fn cleaned(text: &str) -> String {
    text.chars()
        .filter_map(|character| match character {
            _ if character.is_whitespace() => Some(' '),
            _ if is_printable(character) => Some(character),
            _ => None,
        })
        .collect()
}

/// Letters, marks, numbers, punctuation and symbols. The standard library knows these categories only where it escapes
/// text for debugging; marks are let through there unless they come first.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let mut probe = String::from("a");
    probe.push(character);
    probe.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::metadata::Maintainer;

    fn named(name: &str, version: &str) -> Metadata {
        Metadata { name: name.into(), version: version.into(), api_version: "v2".into(), ..Metadata::default() }
    }

    fn check(change: impl FnOnce(&mut Metadata), expected: &str) {
        let mut metadata = named("web", "1.2.3");
        change(&mut metadata);
        let found = metadata.validate().map_or_else(|error| error.to_string(), |version| version.to_string());
        assert_eq!(found, expected);
    }

    #[test]
    fn the_rules_are_those_of_helm() {
        check(|_| {}, "1.2.3");
        check(|chart| chart.version = "v1.2".into(), "v1.2");
        check(|chart| chart.name = "We.b_1\u{7}".into(), "1.2.3");
        check(|chart| chart.name = String::new(), "`name` is missing");
        check(|chart| chart.version = String::new(), "`version` is missing");
        check(|chart| chart.api_version = String::new(), "`apiVersion` is missing");
        check(|chart| chart.version = "latest".into(), "`version`: `latest` is no semantic version (https://semver.org)");
        for name in [".", "..", "a/b", "/", "a/"] {
            check(|chart| chart.name = name.into(), &format!("`name` is `{name}`: a chart's name is one path segment, without `/`"));
        }
        check(|chart| chart.kind = "service".into(), "`type` is `service`: Helm knows `application` and `library`");
        check(|chart| chart.maintainers = vec![None], "`maintainers` has an empty entry: remove it");
        check(|chart| chart.dependencies = vec![None], "`dependencies` has an empty entry: remove it");
    }

    #[test]
    fn dependencies_go_by_different_names() {
        let dependency = |name: &str, alias: &str| Some(Dependency { name: name.into(), alias: alias.into(), ..Dependency::default() });
        check(|chart| chart.dependencies = vec![dependency("db", ""), dependency("db", "second")], "1.2.3");
        check(
            |chart| chart.dependencies = vec![dependency("db", ""), dependency("x", "db")],
            "more than one dependency goes by `db`: give one of them an alias",
        );
        check(
            |chart| chart.dependencies = vec![dependency("db", "a.b")],
            "the alias of dependency `db` may hold letters, digits, `_` and `-` only",
        );
    }

    /// Each right side is what Helm's cleaning gives.
    #[test]
    fn white_space_and_unprintable_characters_are_cleaned() {
        for (text, expected) in [
            ("a\tb\nc\r\nd", "a b c  d"),
            ("a\u{a0}b\u{2003}c\u{2028}d", "a b c d"),
            ("a\u{200b}b\u{feff}c\u{ad}d\u{7f}e", "abcde"),
            ("é e\u{301} 日本 😀 ½ € \u{e000}", "é e\u{301} 日本 😀 ½ € "),
            ("\u{301}'\"\\", "\u{301}'\"\\"),
        ] {
            assert_eq!(cleaned(text), expected, "{text:?}");
        }
        let mut chart = named("web", "1.2.3");
        chart.maintainers = vec![Some(Maintainer { name: "A\nB".into(), ..Maintainer::default() })];
        chart.validate().unwrap();
        assert_eq!(chart.maintainers[0].as_ref().unwrap().name, "A B");
    }
}
