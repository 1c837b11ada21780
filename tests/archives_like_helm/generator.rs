//! Archives of charts in many forms, and archives that are broken on purpose. The same for the same seed.

use std::io::Write as _;

use fastrand::Rng;
use flate2::{Compression, GzBuilder};

use super::tape::{self, Style, Tape};

/// What is done to an archive to break it; one in each place where an archive can break.
pub const BREAKS: [&str; 10] = [
    "bytes of the gzip file",
    "bytes of the tar file",
    "cut",
    "cut within the tar file",
    "blocks dropped or doubled",
    "a type flag",
    "a number in a header",
    "a name",
    "characters of a text",
    "lines of a text",
];

const VERSIONS: [&str; 7] = ["1.2.3", "0.1.0", "1.2.3+build.7", "2.0.0-rc.1+a.b", "v2.0", "7", "0.0.1-alpha"];
const FIELDS: [&str; 14] = [
    "description: a chart that is generated\n",
    "appVersion: 1.10\n",
    "kubeVersion: '>=1.30.0-0'\n",
    "home: https://charts.example/?a=1&b=<2>\n",
    "icon: \"https://charts.example/\\xfc.png\"\n",
    "keywords: [a, b, \"c d\"]\nsources:\n- https://charts.example\n",
    "maintainers:\n- name: Ada\n  email: ada@charts.example\n- {name: Grace}\n",
    "annotations:\n  a: \"1\"\n  b: yes\n  c: |\n    one\n      two\n",
    "type: application\n",
    "deprecated: true\n",
    "x-unknown: {a: [1, 2.5, ~], b: &anchor {c: d}}\ny-unknown: *anchor\n",
    "# a comment: - with signs\n",
    "description: >-\n  folded\n  text\n",
    "condition: web.enabled\ntags: a\n",
];
const VALUES: [&str; 14] = [
    "replicas: 1\nimage: {repository: nginx, tag: \"1.29\", pullPolicy: IfNotPresent}\n",
    "a: &a\n  b: [1, 0x10, 010, 1e3, .5]\nc:\n  <<: *a\n  d: e\n",
    "text: |\n  --- inside\n  {{ template }}\nother: >\n  folded\n",
    "yes: no\n1: one\n1.5: float\n\"quoted\": 'it''s'\n",
    "# only a comment\n",
    "\n",
    "nothing: ~\nempty:\nlist: []\nmap: {}\n",
    "unicode: Ünïcödé 日本語 😀\n",
    "list:\n- a\n-  b: c\n   d: e\n- - nested\n",
    "time: 2024-01-02T03:04:05Z\nbinary: !!binary aGVsbG8=\ntagged: !!str 5\n",
    "long: \"a\\\n  b\\tc\"\nplain: one\n  two\n",
    "windows: true\r\nlines: true\r\n",
    "key with spaces: value # comment\nurl: http://a.example:80/?q#x\n",
    "twice: 1\ntwice: 2\n",
];
const LETTERS: [char; 34] = [
    ':', '-', ' ', ' ', '\n', '\n', '\t', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '{', '}', '[', ']', ',', '?', '~', '<',
    'a', '0', '.', '\u{7}', '\u{e9}', '\r', '\\', '=',
];
/// The files that Helm reads.
const READ: [&str; 5] = ["Chart.yaml", "values.yaml", "Chart.lock", "requirements.yaml", "requirements.lock"];

/// A file below the directory at the top.
pub type File = (String, Vec<u8>);

/// An archive, and what was done to it; none of [`BREAKS`] where it is whole.
pub struct Made {
    pub broken: Option<&'static str>,
    pub bytes: Vec<u8>,
}

pub struct Generator {
    random: Rng,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed) }
    }

    /// A chart that Helm takes.
    pub fn whole(&mut self) -> Made {
        let files = self.chart("web", 2);
        let tape = self.tape(files);
        Made { broken: None, bytes: self.zipped(&tape.bytes()) }
    }

    /// A chart that something was done to, which may be harmless.
    pub fn broken(&mut self, how: &'static str) -> Made {
        let mut files = self.chart("web", 2);
        if matches!(how, "characters of a text" | "lines of a text") {
            self.break_text(&mut files, how);
        }
        let mut tape = self.tape(files);
        let entry = self.random.usize(..tape.entries.len());
        match how {
            "a type flag" => {
                let kind = b"01234567xgLKSVMDNX\0A z"[self.random.usize(..22)];
                tape.entries[entry].set(156, &[kind]);
            }
            "a number in a header" => self.break_number(&mut tape.entries[entry]),
            "a name" => self.break_name(&mut tape.entries[entry]),
            _ => {}
        }
        let mut tar = tape.bytes();
        match how {
            "bytes of the tar file" => self.scatter(&mut tar),
            "cut within the tar file" => tar.truncate(self.random.usize(..tar.len())),
            "blocks dropped or doubled" => self.break_blocks(&mut tar),
            _ => {}
        }
        let mut bytes = self.zipped(&tar);
        match how {
            "bytes of the gzip file" => self.scatter(&mut bytes),
            "cut" => bytes.truncate(self.random.usize(..bytes.len())),
            _ => {}
        }
        Made { broken: Some(how), bytes }
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())]
    }

    fn is(&mut self, one_of: usize) -> bool {
        self.random.usize(..one_of) == 0
    }

    /// The files of a chart, with charts within it down to this depth.
    fn chart(&mut self, name: &str, depth: usize) -> Vec<File> {
        let is_v1 = self.is(4);
        let mut text = format!("apiVersion: {}\nname: {name}\nversion: {}\n", if is_v1 { "v1" } else { "v2" }, self.one(&VERSIONS));
        let mut fields: Vec<&str> = (0..self.random.usize(..4)).map(|_| self.one(&FIELDS)).collect();
        fields.sort_unstable();
        fields.dedup();
        text.extend(fields);
        let dependencies =
            "dependencies:\n- name: db\n  version: ~1.0\n  repository: https://charts.example\n- {name: db, alias: second, tags: [a]}\n";
        let lock = "dependencies:\n- name: db\n  repository: https://charts.example\n  version: 1.0.2\ndigest: sha256:0123456789abcdef\ngenerated: \"2024-01-02T03:04:05.678901234+02:00\"\n";
        let mut files: Vec<File> = Vec::new();
        let mut add = |path: &str, text: &str| files.push((path.to_owned(), text.as_bytes().to_vec()));
        if self.random.bool() {
            add(if is_v1 { "requirements.lock" } else { "Chart.lock" }, lock);
            if is_v1 { add("requirements.yaml", dependencies) } else { text += dependencies }
        }
        if !self.is(5) {
            let documents: Vec<&str> = (0..=self.random.usize(..3)).map(|_| self.one(&VALUES)).collect();
            let begin = if self.is(4) { "---\n" } else { "" };
            add("values.yaml", &format!("{begin}{}", documents.join("--- # next\n")));
        }
        for (path, text) in [
            ("templates/deployment.yaml", "{{ .Values.replicas }}\n"),
            ("templates/_helpers.tpl", "{{- define \"a\" }}{{ end -}}\n"),
            ("values.schema.json", "{\"type\": \"object\"}\n"),
            ("README.md", "# web\n"),
            (".helmignore", "*.swp\n"),
            ("crds/crontab.yaml", "kind: CustomResourceDefinition\n"),
            ("files/größe-日本.txt", "x"),
            ("charts/README.md.prov", "signature"),
            ("charts/_ignored/a.txt", "not read"),
            ("charts/.hidden", "not read"),
            ("templates/tests/empty", ""),
        ] {
            if self.is(3) {
                add(path, text);
            }
        }
        add("Chart.yaml", &text);
        if self.is(6) {
            files.push((format!("files/{}.txt", "long/".repeat(24)), b"long".to_vec()));
        }
        if depth > 0 {
            self.add_charts(&mut files, depth);
        }
        if self.random.bool() {
            self.random.shuffle(&mut files);
        } else {
            files.rotate_right(1);
        }
        files
    }

    fn add_charts(&mut self, files: &mut Vec<File>, depth: usize) {
        if self.is(2) {
            files.extend(self.chart("common", depth - 1).into_iter().map(|(path, text)| (format!("charts/common/{path}"), text)));
        }
        if self.is(3) {
            let inner = self.chart("packed", depth - 1);
            let tape = self.tape(inner);
            files.push(("charts/packed-1.0.0.tgz".to_owned(), self.zipped(&tape.bytes())));
        }
    }

    /// The tar file.
    fn tape(&mut self, files: Vec<File>) -> Tape {
        let top = self.one(&["web", "top-directory", "web", "a b"]);
        let style = self.one(&[Style::Gnu, Style::Posix, Style::Extended, Style::Old, Style::Gnu, Style::Posix]);
        let mut tape = Tape::default();
        if self.is(6) {
            tape.add(b'g', "pax_global_header", b"19 comment=abcdefg\n", Style::Posix);
        }
        if self.is(4) {
            tape.add(b'5', &format!("{top}/"), b"", style);
            tape.add(b'5', &format!("{top}/templates/"), b"", style);
        }
        for (path, text) in files {
            tape.file(&format!("{top}/{path}"), &text, style);
        }
        tape.end = if self.is(8) { 0 } else { self.one(&[1024, 1024, 512, 10_240]) };
        tape
    }

    /// The gzip file: of some members, compressed in some way, with a header that says something.
    fn zipped(&mut self, tar: &[u8]) -> Vec<u8> {
        let cut = if self.is(5) { self.random.usize(..=tar.len()) } else { tar.len() };
        let (first, second) = tar.split_at(cut);
        let mut bytes = self.member(first);
        if cut < tar.len() {
            bytes.extend(self.member(second));
        }
        bytes
    }

    fn member(&mut self, content: &[u8]) -> Vec<u8> {
        let mut header = GzBuilder::new().mtime(self.random.u32(..));
        if self.is(3) {
            header = header.extra("+aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=").comment("Helm");
        }
        if self.is(4) {
            header = header.filename("web-1.2.3.tar");
        }
        let mut encoder = header.write(Vec::new(), Compression::new(self.random.u32(..=9)));
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// One to three bytes become others.
    fn scatter(&mut self, bytes: &mut [u8]) {
        for _ in 0..=self.random.usize(..3) {
            let at = self.random.usize(..bytes.len());
            bytes[at] = if self.random.bool() { bytes[at] ^ (1 << self.random.u32(..8)) } else { self.random.u8(..) };
        }
    }

    fn break_blocks(&mut self, tar: &mut Vec<u8>) {
        let at = self.random.usize(..tar.len() / 512) * 512;
        let block: Vec<u8> = if self.random.bool() { tar[at..at + 512].to_vec() } else { vec![0; 512] };
        if self.random.bool() { drop(tar.drain(at..at + 512)) } else { drop(tar.splice(at..at, block)) }
    }

    fn break_number(&mut self, entry: &mut tape::Entry) {
        let (at, length) = self.one(&[(100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (329, 8), (337, 8), (345, 12)]);
        let text = self.one(&[
            "0000000\0",
            "0040755\0",
            "1",
            "  7 ",
            "8",
            "-1",
            "+1",
            "\0\0 5\0",
            "0000644 ",
            "1 1",
            "\u{80}\0",
            "77777777777\0",
            "x",
        ]);
        let bytes: Vec<u8> =
            text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).chain(std::iter::repeat(0)).take(length).collect();
        entry.set(at, &bytes);
    }

    fn break_name(&mut self, entry: &mut tape::Entry) {
        let name = self.one(&[
            "web/../etc/passwd",
            "web//absolute",
            "web/./a/../b",
            "Chart.yaml",
            "README",
            "web\\windows\\a",
            "web/c:/x",
            "../a/b",
            "/web/a",
            "web/..a",
            "web/a/",
            "web/",
            "",
            "web/Chart.yaml",
            "web/charts/a.txt",
            "web/charts/b/values.yaml",
            "web/charts/c.tgz/a",
            "web/charts/d.tgz",
            "web/charts/.e",
            "web/charts/_f/Chart.yaml",
            "web/charts/g.prov",
            "web/values.yaml",
            "web/Chart.lock",
            "web/charts",
            "web/...",
            "./web/a",
        ]);
        let mut field = [0; 100];
        field[..name.len()].copy_from_slice(name.as_bytes());
        entry.set(0, &field);
    }

    fn break_text(&mut self, files: &mut [File], how: &str) {
        let is_read = |path: &str| READ.iter().any(|name| path.rsplit('/').next() == Some(*name));
        let read: Vec<usize> = (0..files.len()).filter(|index| is_read(&files[*index].0)).collect();
        let text = &mut files[read[self.random.usize(..read.len())]].1;
        let mut letters: Vec<char> = String::from_utf8_lossy(text).chars().collect();
        if how == "characters of a text" {
            for _ in 0..=self.random.usize(..2) {
                let at = self.random.usize(..=letters.len());
                match self.random.u8(..3) {
                    0 if at < letters.len() => drop(letters.remove(at)),
                    1 if at < letters.len() => letters[at] = self.one(&LETTERS),
                    _ => letters.insert(at, self.one(&LETTERS)),
                }
            }
            *text = letters.into_iter().collect::<String>().into_bytes();
            return;
        }
        let whole: String = letters.into_iter().collect();
        let mut lines: Vec<&str> = whole.split_inclusive('\n').collect();
        let at = self.random.usize(..lines.len().max(1));
        match self.random.u8(..4) {
            0 if !lines.is_empty() => drop(lines.remove(at)),
            1 if !lines.is_empty() => lines.insert(at, lines[self.random.usize(..lines.len())]),
            2 => lines.truncate(at),
            _ => lines.insert(
                at,
                self.one(&[
                    "---\n",
                    "--- x\n",
                    "...\n",
                    "%YAML 1.1\n",
                    "- a\n",
                    "a\n",
                    " indented: 1\n",
                    "<<: 1\n",
                    "~: 1\n",
                    "? [a]\n",
                    "x: .nan\n",
                    "name: [a]\n",
                    "digest: {}\n",
                    "generated: now\n",
                ]),
            ),
        }
        *text = lines.concat().into_bytes();
    }
}
