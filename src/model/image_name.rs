//! Repository names and tags, as the OCI distribution specification allows them ("Pulling manifests").

use std::{fmt, str::FromStr};

use super::{ChartVersion, Digest};

/// The path of a repository in a registry, for example `charts/podinfo`: at most 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(String);

/// A tag: at most 128 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// What a tag begins with that belongs to a manifest by its digest.
const OF_A_DIGEST: &str = "sha256-";
/// What cosign puts behind it (sigstore/cosign, `specs/SIGNATURE_SPEC.md`).
const COSIGN: [&str; 3] = [".sig", ".att", ".sbom"];

/// What OCI does not allow as a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The repository.
    #[error(
        "`{0}` is no OCI repository name: lower case letters, digits and single `.`, `_`, `__` or `-` between them, parts separated by `/`, at most 255 characters"
    )]
    Repository(String),
    /// The tag.
    #[error("`{0}` is no OCI tag: letters, digits, `_`, `.` and `-`, not beginning with `.` or `-`, at most 128 characters")]
    Tag(String),
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(128).collect()
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(part: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separator = String::new();
    let mut previous_was_letter = false;
    for byte in part.bytes() {
        if alphanumeric(byte) {
            if !separator.is_empty() && !matches!(separator.as_str(), "." | "_" | "__") && !separator.bytes().all(|b| b == b'-') {
                return false;
            }
            separator.clear();
            previous_was_letter = true;
        } else if matches!(byte, b'.' | b'_' | b'-') && previous_was_letter {
            separator.push(char::from(byte));
        } else {
            return false;
        }
    }
    previous_was_letter && separator.is_empty()
}

impl RepositoryName {
    /// The repository `name` below `prefix`; an empty prefix stands for the root of the registry.
    pub fn below(prefix: &str, name: &str) -> Result<Self, InvalidName> {
        let prefix = prefix.trim_matches('/');
        if prefix.is_empty() { name.parse() } else { format!("{prefix}/{name}").parse() }
    }

    /// The name as it stands in a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if !text.is_empty() && text.len() <= 255 && text.split('/').all(is_path_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::Repository(shown(text)))
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Tag {
    /// The tag of a chart's version: Helm writes `_` for `+`, which OCI does not allow.
    pub fn of_version(version: &ChartVersion) -> Result<Self, InvalidName> {
        version.as_str().replace('+', "_").parse()
    }

    /// The tag that lists what refers to a manifest, where a registry keeps no such list (distribution specification, "Referrers Tag
    /// Schema").
    pub fn of_referrers(subject: Digest) -> Self {
        Self(format!("{OF_A_DIGEST}{}", subject.hex()))
    }

    /// The tags that cosign gives to what belongs to a manifest: signatures, attestations, bills of materials.
    pub fn of_cosign(subject: Digest) -> [Self; 3] {
        COSIGN.map(|suffix| Self(format!("{OF_A_DIGEST}{}{suffix}", subject.hex())))
    }

    /// The manifest that it belongs to, where it is one of these tags.
    pub fn attached_to(&self) -> Option<Digest> {
        let rest = self.0.strip_prefix(OF_A_DIGEST)?;
        let hex = COSIGN.iter().find_map(|suffix| rest.strip_suffix(suffix)).unwrap_or(rest);
        hex.parse().ok()
    }

    /// The tag as it stands in a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let valid = text.len() <= 128
            && text.bytes().next().is_some_and(word)
            && text.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-');
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidName::Tag(shown(text))) }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_follow_the_specification() {
        for good in ["a", "charts/podinfo", "a.b/c_d/e__f/g-h/i--j/k---l", "0/1"] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        for bad in ["", "/", "a/", "/a", "a//b", "A", "a..b", "a___b", "a._b", "-a", "a-", "a b", "a\n", "é", &"a".repeat(256)] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_prefix_may_be_empty_or_have_slashes_around() {
        for (prefix, whole) in [("", "x"), ("/", "x"), ("a", "a/x"), ("/a/b/", "a/b/x")] {
            assert_eq!(RepositoryName::below(prefix, "x").map(|name| name.to_string()), Ok(whole.to_owned()));
        }
    }

    #[test]
    fn tags_follow_the_specification() {
        for good in ["1.0.0", "v1", "_x", "1.0.0-rc.1_build.5", &"a".repeat(128)] {
            assert!(good.parse::<Tag>().is_ok(), "{good}");
        }
        for bad in ["", ".x", "-x", "1.0.0+x", "a b", "a/b", "é", &"a".repeat(129)] {
            assert!(bad.parse::<Tag>().is_err(), "{bad:?}");
        }
    }
    #[test]
    fn a_tag_tells_which_manifest_it_belongs_to() {
        let digest = Digest::of(b"x");
        assert_eq!(Tag::of_referrers(digest).as_str(), format!("sha256-{}", digest.hex()));
        assert_eq!(Tag::of_cosign(digest)[1].as_str(), format!("sha256-{}.att", digest.hex()));
        for tag in Tag::of_cosign(digest).into_iter().chain([Tag::of_referrers(digest)]) {
            assert_eq!((tag.attached_to(), tag.as_str().parse()), (Some(digest), Ok(tag.clone())));
        }
        for other in ["1.0.0", "sha256-", "sha256-00.sig", &format!("sha256-{}.sig.sig", digest.hex()), &format!("x{}", digest.hex())] {
            assert_eq!(other.parse::<Tag>().unwrap().attached_to(), None, "{other}");
        }
    }
}
