//! PURE: what is tried on the same way after a failure.

use crate::{
    api::Reason,
    model::{Chunks, Framing, Method},
    plan::{Bodies, Tactic},
    remedy::{Class, Hint, Verdict},
};

/// Under nginx's default of 1 MiB, the most common limit.
const UNDER_A_LIMIT: u64 = 960 << 10;
/// Passes where packets of full size are lost (tunnels inside of tunnels).
pub(super) const SMALL_SEGMENT: u32 = 1200;

/// What is tried on the same way after `tactic` led to `verdict`; nothing when only another way is left.
///
/// The order of framings is Buffered, Chunked, Chunked with a connection for each chunk, one POST, and never back, so that
/// the search ends.
pub(super) fn next(bodies: &Bodies, tactic: Tactic, verdict: &Verdict) -> Option<Tactic> {
    if matches!(verdict.class, Class::OtherRoute | Class::Wait | Class::Final) {
        return None;
    }
    if verdict.hint == Hint::SmallSegments && tactic.segment.is_none() && !bodies.in_tunnel {
        return Some(Tactic { segment: Some(SMALL_SEGMENT), ..tactic });
    }
    let small = bodies.chunk.min(UNDER_A_LIMIT).min(bodies.limit.as_ref().map_or(u64::MAX, |(limit, _)| limit - limit / 16));
    let chunked = |renew| Framing::Chunked(Chunks { first: small, most: bodies.chunk.max(small), renew });
    let is_framing = verdict.hint == Hint::None && matches!(verdict.reason, Reason::FramingRefused | Reason::RegistryInconsistent);
    let framing = match (bodies.fixed, tactic.framing) {
        // One POST needs no upload address, where the registry takes it.
        (None, Framing::Buffered | Framing::Chunked(_)) if verdict.reason == Reason::LocationRefused => Framing::SinglePost,
        (None, Framing::Buffered | Framing::Streamed) => chunked(false),
        (None, Framing::Chunked(_)) if is_framing => Framing::SinglePost,
        // Chunks have become as small as they can already.
        (None | Some(Method::Chunked), Framing::Chunked(_)) if verdict.reason == Reason::BodyTooLarge => return None,
        (None | Some(Method::Chunked), Framing::Chunked(chunks)) if !chunks.renew => chunked(true),
        (None, Framing::Chunked(_) | Framing::SinglePost) | (Some(_), _) => return None,
    };
    Some(Tactic { framing, ..tactic })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::first;

    fn verdict(reason: Reason, class: Class, hint: Hint) -> Verdict {
        Verdict { remedy: "", reason, class, hint, sentence: String::new() }
    }

    /// The whole search on one way, when everything fails alike.
    fn check(bodies: &Bodies, length: u64, verdict: &Verdict, expected: &[&str]) {
        let mut tactic = Some(first(bodies, length));
        let mut tried = Vec::new();
        while let Some(now) = tactic {
            tried.push(format!("{} {}", now.method().as_str(), now.shown()).trim().to_owned());
            tactic = next(bodies, now, verdict);
        }
        assert_eq!(tried, expected);
    }

    const FIVE: u64 = 5 << 20;

    #[test]
    fn each_failure_has_its_own_way_down() {
        let auto = Bodies::default();
        let too_large = verdict(Reason::BodyTooLarge, Class::OtherMethod, Hint::SmallerBody);
        check(&auto, FIVE, &too_large, &["Buffered", "Chunked chunks from 960 KiB"]);
        let cut = verdict(Reason::PathStalled, Class::OtherMethod, Hint::SmallerBody);
        let renewed = "Chunked chunks from 960 KiB, a new connection for each";
        check(&auto, FIVE, &cut, &["Buffered", "Chunked chunks from 960 KiB", renewed]);
        let stalled = verdict(Reason::PathStalled, Class::OtherMethod, Hint::SmallSegments);
        let small = ", TCP segments of 1200 bytes";
        check(
            &auto,
            FIVE,
            &stalled,
            &[
                "Buffered",
                "Buffered TCP segments of 1200 bytes",
                &format!("Chunked chunks from 960 KiB{small}"),
                &format!("{renewed}{small}"),
            ],
        );
        let tunnelled = Bodies { in_tunnel: true, ..Bodies::default() };
        check(&tunnelled, FIVE, &stalled, &["Buffered", "Chunked chunks from 960 KiB", renewed]);
        let framing = verdict(Reason::FramingRefused, Class::OtherMethod, Hint::None);
        check(&auto, FIVE, &framing, &["Buffered", "Chunked chunks from 960 KiB", "SinglePost"]);
        let inconsistent = verdict(Reason::RegistryInconsistent, Class::OtherMethod, Hint::None);
        check(&auto, FIVE, &inconsistent, &["Buffered", "Chunked chunks from 960 KiB", "SinglePost"]);
        let nowhere = verdict(Reason::LocationRefused, Class::OtherMethod, Hint::None);
        check(&auto, FIVE, &nowhere, &["Buffered", "SinglePost"]);
        for class in [Class::OtherRoute, Class::Wait, Class::Final] {
            check(&auto, FIVE, &verdict(Reason::Denied, class, Hint::None), &["Buffered"]);
        }
    }

    #[test]
    fn a_stated_limit_and_a_load_balancer_are_heeded_from_the_start() {
        let too_large = verdict(Reason::BodyTooLarge, Class::OtherMethod, Hint::SmallerBody);
        let limited = Bodies { limit: Some((1 << 20, "x".to_owned())), ..Bodies::default() };
        check(&limited, 1000, &too_large, &["Buffered", "Chunked chunks from 960 KiB"]);
        check(&limited, FIVE, &too_large, &["Chunked chunks from 960 KiB"]);
        let balanced = Bodies { at_once: Some(64 << 20), ..Bodies::default() };
        check(&balanced, 64 << 20, &too_large, &["Buffered", "Chunked chunks from 960 KiB"]);
        check(&balanced, 65 << 20, &too_large, &["Chunked chunks from 16384 KiB"]);
    }

    #[test]
    fn a_method_that_the_spec_asks_for_is_kept() {
        let stalled = verdict(Reason::PathStalled, Class::OtherMethod, Hint::SmallSegments);
        for (method, name) in [(Method::Buffered, "Buffered"), (Method::SinglePost, "SinglePost"), (Method::Streamed, "Streamed")] {
            let fixed = Bodies { fixed: Some(method), ..Bodies::default() };
            check(&fixed, FIVE, &stalled, &[name, &format!("{name} TCP segments of 1200 bytes")]);
        }
    }
}
