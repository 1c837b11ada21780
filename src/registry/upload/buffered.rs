//! Buffered: `POST`, then one `PUT` with the whole body and its length (distribution specification, "POST then PUT").

use http::Method;

use super::{Blob, open};
use crate::{
    model::RepositoryName,
    net::{Address, Endpoint, Reuse},
    registry::{
        Failure, Registry, Stage,
        exchange::{Call, Line},
        location::with_digest,
    },
};

impl Registry {
    /// Sends `blob` into `repository`. That the registry has it is shown only by pulling it back.
    ///
    /// # Errors
    /// A [`Failure`] at [`Stage::OpenUpload`] or [`Stage::SendBlob`].
    pub async fn upload_buffered(&self, repository: &RepositoryName, blob: Blob<'_>) -> Result<(), Failure> {
        let mut line = Line::new(self, Reuse::Idle);
        let address = open(&mut line, self, repository).await?;
        let elsewhere = Endpoint {
            addresses: vec![Address::Name { host: address.origin.host.clone(), port: address.origin.port }],
            origin: address.origin.clone(),
            ..(*self.endpoint).clone()
        };
        let mut line = if address.own { line } else { Line::elsewhere(self, &elsewhere) };
        let path = with_digest(&address.path_and_query, &blob.digest);
        let call = Call {
            content_type: Some("application/octet-stream"),
            body: blob.body,
            ..Call::new(Stage::SendBlob, Method::PUT, repository, &path)
        };
        let mut answered = line.ask(&call).await?;
        if !matches!(answered.head.status.as_u16(), 201 | 204) {
            return Err(line.refused(&call, answered).await);
        }
        answered.bounded(64 * 1024).await.map_err(|error| Failure::new(Stage::SendBlob, error))?;
        line.done(answered);
        Ok(())
    }
}
