//! A key of gpg's that was made for one test, and its keyrings for Helm.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::installed::tool;

/// A key, in a home that lives as long as this value.
pub struct Signer {
    // The socket of gpg's agent must have a short path.
    home: tempfile::TempDir,
}

impl Signer {
    /// Makes the key of `signer`.
    pub fn new() -> Self {
        let signer = Self { home: tempfile::tempdir().unwrap() };
        signer.gpg(&["--passphrase", "", "--quick-generate-key", "signer <signer@charts.example>", "rsa2048", "sign", "never"]);
        signer.gpg(&["--output", &signer.keyring("secret"), "--export-secret-keys"]);
        signer.gpg(&["--output", &signer.keyring("public"), "--export"]);
        run(Command::new(tool("gpgconf")).arg("--homedir").arg(signer.home.path()).args(["--kill", "gpg-agent"]));
        signer
    }

    /// The file with the `secret` or `public` key.
    pub fn keyring(&self, kind: &str) -> String {
        self.home.path().join(kind).display().to_string()
    }

    fn gpg(&self, words: &[&str]) {
        let mut gpg = Command::new(tool("gpg"));
        gpg.arg("--homedir").arg(self.home.path()).arg("--agent-program").arg(tool("gpg-agent"));
        run(gpg.args(["--batch", "--quiet", "--no-tty"]).args(words));
    }
}

/// Pushes a chart, and the signature beside it, by the engine of this program.
pub fn push_by_us(chart: &Path, target: &str) {
    run(Command::new(env!("CARGO_BIN_EXE_chart-publisher")).arg("push").arg(chart).args([target, "--insecure"]));
}

/// The one archive in a folder.
pub fn archive_in(folder: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.find(|path| path.extension().is_some_and(|end| end == "tgz")).unwrap()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
