//! Finds the real programs (`tests/tools/install.sh`) and runs those that end on their own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Outcome, information::Mode};

/// Prepares the programs and gives the folder that they lie in. Takes a second when they are there, many minutes the first time.
pub fn directory(mode: Mode) -> Outcome<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/install.sh");
    let flag = (mode == Mode::Pods).then_some("--pods");
    let output = Command::new(script).args(flag).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the programs of the test bed could not be prepared".into());
    }
    let last = String::from_utf8(output.stdout)?.lines().last().map(PathBuf::from);
    last.ok_or_else(|| "tests/tools/install.sh printed no folder".into())
}

/// Runs a command to its end; gives its standard output, or an error with what it complained about.
pub fn run(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|problem| format!("{command:?}: {problem}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `ip` with the words of `line`.
pub fn ip(tools: &Path, line: &str) -> Outcome<String> {
    let mut command = Command::new(tools.join("ip"));
    command.args(line.split_whitespace());
    run(&mut command)
}
