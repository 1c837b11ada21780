//! Changes archives within their compression: what is changed in the tar file has right checksums, and is compressed again.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use libfuzzer_sys::fuzzer_mutate;
use targets::script::gzip;

/// Bytes of a tar file that is changed.
const LONGEST: usize = 64 * 1024;

/// Changes the input; every fourth time, and where it is no archive, as it lies.
pub fn within_gzip(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut tar = Vec::new();
    let length = MultiGzDecoder::new(&data[..size]).take(LONGEST as u64).read_to_end(&mut tar);
    if seed.is_multiple_of(4) || length.is_err() || tar.is_empty() {
        return fuzzer_mutate(data, size, most);
    }
    // The compression is none, for its speed, and takes some bytes itself.
    let (length, longest) = (tar.len(), most.saturating_sub(64).max(tar.len()));
    tar.resize(longest, 0);
    let length = fuzzer_mutate(&mut tar, length, longest);
    tar.truncate(length);
    mend(&mut tar);
    let archive = gzip(&tar);
    let Some(place) = data.get_mut(..archive.len()).filter(|place| place.len() <= most) else { return fuzzer_mutate(data, size, most) };
    place.copy_from_slice(&archive);
    archive.len()
}

/// Makes the checksums right, from header to header.
fn mend(tar: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = tar.get_mut(at..at + 512).and_then(|block| <&mut [u8; 512]>::try_from(block).ok()) {
        if *header == [0; 512] {
            return;
        }
        targets::script::checksum(header);
        let size = std::str::from_utf8(&header[124..135]).ok().and_then(|text| usize::from_str_radix(text, 8).ok()).unwrap_or_default();
        at += 512 + size.min(LONGEST).next_multiple_of(512);
    }
}
