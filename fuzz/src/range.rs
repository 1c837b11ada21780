//! `Range` in answers about uploads, a header in each line: an offset only where it is `0-N`, and then N + 1.

use chart_publisher::registry::doors::next_offset;
use http::{HeaderMap, HeaderValue, header};

/// Reads them.
pub fn run(input: &[u8]) {
    for line in input.split(|byte| *byte == b'\n').take(8) {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        let found = next_offset(&HeaderMap::from_iter([(header::RANGE, value)]));
        assert_eq!(found, expected(line), "{:?}", String::from_utf8_lossy(line));
        if let Some(offset) = found {
            let again = HeaderValue::try_from(format!("0-{}", offset - 1)).expect("a header");
            let again = next_offset(&HeaderMap::from_iter([(header::RANGE, again)]));
            assert!(again == found || offset == u64::MAX, "{offset} is {again:?}");
        }
    }
}

/// The same, read digit by digit.
fn expected(line: &[u8]) -> Option<u64> {
    if !line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return None;
    }
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"bytes=").unwrap_or(line);
    let hyphen = line.iter().position(|byte| *byte == b'-')?;
    let (first, last) = (line[..hyphen].trim_ascii(), line[hyphen + 1..].trim_ascii());
    if first != b"0" || last.is_empty() {
        return None;
    }
    let mut number = 0_u64;
    for byte in last {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    (number > 0).then(|| number.saturating_add(1))
}
