//! A script in lines becomes an archive, so that what changes in it changes within gzip and tar.
//!
//! ```text
//! @0g web/Chart.yaml       an entry: its type flag, its style (g: GNU, p: POSIX, else that of Unix version 7), its name
//! name: web                and its content, down to the next line with an `@`; `@@` begins a line with `@`
//! @!124=0000777            bytes in the header before, from the 124th on; its checksum is right all the same
//! @(g web/charts/a.tgz     an archive within the archive begins, and ends with `@)`
//! @|                       another member of the gzip file begins
//! @$512                    so many zeros at the end; 1024 where it is not said
//! ```

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

/// Zeros that a script may ask for.
const MOST_ZEROS: usize = 64 * 1024;
/// Archives within each other; ours refuses 16.
const MOST_LEVELS: usize = 18;

/// An archive that is being written.
struct Level {
    header: [u8; 512],
    content: Vec<u8>,
    has_entry: bool,
    tar: Vec<u8>,
    /// The members that are complete.
    members: Vec<u8>,
    zeros: usize,
}

/// Writes the archive that `script` tells of.
pub fn archive(script: &[u8]) -> Vec<u8> {
    let mut levels = vec![Level::new()];
    for line in script.split_inclusive(|byte| *byte == b'\n') {
        let depth = levels.len();
        let Some(top) = levels.last_mut() else { break };
        let told = line.strip_suffix(b"\n").unwrap_or(line);
        match told {
            [b'@', b'@', ..] => top.content.extend_from_slice(&line[1..]),
            [b'@', b'!', rest @ ..] => top.patch(rest),
            [b'@', b'|', ..] => top.end_member(),
            [b'@', b'$', rest @ ..] => top.zeros = number(rest).unwrap_or_default().min(MOST_ZEROS),
            [b'@', b'('] | [b'@', b'(', _] => {}
            [b'@', b'(', style, name @ ..] if depth < MOST_LEVELS => {
                top.begin(b'0', *style, name);
                levels.push(Level::new());
            }
            [b'@', b')', ..] if depth > 1 => close(&mut levels),
            [b'@', kind, style, name @ ..] => top.begin(*kind, *style, name),
            _ => top.content.extend_from_slice(line),
        }
    }
    while levels.len() > 1 {
        close(&mut levels);
    }
    levels.pop().map(Level::end).unwrap_or_default()
}

fn close(levels: &mut Vec<Level>) {
    let inner = levels.pop().map(Level::end).unwrap_or_default();
    if let Some(top) = levels.last_mut() {
        top.content.extend(inner);
    }
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

impl Level {
    fn new() -> Self {
        Self { header: [0; 512], content: Vec::new(), has_entry: false, tar: Vec::new(), members: Vec::new(), zeros: 1024 }
    }

    /// `@KS NAME`, of which `name` begins with the space.
    fn begin(&mut self, kind: u8, style: u8, name: &[u8]) {
        self.end_entry();
        self.has_entry = true;
        self.header = [0; 512];
        let name = name.strip_prefix(b" ").unwrap_or(name);
        let name = &name[..name.len().min(100)];
        self.put(0, name);
        for (at, text) in [(100, "0000644\0"), (108, "0000000\0"), (116, "0001750\0"), (136, "14524770400\0")] {
            self.put(at, text.as_bytes());
        }
        self.put(156, &[kind]);
        match style {
            b'g' => self.put(257, b"ustar  \0"),
            b'p' => self.put(257, b"ustar\x0000"),
            _ => {}
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        for (place, byte) in self.header.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    }

    /// `AT=BYTES`, when the content is known: what is changed before the length is written stays.
    fn patch(&mut self, rest: &[u8]) {
        let Some(equals) = rest.iter().position(|byte| *byte == b'=') else { return };
        if let Some(at) = number(&rest[..equals]) {
            self.put(at, &rest[equals + 1..]);
        }
    }

    fn end_entry(&mut self) {
        if std::mem::take(&mut self.has_entry) {
            if self.header[124..136] == [0; 12] {
                let length = format!("{:011o}\0", self.content.len());
                self.put(124, length.as_bytes());
            }
            checksum(&mut self.header);
            self.tar.extend_from_slice(&self.header);
        }
        self.tar.append(&mut self.content);
        let whole = self.tar.len().next_multiple_of(512);
        self.tar.resize(whole, 0);
    }

    fn end_member(&mut self) {
        self.end_entry();
        let tar = std::mem::take(&mut self.tar);
        self.members.extend(gzip(&tar));
    }

    fn end(mut self) -> Vec<u8> {
        self.end_entry();
        self.tar.resize(self.tar.len() + self.zeros, 0);
        self.end_member();
        self.members
    }
}

/// Makes the checksum of a header right.
pub fn checksum(header: &mut [u8; 512]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// One member, which is larger than what is in it: for its speed.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() + 64), Compression::none());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
