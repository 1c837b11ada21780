//! `Range` in answers about uploads: `0-N`, with N the last byte that the registry has, without a unit.

use http::{HeaderMap, header};

/// The offset to go on from; nothing where the header is missing, cannot be read, or is `0-0`, which registries send both for one
/// byte and for none.
pub(in crate::registry) fn next_offset(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::RANGE)?.to_str().ok()?.trim();
    let text = text.strip_prefix("bytes=").unwrap_or(text);
    let (first, last) = text.split_once('-')?;
    let last = last.trim();
    let last: u64 = last.bytes().all(|byte| byte.is_ascii_digit()).then(|| last.parse().ok())??;
    (first.trim() == "0" && last > 0).then(|| last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_that_is_there_gives_the_next_offset() {
        for (text, expected) in [
            ("0-99", Some(100)),
            ("bytes=0-99", Some(100)),
            (" 0-99 ", Some(100)),
            ("0-0", None),
            ("0--1", None),
            ("5-99", None),
            ("99", None),
            ("0-x", None),
            ("0-+99", None),
            ("0-18446744073709551615", Some(u64::MAX)),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, text.parse().unwrap())]);
            assert_eq!(next_offset(&headers), expected, "{text}");
        }
        assert_eq!(next_offset(&HeaderMap::new()), None);
    }
}
