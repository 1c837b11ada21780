//! The loader of the real Helm: built once, asked in one process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

/// What it makes of an archive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Empty where it takes the archive.
    pub error: String,
    pub name: String,
    pub version: String,
    pub files: Option<Vec<String>>,
}

/// The program, and where it lies.
pub struct Loader {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Loader {
    pub fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("archives_like_helm");
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(&program).arg(".").current_dir(home());
        run(go.env("GOFLAGS", "").env("CGO_ENABLED", "0").stdin(Stdio::null()));
        Self { program, folder }
    }

    /// The version of Helm in our go.mod.
    pub fn pinned() -> String {
        let file = fs::read_to_string(home().join("go.mod")).unwrap();
        file.lines().find_map(|line| line.strip_prefix("require helm.sh/helm/v4 ")).unwrap().to_owned()
    }

    /// Its answers, in the order of the archives.
    pub fn ask<'a>(&self, archives: impl Iterator<Item = &'a [u8]>) -> Vec<Answer> {
        let mut paths = String::new();
        for (number, bytes) in archives.enumerate() {
            let path = self.folder.path().join(format!("{number}.tgz"));
            fs::write(&path, bytes).unwrap();
            paths += path.to_str().unwrap();
            paths.push('\n');
        }
        let list = self.folder.path().join("paths");
        fs::write(&list, &paths).unwrap();
        let output = run(Command::new(&self.program).stdin(fs::File::open(&list).unwrap()));
        let answers: Vec<Answer> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), paths.lines().count());
        answers
    }
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archives_like_helm")
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|problem| panic!("{command:?}: {problem}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
