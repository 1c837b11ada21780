//! Constraints and versions that are close to each other, and constraints that are broken on purpose.

use fastrand::Rng;

/// All operators of the language.
pub const OPERATORS: [&str; 12] = ["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"];
/// What else the language has.
pub const JOINTS: [&str; 7] = [" ", ",", "||", " - ", "x", "X", "*"];
/// Versions that each string of the library's tables is held against.
pub const VERSIONS: [&str; 12] =
    ["0.0.0", "0.0.1", "0.1.0", "1.0.0", "1.1.1", "1.2.3", "2.1.0", "3.0.0", "11.2.0", "1.2.3-beta.1", "2.0.0-alpha", "0.0.0-0"];

const PRERELEASES: [&str; 16] = [
    "-alpha",
    "-alpha",
    "-alpha.1",
    "-beta",
    "-beta.2",
    "-rc.1",
    "-0",
    "-1",
    "-2",
    "-10",
    "-0a",
    "--",
    "-x-y.z",
    "-18446744073709551615",
    "-18446744073709551616",
    "-99999999999999999999999",
];
const METADATA: [&str; 5] = ["+b", "+a.b", "+01", "+-", "+x-y.1"];
const BROKEN: [&str; 12] =
    ["1.2.3.4", "1.2.3-01", "99999999999999999999", "1..2", "1.2.3-", "1.2.3+", "latest", "V1", "1.2.3-a..b", "1xx", "", "-"];
const LETTERS: [char; 30] = [
    '0', '1', '2', '9', '.', '.', '-', '+', ' ', ' ', ',', '|', '|', 'x', 'X', '*', 'v', 'a', 'Z', '<', '>', '=', '!', '~', '^', '&', '\t',
    '\u{b}', '\u{e9}', '_',
];

/// A constraint and a version.
pub struct Pair {
    pub constraint: String,
    pub version: String,
    /// The operators and joints that the constraint was made of.
    pub parts: Vec<&'static str>,
}

impl Pair {
    pub fn of(constraint: &str, version: &str) -> Self {
        Self { constraint: constraint.to_owned(), version: version.to_owned(), parts: Vec::new() }
    }
}

/// Makes the same for the same seed.
pub struct Generator {
    pub seed: u64,
    random: Rng,
    parts: Vec<&'static str>,
}

impl Generator {
    pub fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a seed is given by whoever runs the test")]
        let seed = std::env::var("LIKE_MASTERMINDS_SEED").map_or(1, |seed| seed.parse().unwrap());
        Self { seed, random: Rng::with_seed(seed), parts: Vec::new() }
    }

    /// The first of some pairs that is as wanted, else the last of them; one of so many constraints is broken on purpose.
    pub fn pair(&mut self, one_broken_of: usize, is_wanted: impl Fn(&Pair) -> bool) -> Pair {
        let mut pair = self.any_pair(one_broken_of);
        for _ in 0..40 {
            if is_wanted(&pair) {
                break;
            }
            pair = self.any_pair(one_broken_of);
        }
        pair
    }

    fn any_pair(&mut self, one_broken_of: usize) -> Pair {
        self.parts.clear();
        let mut constraint = self.constraint();
        if self.one_in(one_broken_of) {
            constraint = self.broken(&constraint);
        }
        Pair { constraint, version: self.version(), parts: self.parts.clone() }
    }

    /// Mostly one that can be read.
    pub fn version(&mut self) -> String {
        if self.one_in(60) {
            return self.random.choice(BROKEN).unwrap().to_owned();
        }
        let mut text = if self.one_in(8) { "v".to_owned() } else { String::new() };
        let parts = if self.one_in(6) { self.random.usize(1..=2) } else { 3 };
        text += &(0..parts).map(|_| self.number()).collect::<Vec<_>>().join(".");
        text + self.end()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.random.usize(..count) == 0
    }

    fn number(&mut self) -> String {
        match self.random.usize(..200) {
            0 => "18446744073709551615".to_owned(),
            1 => "18446744073709551616".to_owned(),
            2..5 => format!("0{}", self.random.u32(..4)),
            5..12 => self.random.u32(..40).to_string(),
            _ => self.random.u32(..3).to_string(),
        }
    }

    /// Prerelease and metadata, mostly neither.
    fn end(&mut self) -> &'static str {
        if self.one_in(4) {
            self.random.choice(PRERELEASES).unwrap()
        } else if self.one_in(8) {
            self.random.choice(METADATA).unwrap()
        } else {
            ""
        }
    }

    fn constraint(&mut self) -> String {
        let count = match self.random.usize(..100) {
            0 => self.random.usize(31..=34),
            1..70 => 1,
            70..90 => 2,
            _ => 3,
        };
        let mut text = self.alternative();
        for _ in 1..count {
            self.parts.push("||");
            let (before, after) = (self.space(), self.space());
            text = format!("{text}{before}||{after}{}", self.alternative());
        }
        text
    }

    fn alternative(&mut self) -> String {
        let count = self.random.choice([1, 1, 1, 2, 2, 3]).unwrap();
        let mut text = self.comparator();
        for _ in 1..count {
            let joint = self.random.choice([" ", " ", ", ", ",", "  ", " , ", "\t"]).unwrap();
            self.parts.push(if joint.contains(',') { "," } else { " " });
            text = format!("{text}{joint}{}", self.comparator());
        }
        text
    }

    fn comparator(&mut self) -> String {
        if self.one_in(8) {
            self.parts.push(" - ");
            let joint = self.random.choice([" - ", " - ", "  - ", " -\t"]).unwrap();
            return format!("{}{joint}{}", self.bound(), self.bound());
        }
        let operator = self.random.choice(OPERATORS).unwrap();
        self.parts.push(operator);
        format!("{operator}{}{}", self.space(), self.bound())
    }

    fn space(&mut self) -> &'static str {
        self.random.choice(["", "", " "]).unwrap()
    }

    fn bound(&mut self) -> String {
        let mut text = if self.one_in(12) { "v".to_owned() } else { String::new() };
        let count = self.random.choice([1, 2, 2, 3, 3, 3]).unwrap();
        let numbers: Vec<String> = (0..count).map(|_| if self.one_in(8) { self.wildcard() } else { self.number() }).collect();
        text += &numbers.join(".");
        if self.one_in(6) {
            text += self.random.choice(PRERELEASES).unwrap();
        }
        if self.one_in(12) {
            text += self.random.choice(METADATA).unwrap();
        }
        text
    }

    fn wildcard(&mut self) -> String {
        let sign = self.random.choice(["x", "X", "*"]).unwrap();
        self.parts.push(sign);
        sign.to_owned()
    }

    fn broken(&mut self, text: &str) -> String {
        match self.random.usize(..12) {
            0 => format!("{text} {}", self.random.choice(BROKEN).unwrap()),
            1 => self.random.choice(BROKEN).unwrap().to_owned(),
            2 => text.replacen(' ', "", 1),
            3 => format!("{text}{}", self.random.choice([" ||", ",", " &&", " -", "||"]).unwrap()),
            4 if self.one_in(4) => format!("{text}{}", " || 1".repeat(self.random.usize(29..=34))),
            5 if self.one_in(4) => format!("{text}+{}", "a".repeat(self.random.usize(230..=520))),
            _ => self.mutated(text),
        }
    }

    /// One to three letters are put in, taken out or replaced.
    fn mutated(&mut self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        for _ in 0..self.random.usize(1..=3) {
            let at = self.random.usize(..=letters.len());
            let letter = self.random.choice(LETTERS).unwrap();
            match self.random.usize(..3) {
                0 if at < letters.len() => drop(letters.remove(at)),
                1 if at < letters.len() => letters[at] = letter,
                _ => letters.insert(at, letter),
            }
        }
        letters.into_iter().collect()
    }
}

/// Each operator with each form of a version, on versions around it.
pub fn grid() -> Vec<Pair> {
    let bounds = [
        "*",
        "x",
        "X-0",
        "*.1",
        "0",
        "0.x",
        "0.0",
        "0.0.x",
        "0.0.0",
        "0.0.0-0",
        "0.0.2",
        "0.2",
        "0.2.*",
        "0.2.1",
        "0.2-b",
        "1",
        "1.x",
        "1.*-b",
        "1.0",
        "1.0.0",
        "1.2",
        "1.2.x",
        "1.2-b",
        "1.2.x-b",
        "1.2.1",
        "1.2.1-b",
        "1.2.1-b.2",
        "1.2.1+m",
        "v1.2.1",
        "1.x.1",
        "01.02.01",
    ];
    let versions = [
        "0.0.0-0",
        "0.0.0-b",
        "0.0.0",
        "0.0.1",
        "0.0.2-b",
        "0.0.2",
        "0.0.3",
        "0.1.9",
        "0.2.0-a",
        "0.2.0-b",
        "0.2.0",
        "0.2.1",
        "0.2.2",
        "0.3.0-b",
        "0.3.0",
        "0.9.9",
        "1.0.0-a",
        "1.0.0-b",
        "1.0.0",
        "1.0.1",
        "1.1.9",
        "1.2.0-a",
        "1.2.0-b",
        "1.2.0",
        "1.2.1-a",
        "1.2.1-b",
        "1.2.1-b.2",
        "1.2.1-b.10",
        "1.2.1",
        "1.2.1+m",
        "1.2.2-b",
        "1.2.2",
        "1.3.0-b",
        "1.3.0",
        "1.9.9",
        "2.0.0-b",
        "2.0.0",
        "2.2.1",
        "3.0.0",
        "v1.2",
    ];
    let constraints = OPERATORS.iter().flat_map(|operator| bounds.iter().map(move |bound| format!("{operator}{bound}")));
    constraints.flat_map(|constraint| versions.map(|version| Pair::of(&constraint, version))).collect()
}
