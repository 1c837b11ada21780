//! Makings of faults in words for people: the rows of a table.

use std::fmt::{Display, Formatter, Result};

use super::{
    catalogue::Making,
    rule::{Page, Rewrite, Rule, What},
    wire::Wire,
};

impl Display for Making {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Self::Quirk(quirk) => write!(formatter, "registry: {quirk:?}"),
            Self::Rule(rule) => write!(formatter, "proxy: {rule}"),
            Self::Wire(wire) => write!(formatter, "wire: {wire}"),
        }
    }
}

impl Display for Rule {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let when = self.when.to_string();
        if when.is_empty() { self.what.fmt(formatter) } else { write!(formatter, "{}, to {when}", self.what) }
    }
}

impl Display for What {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Self::Answer { status, page, .. } => write!(formatter, "{status}{page}"),
            Self::Refuse { status, page, .. } => write!(formatter, "{status}{page} before the body is read"),
            Self::LimitBody { limit, close, read, .. } => {
                write!(formatter, "413 above {}, after {} of it ({close:?})", bytes(*limit), bytes(*read))
            }
            Self::SwallowBody => formatter.write_str("the body is swallowed"),
            Self::CutBody(after, how) => write!(formatter, "{how:?} after {} of the body", bytes(*after)),
            Self::CutHead(how) => write!(formatter, "{how:?} after the head"),
            Self::Stall(after, true) => write!(formatter, "taken and lost after {} of the body", bytes(*after)),
            Self::Stall(after, false) => write!(formatter, "not read after {} of the body", bytes(*after)),
            Self::LoseAnswer(how) => write!(formatter, "done, and {how:?} in place of the answer"),
            Self::AnswerAfter(status, page) => write!(formatter, "done, and {status}{page} in place of the answer"),
            Self::Limit(time, status) => write!(formatter, "{status} after {} ms", time.as_millis()),
            Self::CutAnswer(after, how) => write!(formatter, "{how:?} after {after} bytes of the answer"),
            Self::Status(status) => write!(formatter, "done, and {status} for its status"),
            Self::Remove(name) => write!(formatter, "no {name}"),
            Self::Set(name, value) => write!(formatter, "{name}: {value}"),
            Self::Location(rewrite) => write!(formatter, "Location {rewrite}"),
        }
    }
}

impl Display for Page {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Self::Nginx => formatter.write_str(" as a page"),
            Self::Text(_) => formatter.write_str(" as text"),
            Self::Oci(code, _) => write!(formatter, " {code}"),
            Self::Empty => Ok(()),
        }
    }
}

impl Display for Rewrite {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Self::Scheme(scheme) => write!(formatter, "with {scheme}"),
            Self::Host(_) => formatter.write_str("on another host"),
            Self::NoPort => formatter.write_str("without the port"),
            Self::Relative => formatter.write_str("without scheme and host"),
        }
    }
}

impl Display for Wire {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Self::CutSent(after, how) => write!(formatter, "{how:?} after {} sent", bytes(*after)),
            Self::CutAnswers(after, how) => write!(formatter, "{how:?} after {} of answers", bytes(*after)),
            Self::StopReading(after) => write!(formatter, "not read after {}", bytes(*after)),
            Self::LoseSent(after) => write!(formatter, "lost after {}", bytes(*after)),
            Self::LoseAnswers(after) => write!(formatter, "answers lost after {}", bytes(*after)),
            Self::Delay(time) => write!(formatter, "each piece {} ms late", time.as_millis()),
            Self::SlowSent(rate) => write!(formatter, "{} a second sent", bytes(*rate)),
            Self::SlowAnswers(rate) => write!(formatter, "answers at {} a second", bytes(*rate)),
        }
    }
}

fn bytes(bytes: u64) -> String {
    if bytes > 0 && bytes.is_multiple_of(1 << 20) { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}
