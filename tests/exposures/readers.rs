//! The readers of a registry: helm, crane and oras pull what was published, with a Pod's view, from the address that the status names.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use chart_publisher::model::Digest;
use serde_json::json;

use super::support::Bed;

/// A chart of the Helm repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Its name.
    pub name: &'static str,
    /// Its newest version.
    pub version: &'static str,
}

/// Some kilobytes.
pub const SMALL: Chart = Chart { name: "small", version: "1.2.3+4" };
/// 6 MB.
pub const LARGE: Chart = Chart { name: "large", version: "3.0.0" };

impl Chart {
    /// The name of its archive among the charts of the bed.
    pub fn file(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// The tag that it lies under.
    pub fn tag(&self) -> String {
        self.version.replace('+', "_")
    }
}

/// What a reader needs to know.
#[derive(Clone)]
pub struct Reader {
    /// Where the programs run.
    pub bed: &'static Bed,
    /// `host[:port]/path` of the chart, as the status names it, without `oci://`.
    pub place: String,
    /// The CA of the registry; without one it is plain HTTP.
    pub authority: Option<String>,
    /// User name and password.
    pub login: Option<(&'static str, &'static str)>,
}

impl Reader {
    /// Pulls the chart with helm, crane and oras; panics unless each of them gets the bytes of the source.
    pub fn pull_by_all(&self, chart: Chart) {
        let folder = self.bed.folder("reader");
        self.compare("helm", chart, &self.helm(&folder, chart));
        self.compare("crane", chart, &self.crane(&folder, chart));
        self.compare("oras", chart, &self.oras(&folder, chart));
        fs::remove_dir_all(folder).expect("the reader's own folder");
    }

    /// Pulls the chart with helm alone.
    pub fn pull_by_helm(&self, chart: Chart) {
        let folder = self.bed.folder("reader");
        self.compare("helm", chart, &self.helm(&folder, chart));
        fs::remove_dir_all(folder).expect("the reader's own folder");
    }

    fn compare(&self, program: &str, chart: Chart, pulled: &[u8]) {
        let source = fs::read(self.bed.chart(&chart.file())).expect("a chart of the bed");
        assert_eq!(Digest::of(pulled), Digest::of(&source), "{program} pulls other bytes of {chart:?} from {}", self.place);
    }

    fn helm(&self, folder: &Path, chart: Chart) -> Vec<u8> {
        let (address, destination) = (format!("oci://{}", self.place), folder.display().to_string());
        let config = self.config(folder);
        let mut words = vec!["helm", "pull", &address, "--version", chart.version, "--destination", &destination];
        words.extend(["--registry-config", &config]);
        let authority = self.authority_file(folder);
        words.extend(authority.as_ref().map_or(vec!["--plain-http"], |file| vec!["--ca-file", file]));
        self.bed.run_in_pod(&words).expect_success();
        fs::read(folder.join(format!("{}.tgz", chart.file()))).expect("what helm pulled")
    }

    fn crane(&self, folder: &Path, chart: Chart) -> Vec<u8> {
        let (reference, layout) = (format!("{}:{}", self.place, chart.tag()), folder.join("crane"));
        self.config(folder);
        let config = format!("DOCKER_CONFIG={}", folder.display());
        let authority = self.authority_file(folder).map(|file| format!("SSL_CERT_FILE={file}"));
        let mut words = vec!["env", &config];
        words.extend(authority.as_deref());
        words.push("crane");
        words.extend(authority.is_none().then_some("--insecure"));
        let destination = layout.display().to_string();
        words.extend(["pull", "--format=oci", &reference, &destination]);
        self.bed.run_in_pod(&words).expect_success();
        self.layer(&layout, chart)
    }

    fn oras(&self, folder: &Path, chart: Chart) -> Vec<u8> {
        let (reference, layout) = (format!("{}:{}", self.place, chart.tag()), folder.join("oras"));
        let (config, destination) = (self.config(folder), format!("{}:pulled", layout.display()));
        let authority = self.authority_file(folder);
        let mut words = vec!["oras", "copy", "--no-tty", "--from-registry-config", &config];
        words.extend(authority.as_ref().map_or(vec!["--from-plain-http"], |file| vec!["--from-ca-file", file]));
        words.extend([reference.as_str(), "--to-oci-layout", &destination]);
        self.bed.run_in_pod(&words).expect_success();
        self.layer(&layout, chart)
    }

    /// The blob of a layout that has the digest of the source's archive.
    fn layer(&self, layout: &Path, chart: Chart) -> Vec<u8> {
        let source = fs::read(self.bed.chart(&chart.file())).expect("a chart of the bed");
        let digest = Digest::of(&source).to_string();
        let blob = layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
        fs::read(&blob).unwrap_or_else(|problem| panic!("{}: {problem}", blob.display()))
    }

    fn authority_file(&self, folder: &Path) -> Option<String> {
        let file = folder.join("ca.crt");
        self.authority.as_ref().map(|authority| {
            fs::write(&file, authority).expect("a file in the bed's folder");
            file.display().to_string()
        })
    }

    fn config(&self, folder: &Path) -> String {
        let host = self.place.split('/').next().unwrap_or_default();
        let encoded = |(user, password): (&str, &str)| BASE64_STANDARD.encode(format!("{user}:{password}"));
        let entries = self.login.map(|login| json!({host: {"auth": encoded(login)}}));
        let file = folder.join("config.json");
        fs::write(&file, json!({"auths": entries.unwrap_or(json!({}))}).to_string()).expect("a file in the bed's folder");
        file.display().to_string()
    }
}
