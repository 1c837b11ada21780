//! Pull back, compare. What comes out is the only proof there is, and the only thing that `Ready` can be made of.

mod again;

pub use again::{Again, pull_again};

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    chart::Descriptor,
    model::{Digest, RepositoryName, Tag},
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
    /// The layers: the archive, and its provenance where there is one.
    pub layers: Vec<Descriptor>,
}

/// A tag that was pulled back and held what it should.
///
/// *Invariant:* only [`pull_back`] and [`pull_again`] make one, after they have read manifest and layers whole and hashed them.
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
    match pull.manifest(&expected.repository, &expected.tag).await? {
        None => return Err(differs("no manifest".to_owned())),
        Some(manifest) if manifest.digest != expected.manifest => return Err(differs(format!("the manifest {}", manifest.digest))),
        Some(_) => {}
    }
    for layer in &expected.layers {
        pull.blob(&expected.repository, layer.digest, layer.size).await?;
    }
    Ok(Verified { expected, took: begin.elapsed() })
}
