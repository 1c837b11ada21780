//! Numbers with units, as the functions `duration` and `quantity` of Kubernetes' CEL read them.

/// Go's `time.ParseDuration`, in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum: i64 = 0;
    let mut any = false;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(end_of(rest, |letter| letter.is_ascii_digit() || letter == '.'));
        let (unit, after) = after.split_at(end_of(after, |letter| !letter.is_ascii_digit() && letter != '.'));
        let unit: i64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        sum = sum.checked_add(scaled(number, unit)?)?;
        (rest, any) = (after, true);
    }
    any.then_some(sign * sum)
}

fn end_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !belongs(letter)).unwrap_or(text.len())
}

/// `1.5` of a unit; what is smaller than one is cut off.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let (mut part, mut scale) = (0_i128, 1_i128);
    for digit in fraction.chars().take(18).filter_map(|digit| digit.to_digit(10)) {
        (part, scale) = (part * 10 + i128::from(digit), scale * 10);
    }
    let part = i64::try_from(part * i128::from(unit) / scale).ok()?;
    whole.checked_mul(unit)?.checked_add(part)
}

/// A whole number with a unit of Kubernetes' quantities; what does not fit is the largest number.
pub(super) fn quantity(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at(end_of(text, |letter| letter.is_ascii_digit()));
    let factor: i128 = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return None,
    };
    let number: i64 = number.parse().ok()?;
    Some(i64::try_from(i128::from(number) * factor).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("1h30m", Some(5_400_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("8760h0.000001ms", Some(31_536_000_000_000_001)),
            ("0", Some(0)),
            ("-1s", Some(-1_000_000_000)),
            (".5s", Some(500_000_000)),
            ("0.0000000000000000000000001s", Some(0)),
            ("2562048h", None),
            ("99999999999999999999h", None),
            ("", None),
            ("1", None),
            ("h", None),
            (".s", None),
            ("1..5s", None),
            ("1d", None),
        ] {
            assert_eq!(nanoseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn quantities_are_whole() {
        for (text, expected) in [
            ("64Ki", Some(65_536)),
            ("1Gi", Some(1 << 30)),
            ("9999999999Gi", Some(i64::MAX)),
            ("16M", Some(16_000_000)),
            ("7", Some(7)),
            ("1.5Mi", None),
            ("Mi", None),
            ("1Qi", None),
        ] {
            assert_eq!(quantity(text), expected, "{text}");
        }
    }
}
