//! Reads access logs in the combined format of Apache, which distribution and nginx write.
//!
//! ```text
//! 10.90.0.1 - user [24/Nov/2025:22:00:00 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "agent" "host" 1234
//! ```
//! The last two fields are there only where our own configuration of nginx asks for them.

use std::path::Path;

/// A request as a server logged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asked.
    pub client: String,
    /// `GET`, `PUT`, ...
    pub method: String,
    /// The path, with the query.
    pub target: String,
    /// `HTTP/1.1`, `HTTP/2.0`
    pub protocol: String,
    /// The status of the answer.
    pub status: u16,
    /// The bytes of the answer's body.
    pub sent: u64,
    /// What the client calls itself.
    pub user_agent: String,
    /// The host that was asked for (nginx).
    pub host: Option<String>,
    /// The bytes of the request: line, header and body (nginx).
    pub received: Option<u64>,
}

impl Request {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A line for comparisons: method, path and status.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.method, self.path(), self.status)
    }
}

/// All requests of a log; lines that are none are left out.
pub fn read(log: &Path) -> Vec<Request> {
    parse_all(&std::fs::read_to_string(log).unwrap_or_default())
}

/// The same of a log that was read.
pub fn parse_all(log: &str) -> Vec<Request> {
    log.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<Request> {
    let (before, rest) = line.split_once(" \"")?;
    let (request, rest) = rest.split_once("\" ")?;
    let mut words = request.split(' ');
    let (method, target, protocol) = (words.next()?, words.next()?, words.next().unwrap_or_default());
    let (numbers, rest) = rest.split_once(" \"")?;
    let (status, sent) = numbers.split_once(' ')?;
    let mut quoted = rest.split('"');
    let _referer = quoted.next()?;
    let user_agent = quoted.nth(1)?;
    let host = quoted.nth(1).map(str::to_owned);
    let received = quoted.next().and_then(|last| last.trim().parse().ok());
    Some(Request {
        client: before.split(' ').next()?.to_owned(),
        method: method.to_owned(),
        target: target.to_owned(),
        protocol: protocol.to_owned(),
        status: status.parse().ok()?,
        sent: sent.parse().unwrap_or(0),
        user_agent: user_agent.to_owned(),
        host,
        received,
    })
}
