//! PURE: when a publication runs again.

use std::time::Duration;

use crate::api::Reason;

const FIRST_RETRY: Duration = Duration::from_secs(2);
/// A registry that is back is found within this time.
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// A Secret that is mended is found within this time: Secrets are read by name and not watched.
const SECRET_RETRY: Duration = Duration::from_secs(30);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All is well, or only a change can help.
    Settled,
    /// Only a change of a Secret can help.
    AwaitingSecret,
    /// It is tried again by itself.
    Retry,
}

impl Ended {
    pub(super) fn of(reason: Option<Reason>, retrying: bool) -> Self {
        match reason {
            Some(Reason::SecretInvalid) => Self::AwaitingSecret,
            _ if retrying => Self::Retry,
            _ => Self::Settled,
        }
    }
}

/// How long until the next run. `failures` counts the runs in a row that ended in [`Ended::Retry`], this one included; `random` lies
/// in 0..1.
pub(super) fn pause(ended: Ended, failures: u32, interval: Duration, random: f64) -> Duration {
    match ended {
        // Up to a tenth earlier or later, so that many publications do not ask at once.
        Ended::Settled => interval.mul_f64(0.9 + 0.2 * random),
        Ended::AwaitingSecret => SECRET_RETRY.min(interval),
        Ended::Retry => {
            let doubled = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(10));
            doubled.min(LONGEST_RETRY).mul_f64(0.75 + 0.25 * random)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn retries_double_up_to_half_a_minute() {
        let seconds: Vec<u64> = (1..=6).map(|failures| pause(Ended::Retry, failures, HOUR, 1.0).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 30, 30]);
        assert_eq!(pause(Ended::Retry, u32::MAX, HOUR, 0.0), Duration::from_millis(22_500));
    }

    #[test]
    fn what_is_settled_waits_for_the_interval_give_or_take_a_tenth() {
        assert_eq!(pause(Ended::Settled, 0, HOUR, 0.0).as_secs(), 3240);
        assert_eq!(pause(Ended::Settled, 0, HOUR, 0.5).as_secs(), 3600);
        assert!(pause(Ended::Settled, 0, HOUR, 1.0).as_secs() <= 3960);
    }

    #[test]
    fn a_missing_secret_is_looked_for_every_half_minute() {
        assert_eq!(Ended::of(Some(Reason::SecretInvalid), false), Ended::AwaitingSecret);
        assert_eq!(pause(Ended::AwaitingSecret, 9, HOUR, 0.3).as_secs(), 30);
        assert_eq!(Ended::of(Some(Reason::AuthFailed), false), Ended::Settled);
        assert_eq!(Ended::of(Some(Reason::RouteUnreachable), true), Ended::Retry);
        assert_eq!(Ended::of(None, false), Ended::Settled);
    }
}
