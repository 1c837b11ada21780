//! PURE: when a publication runs again.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    api::Reason,
    publish::{Away, Failed, TargetOutcome},
};

/// The cluster's nodes hear of a change when we do, and act on it a moment later: until then the old way may still answer, or the new
/// one not yet. So a look follows at these times after a change.
const LOOKS: [Duration; 2] = [Duration::from_secs(4), Duration::from_secs(20)];
/// For this long after a change, a connection may still lead where it led before.
const SETTLING: Duration = Duration::from_secs(30);
/// A better route is looked for at growing distances, up to the interval.
const FIRST_DETOUR: Duration = Duration::from_secs(4);
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// A registry that is back is found within this time.
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// A Secret that is mended is found within this time: Secrets are read by name and not watched.
pub(super) const SECRET_LOOK: Duration = Duration::from_secs(30);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All is well, or only a change can help.
    Settled,
    /// All is well, by another route than the first, which led nowhere.
    Detour,
    /// Nothing is tried again by itself, and a change of a Secret can help: a password that is wrong is not sent again and again.
    AwaitingSecret,
    /// Nothing is wrong but that registries are away: each is asked again by one publication for all.
    Away,
    /// It is tried again by itself.
    Retry,
}

impl Ended {
    /// `curable`: whether a change of a Secret can help. A detour is left alone then, for each run would log in again.
    pub(super) fn of(curable: bool, retrying: bool, detour: bool) -> Self {
        match (retrying, curable, detour) {
            (true, _, _) => Self::Retry,
            (_, true, _) => Self::AwaitingSecret,
            (_, _, true) => Self::Detour,
            _ => Self::Settled,
        }
    }
}

/// Whether registries are away, and nothing else is wrong.
pub(super) fn is_only_away(refused: &[Failed], targets: &[TargetOutcome]) -> bool {
    let is_well = |target: &TargetOutcome| target.away.is_some() || target.first_failure().is_none();
    refused.is_empty() && targets.iter().any(|target| target.away.is_some()) && targets.iter().all(is_well)
}

/// What keeps a publication from running again, though it is time.
#[derive(Debug)]
pub(super) struct Held {
    /// The registries that are away.
    pub(super) by: Vec<Away>,
    /// Not for longer than until then: the other targets have an interval, too.
    pub(super) until: Instant,
}

impl Held {
    /// When to look again whether it may run; nothing when it may. `random` lies in 0..1.
    pub(super) fn rest(&self, now: Instant, random: f64) -> Option<Duration> {
        let is_held = now < self.until && self.by.iter().all(|away| away.is_held(now));
        is_held.then(|| self.look(now, random))
    }

    /// When to look first.
    pub(super) fn look(&self, now: Instant, random: f64) -> Duration {
        let looks = self.by.iter().map(|away| away.rest(now, random));
        looks.fold(self.until.saturating_duration_since(now), Duration::min)
    }
}

/// Whether what a Secret holds can be the cause.
pub(super) fn is_of_a_secret(reason: Reason) -> bool {
    use Reason::{
        AuthFailed, Denied, ProxyRefused, ProxyUnauthorized, ProxyUnreachable, SecretInvalid, SignatureInvalid, SourceUnauthorized,
        TlsFailed,
    };
    // A Secret says who we are, whom we trust, which proxy it is, and whose signature counts.
    let is_of_proxy = matches!(reason, ProxyUnreachable | ProxyUnauthorized | ProxyRefused);
    is_of_proxy || matches!(reason, SecretInvalid | AuthFailed | Denied | SignatureInvalid | SourceUnauthorized | TlsFailed)
}

/// What is behind a publication, as far as it says how soon the next run follows.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Runs in a row that ended in [`Ended::Retry`].
    failures: u32,
    /// Runs in a row that ended in [`Ended::Detour`].
    detours: u32,
}

impl Pace {
    /// How long until the next run. `changed` is how long ago the cluster changed; `random` lies in 0..1.
    pub(super) fn next(&mut self, ended: Ended, changed: Option<Duration>, interval: Duration, random: f64) -> Duration {
        let count = |is_so: bool, before: u32| if is_so { before.saturating_add(1) } else { 0 };
        self.failures = count(ended == Ended::Retry, self.failures);
        self.detours = count(ended == Ended::Detour, self.detours);
        let look = changed.and_then(|ago| LOOKS.into_iter().find(|look| *look > ago)?.checked_sub(ago));
        // Up to a tenth earlier or later, so that many publications do not ask at once.
        let settled = interval.mul_f64(0.9 + 0.2 * random);
        match ended {
            Ended::Settled | Ended::AwaitingSecret => look.map_or(settled, |look| look.min(settled)),
            Ended::Detour => look.unwrap_or(settled).min(doubled(FIRST_DETOUR, self.detours).mul_f64(1.0 + 0.25 * random)).min(settled),
            Ended::Away | Ended::Retry => doubled(FIRST_RETRY, self.failures).min(LONGEST_RETRY).mul_f64(0.75 + 0.25 * random),
        }
    }
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.saturating_sub(1).min(20))
}

/// A route of readers that fails is looked at again at growing distances.
const FIRST_READER: Duration = Duration::from_secs(30);
/// One that is mended is seen to be within this time.
const LONGEST_READER: Duration = Duration::from_mins(5);

/// How soon the routes of readers are checked again while one of them fails.
#[derive(Debug, Default)]
pub(super) struct ReaderPace {
    failures: u32,
    next: Option<Instant>,
}

impl ReaderPace {
    /// They were checked just now. `random` lies in 0..1.
    pub(super) fn saw(&mut self, all_deliver: bool, now: Instant, random: f64) {
        self.failures = if all_deliver { 0 } else { self.failures.saturating_add(1) };
        let pause = doubled(FIRST_READER, self.failures).min(LONGEST_READER).mul_f64(0.9 + 0.2 * random);
        self.next = (!all_deliver).then(|| now + pause);
    }

    /// How long until the next check; nothing while none is planned.
    pub(super) fn rest(&self, now: Instant) -> Option<Duration> {
        self.next.map(|next| next.saturating_duration_since(now))
    }
}

/// Whether a connection that was made before may lead elsewhere than a new one.
pub(super) fn is_settling(changed: Option<Duration>) -> bool {
    changed.is_some_and(|ago| ago < SETTLING)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// The pauses after `runs` runs that all end like this, long after any change.
    fn pauses(ended: Ended, runs: u32, interval: Duration, random: f64) -> Vec<u64> {
        let mut pace = Pace::default();
        (0..runs).map(|_| pace.next(ended, None, interval, random).as_secs()).collect()
    }

    #[test]
    fn retries_double_up_to_half_a_minute() {
        assert_eq!(pauses(Ended::Retry, 6, HOUR, 1.0), [2, 4, 8, 16, 30, 30]);
        let mut long = Pace { failures: u32::MAX, detours: 0 };
        assert_eq!(long.next(Ended::Retry, None, HOUR, 0.0), Duration::from_millis(22_500));
    }

    #[test]
    fn what_is_settled_waits_for_the_interval_give_or_take_a_tenth() {
        assert_eq!(pauses(Ended::Settled, 2, HOUR, 0.0), [3240, 3240]);
        assert_eq!(pauses(Ended::Settled, 1, HOUR, 0.5), [3600]);
        assert!(pauses(Ended::Settled, 1, HOUR, 1.0) <= vec![3960]);
    }

    #[test]
    fn a_better_route_is_looked_for_at_growing_distances_up_to_the_interval() {
        assert_eq!(pauses(Ended::Detour, 5, HOUR, 0.0), [4, 8, 16, 32, 64]);
        assert_eq!(pauses(Ended::Detour, 40, HOUR, 0.0).last(), Some(&3240));
        let mut pace = Pace::default();
        pace.next(Ended::Detour, None, HOUR, 0.0);
        pace.next(Ended::Settled, None, HOUR, 0.0);
        assert_eq!(pace.next(Ended::Detour, None, HOUR, 0.0).as_secs(), 4, "a run without a detour ends the row");
    }

    #[test]
    fn two_looks_follow_a_change_of_the_cluster() {
        let pause = |ended, milliseconds, interval| {
            Pace::default().next(ended, Some(Duration::from_millis(milliseconds)), interval, 0.0).as_millis()
        };
        for (ended, ago, expected) in [
            (Ended::Settled, 0, 4_000),
            (Ended::Settled, 500, 3_500),
            (Ended::Settled, 4_000, 16_000),
            (Ended::Settled, 4_100, 15_900),
            (Ended::Settled, 20_000, 3_240_000),
            (Ended::Settled, 60_000, 3_240_000),
            (Ended::Detour, 500, 3_500),
            (Ended::Detour, 4_100, 4_000),
        ] {
            assert_eq!(pause(ended, ago, HOUR), expected, "{ended:?} {ago} ms after a change");
        }
        assert_eq!(pause(Ended::Settled, 4_000, Duration::from_secs(10)), 9_000, "never later than the interval");
    }

    #[test]
    fn connections_are_made_anew_for_a_while_after_a_change() {
        assert!(is_settling(Some(Duration::ZERO)) && is_settling(Some(LOOKS[1] + Duration::from_secs(5))));
        assert!(!is_settling(Some(SETTLING)) && !is_settling(None));
    }

    #[test]
    fn a_readers_route_that_fails_is_looked_at_after_half_a_minute_and_then_ever_later() {
        let now = Instant::now();
        let mut pace = ReaderPace::default();
        assert_eq!(pace.rest(now), None, "nothing has failed");
        for expected in [30, 60, 120, 240, 300, 300] {
            pace.saw(false, now, 0.5);
            assert_eq!(pace.rest(now), Some(Duration::from_secs(expected)));
            assert_eq!(pace.rest(now + Duration::from_secs(400)), Some(Duration::ZERO));
        }
        pace.saw(true, now, 0.5);
        assert_eq!(pace.rest(now), None);
        pace.saw(false, now, 0.0);
        assert_eq!(pace.rest(now), Some(Duration::from_secs(27)), "it begins anew");
    }

    #[test]
    fn where_a_secret_can_help_no_run_follows_by_itself() {
        for (curable, retrying, detour, expected) in [
            (true, false, true, Ended::AwaitingSecret),
            (true, false, false, Ended::AwaitingSecret),
            (true, true, true, Ended::Retry),
            (false, true, true, Ended::Retry),
            (false, false, true, Ended::Detour),
            (false, false, false, Ended::Settled),
        ] {
            assert_eq!(Ended::of(curable, retrying, detour), expected, "{curable} {retrying} {detour}");
        }
        assert_eq!(pauses(Ended::AwaitingSecret, 2, HOUR, 0.0), [3240, 3240]);
    }

    #[test]
    fn a_secret_can_cure_logins_trust_proxies_and_signatures_and_nothing_else() {
        use Reason::{
            AuthFailed, Denied, ProxyRefused, ProxyUnauthorized, ProxyUnreachable, SecretInvalid, SignatureInvalid, SourceUnauthorized,
            TlsFailed,
        };
        let cured: Vec<_> = Reason::ALL.iter().copied().filter(|reason| is_of_a_secret(*reason)).collect();
        let of_sources = [SourceUnauthorized, ProxyUnreachable, ProxyUnauthorized, ProxyRefused];
        let expected = [&of_sources[..], &[SignatureInvalid, SecretInvalid, TlsFailed, AuthFailed, Denied]].concat();
        assert_eq!(cured, expected);
    }
}
