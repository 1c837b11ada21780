//! Pull back, compare. What comes out is the only proof there is, and the only thing that `Ready` can be made of.

mod again;

pub use again::{Again, is_missing, pull_again};

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    model::{Descriptor, Digest, RepositoryName, Tag},
    registry::{Cause, Failure, Registry, Stage},
};

/// What a tag should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Where.
    pub repository: RepositoryName,
    /// Under which name.
    pub tag: Tag,
    /// The manifest's digest.
    pub manifest: Digest,
    /// All that it consists of: the archive, its provenance where it has one, and the config, without which no client pulls it.
    pub blobs: Vec<Descriptor>,
}

/// A tag that was pulled back and held what it should.
///
/// *Invariant:* only [`pull_back`] and [`pull_again`] make one, after they have read the manifest and its blobs whole and hashed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    expected: Expected,
    took: Duration,
}

impl Verified {
    /// What was proven.
    pub fn proven(&self) -> &Expected {
        &self.expected
    }

    /// How long the reading took.
    pub fn took(&self) -> Duration {
        self.took
    }
}

/// Reads what the tag holds, whole, on a new connection, and compares digests.
///
/// # Errors
/// A [`Failure`] at [`Stage::PullManifest`] or [`Stage::PullBlob`].
pub async fn pull_back(registry: &Registry, expected: Expected) -> Result<Verified, Failure> {
    let begin = Instant::now();
    let differs = |found: String| {
        let expected = format!("the manifest {}", expected.manifest);
        Failure::new(Stage::PullManifest, Cause::Content { expected, found })
    };
    let mut pull = registry.pull();
    let Some(manifest) = pull.manifest(&expected.repository, &expected.tag).await? else {
        return Err(differs("no manifest".to_owned()));
    };
    if manifest.digest != expected.manifest {
        return Err(differs(format!("the manifest {}", manifest.digest)));
    }
    if let Some(named) = manifest.broken_promise((&expected.tag).into()) {
        return Err(differs(format!("that one, which the registry calls {named}")));
    }
    for blob in &expected.blobs {
        pull.blob(&expected.repository, blob.digest, blob.size).await?;
    }
    Ok(Verified { expected, took: begin.elapsed() })
}
