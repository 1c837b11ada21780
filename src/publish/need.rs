//! PURE: what has to be done for one tag, from what is known of it and what the registry lists.

use std::collections::BTreeSet;

use crate::model::{Digest, Tag};

/// What was published and proven under a tag before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The manifest.
    pub manifest: Digest,
    /// The archive.
    pub layer: Digest,
}

/// What has to be done for one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is there, and was proven before.
    Nothing(Known),
    /// Look what it holds, and prove it where that is what is wanted.
    Look,
    /// Publish.
    Publish,
    /// Nothing that may be done: the source now promises other bytes under a version that was published before.
    Mutated {
        /// What was published.
        known: Known,
        /// What is promised now.
        promised: Digest,
    },
}

/// Decides. `listed` is what the registry lists, `known` what was proven by the same route, `promised` what the source says.
pub fn need(tag: &Tag, listed: &BTreeSet<Tag>, known: Option<&Known>, promised: Option<Digest>) -> Need {
    match (known, promised) {
        // Also where the source promises other bytes by now: who deletes the tag asks for them.
        _ if !listed.contains(tag) => Need::Publish,
        (Some(known), Some(promised)) if known.layer != promised => Need::Mutated { known: known.clone(), promised },
        (Some(known), _) => Need::Nothing(known.clone()),
        (None, _) => Need::Look,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_follows_from_three_facts() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let known = Known { manifest: a, layer: a };
        let tag: Tag = "1.0.0".parse().unwrap();
        let (there, gone) = (BTreeSet::from([tag.clone()]), BTreeSet::new());
        for (listed, known_before, promised, expected) in [
            (&gone, None, Some(a), Need::Publish),
            (&there, None, Some(a), Need::Look),
            (&there, None, None, Need::Look),
            (&there, Some(&known), Some(a), Need::Nothing(known.clone())),
            (&there, Some(&known), None, Need::Nothing(known.clone())),
            (&gone, Some(&known), Some(a), Need::Publish),
            (&there, Some(&known), Some(b), Need::Mutated { known: known.clone(), promised: b }),
            (&gone, Some(&known), Some(b), Need::Publish),
        ] {
            assert_eq!(need(&tag, listed, known_before, promised), expected);
        }
    }
}
