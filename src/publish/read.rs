//! One way, one published chart: read whole, once more where the connection broke, with small segments where packets vanish.

use super::{Subject, Way, ladder::SMALL_SEGMENT};
use crate::{
    model::{Digest, RepositoryName, Tag},
    remedy::{Class, Hint, Verdict},
    verify::{Again, pull_again},
};

/// A chart that was published and proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Where.
    pub repository: RepositoryName,
    /// Under which name.
    pub tag: Tag,
    /// The manifest.
    pub manifest: Digest,
    /// The archive.
    pub layer: Digest,
}

impl std::fmt::Display for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.repository, self.tag)
    }
}

/// Reads `content` by `way`, with TCP segments of at most this length.
pub(super) async fn read(way: &Way, subject: &Subject, segment: Option<u32>, content: &Content) -> Result<Again, Verdict> {
    let mut segment = segment;
    let mut is_second = false;
    loop {
        let registry = way.registry.with_segment(segment);
        let failure = match pull_again(&registry, &content.repository, &content.tag, content.manifest, content.layer).await {
            Ok(again) => return Ok(again),
            Err(failure) => failure,
        };
        let verdict = subject.judged(way, &content.to_string(), 0, &failure);
        if verdict.hint == Hint::SmallSegments && segment.is_none() && !way.strategy.bodies.in_tunnel {
            segment = Some(SMALL_SEGMENT);
        } else if verdict.class != Class::SameAgain || std::mem::replace(&mut is_second, true) {
            return Err(verdict);
        }
    }
}
