//! What was learnt of the ways to a registry: into the status, and back from there after a restart.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use crate::{
    api::{LearntOfChunks, LearntOfRoute, RefusedMethod, TargetStatus},
    model::Method,
    publish::{Refused, Remembered, RememberedChunks},
    remedy::recall,
};

/// The form that stands in the status.
pub(super) fn shown(remembered: &Remembered) -> LearntOfRoute {
    LearntOfRoute {
        route: remembered.route.clone(),
        origin: remembered.origin.clone(),
        via: remembered.via.clone(),
        chunks: remembered.chunks.map(|chunks| LearntOfChunks {
            taken: Some(chunks.taken).filter(|taken| *taken > 0).map(signed),
            refused: chunks.refused.map(signed),
            new_connections: chunks.renew,
            until: time(chunks.until),
        }),
        refused: remembered.refused.iter().map(refused).collect(),
    }
}

fn refused(refused: &Refused) -> RefusedMethod {
    let (method, new_connections, segment) = refused.key;
    RefusedMethod {
        method: method.as_str().to_owned(),
        new_connections,
        segment: segment.and_then(|segment| i32::try_from(segment).ok()),
        from: signed(refused.from),
        remedy: refused.verdict.remedy.to_owned(),
        message: refused.verdict.sentence.clone(),
        until: time(refused.until),
    }
}

/// What a status tells of the time before a restart. What cannot be read is as good as forgotten.
pub fn remembered(status: &TargetStatus) -> Vec<Remembered> {
    let of_route = |shown: &LearntOfRoute| Remembered {
        route: shown.route.clone(),
        origin: shown.origin.clone(),
        via: shown.via.clone(),
        refused: shown.refused.iter().filter_map(refused_before).collect(),
        chunks: shown.chunks.as_ref().map(|chunks| RememberedChunks {
            taken: chunks.taken.map_or(0, unsigned),
            refused: chunks.refused.map(unsigned),
            renew: chunks.new_connections,
            until: chunks.until.0.as_second(),
        }),
    };
    status.learnt.iter().map(of_route).collect()
}

fn refused_before(shown: &RefusedMethod) -> Option<Refused> {
    let method = Method::ALL.into_iter().find(|method| method.as_str() == shown.method)?;
    let segment = shown.segment.and_then(|segment| u32::try_from(segment).ok());
    Some(Refused {
        key: (method, shown.new_connections, segment),
        from: unsigned(shown.from),
        verdict: recall(&shown.remedy, shown.message.clone())?,
        until: shown.until.0.as_second(),
    })
}

fn time(seconds: i64) -> Time {
    Time(Timestamp::from_second(seconds).unwrap_or_default())
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn unsigned(size: i64) -> u64 {
    u64::try_from(size).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::Hint;

    #[test]
    fn what_is_shown_can_be_read_back() {
        let sentence = "the answer was 413".to_owned();
        let known = Remembered {
            route: "Ingress".to_owned(),
            origin: "https://registry.example:443".to_owned(),
            via: Some("Ingress platform/registry".to_owned()),
            refused: vec![Refused {
                key: (Method::Chunked, true, Some(1200)),
                from: 5 << 20,
                verdict: recall("body-too-large", sentence).unwrap(),
                until: 1_800_000_000,
            }],
            chunks: Some(RememberedChunks { taken: 960 << 10, refused: Some(1920 << 10), renew: true, until: 1_800_000_100 }),
        };
        let status = TargetStatus { learnt: vec![shown(&known)], ..TargetStatus::default() };
        assert_eq!(remembered(&status), [known]);
        assert_eq!(remembered(&status)[0].refused[0].verdict.hint, Hint::SmallerBody);
    }

    #[test]
    fn what_another_version_wrote_is_left_aside() {
        let refused = |method: &str, remedy: &str| RefusedMethod {
            method: method.to_owned(),
            new_connections: false,
            segment: None,
            from: 1,
            remedy: remedy.to_owned(),
            message: String::new(),
            until: time(1_800_000_000),
        };
        let refused = vec![refused("Buffered", "no-such-row"), refused("Teleported", "body-too-large")];
        let learnt = LearntOfRoute { route: "URL".to_owned(), origin: String::new(), via: None, chunks: None, refused };
        let status = TargetStatus { learnt: vec![learnt], ..TargetStatus::default() };
        assert_eq!(remembered(&status)[0].refused, []);
    }
}
