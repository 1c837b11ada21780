//! A progress bar on a terminal, and nothing elsewhere: of one body, or of many charts.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use chart_publisher::net::Transport;

const WIDTH: usize = 30;
const NARROW: usize = 20;
const LONGEST: usize = 79;
const BETWEEN: Duration = Duration::from_millis(100);

/// Draws how much of `total` bytes went out, until it is dropped.
pub(super) struct Bar(Option<tokio::task::JoinHandle<()>>);

impl Bar {
    /// On a terminal only.
    pub(super) fn start(label: &str, transport: &Transport, total: u64) -> Self {
        let (label, transport) = (label.to_owned(), transport.clone());
        Self::showing(move || line(&label, transport.sent(), total))
    }

    /// Draws what `line` says, until it is dropped. On a terminal only.
    pub(super) fn showing(line: impl Fn() -> String + Send + 'static) -> Self {
        if !is_shown() {
            return Self(None);
        }
        Self(Some(tokio::spawn(async move {
            loop {
                draw(&line());
                tokio::time::sleep(BETWEEN).await;
            }
        })))
    }
}

/// Whether there is a terminal.
pub(super) fn is_shown() -> bool {
    std::io::stderr().is_terminal()
}

/// One line for many charts: how many of them are done, and what is under way. No longer than a narrow terminal.
pub(super) fn many(done: usize, total: usize, under_way: &str) -> String {
    let filled = (done.saturating_mul(NARROW) / total.max(1)).min(NARROW);
    let line = format!("[{}{}] {done}/{total} {under_way}", "#".repeat(filled), " ".repeat(NARROW.saturating_sub(filled)));
    let clipped: String = if line.chars().count() > LONGEST { line.chars().take(LONGEST - 1).chain(['…']).collect() } else { line };
    format!("\r{clipped}\x1b[K")
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
            erase();
        }
    }
}

/// Makes room for a line of words. A bar that goes on is drawn again below it.
pub(super) fn erase() {
    if is_shown() {
        draw("\r\x1b[K");
    }
}

fn draw(line: &str) {
    let mut out = std::io::stderr().lock();
    // A terminal that is gone is no reason to stop.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

fn line(label: &str, sent: u64, total: u64) -> String {
    let done = sent.min(total);
    let filled = usize::try_from(done.saturating_mul(WIDTH as u64) / total.max(1)).unwrap_or(WIDTH);
    let percent = done.saturating_mul(100) / total.max(1);
    format!("\r{label} [{}{}] {percent:3} %", "#".repeat(filled), " ".repeat(WIDTH.saturating_sub(filled)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_never_longer_than_itself() {
        assert_eq!(line("x", 0, 100), format!("\rx [{}]   0 %", " ".repeat(30)));
        assert_eq!(line("x", 250, 100), format!("\rx [{}] 100 %", "#".repeat(30)));
        assert_eq!(line("x", 0, 0), format!("\rx [{}]   0 %", " ".repeat(30)));
    }

    #[test]
    fn a_line_for_many_fits_into_a_narrow_terminal() {
        assert_eq!(many(0, 0, "x"), format!("\r[{}] 0/0 x\x1b[K", " ".repeat(20)));
        assert_eq!(many(1, 2, "x"), format!("\r[{}{}] 1/2 x\x1b[K", "#".repeat(10), " ".repeat(10)));
        assert_eq!(many(9, 2, ""), format!("\r[{}] 9/2 \x1b[K", "#".repeat(20)));
        let long = many(1, 1, &"ä".repeat(200));
        assert_eq!(long.chars().count(), 1 + 79 + 3);
        assert!(long.ends_with("ä…\x1b[K"), "{long}");
    }
}
