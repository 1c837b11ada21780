//! What a Secret says about who we are: one pair of name and password, or a Docker configuration with one for each registry.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::{Credential, InvalidCredential};

/// Who we are, to whichever registry asks.
#[derive(Clone, Default)]
pub enum Login {
    /// Nobody.
    #[default]
    Anonymous,
    /// The same everywhere that this login is used.
    Pair(Credential),
    /// By the name of the registry, as Docker's `config.json` has it.
    ByHost(BTreeMap<String, Credential>),
}

/// What is no Docker configuration. Never shows what was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDockerConfig {
    /// Not the JSON that Docker writes.
    #[error("it is no JSON of the form `{{\"auths\":{{\"HOST\":{{\"username\":…,\"password\":…}}}}}}`")]
    Json,
    /// An entry without name and password.
    #[error("its entry for `{0}` has neither `username` and `password` nor an `auth` of `base64(username:password)`")]
    Entry(String),
    /// An entry whose login no header can carry.
    #[error("its entry for `{0}`: {1}; where it was made by `base64`, the line break of `echo` is such a character (`printf` writes none)")]
    Characters(String, InvalidCredential),
    /// An entry with a token for another protocol than the registry's own.
    #[error(
        "its entry for `{0}` has an `identitytoken` and no password, which is not supported: log in with a user name and a password, or with a token as the password"
    )]
    IdentityToken(String),
}

#[derive(Deserialize)]
struct DockerConfig {
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    username: Option<String>,
    password: Option<String>,
    auth: Option<String>,
    identitytoken: Option<String>,
}

impl Entry {
    /// What is wrong with it, where it gives no credential.
    pub(super) fn problem(&self, key: &str) -> InvalidDockerConfig {
        let shown = shown(key);
        let has_token = self.identitytoken.as_ref().is_some_and(|token| !token.is_empty());
        if has_token {
            return InvalidDockerConfig::IdentityToken(shown);
        }
        match self.pair().map(|(name, word)| Credential::read(&name, &word)) {
            Some(Err(error)) => InvalidDockerConfig::Characters(shown, error),
            _ => InvalidDockerConfig::Entry(shown),
        }
    }

    pub(super) fn credential(&self) -> Option<Credential> {
        self.pair()
            .filter(|(_, password)| !password.is_empty() || self.identitytoken.is_none())
            .and_then(|(name, word)| Credential::read(&name, &word).ok())
    }

    fn pair(&self) -> Option<(String, String)> {
        // As Docker and the kubelet have it: `auth` goes before the pair that it was made of.
        let Some(auth) = self.auth.as_deref().map(str::trim).filter(|auth| !auth.is_empty()) else {
            return Some((self.username.clone()?, self.password.clone()?));
        };
        let decoded = String::from_utf8(BASE64_STANDARD.decode(auth).ok()?).ok()?;
        let (username, password) = decoded.split_once(':')?;
        Some((username.to_owned(), password.to_owned()))
    }
}

/// What a key is for, as an error shows it.
pub(super) fn shown(key: &str) -> String {
    scope(key).chars().filter(|letter| !letter.is_control()).take(255).collect()
}

/// What a key of `auths` is for: `https://Index.Docker.io/v1/` → `index.docker.io`, the old form, whose path says nothing; and
/// `registry.example.com/team` as it is, for the repositories below that path (containers-auth.json(5)).
pub(super) fn scope(key: &str) -> String {
    let (is_old, key) = key.split_once("://").map_or((false, key), |(_, rest)| (true, rest));
    let key = key.trim_end_matches('/').to_ascii_lowercase();
    match key.split_once('/') {
        Some((host, path)) if is_old || matches!(path, "v1" | "v2") => host.to_owned(),
        _ => key,
    }
}

impl Login {
    /// Reads Docker's `config.json`.
    ///
    /// # Errors
    /// [`InvalidDockerConfig`].
    pub fn from_docker_config(json: &[u8]) -> Result<Self, InvalidDockerConfig> {
        let config: DockerConfig = serde_json::from_slice(json).map_err(|_| InvalidDockerConfig::Json)?;
        let entry = |(key, entry): (String, Entry)| {
            let credential = entry.credential().ok_or_else(|| entry.problem(&key))?;
            Ok((scope(&key), credential))
        };
        config.auths.into_iter().map(entry).collect::<Result<_, _>>().map(Self::ByHost)
    }

    /// What is said to a registry that is known under `hosts`: the first of them that is listed.
    pub fn to(&self, hosts: &[String]) -> Option<&Credential> {
        match self {
            Self::Anonymous => None,
            Self::Pair(credential) => Some(credential),
            Self::ByHost(by_host) => hosts.iter().find_map(|host| by_host.get(&host.to_ascii_lowercase())),
        }
    }

    /// The registries that it has something for.
    pub fn hosts(&self) -> Vec<&str> {
        match self {
            Self::Anonymous | Self::Pair(_) => Vec::new(),
            Self::ByHost(by_host) => by_host.keys().map(String::as_str).collect(),
        }
    }

    /// Whether it is somebody.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("Anonymous"),
            Self::Pair(_) => formatter.write_str("Pair(…)"),
            Self::ByHost(by_host) => write!(formatter, "ByHost({:?})", by_host.keys()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(login: &Login, hosts: &[&str]) -> Option<String> {
        use secrecy::ExposeSecret;
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        login.to(&hosts).map(|credential| credential.basic_header().expose_secret().to_owned())
    }

    #[test]
    fn an_entry_is_found_by_the_first_name_that_is_listed() {
        let config =
            br#"{"auths":{"https://Registry.Example:5000/v2/":{"username":"a","password":"b"},"10.0.0.1:5000":{"auth":"YzpkOmU="}}}"#;
        let login = Login::from_docker_config(config).unwrap();
        assert_eq!(said(&login, &["other", "registry.example:5000"]).as_deref(), Some("Basic YTpi"));
        assert_eq!(said(&login, &["10.0.0.1:5000", "registry.example:5000"]).as_deref(), Some("Basic YzpkOmU="));
        assert_eq!(said(&login, &["registry.example"]), None);
        let scoped = br#"{"auths":{"r.example/team":{"auth":"YzpkOmU="},"r.example/v2/":{"username":"a","password":"b"}}}"#;
        let scoped = Login::from_docker_config(scoped).unwrap();
        assert_eq!(said(&scoped, &["r.example/team/web", "r.example/team", "r.example"]).as_deref(), Some("Basic YzpkOmU="));
        assert_eq!(said(&scoped, &["r.example/teams", "r.example"]).as_deref(), Some("Basic YTpi"));
        assert_eq!(format!("{login:?}"), r#"ByHost(["10.0.0.1:5000", "registry.example:5000"])"#);
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_showing_it() {
        let check = |json: &str| Login::from_docker_config(json.as_bytes()).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(check(r#"{"auths":{}}"#), Ok(()));
        assert!(check("secret").unwrap_err().starts_with("it is no JSON"));
        assert!(check(r#"{"x":{"username":"secret"}}"#).unwrap_err().starts_with("it is no JSON"));
        let error = check(r#"{"auths":{"h":{"auth":"c2VjcmV0"}}}"#).unwrap_err();
        assert!(error.contains("`h`") && !error.contains("c2VjcmV0"), "{error}");
        for (entry, part) in [
            (r#"{"auth":"dTpzZWNyZXQK"}"#, "`h`: `password` has a line break or another control character"),
            (r#"{"username":"u:v","password":"secret"}"#, "`h`: `username` has a colon or a control character"),
        ] {
            let error = check(&format!(r#"{{"auths":{{"h":{entry}}}}}"#)).unwrap_err();
            assert!(error.contains(part) && error.contains("`echo`") && !error.contains("secret"), "{error}");
        }
        let error = check(r#"{"auths":{"h\u0007\u001b[31m":{}}}"#).unwrap_err();
        assert!(error.contains("`h[31m`"), "{error:?}");
        for entry in [r#"{"identitytoken":"c2VjcmV0"}"#, r#"{"auth":"YTo=","identitytoken":"c2VjcmV0"}"#] {
            let error = check(&format!(r#"{{"auths":{{"h":{entry}}}}}"#)).unwrap_err();
            assert!(error.contains("`h` has an `identitytoken` and no password") && !error.contains("c2VjcmV0"), "{error}");
        }
    }
}
