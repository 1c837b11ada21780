//! PURE: what has to be done for one tag, from what is known of it and what the registry lists.

use std::{collections::BTreeSet, ops::RangeInclusive, time::Duration};

use crate::model::{Digest, Tag};

/// What was published and proven under a tag before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The manifest.
    pub manifest: Digest,
    /// The archive.
    pub layer: Digest,
    /// When, in seconds since 1970; nothing where it was in this run.
    pub proved: Option<i64>,
    /// Whether a later proof found it missing, damaged or overwritten.
    pub doubted: bool,
}

/// When proofs grow old. All times in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProofTerms {
    /// How often everything is read again.
    pub interval: Duration,
    /// Stretches or shortens the interval, so that many publications do not read at once: 0.9 to 1.1.
    pub spread: f64,
    /// Now.
    pub now: i64,
}

/// So far the clocks of two replicas, or of one before and after it was set, may differ, in seconds.
const CLOCKS_DIFFER: i64 = 60;

impl ProofTerms {
    /// How long until the next round, where the oldest proof is of this time. A proof of the future is none: a clock was ahead, or
    /// somebody wrote it.
    pub fn rest(&self, oldest: i64) -> Duration {
        if oldest > self.latest() {
            return Duration::ZERO;
        }
        let age = u64::try_from(self.now.saturating_sub(oldest)).unwrap_or(0);
        self.interval.mul_f64(self.spread).saturating_sub(Duration::from_secs(age))
    }

    /// Proofs of another time than this are made again; nothing while none has to be. What was proven half an interval ago or more
    /// comes along, so that all are read in one round after a while.
    pub fn still_good(&self, mut proved: impl Iterator<Item = i64>) -> Option<RangeInclusive<i64>> {
        let half = i64::try_from(self.interval.as_secs() / 2).unwrap_or(i64::MAX);
        proved.any(|time| self.rest(time).is_zero()).then(|| self.now.saturating_sub(half)..=self.latest())
    }

    fn latest(&self) -> i64 {
        self.now.saturating_add(CLOCKS_DIFFER)
    }
}

/// What has to be done for one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is there, and was proven before.
    Nothing(Known),
    /// Look what it holds, and prove it where that is what is wanted.
    Look,
    /// Read again whether it is still what was proven before.
    Prove(Known),
    /// Publish what belongs to it at the source and not yet here.
    Attach {
        /// What is there, and was proven before.
        known: Known,
        /// A tag that the source has and the registry has not.
        lacks: Tag,
    },
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

impl Need {
    /// The same, where the tags `attached` belong to what is known: where nothing else has to be done, and `listed` lacks one of them.
    #[must_use]
    pub fn with_attached(self, listed: &BTreeSet<Tag>, attached: impl FnOnce(Digest) -> Vec<Tag>) -> Self {
        let Self::Nothing(known) = self else { return self };
        match attached(known.manifest).into_iter().find(|tag| !listed.contains(tag)) {
            Some(lacks) => Self::Attach { known, lacks },
            None => Self::Nothing(known),
        }
    }
}

/// Decides. `listed` is what the registry lists, `known` what was proven by the same route, `promised` what the source says; proofs of
/// another time than `good` are made again.
pub fn need(
    tag: &Tag,
    listed: &BTreeSet<Tag>,
    known: Option<&Known>,
    promised: Option<Digest>,
    good: Option<&RangeInclusive<i64>>,
) -> Need {
    let is_old = |known: &Known| good.is_some_and(|good| known.proved.is_some_and(|proved| !good.contains(&proved)));
    match (known, promised) {
        // Also where the source promises other bytes by now: who deletes the tag asks for them.
        _ if !listed.contains(tag) => Need::Publish,
        (Some(known), Some(promised)) if known.layer != promised => Need::Mutated { known: known.clone(), promised },
        (Some(known), _) if known.doubted || is_old(known) => Need::Prove(known.clone()),
        (Some(known), _) => Need::Nothing(known.clone()),
        (None, _) => Need::Look,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_follows_from_a_few_facts() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let known = Known { manifest: a, layer: a, proved: Some(100), doubted: false };
        let doubted = Known { doubted: true, ..known.clone() };
        let tag: Tag = "1.0.0".parse().unwrap();
        let (there, gone) = (BTreeSet::from([tag.clone()]), BTreeSet::new());
        let mutated = || Need::Mutated { known: known.clone(), promised: b };
        for (listed, known_before, promised, good, expected) in [
            (&gone, None, Some(a), None, Need::Publish),
            (&there, None, Some(a), None, Need::Look),
            (&there, None, None, None, Need::Look),
            (&there, Some(&known), Some(a), None, Need::Nothing(known.clone())),
            (&there, Some(&known), None, None, Need::Nothing(known.clone())),
            (&gone, Some(&known), Some(a), None, Need::Publish),
            (&there, Some(&known), Some(b), None, mutated()),
            (&gone, Some(&known), Some(b), None, Need::Publish),
            (&there, Some(&known), Some(a), Some(101..=200), Need::Prove(known.clone())),
            (&there, Some(&known), None, Some(101..=200), Need::Prove(known.clone())),
            (&there, Some(&known), Some(a), Some(100..=200), Need::Nothing(known.clone())),
            (&there, Some(&known), Some(a), Some(50..=100), Need::Nothing(known.clone())),
            (&there, Some(&known), Some(a), Some(50..=99), Need::Prove(known.clone())),
            (&gone, Some(&known), Some(a), Some(101..=200), Need::Publish),
            (&there, Some(&known), Some(b), Some(101..=200), mutated()),
            (&there, None, Some(a), Some(101..=200), Need::Look),
            (&there, Some(&doubted), Some(a), None, Need::Prove(doubted.clone())),
            (&gone, Some(&doubted), Some(a), None, Need::Publish),
        ] {
            assert_eq!(need(&tag, listed, known_before, promised, good.as_ref()), expected);
        }
    }

    #[test]
    fn a_round_begins_with_the_oldest_proof_and_takes_along_what_is_half_as_old() {
        let terms = |now, spread| ProofTerms { interval: Duration::from_secs(1000), spread, now };
        for (now, spread, proved, expected) in [
            (1999, 1.0, vec![1000], None),
            (2000, 1.0, vec![1000], Some(1500..=2060)),
            (2000, 1.0, vec![1999, 1000, 1200], Some(1500..=2060)),
            (2000, 1.0, vec![], None),
            (2000, 1.1, vec![1000], None),
            (2100, 1.1, vec![1000], Some(1600..=2160)),
            (1900, 0.9, vec![1000], Some(1400..=1960)),
            // A clock that differs by a minute is none that is wrong.
            (2000, 1.0, vec![2060], None),
            (2000, 1.0, vec![2061], Some(1500..=2060)),
            (2000, 1.0, vec![1999, 9_999_999_999], Some(1500..=2060)),
            (2000, 1.0, vec![i64::MAX], Some(1500..=2060)),
        ] {
            assert_eq!(terms(now, spread).still_good(proved.into_iter()), expected, "at {now} by {spread}");
        }
        assert_eq!(terms(1000, 1.0).rest(1030), Duration::from_secs(1000));
        assert_eq!(terms(1000, 1.0).rest(9999), Duration::ZERO);
        assert_eq!(terms(1250, 1.0).rest(1000), Duration::from_secs(750));
        assert_eq!(terms(9999, 1.0).rest(1000), Duration::ZERO);
    }

    #[test]
    fn what_the_source_has_beside_a_version_and_the_registry_has_not_is_published() {
        let known = Known { manifest: Digest::of(b"a"), layer: Digest::of(b"b"), proved: Some(1), doubted: false };
        let [signature, attestation, _] = Tag::of_cosign(known.manifest);
        let listed = BTreeSet::from([signature.clone()]);
        let need = |need: Need, attached: &[&Tag]| need.with_attached(&listed, |_| attached.iter().map(|tag| (*tag).clone()).collect());
        let nothing = || Need::Nothing(known.clone());
        assert_eq!(need(nothing(), &[]), nothing());
        assert_eq!(need(nothing(), &[&signature]), nothing());
        let lacks = Need::Attach { known: known.clone(), lacks: attestation.clone() };
        assert_eq!(need(nothing(), &[&signature, &attestation]), lacks);
        assert_eq!(need(Need::Publish, &[&attestation]), Need::Publish, "it comes along");
        assert_eq!(need(Need::Prove(known.clone()), &[&attestation]), Need::Prove(known.clone()));
    }
}
