//! What the headers of a tar file say of the file that follows, read as Go's library does, which Helm reads with.
//!
//! In: one entry after the other, the extended headers among them. Out: the path of a file, or that there is nothing to read.
//! What Go refuses is refused (a field that is no number, a broken record), and so is what tools read in different ways: links,
//! devices, sparse files, types that are not of POSIX, two names for one file, and sizes that contradict each other.

use std::io::{self, Read};

use tar::Entry;

use super::ChartError;

/// What the extended headers said of the next file.
#[derive(Debug, Default)]
pub(super) struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    kinds: Vec<u8>,
}

/// What an entry is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It tells of the next one.
    Extension,
    /// A directory, or a comment on the archive.
    PassedOver,
    /// A file, and its whole path.
    File(Vec<u8>),
}

impl Extended {
    /// Takes the next entry. `failed` says why reading fails.
    pub(super) fn next(&mut self, entry: &mut Entry<'_, impl Read>, failed: impl Fn(&io::Error) -> ChartError) -> Result<Part, ChartError> {
        let block: [u8; 512] = *entry.header().as_bytes();
        let header = Header(&block);
        let size = entry.size();
        let refuse = |path: &[u8], problem| Err(ChartError::Path { path: shown(path), problem });
        if !header.has_numbers(size) {
            return refuse(&header.name(), "has a header with a field that is no number");
        }
        let kind = header.kind();
        if matches!(kind, b'x' | b'g' | b'L' | b'K') {
            let mut text = Vec::new();
            let length = entry.read_to_end(&mut text).map_err(|error| failed(&error))?;
            if (length as u64) < size {
                return Err(ChartError::Cut);
            }
            return self.extend(kind, &text).map_or_else(|problem| refuse(&header.name(), problem), Ok);
        }
        let Self { path, size: promised, .. } = std::mem::take(self);
        let path = path.unwrap_or_else(|| header.name());
        if promised.is_some_and(|promised| promised != size) {
            return refuse(&path, "has two sizes");
        }
        match kind {
            b'1' | b'2' => refuse(&path, "is a link"),
            b'3' | b'4' | b'6' => refuse(&path, "is a device or pipe"),
            b'5' | 0 if size > 0 && (kind == b'5' || path.ends_with(b"/")) => refuse(&path, "is a directory with content"),
            b'5' => Ok(Part::PassedOver),
            0 if path.ends_with(b"/") => Ok(Part::PassedOver),
            0 | b'0' | b'7' if header.has_mode_of_directory() => Ok(Part::PassedOver),
            0 | b'0' | b'7' if path.ends_with(b"/") => refuse(&path, "is a file with the name of a directory"),
            0 | b'0' | b'7' => Ok(Part::File(path)),
            _ => refuse(&path, "is of a type that tools read in different ways"),
        }
    }

    /// Fails when the archive ends and a file was promised.
    pub(super) fn end(self) -> Result<(), ChartError> {
        if self.kinds.is_empty() { Ok(()) } else { Err(ChartError::Tar("an extended header has no file".to_owned())) }
    }

    fn extend(&mut self, kind: u8, text: &[u8]) -> Result<Part, &'static str> {
        if kind == b'g' {
            let records = records(text).ok_or("is a broken header")?;
            let names = |key: &[u8]| matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.");
            let is_plain = self.kinds.is_empty() && !records.iter().any(|(key, _)| names(key));
            return if is_plain { Ok(Part::PassedOver) } else { Err("is a header that tools read in different ways") };
        }
        if self.kinds.contains(&kind) {
            return Err("gives a file two names");
        }
        self.kinds.push(kind);
        match kind {
            b'L' => self.named(until_zero(text))?,
            b'x' => {
                for (key, value) in records(text).ok_or("is a broken header")? {
                    self.record(key, value)?;
                }
            }
            _ => {}
        }
        Ok(Part::Extension)
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        let is_integer = || std::str::from_utf8(value).is_ok_and(|text| text.parse::<i64>().is_ok());
        match key {
            _ if value.is_empty() => {}
            b"path" => self.named(value)?,
            b"size" => self.size = Some(std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or("is a broken header")?),
            b"uid" | b"gid" if !is_integer() => return Err("is a broken header"),
            b"atime" | b"mtime" | b"ctime" if !is_time(value) => return Err("is a broken header"),
            _ if key.starts_with(b"GNU.sparse.") => return Err("is a header that tools read in different ways"),
            _ => {}
        }
        Ok(())
    }

    fn named(&mut self, path: &[u8]) -> Result<(), &'static str> {
        let other = self.path.replace(path.to_vec());
        if path.is_empty() {
            return Err("is a header with an empty name");
        }
        if other.is_some_and(|other| other != path) { Err("gives a file two names") } else { Ok(()) }
    }
}

/// A path that may be printed.
pub(super) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).chars().filter(|c| !c.is_control()).take(200).collect()
}

/// `LENGTH KEY=VALUE` and a line feed, over and over.
fn records(mut text: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut records = Vec::new();
    while !text.is_empty() {
        let space = text.iter().position(|byte| *byte == b' ')?;
        let digits = std::str::from_utf8(text.get(..space)?).ok()?;
        let length: usize = digits.parse().ok().filter(|length| *length >= 5)?;
        let (key, value) = {
            let record = text.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            (record.get(..equals)?, record.get(equals + 1..)?)
        };
        let no_zeros = if matches!(key, b"path" | b"linkpath" | b"uname" | b"gname") { value } else { key };
        if key.is_empty() || no_zeros.contains(&0) {
            return None;
        }
        records.push((key, value));
        text = text.get(length..)?;
    }
    Some(records)
}

/// Seconds, with or without a fraction.
fn is_time(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    seconds.parse::<i64>().is_ok() && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// One block, as it lies in the archive.
struct Header<'a>(&'a [u8; 512]);

impl Header<'_> {
    fn field(&self, from: usize, length: usize) -> &[u8] {
        self.0.get(from..from + length).unwrap_or_default()
    }

    fn kind(&self) -> u8 {
        self.field(156, 1).first().copied().unwrap_or_default()
    }

    fn is_gnu(&self) -> bool {
        self.field(257, 8) == b"ustar  \0"
    }

    fn is_posix(&self) -> bool {
        self.field(257, 6) == b"ustar\0"
    }

    fn is_star(&self) -> bool {
        self.is_posix() && self.field(508, 4) == b"tar\0"
    }

    fn has_mode_of_directory(&self) -> bool {
        number(self.field(100, 8)).is_some_and(|mode| mode & 0xFFFF_F000 == 0o040_000)
    }

    /// The name in the header itself.
    fn name(&self) -> Vec<u8> {
        let prefix = match (self.is_star(), self.is_posix()) {
            (true, _) => until_zero(self.field(345, 131)),
            (_, true) => until_zero(self.field(345, 155)),
            _ => &[],
        };
        let name = until_zero(self.field(0, 100));
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    /// Whether Go reads all numbers, and the size as it was read here.
    fn has_numbers(&self, size: u64) -> bool {
        let mut fields = vec![(100, 8), (108, 8), (116, 8), (136, 12), (148, 8)];
        if self.is_posix() || self.is_gnu() {
            fields.extend([(329, 8), (337, 8)]);
        }
        if self.is_star() {
            fields.extend([(476, 12), (488, 12)]);
        }
        if self.is_gnu() {
            // Go takes what is no time here for a prefix of the name, as old versions of it wrote one; others do not.
            fields.extend([(345, 12), (357, 12)].iter().filter(|(from, _)| self.field(*from, 1) != [0]));
        }
        let is_read = fields.iter().all(|(from, length)| number(self.field(*from, *length)).is_some());
        is_read && number(self.field(124, 12)).and_then(|size| u64::try_from(size).ok()) == Some(size)
    }
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits between spaces and zeros, or, where the first bit is set, the bytes of an integer.
fn number(field: &[u8]) -> Option<i64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        return binary(field);
    }
    let is_padding = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(begin) = field.iter().position(|byte| !is_padding(byte)) else { return Some(0) };
    let end = field.iter().rposition(|byte| !is_padding(byte))?;
    let digits = std::str::from_utf8(until_zero(field.get(begin..=end)?)).ok()?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    u64::from_str_radix(digits, 8).ok().map(u64::cast_signed)
}

fn binary(field: &[u8]) -> Option<i64> {
    let is_negative = field.first().is_some_and(|first| first & 0x40 != 0);
    let mut value = 0_u64;
    for (position, byte) in field.iter().enumerate() {
        let byte = if is_negative { !byte } else { *byte };
        if value >> 56 > 0 {
            return None;
        }
        value = value << 8 | u64::from(if position == 0 { byte & 0x7F } else { byte });
    }
    let value = i64::try_from(value).ok()?;
    Some(if is_negative { !value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_go() {
        for (field, expected) in [
            (&b"0000644\0"[..], Some(420)),
            (b" 644 \0\0\0", Some(420)),
            (b"\0\0 17\0\0\0", Some(15)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"17\0x", Some(15)),
            (b"0000648\0", None),
            (b"1 7\0", None),
            (b"+17\0", None),
            (b"-17\0", None),
            (b"\x80\0\0\x05", Some(5)),
            (b"\xff\xff\xff\xff", Some(-1)),
            (b"\x80\xff\0\0\0\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }

    #[test]
    fn records_are_whole_or_nothing() {
        assert_eq!(records(b"10 path=a\n6 b=c\n"), Some(vec![(&b"path"[..], &b"a"[..]), (b"b", b"c")]));
        assert_eq!(records(b""), Some(Vec::new()));
        for broken in [&b"11 path=a\n"[..], b"8 path=a\n", b"10 pathxa\n", b"5 =c\n", b"x", b"11 path=a\0\n", b"4 a\n"] {
            assert_eq!(records(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn two_names_and_sparse_files_are_refused() {
        let mut extended = Extended::default();
        assert_eq!(extended.extend(b'L', b"web/a\0"), Ok(Part::Extension));
        assert_eq!(extended.extend(b'L', b"web/a\0"), Err("gives a file two names"));
        assert_eq!(extended.extend(b'x', b"14 path=web/b\n"), Err("gives a file two names"));
        assert!(extended.end().is_err());
        let different = Err("is a header that tools read in different ways");
        assert_eq!(Extended::default().extend(b'x', b"22 GNU.sparse.major=1\n"), different);
        assert_eq!(Extended::default().extend(b'g', b"10 path=a\n"), different);
        assert_eq!(Extended::default().extend(b'g', b"19 comment=abcdefg\n"), Ok(Part::PassedOver));
    }
}
