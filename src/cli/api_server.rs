//! The API server that a command asks: where it is, for the sentence that says that it could not be asked.

use std::error::Error as StdError;

use kube::{Client, Config, client::AuthError};

use super::Failure;

/// A client, and where it leads.
pub(super) struct ApiServer {
    pub(super) client: Client,
    pub(super) place: Place,
}

/// Where it is, and who says so.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Without user information.
    address: String,
    is_of_kubeconfig: bool,
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
enum Unasked {
    #[error(
        "the API server `{address}` could not be asked: {cause}; look whether it runs, and whether that address{named} leads to it from here"
    )]
    Unreached { address: String, cause: String, named: &'static str },
    #[error("the API server `{address}` is not the one that is expected: {cause}; correct the authority (`certificate-authority`){named}")]
    Untrusted { address: String, cause: String, named: &'static str },
    #[error("the credential for the API server `{address}` could not be had: {cause}; correct it{named}")]
    NoCredential { address: String, cause: String, named: &'static str },
}

impl ApiServer {
    /// Of a kubeconfig that was given, or of what is found around here.
    pub(super) fn of(config: Config, is_of_kubeconfig: bool) -> Result<Self, Failure> {
        let place = Place { address: shown(&config.cluster_url), is_of_kubeconfig };
        match Client::try_from(config) {
            Ok(client) => Ok(Self { client, place }),
            Err(error) => Err(place.said(error.into())),
        }
    }
}

impl Place {
    /// Who should have answered, where nobody has.
    fn unasked(&self, error: &(dyn StdError + 'static)) -> Option<Unasked> {
        let named = |named| if self.is_of_kubeconfig { named } else { "" };
        let address = self.address.clone();
        if let Some(error) = chain(error).find_map(|error| error.downcast_ref::<AuthError>()) {
            let named = named(" under `users` of the kubeconfig");
            return Some(Unasked::NoCredential { address, cause: without_output(error), named });
        }
        let failed = chain(error).find_map(|error| error.downcast_ref::<kube::Error>());
        if !matches!(failed, Some(kube::Error::Service(_) | kube::Error::HyperError(_))) {
            return None;
        }
        let cause = cause(error).unwrap_or_default();
        if cause.contains("certificate") {
            return Some(Unasked::Untrusted { address, cause, named: named(" or `server` in the kubeconfig") });
        }
        Some(Unasked::Unreached { address, cause, named: named(", which is `server` of the kubeconfig,") })
    }

    /// What `error` says, with its cause.
    pub(super) fn sentence(&self, error: &(dyn StdError + 'static)) -> String {
        match self.unasked(error) {
            Some(unasked) => unasked.to_string(),
            None => format!("{error}{}", cause(error).map(|cause| format!(": {cause}")).unwrap_or_default()),
        }
    }

    /// The same error; or who should have answered, where nobody has.
    fn said(&self, error: Failure) -> Failure {
        self.unasked(&*error).map_or(error, Into::into)
    }
}

/// The same error; or, where nobody has answered, who should have.
pub(super) fn unasked(api_server: Option<&ApiServer>, error: impl Into<Failure>) -> Failure {
    match api_server {
        Some(api_server) => api_server.place.said(error.into()),
        None => error.into(),
    }
}

/// An error, and what caused it.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| StdError::source(*error))
}

/// What was at the bottom of it, without what must not be shown.
fn cause(error: &(dyn StdError + 'static)) -> Option<String> {
    match chain(error).find_map(|error| error.downcast_ref::<AuthError>()) {
        Some(error) => Some(without_output(error)),
        None => chain(error).skip(1).last().map(ToString::to_string),
    }
}

/// What a plugin prints, or is given in its environment, may be the credential.
fn without_output(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { out, .. } => format!("its `exec` ended with {}", out.status),
        AuthError::AuthExecParse(_) => "what its `exec` prints is no ExecCredential".to_owned(),
        other => other.to_string(),
    }
}

fn shown(address: &http::Uri) -> String {
    let scheme = address.scheme_str().unwrap_or("https");
    let host = address.authority().and_then(|authority| authority.as_str().rsplit('@').next()).unwrap_or_default();
    format!("{scheme}://{host}{}", address.path().trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;

    use super::*;

    fn place() -> Place {
        Place { address: shown(&"https://me:hunter2@api.example:6443/".parse().expect("a URI")), is_of_kubeconfig: true }
    }

    #[test]
    fn who_could_not_be_asked_is_named_without_user_information() {
        let away = kube::Error::Service(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into());
        let said = place().said(away.into()).to_string();
        assert!(said.starts_with("the API server `https://api.example:6443` could not be asked: connection refused; "), "{said}");
        assert!(said.contains("`server` of the kubeconfig"), "{said}");
        let in_pod = Place { is_of_kubeconfig: false, ..place() };
        let away = kube::Error::Service(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into());
        assert!(!in_pod.said(away.into()).to_string().contains("kubeconfig"));
    }

    #[test]
    fn a_credential_that_could_not_be_had_is_told_from_a_server_that_is_away_and_what_a_plugin_prints_is_not_shown() {
        let missing = AuthError::AuthExecStart(std::io::Error::from(std::io::ErrorKind::NotFound));
        let said = place().said(kube::Error::Service(missing.into()).into()).to_string();
        assert!(said.contains("could not be had: unable to run auth exec: ") && said.contains("`users` of the kubeconfig"), "{said}");
        let out = std::process::Output { status: ExitStatus::default(), stdout: b"hunter2".to_vec(), stderr: Vec::new() };
        let cmd = "TOKEN=\"hunter2\" \"get-token\" \"--password=hunter2\"".to_owned();
        let failed = AuthError::AuthExecRun { cmd, out: Box::new(out) };
        let said = place().said(kube::Error::Auth(failed).into()).to_string();
        assert!(said.contains("had: its `exec` ended with exit status: 0; correct it"), "{said}");
    }

    #[test]
    fn what_an_api_server_has_answered_stays_what_it_is() {
        let odd = kube::Error::SerdeError(serde_json::from_str::<u8>("x").expect_err("no number"));
        assert!(place().said(odd.into()).to_string().starts_with("Error deserializing response"));
    }
}
