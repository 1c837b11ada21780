//! Charts that helm packages for one test, and signatures that gpg makes for helm.

use std::path::{Path, PathBuf};

use super::Bed;

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
        std::fs::create_dir_all(&files).expect("a folder in the bed's");
        let mut noise = vec![0; 4 << 20];
        for number in 0..=mebibytes / 4 {
            fastrand::fill(&mut noise);
            std::fs::write(files.join(format!("{number}.bin")), &noise).expect("a file in the bed's folder");
        }
        self.package(&chart, "1.0.0", &[])
    }

    /// A chart that helm packaged and signed with a key made for it; the signature lies beside it, as `.tgz.prov`.
    pub fn signed_package(&self, name: &str, version: &str) -> PathBuf {
        // The socket of gpg's agent must have a short path.
        let home = tempfile::tempdir().expect("a folder");
        let home = home.path();
        let gpg = |words: &[&str]| {
            let (home, agent) = (home.display().to_string(), self.tool("gpg-agent").display().to_string());
            let own = ["gpg", "--homedir", &home, "--agent-program", &agent, "--batch", "--quiet", "--no-tty"];
            self.run_on_host(&[&own[..], words].concat()).expect_success();
        };
        let keys = home.join("keys").display().to_string();
        gpg(&["--passphrase", "", "--quick-generate-key", "signer <signer@charts.example>", "rsa2048", "sign", "never"]);
        gpg(&["--output", &keys, "--export-secret-keys"]);
        self.run_on_host(&["gpgconf", "--homedir", &home.display().to_string(), "--kill", "gpg-agent"]).expect_success();
        self.package(&self.chart_source(name), version, &["--sign", "--key", "signer", "--keyring", &keys])
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
