//! The real library: built once, asked in one process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;

const MODULE: &str = "github.com/Masterminds/semver/v3";

/// What it says; nothing of what was not asked.
#[expect(clippy::struct_excessive_bools, reason = "each is a verdict")]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    pub read: bool,
    pub version: bool,
    pub strict: bool,
    pub if_named: bool,
    pub always: bool,
    pub order: i32,
    #[serde(default)]
    pub sorted: Vec<String>,
    pub is_sorted: bool,
    pub comparable: bool,
}

/// The program, and where it lies.
pub struct Library {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Library {
    pub fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("like_masterminds");
        go(&["build", "-o", program.to_str().unwrap(), "."]);
        Self { program, folder }
    }

    /// The version in our go.mod.
    pub fn pinned() -> String {
        required(&fs::read_to_string(home().join("go.mod")).unwrap())
    }

    /// The Helm that `tests/tools/install.sh` builds under this variable, and the version in its go.mod.
    pub fn of_helm(variable: &str) -> (String, String) {
        let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/install.sh")).unwrap();
        let version = script.lines().find_map(|line| line.strip_prefix(variable)?.strip_prefix('=')).unwrap();
        let major = version.split('.').next().unwrap();
        let helm = format!("helm.sh/helm/{major}@{version}");
        let file = go(&["list", "-m", "-f", "{{.GoMod}}", &helm]);
        (helm, required(&fs::read_to_string(file.trim()).unwrap()))
    }

    /// The strings of the tables in the library's tests.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let sources = go(&["list", "-m", "-f", "{{.Dir}}", MODULE]);
        let mut command = Command::new(&self.program);
        command.arg(sources.trim());
        run(&mut command).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Its answers, in the order of the questions.
    pub fn ask(&self, questions: impl Iterator<Item = Value>) -> Vec<Answer> {
        let lines: Vec<String> = questions.map(|question| question.to_string()).collect();
        let file = self.folder.path().join("questions");
        fs::write(&file, lines.join("\n")).unwrap();
        let output = run(Command::new(&self.program).stdin(fs::File::open(&file).unwrap()));
        let answers: Vec<Answer> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), lines.len());
        answers
    }
}

fn required(file: &str) -> String {
    let line = file.lines().find(|line| line.contains(MODULE)).unwrap_or_else(|| panic!("no {MODULE}: {file}"));
    line.split_whitespace().last().unwrap().to_owned()
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/like_masterminds")
}

fn go(words: &[&str]) -> String {
    run(Command::new("go").args(words).current_dir(home()).env("GOFLAGS", "").env("CGO_ENABLED", "0").stdin(Stdio::null()))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|problem| panic!("{command:?}: {problem}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
