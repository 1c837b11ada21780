//! The text of an index without the versions of charts that nobody wants, so that the parser need not read them.
//!
//! In: the bytes of an index in YAML, and what is wanted of it. Out: the same bytes, where lines of charts that are not wanted are empty.
//! Only items are left out of which it is certain that the parser would take them and that nothing else refers to them ([`super::block`]);
//! with the first line that is not certain, all that follows is handed on as it is. So the verdict is that on the whole text, and errors
//! name the same lines.

use std::io::{self, BufRead, BufReader, Read};

use super::{
    Wishes,
    block::{Item, indented, is_item, is_member_with_value, key_alone},
};
use crate::chart::value::{Value, resolve};

/// Bytes of one item; a larger one is handed on.
const LARGEST: usize = 64 * 1024;

/// A reader of what is left.
pub(super) struct Abridged<'w, R> {
    inner: BufReader<R>,
    wanted: &'w Wishes,
    place: Place,
    /// What is handed on, and how much of it was.
    ready: Vec<u8>,
    taken: usize,
    /// The lines of an item that has not ended.
    held: Vec<u8>,
    /// How many these are.
    lines: usize,
    /// What came of reading, once nothing is held any more.
    failure: Option<io::Error>,
}

/// Where in the index the next line stands.
enum Place {
    /// Before its charts.
    Before,
    /// Among its charts, where their names are indented so.
    Charts(Option<usize>),
    /// Among the versions of one.
    Chart(Chart),
    /// Where nothing is certain any more.
    Anywhere,
}

/// A chart whose versions follow.
struct Chart {
    /// Of its name.
    indent: usize,
    is_wanted: bool,
    /// Of its versions.
    list: Option<usize>,
    item: Option<Item>,
}

impl<'w, R: Read> Abridged<'w, R> {
    pub(super) fn new(reader: R, wanted: &'w Wishes) -> Self {
        Self {
            inner: BufReader::with_capacity(LARGEST, reader),
            wanted,
            place: Place::Before,
            ready: Vec::new(),
            taken: 0,
            held: Vec::new(),
            lines: 0,
            failure: None,
        }
    }

    /// Reads on until something is ready, or all is read.
    fn fill(&mut self) {
        self.ready.clear();
        self.taken = 0;
        let mut line = Vec::new();
        while self.ready.is_empty() && !matches!(self.place, Place::Anywhere) {
            line.clear();
            let read = Read::by_ref(&mut self.inner).take(LARGEST as u64).read_until(b'\n', &mut line);
            // The end, a line without one, or a failure: what is held goes before it.
            match (read, line.split_last()) {
                (Ok(_), Some((b'\n', text))) => self.line(&line, text),
                (read, _) => {
                    self.failure = read.err();
                    self.give_up(&line);
                }
            }
        }
    }

    /// Takes a line; `text` is without its end.
    fn line(&mut self, line: &[u8], text: &[u8]) {
        let is_certain = match &self.place {
            Place::Before => self.before(line, text),
            Place::Charts(indent) => self.name(*indent, line, text),
            Place::Chart(_) => self.version(line, text),
            Place::Anywhere => false,
        };
        if !is_certain {
            self.give_up(line);
        }
    }

    fn before(&mut self, line: &[u8], text: &[u8]) -> bool {
        let is_entries = text == b"entries:";
        if is_entries {
            self.place = Place::Charts(None);
        } else if !is_member_with_value(text) {
            return false;
        }
        self.ready.extend_from_slice(line);
        true
    }

    /// The name of a chart, at the indent of those before it.
    fn name(&mut self, names: Option<usize>, line: &[u8], text: &[u8]) -> bool {
        let (indent, name) = indented(text);
        let Some(name) = key_alone(name).filter(|_| indent > 0 && names.is_none_or(|names| names == indent)) else { return false };
        // What YAML takes for a number or a boolean is spelt in another way.
        let is_wanted = match resolve(name, true, None) {
            Some(Value::Text(name)) => self.wanted.has(&name),
            _ => true,
        };
        self.ready.extend_from_slice(line);
        self.place = Place::Chart(Chart { indent, is_wanted, list: None, item: None });
        true
    }

    /// A line of a version, or the name of the next chart.
    fn version(&mut self, line: &[u8], text: &[u8]) -> bool {
        let Place::Chart(chart) = &mut self.place else { return false };
        let (indent, begin) = indented(text);
        let may_end = chart.item.as_ref().is_none_or(Item::may_end) && !begin.is_empty();
        let is_next = is_item(begin) && chart.list.map_or(indent >= chart.indent, |list| list == indent);
        if may_end && is_next {
            let Some(item) = Item::begin(indent, begin) else { return false };
            (chart.list, chart.item) = (Some(indent), Some(item));
            self.ended();
        } else if may_end && indent == chart.indent && !is_item(begin) {
            if key_alone(begin).is_none() {
                return false;
            }
            self.ended();
            return self.name(Some(indent), line, text);
        } else if !chart.item.as_mut().is_some_and(|item| item.take(text)) {
            return false;
        }
        if self.held.len() + line.len() > LARGEST {
            return false;
        }
        self.held.extend_from_slice(line);
        self.lines += 1;
        true
    }

    /// What is held is whole.
    fn ended(&mut self) {
        let is_wanted = matches!(&self.place, Place::Chart(Chart { is_wanted: true, .. }));
        if is_wanted {
            self.ready.append(&mut self.held);
        } else {
            self.ready.extend(std::iter::repeat_n(b'\n', self.lines));
            self.held.clear();
        }
        self.lines = 0;
    }

    /// From here on all is handed on.
    fn give_up(&mut self, line: &[u8]) {
        self.ready.append(&mut self.held);
        self.ready.extend_from_slice(line);
        self.place = Place::Anywhere;
    }
}

impl<R: Read> Read for Abridged<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.fill();
        }
        let mut rest = self.ready.get(self.taken..).unwrap_or_default();
        if rest.is_empty() {
            return match self.failure.take() {
                Some(error) => Err(error),
                None => self.inner.read(buffer),
            };
        }
        let count = rest.read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
