//! What is left out, and that it changes nothing: whole indexes, and thousands of random and spoilt ones, beside the parser on all of them.

use super::{
    super::{IndexLimits, parse, parse_whole},
    *,
};

const BASE: &str = r#"apiVersion: v1
entries:
  other:
  - annotations:
      category: Infrastructure
      artifacthub.io/changes: |
        - kind: added
          description: a "new" thing

        - kind: fixed
    apiVersion: v2
    appVersion: 1.10
    created: "2026-01-01T00:00:00.5Z"
    dependencies:
    - name: common
      repository: https://charts.example.com/stable
      version: 2.x.x
      tags: []
    - condition: redis.enabled
      name: redis
      version: ^17
    description: Serves what others keep, with a cache before it (and a queue behind
      "it"), and a page that says how it is. Für alle → 1 > 0
    digest: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    icon: 'https://charts.example.com/it''s.svg'
    keywords:
    - cache
    - 'a: b'
    - "say \"hello\" \u2192 \U0001F680"
    maintainers:
    - email: me@example.com
      name: The Authors
    - name: 'Somebody with a name that is
        longer than a line'
    name: other
    type: application
    sources: []
    home: https://charts.example.com/other  
    urls:
    - other-1.1.0.tgz
    version: 1.1.0
    x-empty: {}
    x-null:
    x-folded: >-
      one
      two
  - apiVersion: v2
    description: "A text in double quotes that is longer than a line and is \
      folded, \"twice\"
      over"
    name: other
    urls:
    - https://charts.example.com/other-1.0.0.tgz
    version: 1.0.0
  web:
  - name: web
    urls:
    - web-1.0.0.tgz
    version: 1.0.0
  another:
    - name: another
      urls: [another.tgz]
      version: 1.0.0
    - name: another
      urls:
        - another.tgz
      version: 1.0.0
  last-one:
  - name: last-one
    urls:
    - last.tgz
    version: 2.0.0
generated: "2026-01-01T00:00:00Z"
"#;

fn wishes() -> Wishes {
    ["web"].into_iter().collect()
}

fn abridged(text: &[u8]) -> Vec<u8> {
    let (wanted, mut left) = (wishes(), Vec::new());
    Abridged::new(text, &wanted).read_to_end(&mut left).unwrap();
    left
}

/// Both say the same. Whether it is an index.
fn check(text: &[u8]) -> bool {
    let limits = IndexLimits::default();
    let said = |index: Result<_, super::super::IndexError>| index.map_err(|error| error.to_string());
    let (part, whole) = (said(parse(text, &wishes(), &limits)), said(parse_whole(text, &wishes(), &limits)));
    assert_eq!(part, whole, "{}\n--- is read as\n{}", String::from_utf8_lossy(text), String::from_utf8_lossy(&abridged(text)));
    whole.is_ok()
}

fn lines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count()
}

/// Lines that are not empty.
fn left(text: &str) -> usize {
    abridged(text.as_bytes()).split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()
}

#[test]
fn what_nobody_wants_is_left_out_line_by_line_until_something_is_uncertain() {
    assert!(check(BASE.as_bytes()));
    // `urls: [another.tgz]` is not certain: from its item on all stays.
    let (before, after) = BASE.split_once("    - name: another\n").unwrap();
    assert_eq!(left(before), "apiVersion entries other web - urls - version another".split(' ').count());
    assert_eq!(left(BASE), left(before) + 1 + after.lines().count());
    let certain = BASE.replace("[another.tgz]", "[]");
    // Of the last item nothing is certain before the next line is.
    let stays = "apiVersion entries other web - urls - version another last-one - urls - version generated";
    assert_eq!(left(&certain), stays.split(' ').count());
    assert_eq!(lines(&abridged(BASE.as_bytes())), lines(BASE.as_bytes()));
}

#[test]
fn an_index_is_read_alike_wherever_it_is_cut() {
    for end in 0..BASE.len() {
        check(&BASE.as_bytes()[..end]);
    }
}

#[test]
fn names_that_yaml_spells_otherwise_are_wanted() {
    let text = "apiVersion: v1\nentries:\n  yes:\n  - name: \"true\"\n    version: 1.0.0\n    urls:\n    - a\n  web:\n";
    let wanted = ["true"].into_iter().collect();
    let (part, whole) =
        (parse(text.as_bytes(), &wanted, &IndexLimits::default()), parse_whole(text.as_bytes(), &wanted, &IndexLimits::default()));
    assert_eq!(part.unwrap(), whole.unwrap());
}

/// A reader that fails after some bytes.
struct Broken<'a>(&'a [u8]);
impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::Error::other("gone")) } else { self.0.read(buffer) }
    }
}

#[test]
fn what_was_read_before_a_failure_is_handed_on_and_then_the_failure() {
    for end in [0, 5, 40, 200, BASE.len() - 1, BASE.len()] {
        let (wanted, mut left) = (wishes(), Vec::new());
        let error = Abridged::new(Broken(&BASE.as_bytes()[..end]), &wanted).read_to_end(&mut left).unwrap_err();
        assert_eq!(error.to_string(), "gone");
        assert_eq!(lines(&left), lines(&BASE.as_bytes()[..end]), "after {end} bytes");
    }
}

#[test]
fn an_item_that_is_too_large_and_a_line_without_end_stay() {
    for long in [format!("    x: {}\n", "y".repeat(2 * LARGEST)), "    x: y\n".repeat(LARGEST / 8)] {
        let text = BASE.replacen("    type: application\n", &long, 1);
        assert!(check(text.as_bytes()));
        assert!(left(&text) > BASE.lines().count() - 8, "{}", left(&text));
    }
}

/// What spoils YAML, or seems to.
const BITS: [&str; 44] = [
    " ", "  ", "    ", "\n", "\n\n", "\t", "\r", ":", ": ", " :", "- ", "-", "#", " #", "'", "\"", "\\", "|", "|-", ">", "|2", "&a ", "*a",
    "!!int ", "!x ", "{", "}", "[", "]", ", ", "? ", "%", "@", "`", "---", "...", "<<: ", "~", "\u{e9}", "\u{85}", "\u{2028}", "\u{3000}",
    "\u{feff}", "x",
];

fn spoil(random: &mut fastrand::Rng, text: &mut String) {
    let place = |random: &mut fastrand::Rng, text: &str| {
        let at = random.usize(..=text.len());
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
    };
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (one, other) = (random.usize(..lines.len()), random.usize(..lines.len()));
    match random.u8(..8) {
        0 => drop(lines.remove(one)),
        1 => lines.swap(one, other),
        2 => lines.insert(one, lines[other]),
        3 => lines[one] = lines[one].trim_start(),
        4 => lines[one] = lines[one].strip_prefix("  ").unwrap_or(lines[one]),
        5 => {
            let indent = " ".repeat(random.usize(1..7));
            let spoilt = [&lines[..one], &[indent.as_str()], &lines[one..]].concat().concat();
            return *text = spoilt;
        }
        6 => {
            let (from, bit) = (place(random, text), BITS[random.usize(..BITS.len())]);
            return text.insert_str(from, bit);
        }
        _ => {
            let from = place(random, text);
            if let Some(character) = text[from..].chars().next() {
                text.replace_range(from..from + character.len_utf8(), if random.bool() { "" } else { BITS[random.usize(..BITS.len())] });
            }
            return;
        }
    }
    *text = lines.concat();
}

#[test]
fn the_verdict_is_that_on_the_whole_text() {
    const TEXTS: usize = 6_000;
    let mut random = fastrand::Rng::new();
    let (mut good, mut shorter) = (0, 0);
    for _ in 0..TEXTS {
        let mut text = BASE.to_owned();
        for _ in 0..random.usize(1..4) {
            spoil(&mut random, &mut text);
        }
        good += usize::from(check(text.as_bytes()));
        shorter += usize::from(left(&text) < text.lines().count() / 2);
    }
    assert!(good > TEXTS / 10 && good < TEXTS * 9 / 10, "{good} of them are indexes");
    assert!(shorter > TEXTS / 10, "{shorter} of them became shorter by half");
}
