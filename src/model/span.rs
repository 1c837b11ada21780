//! A span of time as resources write it: `1h30m`, `90s`, `1.5m`, `500ms` (Go's `time.ParseDuration`, without a sign).

use std::time::Duration;

/// What is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no span of time: write numbers with `h`, `m`, `s` or `ms`, for example `1h30m`")]
pub struct InvalidSpan(String);

/// Reads a span of time.
///
/// # Errors
/// [`InvalidSpan`], also for what does not fit into milliseconds of 64 bits.
pub fn span(text: &str) -> Result<Duration, InvalidSpan> {
    let invalid = || InvalidSpan(text.chars().filter(|c| !c.is_control()).take(40).collect());
    let mut rest = text;
    let mut seconds = 0.0_f64;
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(invalid)?;
        let (number, tail) = rest.split_at(end);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let unit_end = tail.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        seconds += number
            * match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return Err(invalid()),
            };
        rest = tail;
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|span| span.as_secs() < u64::from(u32::MAX)).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_go_writes_them() {
        for (text, milliseconds) in [("1h30m", 5_400_000), ("90s", 90_000), ("1.5m", 90_000), ("500ms", 500), ("1h0m0s", 3_600_000)] {
            assert_eq!(span(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for bad in ["", "1", "h", "-1h", "1d", "1h 2m", "1..5s", "99999999999h", "1e5s"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
