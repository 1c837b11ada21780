//! What was published and proven is read whole again: the manifest by its tag, its config and each of its layers.

use tokio::time::Instant;

use super::{Expected, Verified};
use crate::{
    model::{Descriptor, Digest, RepositoryName, Tag},
    registry::{Cause, Failure, PulledManifest, Registry, Stage},
};

/// What a tag holds, that was proven before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// What it held then, whole.
    Holds(Verified),
    /// Another manifest: somebody has written it since.
    Overwritten(PulledManifest),
    /// Nothing: the manifest is gone.
    Gone,
    /// The same manifest, and this blob of it is not there.
    Missing(Digest, Failure),
    /// The same manifest, and a blob of it with damaged bytes.
    Damaged(Failure),
    /// The manifest itself with damaged bytes.
    ManifestDamaged(Failure),
}

/// Reads what `tag` holds, whole, on a new connection, and compares it with the manifest that was proven before; `archive` is the
/// layer that comes first in what is proven.
///
/// # Errors
/// A [`Failure`] at [`Stage::PullManifest`] or [`Stage::PullBlob`] that says nothing of the content.
pub async fn pull_again(
    registry: &Registry,
    repository: &RepositoryName,
    tag: &Tag,
    manifest: Digest,
    archive: Digest,
) -> Result<Again, Failure> {
    let begin = Instant::now();
    let mut pull = registry.pull();
    let pulled = match pull.manifest(repository, tag).await? {
        None => return Ok(Again::Gone),
        Some(pulled) if pulled.digest == manifest && pulled.broken_promise(tag.into()).is_none() => pulled,
        Some(pulled) if pulled.digest == manifest || pulled.named == Some(manifest) => {
            return Ok(Again::ManifestDamaged(damaged(manifest, &pulled)));
        }
        Some(pulled) => return Ok(Again::Overwritten(pulled)),
    };
    let Some(blobs) = pulled.blobs_from(archive) else { return Ok(Again::Overwritten(pulled)) };
    for &Descriptor { digest, size } in &blobs {
        match pull.blob(repository, digest, size).await {
            Ok(()) => {}
            Err(failure) if matches!(failure.cause, Cause::Content { .. }) => return Ok(Again::Damaged(failure)),
            Err(failure) if is_missing(&failure) => return Ok(Again::Missing(digest, failure)),
            Err(failure) => return Err(failure),
        }
    }
    let expected = Expected { repository: repository.clone(), tag: tag.clone(), manifest, blobs };
    Ok(Again::Holds(Verified { expected, took: begin.elapsed() }))
}

fn damaged(manifest: Digest, pulled: &PulledManifest) -> Failure {
    let expected = format!("the manifest {manifest}");
    let named = pulled.named.filter(|named| *named != manifest).map_or("by the same name".to_owned(), |named| named.to_string());
    let found = format!("{} bytes with {} that the registry calls {named}", pulled.bytes.len(), pulled.digest);
    Failure::new(Stage::PullBlob, Cause::Content { expected, found })
}

/// The registry itself says that it does not have it, and nothing before it.
pub fn is_missing(failure: &Failure) -> bool {
    failure.answer().is_some_and(|answer| {
        let named = answer.codes.iter().any(|code| matches!(code.as_str(), "BLOB_UNKNOWN" | "NOT_FOUND"));
        answer.status == 404 && (answer.from_registry || named)
    })
}
