//! A span of time as resources write it: `1h30m`, `90s`, `1.5m`, `500ms` (Go's `time.ParseDuration`, without a sign).

use std::time::Duration;

/// In hours: its seconds fit into 32 bits.
const LONGEST: u64 = 1_193_046;

/// What is no span of time that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpan {
    /// It cannot be read.
    #[error("`{0}` is no span of time: write numbers with `h`, `m`, `s` or `ms`, for example `1h30m`")]
    Unread(String),
    /// Nobody waits for so long.
    #[error("`{0}` is too long: write at most `{LONGEST}h`")]
    TooLong(String),
}

/// Reads a span of time.
///
/// # Errors
/// [`InvalidSpan`].
pub fn span(text: &str) -> Result<Duration, InvalidSpan> {
    let shown = || text.chars().filter(|c| !c.is_control()).take(40).collect();
    let invalid = || InvalidSpan::Unread(shown());
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
    let longest = Duration::from_hours(LONGEST);
    Duration::try_from_secs_f64(seconds).ok().filter(|span| *span <= longest).ok_or_else(|| InvalidSpan::TooLong(shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_go_writes_them() {
        for (text, milliseconds) in [("1h30m", 5_400_000), ("90s", 90_000), ("1.5m", 90_000), ("500ms", 500), ("1h0m0s", 3_600_000)] {
            assert_eq!(span(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for bad in ["", "1", "h", "-1h", "1d", "1h 2m", "1..5s", "1e5s"] {
            assert_eq!(span(bad), Err(InvalidSpan::Unread(bad.to_owned())), "{bad}");
        }
        assert!(span("1193046h").is_ok());
        for long in ["1193046h1s", "99999999h", "99999999999h", &format!("{}h", "9".repeat(400))] {
            let error = span(long).unwrap_err();
            assert!(
                matches!(error, InvalidSpan::TooLong(_)) && error.to_string().ends_with("is too long: write at most `1193046h`"),
                "{error}"
            );
        }
    }
}
