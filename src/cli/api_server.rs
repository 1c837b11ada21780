//! The API server that a command asks: where it is, for the sentence that says that it could not be asked.

use kube::{Client, Config};

use super::Failure;

/// A client, and where it leads.
pub(super) struct ApiServer {
    pub(super) client: Client,
    address: String,
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
#[error(
    "the API server `{address}` could not be asked: {cause}; look whether it runs, and whether that address, which is `server` of the kubeconfig, leads to it from here"
)]
struct Unasked {
    address: String,
    cause: String,
}

impl ApiServer {
    pub(super) fn of(config: Config) -> Result<Self, Failure> {
        let address = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        Ok(Self { client: Client::try_from(config)?, address })
    }
}

/// The same error; or, where nobody has answered, who should have.
pub(super) fn unasked(api_server: Option<&ApiServer>, error: impl Into<Failure>) -> Failure {
    let error = error.into();
    let chain = || std::iter::successors(Some(&*error as &(dyn std::error::Error + 'static)), |error| error.source());
    let failed = chain().find_map(|error| error.downcast_ref::<kube::Error>());
    match (api_server, failed) {
        (Some(ApiServer { address, .. }), Some(failed)) if !matches!(failed, kube::Error::Api(_)) => {
            let cause = chain().last().map(ToString::to_string).unwrap_or_default();
            Unasked { address: address.clone(), cause }.into()
        }
        _ => error,
    }
}
