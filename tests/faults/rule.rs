//! What a fault proxy does to HTTP, as data: on which requests, and what.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use super::{
    Close,
    ledger::{Asked, Framing},
};

/// On which requests. Begins with all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct When {
    methods: Vec<&'static str>,
    path: &'static str,
    over: Option<u64>,
    unlengthed: bool,
    later: bool,
    every: usize,
    times: Option<usize>,
}

impl When {
    /// Every request.
    pub const fn always() -> Self {
        Self { methods: Vec::new(), path: "", over: None, unlengthed: false, later: false, every: 1, times: None }
    }

    /// Those of this method (or of one of those named).
    pub fn method(mut self, method: &'static str) -> Self {
        self.methods.push(method);
        self
    }

    /// Those that write: POST, PATCH and PUT.
    pub fn writes() -> Self {
        Self::always().method("POST").method("PATCH").method("PUT")
    }

    /// Those whose path contains this.
    pub fn path(mut self, part: &'static str) -> Self {
        self.path = part;
        self
    }

    /// Those whose `Content-Length` is larger, and those that do not say it.
    pub fn over(mut self, bytes: u64) -> Self {
        self.over = Some(bytes);
        self
    }

    /// Those with `Transfer-Encoding: chunked`.
    pub fn unlengthed(mut self) -> Self {
        self.unlengthed = true;
        self
    }

    /// Those that are not the first of their connection.
    pub fn later(mut self) -> Self {
        self.later = true;
        self
    }

    /// Each so manieth of these.
    pub fn every(mut self, number: usize) -> Self {
        self.every = number;
        self
    }

    /// No more often than this.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    fn fits(&self, asked: &Asked, first_of_connection: bool) -> bool {
        let large = |over| match asked.framing {
            Framing::Unsaid => false,
            Framing::Sized(length) => length > over,
            Framing::Chunked => true,
        };
        (self.methods.is_empty() || self.methods.contains(&asked.method.as_str()))
            && asked.path().contains(self.path)
            && self.over.is_none_or(large)
            && (!self.unlengthed || asked.framing == Framing::Chunked)
            && !(self.later && first_of_connection)
    }
}

/// Empty for every request.
impl Display for When {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if !self.methods.is_empty() {
            words.push(self.methods.join("/"));
        } else if self.unlengthed || self.later || self.over.is_some() || !self.path.is_empty() {
            words.push("requests".to_owned());
        }
        words.extend(Some(self.path.to_owned()).filter(|path| !path.is_empty()));
        words.extend(self.over.map(|over| format!("over {} KiB", over >> 10)));
        words.extend(self.unlengthed.then(|| "without a length".to_owned()));
        words.extend(self.later.then(|| "that are not their connection's first".to_owned()));
        words.extend((self.every > 1).then(|| format!("each {}th", self.every)));
        words.extend(self.times.map(|times| if times == 1 { "once".to_owned() } else { format!("{times} times") }));
        formatter.write_str(&words.join(" "))
    }
}

/// The body of an answer that the proxy makes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// HTML with `Server: nginx`.
    Nginx,
    /// A line of text.
    Text(&'static str),
    /// An error as a registry writes it: code and message.
    Oci(&'static str, &'static str),
    /// Nothing.
    Empty,
}

/// How `Location` of an answer is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// Another scheme.
    Scheme(&'static str),
    /// Another host and port.
    Host(String),
    /// The port is left out.
    NoPort,
    /// Scheme, host and port are left out.
    Relative,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The body is read and an answer made in the registry's place.
    Answer {
        /// Its status.
        status: u16,
        /// More fields.
        fields: Vec<(&'static str, String)>,
        /// Its body.
        page: Page,
    },
    /// An answer is made before the body is read; then the connection ends.
    Refuse {
        /// Its status.
        status: u16,
        /// Its body.
        page: Page,
        /// How the connection ends.
        close: Close,
    },
    /// 413 for bodies over a limit, as soon as it is known; then the connection ends.
    LimitBody {
        /// The most that passes.
        limit: u64,
        /// The body of the answer.
        page: Page,
        /// How the connection ends.
        close: Close,
        /// So many bytes are read before the answer is sent.
        read: u64,
    },
    /// The body is read and not passed on: the registry gets an empty one.
    SwallowBody,
    /// The connection ends after so many bytes of the body.
    CutBody(u64, Close),
    /// The connection ends after the head.
    CutHead(Close),
    /// After so many bytes of the body nothing passes any more, and what comes is read (true) or not.
    Stall(u64, bool),
    /// The request is passed on, its answer is not: the connection ends.
    LoseAnswer(Close),
    /// The request is passed on and answered; the client gets this status.
    AnswerAfter(u16, Page),
    /// A request that takes longer gets this status; then the connection ends.
    Limit(Duration, u16),
    /// The answer's body ends after so many bytes, with the connection.
    CutAnswer(u64, Close),
    /// The answer has this status in place of its own.
    Status(u16),
    /// A field of the answer is taken out.
    Remove(&'static str),
    /// A field of the answer is set.
    Set(&'static str, String),
    /// The `Location` of the answer is changed.
    Location(Rewrite),
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// On which requests.
    pub when: When,
    /// What is done to them.
    pub what: What,
}

impl Rule {
    /// What, when.
    pub const fn new(when: When, what: What) -> Self {
        Self { when, what }
    }
}

/// Rules, and how often each has fitted and acted.
#[derive(Debug, Default)]
pub struct Rules(Vec<(Rule, usize, usize)>);

impl Rules {
    /// Fresh counters for these.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(rules.into_iter().map(|rule| (rule, 0, 0)).collect())
    }

    /// What is done to this request.
    pub fn act(&mut self, asked: &Asked, first_of_connection: bool) -> Vec<What> {
        let mut acting = Vec::new();
        for (rule, fitted, acted) in &mut self.0 {
            if !rule.when.fits(asked, first_of_connection) {
                continue;
            }
            *fitted += 1;
            if *fitted % rule.when.every == 0 && rule.when.times.is_none_or(|times| *acted < times) {
                *acted += 1;
                acting.push(rule.what.clone());
            }
        }
        acting
    }

    /// How often any of them has acted.
    pub fn acted(&self) -> usize {
        self.0.iter().map(|(_, _, acted)| acted).sum()
    }
}
