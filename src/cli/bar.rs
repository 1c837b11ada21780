//! A progress bar on a terminal, and nothing elsewhere.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use chart_publisher::net::Transport;

const WIDTH: usize = 30;
const BETWEEN: Duration = Duration::from_millis(100);

/// Draws how much of `total` bytes went out, until it is dropped.
pub(super) struct Bar(Option<tokio::task::JoinHandle<()>>);

impl Bar {
    /// On a terminal only.
    pub(super) fn start(label: &str, transport: &Transport, total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let (label, transport) = (label.to_owned(), transport.clone());
        Self(Some(tokio::spawn(async move {
            loop {
                draw(&line(&label, transport.sent(), total));
                tokio::time::sleep(BETWEEN).await;
            }
        })))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
            draw("\r\x1b[K");
        }
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
}
