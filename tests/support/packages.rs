//! Charts that helm packages for one test, and signatures that gpg makes for helm.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Bed;

/// Somebody with a key, which lives as long as this value.
pub struct Signer {
    bed: &'static Bed,
    home: tempfile::TempDir,
}

impl Signer {
    /// A chart that helm packages and signs; the signature lies beside it, as `.tgz.prov`.
    pub fn package(&self, name: &str, version: &str) -> PathBuf {
        let source = self.bed.chart_source(name);
        self.bed.package(&source, version, &["--sign", "--key", "signer", "--keyring", &self.file("secret")])
    }

    /// As `gpg --armor --export` gives it.
    pub fn public_key(&self) -> String {
        fs::read_to_string(self.file("public")).expect("a file of gpg's")
    }

    fn file(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    fn gpg(&self, words: &[&str]) {
        let (home, agent) = (self.home.path().display().to_string(), self.bed.tool("gpg-agent").display().to_string());
        let own = ["gpg", "--homedir", &home, "--agent-program", &agent, "--batch", "--quiet", "--no-tty"];
        self.bed.run_on_host(&[&own[..], words].concat()).expect_success();
    }
}

impl Bed {
    /// Versions of a chart, as helm makes and packages it.
    pub fn packages(&self, name: &str, versions: &[&str]) -> Vec<PathBuf> {
        let chart = self.chart_source(name);
        versions.iter().map(|version| self.package(&chart, version, &[])).collect()
    }

    /// A chart of at least so many MiB, of noise, which does not shrink. Helm takes no file above 5 MiB.
    pub fn noisy_package(&self, name: &str, mebibytes: usize) -> PathBuf {
        let chart = self.chart_source(name);
        let files = chart.join("files");
        fs::create_dir_all(&files).expect("a folder in the bed's");
        let mut noise = vec![0; 4 << 20];
        for number in 0..=mebibytes / 4 {
            fastrand::fill(&mut noise);
            fs::write(files.join(format!("{number}.bin")), &noise).expect("a file in the bed's folder");
        }
        self.package(&chart, "1.0.0", &[])
    }

    /// A chart that helm packaged and signed with a key made for it; the signature lies beside it, as `.tgz.prov`.
    pub fn signed_package(&'static self, name: &str, version: &str) -> PathBuf {
        self.signer("rsa2048").package(name, version)
    }

    /// Somebody with a key of gpg's, of this algorithm.
    pub fn signer(&'static self, algorithm: &str) -> Signer {
        // The socket of gpg's agent must have a short path.
        let home = tempfile::tempdir().expect("a folder");
        let signer = Signer { bed: self, home };
        signer.gpg(&["--passphrase", "", "--quick-generate-key", "signer <signer@charts.example>", algorithm, "sign", "never"]);
        signer.gpg(&["--output", &signer.file("secret"), "--export-secret-keys"]);
        signer.gpg(&["--armor", "--output", &signer.file("public"), "--export"]);
        let home = signer.home.path().display().to_string();
        self.run_on_host(&["gpgconf", "--homedir", &home, "--kill", "gpg-agent"]).expect_success();
        signer
    }

    fn chart_source(&self, name: &str) -> PathBuf {
        let chart = self.folder("chart-sources").join(name);
        self.run_on_host(&["helm", "create", &chart.display().to_string()]).expect_success();
        chart
    }

    fn package(&self, chart: &Path, version: &str, flags: &[&str]) -> PathBuf {
        let name = chart.file_name().expect("a chart has a name").display();
        let (source, folder) = (chart.display().to_string(), self.folder("packaged"));
        let words = ["helm", "package", &source, "--version", version, "--destination", &folder.display().to_string()];
        self.run_on_host(&[&words[..], flags].concat()).expect_success();
        folder.join(format!("{name}-{version}.tgz"))
    }
}
