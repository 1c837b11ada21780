//! From the rules that act on a request to what its connection does.

use std::time::Duration;

use super::{
    super::{
        Close,
        rule::{Page, Rewrite, What},
    },
    message::{Head, Length},
};

/// A request that is answered here and not passed on.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Status, fields and body.
    pub status: u16,
    /// More fields.
    pub fields: Vec<(&'static str, String)>,
    /// The body.
    pub page: Option<Page>,
    /// How much of the request's body is read first.
    pub read: u64,
    /// How the connection ends; `None` keeps it.
    pub close: Option<Close>,
}

/// What is done with one request.
#[derive(Debug, Default)]
pub struct Plan {
    /// It is answered here.
    pub own: Option<Own>,
    /// A limit on a body whose length is not said.
    pub limit: Option<(u64, Own)>,
    /// The registry gets an empty body.
    pub swallow: bool,
    /// The connection ends at once.
    pub cut_head: Option<Close>,
    /// The connection ends within the body.
    pub cut: Option<(u64, Close)>,
    /// The body stops within.
    pub stall: Option<(u64, bool)>,
    /// The answer is not passed on.
    pub lose: Option<Close>,
    /// Another answer is given.
    pub instead: Option<(u16, Page)>,
    /// A limit in time.
    pub time: Option<(Duration, u16)>,
    /// The answer's body breaks off.
    pub cut_answer: Option<(u64, Close)>,
    edits: Vec<What>,
}

impl Plan {
    /// What these rules make of a request with such a body.
    pub fn of(acting: Vec<What>, length: Length) -> Self {
        let mut plan = Self::default();
        for what in acting {
            plan.add(what, length);
        }
        plan
    }

    fn add(&mut self, what: What, length: Length) {
        match what {
            What::Answer { status, fields, page } => {
                self.own.get_or_insert(Own { status, fields, page: Some(page), read: u64::MAX, close: None });
            }
            What::Refuse { status, page, close } => {
                self.own.get_or_insert(Own { status, page: Some(page), close: Some(close), ..Own::default() });
            }
            What::LimitBody { limit, page, close, read } => {
                let own = Own { status: 413, page: Some(page), read, close: Some(close), ..Own::default() };
                match length {
                    Length::Sized(length) if length <= limit => {}
                    Length::Sized(_) => drop(self.own.get_or_insert(own)),
                    Length::Chunked | Length::UntilEnd => self.limit = Some((limit, own)),
                }
            }
            What::SwallowBody => self.swallow = true,
            What::CutHead(how) => self.cut_head = Some(how),
            What::CutBody(after, how) => self.cut = Some((after, how)),
            What::Stall(after, reads) => self.stall = Some((after, reads)),
            What::LoseAnswer(how) => self.lose = Some(how),
            What::AnswerAfter(status, page) => self.instead = Some((status, page)),
            What::Limit(time, status) => self.time = Some((time, status)),
            What::CutAnswer(after, how) => self.cut_answer = Some((after, how)),
            What::Status(_) | What::Remove(_) | What::Set(..) | What::Location(_) => self.edits.push(what),
        }
    }

    /// Changes the head of an answer.
    pub fn edit(&self, head: &mut Head) {
        for edit in &self.edits {
            match edit {
                What::Status(status) => head.start = format!("HTTP/1.1 {status} Changed"),
                What::Remove(name) => head.remove(name),
                What::Set(name, value) => {
                    head.remove(name);
                    head.fields.push(((*name).to_owned(), value.clone()));
                }
                What::Location(rewrite) => {
                    if let Some(location) = head.field("location").map(|location| rewrite.apply(location)) {
                        head.remove("location");
                        head.fields.push(("Location".to_owned(), location));
                    }
                }
                _ => {}
            }
        }
    }
}

impl Rewrite {
    fn apply(&self, location: &str) -> String {
        let Some((scheme, rest)) = location.split_once("://") else { return location.to_owned() };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        match self {
            Self::Scheme(other) => format!("{other}://{rest}"),
            Self::Host(other) => format!("{scheme}://{other}/{path}"),
            Self::NoPort => format!("{scheme}://{}/{path}", host.rsplit_once(':').map_or(host, |(name, _)| name)),
            Self::Relative => format!("/{path}"),
        }
    }
}
