//! A tar file whose headers can be changed, byte by byte; their checksums are right all the same.

/// How headers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As GNU tar does: long names come before.
    Gnu,
    /// As POSIX has it: long names are in two fields.
    Posix,
    /// With an extended header before each file.
    Extended,
    /// As in Unix version 7; long names as GNU has them.
    Old,
}

/// A header and what follows.
pub struct Entry {
    header: [u8; 512],
    content: Vec<u8>,
}

impl Entry {
    /// Writes into the header, and the checksum anew.
    pub fn set(&mut self, at: usize, bytes: &[u8]) {
        self.header[at..at + bytes.len()].copy_from_slice(bytes);
        self.header[148..156].copy_from_slice(b"        ");
        let sum: u32 = self.header.iter().map(|byte| u32::from(*byte)).sum();
        self.header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

/// The tar file.
#[derive(Default)]
pub struct Tape {
    pub entries: Vec<Entry>,
    /// Zeros at the end.
    pub end: usize,
}

impl Tape {
    pub fn file(&mut self, name: &str, content: &[u8], style: Style) {
        match style {
            Style::Extended => {
                let record = |length: usize| format!("{length} path={name}\n");
                let length = (name.len()..name.len() + 20).find(|length| record(*length).len() == *length).unwrap();
                let times = "30 mtime=1700000000.123456789\n";
                self.add(b'x', "PaxHeaders.0/file", format!("{}{times}", record(length)).as_bytes(), Style::Posix);
                let short: String = name.chars().filter(char::is_ascii).take(99).collect();
                self.add(b'0', &short, content, Style::Posix);
            }
            Style::Gnu | Style::Old if name.len() >= 100 => {
                self.add(b'L', "././@LongLink", format!("{name}\0").as_bytes(), Style::Gnu);
                let short: String = name.chars().filter(char::is_ascii).take(99).collect();
                self.add(b'0', &short, content, style);
            }
            Style::Old => self.add(0, name, content, style),
            Style::Gnu | Style::Posix => self.add(b'0', name, content, style),
        }
    }

    pub fn add(&mut self, kind: u8, name: &str, content: &[u8], style: Style) {
        let mut header = [0; 512];
        let cut = if name.len() > 100 { name[..name.len().min(155)].rfind('/').unwrap() } else { 0 };
        let (prefix, name) = if cut > 0 { (&name[..cut], &name[cut + 1..]) } else { ("", name) };
        header[..name.len()].copy_from_slice(name.as_bytes());
        for (at, text) in [(100, "0000644\0"), (108, "0000000\0"), (116, "0001750\0"), (136, "14524770400\0")] {
            header[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        match style {
            Style::Gnu => header[257..265].copy_from_slice(b"ustar  \0"),
            Style::Posix | Style::Extended => {
                header[257..265].copy_from_slice(b"ustar\x0000");
                header[345..345 + prefix.len()].copy_from_slice(prefix.as_bytes());
            }
            Style::Old => {}
        }
        let mut entry = Entry { header, content: content.to_vec() };
        entry.set(156, &[kind]);
        self.entries.push(entry);
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.header);
            bytes.extend_from_slice(&entry.content);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize(bytes.len() + self.end, 0);
        bytes
    }
}
