//! Docker's `config.json` as a person's machine has it: logins at many registries, some of them left to credential helpers.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    InvalidDockerConfig, Login,
    login::{Entry, scope, shown},
};

/// The logins that a person has. What it holds for other registries is never a reason to refuse it.
pub struct DockerFile {
    form: Form,
}

/// What it has for one registry.
pub enum Found {
    /// Name and password.
    Credential(Login),
    /// The login is left to a program that is not asked.
    Helper,
    /// Nothing.
    Nothing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    auths: Option<BTreeMap<String, serde_json::Value>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, serde_json::Value>>,
}

impl DockerFile {
    /// Reads it.
    ///
    /// # Errors
    /// [`InvalidDockerConfig::Json`].
    pub fn read(json: &[u8]) -> Result<Self, InvalidDockerConfig> {
        serde_json::from_slice(json).map(|form| Self { form }).map_err(|_| InvalidDockerConfig::Json)
    }

    /// What there is for a registry that is known under `hosts`.
    ///
    /// # Errors
    /// [`InvalidDockerConfig::Entry`] where there is an entry that holds no login and no helper either.
    pub fn find(&self, hosts: &[String]) -> Result<Found, InvalidDockerConfig> {
        let is_meant = |key: &String| hosts.iter().any(|name| name.eq_ignore_ascii_case(&scope(key)));
        let entries = || self.form.auths.iter().flatten().filter(|(key, _)| is_meant(key));
        let credential = |entry: &serde_json::Value| Entry::deserialize(entry).ok()?.credential();
        let by_host: BTreeMap<_, _> = entries().filter_map(|(key, entry)| Some((scope(key), credential(entry)?))).collect();
        if !by_host.is_empty() {
            return Ok(Found::Credential(Login::ByHost(by_host)));
        }
        let has_store = self.form.creds_store.as_ref().is_some_and(|store| !store.is_empty());
        if has_store || self.form.cred_helpers.iter().flat_map(BTreeMap::keys).any(is_meant) {
            return Ok(Found::Helper);
        }
        match entries().next() {
            Some((key, entry)) => Err(match Entry::deserialize(entry) {
                Ok(entry) => entry.problem(key),
                Err(_) => InvalidDockerConfig::Entry(shown(key)),
            }),
            None => Ok(Found::Nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Result<&'static str, String> {
        let file = DockerFile::read(json.as_bytes()).map_err(|error| error.to_string())?;
        let found = file.find(&["r.example:5000".to_owned()]).map_err(|error| error.to_string())?;
        Ok(match found {
            Found::Credential(_) => "credential",
            Found::Helper => "helper",
            Found::Nothing => "nothing",
        })
    }

    #[test]
    fn only_what_is_there_for_this_registry_counts() {
        for (json, wanted) in [
            (r#"{"auths":{"https://R.example:5000/v2/":{"auth":"YzpkOmU="}}}"#, "credential"),
            (r#"{"auths":{"r.example:5000":{"auth":"YzpkOmU="}},"credsStore":"desktop"}"#, "credential"),
            (r#"{"auths":{"r.example:5000":{}},"credsStore":"desktop"}"#, "helper"),
            (r#"{"credsStore":"desktop"}"#, "helper"),
            (r#"{"credHelpers":{"r.example:5000":"own"}}"#, "helper"),
            (r#"{"credHelpers":{"other.example":"own"}}"#, "nothing"),
            (r#"{"auths":{"other.example":{}}}"#, "nothing"),
            (r#"{"auths":{"other.example":null,"r.example:5000":{"auth":"YzpkOmU="}}}"#, "credential"),
            (r#"{"auths":{"other.example":{"auth":5}}}"#, "nothing"),
            (r#"{"auths":null,"credHelpers":null,"credsStore":null}"#, "nothing"),
            (r#"{"auths":{"r.example:5000/team":{"auth":"YzpkOmU="}}}"#, "nothing"),
            ("{}", "nothing"),
        ] {
            assert_eq!(found(json).as_deref(), Ok(wanted), "{json}");
        }
        assert!(found("secret").unwrap_err().starts_with("it is no JSON"));
        assert!(found(r#"{"auths":{"r.example:5000":{}}}"#).unwrap_err().contains("`r.example:5000`"));
        assert!(found(r#"{"auths":{"r.example:5000":{"identitytoken":"x"}}}"#).unwrap_err().contains("`identitytoken`"));
    }
}
