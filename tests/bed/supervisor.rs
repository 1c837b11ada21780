//! The supervisor of the test bed: brings a real control plane up, with root also a node, and takes it down again.
//!
//! ```text
//! bed up [--mode loopback|control-plane|node|pods] [--keep-in-foreground]
//! ```
//!
//! Once everything answers, one line of JSON ([`information::BedInformation`]) goes to standard output. The bed lives until
//! standard input closes (or, with `--keep-in-foreground`, until SIGINT or SIGTERM), so it cannot outlive the process that wanted it.
//! SIGUSR1 has it kill the API server and start another one; once that answers, the file `restarts` of the bed is a line longer.
//!
//! *Invariant:* whatever it started, mounted or created is gone when it ends, also when the start fails half-way. What a killed
//! supervisor could not remove, the next one removes ([`leftovers`]).

pub mod authority;
pub mod charts;
pub mod container_runtime;
pub mod control_groups;
pub mod control_plane;
pub mod enclosure;
pub mod forwarder;
pub mod image;
pub mod information;
pub mod kubelet;
pub mod leftovers;
pub mod network;
pub mod node;
pub mod process;
pub mod state;
pub mod tools;

use std::{error::Error, io::Read, process::ExitCode, time::Instant};

use information::Mode;
use state::Bed;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

/// What a step of the supervisor ends with.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let wish = match Wish::from_arguments(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(problem) => return fail(&problem),
    };
    match supervise(wish).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&problem.to_string()),
    }
}

/// What the command line asks for.
struct Wish {
    mode: Mode,
    foreground: bool,
}

impl Wish {
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        if arguments.next().as_deref() != Some("up") {
            return Err("usage: bed up [--mode loopback|control-plane|node|pods] [--keep-in-foreground]".to_owned());
        }
        let mut wish = Self { mode: Mode::usual(), foreground: false };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--keep-in-foreground" => wish.foreground = true,
                "--mode" => wish.mode = arguments.next().unwrap_or_default().parse()?,
                other => return Err(format!("unknown argument `{other}`")),
            }
        }
        if wish.mode.has_nodes() && !Mode::usual().has_nodes() {
            return Err("nodes are network namespaces, which need root; without root there is `--mode control-plane`".to_owned());
        }
        Ok(wish)
    }
}

async fn supervise(wish: Wish) -> Outcome<()> {
    let begin = Instant::now();
    let mut ends = End::watch(wish.foreground)?;
    let tools = tools::directory(wish.mode)?;
    let exclusive = leftovers::exclusive(&tools)?;
    leftovers::remove(&tools);
    let mut bed = Bed::create(wish.mode, tools)?;
    drop(exclusive);
    let outcome = tokio::select! {
        started = start(&mut bed, wish.foreground) => started,
        () = ends.reached() => Err("asked to end before the bed was up".into()),
    };
    let outcome = match outcome {
        Ok(()) => {
            say(&format!("up after {:.1} s, state in {}", begin.elapsed().as_secs_f64(), bed.state().display()));
            serve(&mut bed, &wish, &mut ends).await
        }
        Err(problem) => Err(problem),
    };
    bed.take_down();
    outcome
}

/// Lets the bed live until its end is reached; at each SIGUSR1 the API server is killed and started anew.
async fn serve(bed: &mut Bed, wish: &Wish, ends: &mut End) -> Outcome<()> {
    let mut restarts = signal(SignalKind::user_defined1())?;
    announce(&bed.information(), wish.foreground)?;
    loop {
        tokio::select! {
            () = ends.reached() => return Ok(()),
            _ = restarts.recv() => control_plane::restart_api_server(bed).await?,
        }
    }
}

async fn start(bed: &mut Bed, foreground: bool) -> Outcome<()> {
    if bed.mode() == Mode::Loopback {
        return charts::package(bed).await;
    }
    if bed.mode().has_nodes() {
        node::create_networks(bed)?;
    }
    control_plane::start(bed)?;
    if bed.mode() == Mode::Pods {
        container_runtime::start(bed).await?;
        container_runtime::import_images(bed).await?;
    }
    charts::package(bed).await?;
    control_plane::wait_until_ready(bed).await?;
    if bed.mode().has_nodes() {
        node::join(bed).await?;
    }
    if bed.mode() == Mode::Pods {
        kubelet::join(bed).await?;
        if foreground {
            container_runtime::import_controller(bed).await?;
        }
    }
    control_plane::wait_for_controllers(bed).await
}

#[expect(clippy::print_stdout, reason = "the announcement is the supervisor's product")]
fn announce(information: &information::BedInformation, foreground: bool) -> Outcome<()> {
    if foreground {
        println!("{}", information.instructions());
    } else {
        println!("{}", serde_json::to_string(information)?);
    }
    Ok(())
}

/// A line for the person who watches.
#[expect(clippy::print_stderr, reason = "progress of a command line program")]
pub fn say(line: &str) {
    eprintln!("bed: {line}");
}

fn fail(problem: &str) -> ExitCode {
    say(problem);
    ExitCode::FAILURE
}

/// The ways in which the supervisor is told to end.
struct End {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    closed: Option<oneshot::Receiver<()>>,
}

impl End {
    fn watch(foreground: bool) -> Outcome<Self> {
        let closed = (!foreground).then(standard_input_closes);
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, closed })
    }

    async fn reached(&mut self) {
        let closed = async {
            match &mut self.closed {
                Some(closed) => drop(closed.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = closed => {}
        }
    }
}

fn standard_input_closes() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0; 256];
        while matches!(std::io::stdin().read(&mut ignored), Ok(length) if length > 0) {}
        drop(sender);
    });
    receiver
}
