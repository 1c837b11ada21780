//! Blobs go up, one file for each method. A session is opened, filled and closed on one connection.

mod buffered;

use http::{HeaderMap, Method, header};

use super::{
    Cause, Failure, Registry, Stage,
    exchange::{Call, Line},
    location::{UploadAddress, resolve},
};
use crate::model::{Digest, RepositoryName};
use crate::net::OpenBody;

/// A blob that is ready to be sent.
#[derive(Clone, Copy)]
pub struct Blob<'a> {
    /// Its bytes.
    pub body: &'a dyn OpenBody,
    /// Of its bytes.
    pub digest: Digest,
}

/// Opens a session. The answer 201 would mean that the blob is there already; no registry gives it to a POST without a digest.
async fn open(line: &mut Line<'_>, registry: &Registry, repository: &RepositoryName) -> Result<UploadAddress, Failure> {
    let path = format!("/v2/{repository}/blobs/uploads/");
    let call = Call::new(Stage::OpenUpload, Method::POST, repository, &path);
    let mut answered = line.ask(&call).await?;
    if !matches!(answered.head.status.as_u16(), 201 | 202) {
        return Err(line.refused(&call, answered).await);
    }
    let address = upload_address(registry, &path, &answered.head.headers).map_err(|cause| Failure::new(Stage::OpenUpload, cause))?;
    answered.bounded(64 * 1024).await.map_err(|error| Failure::new(Stage::OpenUpload, error))?;
    line.done(answered);
    Ok(address)
}

fn upload_address(registry: &Registry, request_path: &str, headers: &HeaderMap) -> Result<UploadAddress, Cause> {
    let refused = |detail: &str| Cause::Location { detail: detail.to_owned() };
    let location = headers.get(header::LOCATION).ok_or_else(|| refused("the answer names no upload address"))?;
    let location = location.to_str().map_err(|_| refused("the upload address is no text"))?;
    resolve(&registry.endpoint.origin, request_path, location, &registry.allowed).map_err(|detail| Cause::Location { detail })
}
