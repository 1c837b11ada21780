//! A number of bytes as flags and resources write it: `4096`, `64Ki`, `16Mi`, `2Gi`.

/// What is no number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number of bytes above 0: write it with Ki, Mi or Gi where you like, for example `16Mi`")]
pub struct InvalidSize(String);

/// Reads a number of bytes greater than 0.
///
/// # Errors
/// [`InvalidSize`].
pub fn size(text: &str) -> Result<u64, InvalidSize> {
    let (number, factor) = match text.split_at_checked(text.len().saturating_sub(2)) {
        Some((number, "Ki")) => (number, 1 << 10),
        Some((number, "Mi")) => (number, 1 << 20),
        Some((number, "Gi")) => (number, 1 << 30),
        _ => (text, 1),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| InvalidSize(text.chars().filter(|c| !c.is_control()).take(40).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_binary_units() {
        for (text, bytes) in [("4096", 4096), ("64Ki", 65_536), ("16Mi", 16 << 20), ("2Gi", 2 << 30)] {
            assert_eq!(size(text), Ok(bytes));
        }
        for bad in ["", "0", "-1", "1.5Mi", "16M", "Mi", "é", "99999999999Gi"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
