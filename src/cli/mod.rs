//! The command line: flags and environment become settings, settings become work, and its end an exit code.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | all is done |
//! | 1 | it could not be done; the reason stands on standard error |
//! | 2 | what was given cannot be used: flags, files, credentials |
//! | 130, 143 | stopped by SIGINT (Ctrl-C) or SIGTERM: `publish`, `push` and `probe` take away what they began |

mod access;
mod api_server;
mod bar;
mod bounded;
mod documents;
mod limits;
mod lint;
mod plan;
mod probe;
mod publications;
mod publish;
mod published;
mod push;
mod run;
mod shown;
mod signals;
mod table;
mod unplanned;
mod unquoted;
mod watcher;

use std::process::ExitCode;

use chart_publisher::api;
use clap::{Parser, Subcommand};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// Blocking reads and writes of spool files, and parsing, at once.
const BLOCKING_THREADS: usize = 16;

/// Publishes Helm charts into the registries of a cluster, and proves that they arrived.
#[derive(Parser)]
#[command(version, about, max_term_width = 120)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the controller.
    Run(Box<run::Run>),
    /// Publish what the publications of files ask for, once: by the engine of the controller, with a cluster or without one.
    Publish(Box<publish::Publish>),
    /// Push one chart into one registry, and pull it back: by the engine of the controller, without a cluster.
    Push(Box<push::Push>),
    /// Try every method over every route to a registry, up and down, and say what is wrong.
    Probe(Box<probe::Probe>),
    /// Print what a run for the publications of a file would do, and why; nothing is written.
    Plan(Box<plan::Plan>),
    /// Say what is wrong with the publications of files: what the API server and a run would refuse, without asking either.
    Lint(lint::LintFiles),
    /// Print the custom resource definitions as YAML.
    Crd,
}

/// Reads the flags and does what they say.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Crd => print_crds(),
        Command::Run(run) => run::started(*run),
        Command::Publish(publish) => publish::published(&publish),
        Command::Push(push) => push::pushed(&push),
        Command::Probe(probe) => probe::probed(&probe),
        Command::Plan(plan) => plan::planned(&plan),
        Command::Lint(files) => lint::linted(&files),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            match error.downcast_ref::<signals::Stopped>() {
                Some(stopped) => ExitCode::from(stopped.code()),
                None if error.is::<Usage>() => ExitCode::from(2),
                None => ExitCode::FAILURE,
            }
        }
    }
}

/// What was given cannot be used: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// What was done could not be told.
#[derive(Debug, thiserror::Error)]
#[error("the result could not be written to standard output; what was asked for was done as far as it says above")]
struct Unprinted(#[source] std::io::Error);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The result in one of two forms.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Does `work` to its end.
fn carry_out(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    // kube finds the process's TLS provider here; our own connections name theirs.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

fn complain(error: &(dyn std::error::Error + 'static)) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.extend([": ".to_owned(), cause.to_string()]);
        source = cause.source();
    }
    note(&text);
}

/// Lines on standard error. Where nobody can be told, the exit code still tells.
fn note(text: &str) {
    use std::io::Write;
    let mut out = std::io::stderr().lock();
    for line in shown::printable(text).lines() {
        let _ = writeln!(out, "chart-publisher: {line}");
    }
}

/// A time to wait for something.
fn wait(text: &str) -> Result<std::time::Duration, String> {
    let span = chart_publisher::model::span(text).map_err(|error| error.to_string())?;
    if span.is_zero() { Err("nothing can be waited for in no time: give a longer one, for example `20s`".to_owned()) } else { Ok(span) }
}

/// For people: what an index or a registry says reaches the terminal without escapes.
fn print(text: &str) -> Result<(), Failure> {
    put(&shown::printable(text))
}

fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    put(&shown::json(value))
}

fn put(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    // A reader that has gone away is no reason to panic.
    Ok(writeln!(std::io::stdout().lock(), "{text}").map_err(Unprinted)?)
}

fn print_crds() -> Result<(), Failure> {
    use std::io::Write;
    let mut text = String::new();
    for crd in api::definitions() {
        text.extend(["---\n", &serde_saphyr::to_string(&crd)?]);
    }
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // Who reads no further has what he wanted.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// A word alone that is no level would be the name of a crate, and quietly log next to nothing.
fn check_level(filter: &str) -> Result<(), Usage> {
    let is_level = |word: &str| word.parse::<tracing::level_filters::LevelFilter>().is_ok();
    let is_path = |word: &str| word.contains(['=', ':', '[']);
    match filter.split(',').map(str::trim).find(|word| !is_level(word) && !is_path(word)) {
        Some(wrong) => {
            Err(Usage(format!("`--log-level`: `{wrong}` is no level: write off, error, warn, info, debug or trace, or TARGET=LEVEL")))
        }
        None => Ok(()),
    }
}

/// What the client of the API server says of a failed request is said by whoever asked, and better.
fn without_client(filter: &str) -> String {
    if filter.contains("kube_client") { filter.to_owned() } else { format!("{filter},kube_client::client::builder=off") }
}

fn log(format: run::LogFormat, filter: &str) -> Result<(), Failure> {
    check_level(filter)?;
    let filter = EnvFilter::try_new(without_client(filter)).map_err(|error| Usage(format!("`--log-level`: {error}")))?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        run::LogFormat::Text => registry.with(lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))).init(),
        run::LogFormat::Json => registry.with(lines.json().flatten_event(true)).init(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_level_or_is_named_for_a_part() {
        for good in ["info", "TRACE", "0", "warn,chart_publisher::net=debug", "chart_publisher=off", "chart_publisher::net"] {
            assert!(check_level(good).is_ok(), "{good}");
        }
        for wrong in ["foo", "info,foo", "inf"] {
            assert!(check_level(wrong).is_err_and(|error| error.0.contains("is no level")), "{wrong}");
        }
    }

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
