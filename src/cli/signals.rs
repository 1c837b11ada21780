//! Ctrl-C and SIGTERM: a command ends what it does, takes away what it began, says so, and ends with the exit code of the signal.

use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// Both of them, caught from now on.
pub(super) struct Signals {
    interrupt: Listener,
    terminate: Listener,
}

/// What asks a command to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// A command was stopped, and what became of what it had begun.
#[derive(Debug, thiserror::Error)]
#[error("stopped by {}: {told}", .signal.name())]
pub(super) struct Stopped {
    signal: Signal,
    told: String,
}

impl Signals {
    /// Needs a runtime.
    pub(super) fn caught() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

impl Stopped {
    /// It was asked once, and `told` says what was taken away.
    pub(super) fn with(signal: Signal, told: String) -> Self {
        Self { signal, told }
    }

    /// It was asked again, and did not wait any longer.
    pub(super) fn at_once(signal: Signal) -> Self {
        let told = "asked twice, so that what was begun in the registry may be left there; the registry forgets open uploads by itself";
        Self { signal, told: told.to_owned() }
    }

    /// As shells have it: 128 and the number of the signal.
    pub(super) fn code(&self) -> u8 {
        match self.signal {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_named_with_its_exit_code() {
        for (signal, name, code) in [(Signal::Interrupt, "SIGINT", 130), (Signal::Terminate, "SIGTERM", 143)] {
            let stopped = Stopped::with(signal, "all is well".to_owned());
            assert_eq!((stopped.to_string(), stopped.code()), (format!("stopped by {name}: all is well"), code));
        }
    }
}
