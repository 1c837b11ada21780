//! All that a bed owns: its folder, processes, network namespaces, enclosure. It is filled while the bed starts and emptied when it ends.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    Outcome, control_groups,
    enclosure::Enclosure,
    information::{BedInformation, Mode, Networks},
    leftovers,
    process::{self, Launch, Process},
    say,
};

/// What the supervisor has made so far.
pub struct Bed {
    mode: Mode,
    tools: PathBuf,
    state: PathBuf,
    processes: Vec<Process>,
    networks: Option<Networks>,
    holder: Option<Process>,
    /// Held as long as this process lives: a folder whose lock is free belongs to nobody.
    _lock: File,
}

impl Bed {
    /// Makes the folder of the bed, beside the programs and so on a real disk.
    pub fn create(mode: Mode, tools: PathBuf) -> Outcome<Self> {
        let state = leftovers::directory(&tools).join(leftovers::name(std::process::id()));
        fs::create_dir_all(state.join("logs"))?;
        let lock = File::create(state.join("lock"))?;
        lock.try_lock().map_err(|problem| format!("{}: {problem}", state.display()))?;
        Ok(Self { mode, tools, state, processes: Vec::new(), networks: None, holder: None, _lock: lock })
    }

    /// How much of a cluster it is to be.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The folder of the programs.
    pub fn tools(&self) -> &Path {
        &self.tools
    }

    /// The folder of this bed.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// A file or folder of this bed.
    pub fn path(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    /// The network namespaces, once there are any.
    pub fn networks(&self) -> Option<&Networks> {
        self.networks.as_ref()
    }

    /// Takes the ownership of network namespaces; said before they are made, so that a failure half-way leaves none.
    pub fn own_networks(&mut self, networks: Networks) {
        self.networks = Some(networks);
    }

    /// Where containers run, once there is such a place.
    pub fn enclosure(&self) -> Option<Enclosure> {
        let holder = self.holder.as_ref()?.id();
        Some(Enclosure { holder, network: self.networks.as_ref()?.node.clone() })
    }

    /// Takes the ownership of the process that holds the enclosure.
    pub fn own_enclosure(&mut self, holder: Process) {
        self.holder = Some(holder);
    }

    /// Starts a program of the tools in a namespace and owns it.
    pub fn start(&mut self, program: &str, log: &str, namespace: Option<&str>, arguments: &[String]) -> Outcome<()> {
        let launch = Launch::new(self.tools.join(program), self.path("logs").join(log)).arguments(arguments).namespace(namespace);
        self.launch(program, launch)
    }

    /// Starts a program of the tools in the enclosure and owns it.
    pub fn start_enclosed(&mut self, program: &str, arguments: &[String]) -> Outcome<()> {
        let enclosure = self.enclosure().ok_or("there is no enclosure yet")?;
        let launch = Launch::new("nsenter", self.path("logs").join(format!("{program}.log"))).called(program);
        let launch = launch.arguments(enclosure.arguments()).arguments([self.tools.join(program)]).arguments(arguments);
        self.launch(program, launch)
    }

    fn launch(&mut self, program: &str, launch: Launch) -> Outcome<()> {
        let path = format!("{}:{}", self.tools.display(), std::env::var_os("PATH").unwrap_or_default().display());
        let process = launch.environment("PATH", path).start().map_err(|problem| format!("`{program}`: {problem}"))?;
        self.processes.push(process);
        Ok(())
    }

    /// Kills a program that was started, and waits for its end.
    pub fn kill(&mut self, program: &str) {
        self.processes.retain(|process| process.name() != program);
    }

    /// Fails when a program has ended on its own.
    pub fn everything_runs(&mut self) -> Outcome<()> {
        Ok(self.processes.iter_mut().chain(&mut self.holder).try_for_each(Process::still_runs)?)
    }

    /// What its users need to know.
    pub fn information(&self) -> BedInformation {
        BedInformation {
            mode: self.mode,
            supervisor: std::process::id(),
            state: self.state.clone(),
            tools: self.tools.clone(),
            kubeconfig: self.path("kubeconfig"),
            inner_kubeconfig: self.path("inner.kubeconfig"),
            charts: self.path("charts"),
            networks: self.networks.clone(),
            enclosure: self.enclosure(),
        }
    }

    /// Ends and removes everything. Goes on where one part fails: the rest must go too.
    pub fn take_down(mut self) {
        self.end_enclosure();
        for process in &mut self.processes {
            process.signal(Signal::TERM);
        }
        let end = Instant::now() + Duration::from_secs(3);
        for process in &mut self.processes {
            process.wait(end.saturating_duration_since(Instant::now()));
        }
        // Dropping kills what is left.
        while let Some(process) = self.processes.pop() {
            drop(process);
        }
        if self.mode.has_nodes() {
            leftovers::remove_networks(&self.tools, std::process::id());
            control_groups::remove(&leftovers::name(std::process::id()));
        }
        match fs::remove_dir_all(&self.state) {
            Ok(()) => say("everything is gone"),
            Err(problem) => say(&format!("{} is left: {problem}", self.state.display())),
        }
    }

    /// Kills the first process of the enclosure: with it the kernel kills all others there, and only then the holder ends.
    fn end_enclosure(&mut self) {
        let Some(mut holder) = self.holder.take() else { return };
        process::children(holder.id()).into_iter().for_each(process::kill);
        holder.wait(Duration::from_secs(5));
    }
}
