//! PURE: sizes, times and rates as people read them, in few characters.

use std::time::Duration;

const UNITS: [(&str, f64); 3] = [("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1024.0)];

/// `1.5 MiB`
pub(super) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    scaled(bytes as f64, " ")
}

/// `183MiB/s`
pub(super) fn rate(bytes_per_second: f64) -> String {
    format!("{}/s", scaled(bytes_per_second, ""))
}

/// `<1ms`, `12ms`, `1.2s`
pub(super) fn time(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "<1ms".to_owned(),
        milliseconds @ 1..=999 => format!("{milliseconds}ms"),
        _ => format!("{:.1}s", duration.as_secs_f64()),
    }
}

fn scaled(value: f64, space: &str) -> String {
    let unit = UNITS.iter().find(|(_, unit)| value >= unit - unit / 2048.0);
    match unit {
        None => format!("{value:.0}{space}B"),
        Some((name, unit)) => {
            let number = value / unit;
            if number < 9.95 { format!("{number:.1}{space}{name}") } else { format!("{number:.0}{space}{name}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!([1000, 1024, 3 << 19, 8 << 20, 64 << 20].map(size), ["1000 B", "1.0 KiB", "1.5 MiB", "8.0 MiB", "64 MiB"]);
        assert_eq!([10.0, 2048.0, 192_000_000.0, 1_073_741_800.0].map(rate), ["10B/s", "2.0KiB/s", "183MiB/s", "1.0GiB/s"]);
        let times = [400, 12_000, 1_234_000].map(Duration::from_micros).map(time);
        assert_eq!(times, ["<1ms", "12ms", "1.2s"]);
    }
}
