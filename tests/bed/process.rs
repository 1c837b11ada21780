//! Child processes that do not outlive whoever started them. Shared by the supervisor and by the tests.
//!
//! *Invariant:* a child is ended by the id that was kept, never by name. It is also ended by the kernel when this process dies
//! (`setpriv --pdeathsig`). The kernel binds that to the *thread* that forked, so one thread that never ends forks them all.

use std::{
    ffi::{OsStr, OsString},
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

/// A program with its arguments, and where it is to run.
#[derive(Debug)]
#[must_use]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    namespace: Option<String>,
    name: Option<String>,
    log: PathBuf,
    separate_errors: bool,
    volume: Option<(PathBuf, &'static str)>,
}

impl Launch {
    /// A program whose two outputs are appended to the file `log`.
    pub fn new(program: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            namespace: None,
            name: None,
            log: log.into(),
            separate_errors: false,
            volume: None,
        }
    }

    /// Adds arguments.
    pub fn arguments<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets a variable of its environment.
    pub fn environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs it in a network namespace; `None` is the namespace of this process.
    pub fn namespace(mut self, namespace: Option<&str>) -> Self {
        self.namespace = namespace.map(str::to_owned);
        self
    }

    /// Calls it by another name than its program's: that of what a program as `nsenter` starts.
    pub fn called(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Standard error goes to a file of its own, `LOG.errors`.
    pub fn separate_errors(mut self) -> Self {
        self.separate_errors = true;
        self
    }

    /// Has it see a file system in memory at this folder, which goes with it: `options` as `mount -o` takes them, such as `size=64k`.
    /// Only root can.
    pub fn volume(mut self, folder: impl Into<PathBuf>, options: &'static str) -> Self {
        self.volume = Some((folder.into(), options));
        self
    }

    /// Starts it.
    pub fn start(self) -> io::Result<Process> {
        let program = self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy().into_owned();
        let name = self.name.unwrap_or(program);
        let log = self.log.clone();
        let errors = if self.separate_errors { with_suffix(&log, ".errors") } else { log.clone() };
        let mut command = enter(self.namespace.as_deref(), &["setpriv", "--pdeathsig", "KILL", "--"]);
        if let Some((folder, options)) = &self.volume {
            // In a mount namespace that ends with it, and as the same process.
            let mount = "mount -t tmpfs -o \"$1\" tmpfs \"$0\" && shift && exec \"$@\"";
            command.args(["unshare", "--mount", "--", "sh", "-c", mount]).arg(folder).arg(options);
        }
        command.arg(&self.program).args(&self.arguments).envs(self.environment);
        command.stdin(Stdio::null()).stdout(append(&log)?).stderr(append(&errors)?);
        let child = fork(command)?;
        Ok(Process { name, child, errors, ended: None })
    }
}

/// A command that runs `words` in a network namespace, and is that program itself: no process stands in between.
///
/// `ip netns exec` also shows it the namespace's own `/etc/hosts`, in a mount namespace that ends with it.
pub fn enter(namespace: Option<&str>, words: &[&str]) -> Command {
    let entered = namespace.map_or(Vec::new(), |name| vec!["ip", "netns", "exec", name]);
    let mut all = entered.iter().chain(words);
    let mut command = Command::new(all.next().unwrap_or(&"true"));
    command.args(all);
    command
}

/// Kills a process that is not ours and waits for its end, no longer than five seconds.
pub fn kill(id: u32) {
    let Some(id) = Pid::from_raw(id.cast_signed()) else { return };
    let Ok(watched) = pidfd_open(id, PidfdFlags::empty()) else { return };
    let _ = kill_process(id, Signal::KILL);
    let _ = poll(&mut [PollFd::new(&watched, PollFlags::IN)], Some(&Timespec { tv_sec: 5, tv_nsec: 0 }));
}

/// The processes that `parent` has forked.
pub fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

fn parent_of(id: u32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn append(path: &Path) -> io::Result<Stdio> {
    Ok(OpenOptions::new().create(true).append(true).open(path)?.into())
}

type Answer = Sender<io::Result<Child>>;

/// Forks in the one thread that lives as long as this process.
pub fn fork(command: Command) -> io::Result<Child> {
    static FORKER: OnceLock<Sender<(Command, Answer)>> = OnceLock::new();
    let forker = FORKER.get_or_init(|| {
        let (sender, orders) = channel::<(Command, Answer)>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    let (answer, child) = channel();
    forker.send((command, answer)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    errors: PathBuf,
    ended: Option<ExitStatus>,
}

impl Process {
    /// The name of the program.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails with the end of what it wrote when it has ended on its own.
    pub fn still_runs(&mut self) -> Result<(), String> {
        let Ok(Some(status)) = self.child.try_wait() else { return Ok(()) };
        self.ended = Some(status);
        let written = std::fs::read_to_string(&self.errors).unwrap_or_default();
        let tail: Vec<_> = written.lines().rev().take(8).map(|line| line.chars().take(400).collect::<String>()).collect();
        let tail: Vec<_> = tail.into_iter().rev().collect();
        Err(format!("`{}` ended with {status}; the end of {}:\n{}", self.name, self.errors.display(), tail.join("\n")))
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended.is_none() {
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
    }

    /// Waits for its end, no longer than `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        if self.ended.is_none() {
            let watched = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()).ok()?;
            let _ = poll(&mut [PollFd::new(&watched, PollFlags::IN)], Timespec::try_from(limit).ok().as_ref());
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Asks it to end, and kills it when it has not ended within `grace`. Gives the exit status and how long it took.
    pub fn stop(&mut self, grace: Duration) -> (Option<ExitStatus>, Duration) {
        let begin = Instant::now();
        self.signal(Signal::TERM);
        if self.wait(grace).is_none() {
            self.signal(Signal::KILL);
            self.wait(Duration::from_secs(5));
        }
        (self.ended, begin.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.wait(Duration::from_secs(5));
    }
}
