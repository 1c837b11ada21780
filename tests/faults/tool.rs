//! The tools that push charts, each as its users would call it, and what became of a push by it.

use std::{fs, path::PathBuf};

use serde_json::json;

use super::{path::Path, registry::store::digest};
use crate::support::Bed;

/// The longest that a tool may take.
pub const LIMIT_SECONDS: u32 = 20;
/// The repository that all of them write to: helm puts the chart's name behind the prefix.
const PREFIX: &str = "charts";

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Push,
    Helm,
    Oras,
    Crane,
    Skopeo,
    Regctl,
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// It reports success, and the registry holds the bytes.
    Arrived,
    /// It reports success, and the registry does not.
    Lied(String),
    /// It reports a failure: the end of what it said.
    Failed(String),
    /// It was ended after [`LIMIT_SECONDS`].
    Hung,
}

/// A chart as file and as OCI layout, which crane, skopeo and regctl push.
#[derive(Clone, Debug)]
pub struct Package {
    chart: PathBuf,
    bytes: Vec<u8>,
    layout: PathBuf,
    configuration: PathBuf,
    name: &'static str,
    version: &'static str,
}

impl Package {
    /// The chart of 6 MB that helm packaged.
    pub fn large(bed: &Bed) -> Self {
        let (name, version) = ("large", "3.0.0");
        let chart = bed.chart(&format!("{name}-{version}"));
        let bytes = fs::read(&chart).expect("a chart");
        let folder = bed.folder("package");
        let configuration = folder.join("config.json");
        let text = json!({"name": name, "version": version, "apiVersion": "v2"}).to_string();
        fs::write(&configuration, &text).expect("a file in the bed's folder");
        let layout = folder.join("layout");
        write_layout(&layout, version, text.as_bytes(), &bytes);
        Self { chart, bytes, layout, configuration, name, version }
    }

    /// The bytes of the chart.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where its file lies.
    pub fn file(&self) -> &std::path::Path {
        &self.chart
    }

    /// Where it lies in a registry.
    pub fn repository(&self) -> String {
        format!("{PREFIX}/{}", self.name)
    }

    /// Its tag.
    pub fn tag(&self) -> &'static str {
        self.version
    }
}

/// Runs a tool; says how it failed, when it did.
async fn run(path: &Path, words: Vec<String>) -> Option<Became> {
    let (bed, namespace) = (path.bed(), path.namespace().map(str::to_owned));
    let limited = move || {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        bed.run_inside(namespace.as_deref(), &words)
    };
    let ran = tokio::task::spawn_blocking(limited).await.expect("the tool");
    match ran.code {
        Some(0) => None,
        Some(124 | 137) => Some(Became::Hung),
        _ => Some(Became::Failed(complaint(&format!("{}\n{}", ran.output, ran.errors)))),
    }
}

/// The line that says what went wrong, without the queries of URLs.
fn complaint(said: &str) -> String {
    let names_it = |line: &&str| line.starts_with("Error") || line.contains("level=fatal");
    let line = said.lines().find(names_it).or_else(|| said.trim().lines().last()).unwrap_or_default();
    let words = line.split(' ').map(|word| match word.split_once('?') {
        Some((before, query)) if before.contains("/v2/") => format!("{before}{}", query.trim_start_matches(|c: char| !"\":".contains(c))),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ").chars().take(400).collect()
}

fn write_layout(layout: &std::path::Path, tag: &str, configuration: &[u8], chart: &[u8]) {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder in the bed's");
    let put = |media_type: &str, bytes: &[u8]| {
        let digest = digest(bytes);
        fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).expect("a file in the bed's folder");
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put("application/vnd.cncf.helm.config.v1+json", configuration),
        "layers": [put("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart)],
    });
    let mut entry = put("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    let index = json!({"schemaVersion": 2, "manifests": [entry]});
    fs::write(layout.join("index.json"), index.to_string()).expect("a file in the bed's folder");
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).expect("a file in the bed's folder");
}

impl Tool {
    /// All of them, ours first.
    pub const ALL: [Self; 6] = [Self::Push, Self::Helm, Self::Oras, Self::Crane, Self::Skopeo, Self::Regctl];

    /// What stands above its column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Push => "chart-publisher push",
            Self::Helm => "helm push",
            Self::Oras => "oras push",
            Self::Crane => "crane push",
            Self::Skopeo => "skopeo copy",
            Self::Regctl => "regctl image copy",
        }
    }

    /// Whether it is there: the command of ours may not be built in yet.
    pub fn is_there(self, bed: &Bed) -> bool {
        self != Self::Push || bed.run_on_host(&[env!("CARGO_BIN_EXE_chart-publisher"), "push", "--help"]).success
    }

    /// Pushes the chart along a path, and looks whether it arrived.
    pub async fn push(self, path: &Path, package: &Package) -> Became {
        if let Some(failure) = run(path, self.words(path, package)).await {
            return failure;
        }
        match path.holds(&package.repository(), package.tag(), package.bytes()).await {
            Ok(_) => Became::Arrived,
            Err(found) => Became::Lied(found),
        }
    }

    /// What the incident's tool did: `crane append` with a layer from standard input, which it streams. What arrives is compressed
    /// once more, so only the tag is looked for.
    pub async fn append_from_standard_input(path: &Path, package: &Package) -> Became {
        let reference = format!("{}/{}:{}", path.address(), package.repository(), package.tag());
        let script = format!("crane append --insecure --new_layer - --new_tag {reference} < {}", package.chart.display());
        let words = ["timeout", "--kill-after=1", &LIMIT_SECONDS.to_string(), "sh", "-c", &script].map(str::to_owned);
        if let Some(failure) = run(path, words.to_vec()).await {
            return failure;
        }
        match path.upstream().tags(&package.repository()).await {
            Ok(tags) if tags.contains(package.tag()) => Became::Arrived,
            other => Became::Lied(format!("{other:?}")),
        }
    }

    /// The command line, with its limit and what it must trust.
    fn words(self, path: &Path, package: &Package) -> Vec<String> {
        let limit = LIMIT_SECONDS.to_string();
        let mut words = vec!["timeout".to_owned(), "--kill-after=1".to_owned(), limit, "env".to_owned()];
        let authority = path.authority().map(|pem| {
            let file = path.bed().folder("authority").join("ca.crt");
            fs::write(&file, pem).expect("a file in the bed's folder");
            file.display().to_string()
        });
        // Programs in Go read it.
        words.extend(authority.iter().map(|file| format!("SSL_CERT_FILE={file}")));
        words.extend(self.command(&path.address(), package, authority.as_deref()));
        words
    }

    /// The command line that pushes to `address`, by plain HTTP or with trust in an authority.
    pub fn command(self, address: &str, package: &Package, authority: Option<&str>) -> Vec<String> {
        let reference = format!("{address}/{}:{}", package.repository(), package.tag());
        let (chart, layout, tag) = (package.chart.display(), package.layout.display(), package.tag());
        let plain = authority.is_none();
        let line = match self {
            Self::Push => {
                let trust = authority.map_or_else(|| "--insecure".to_owned(), |file| format!("--ca {file}"));
                format!("{} push {chart} oci://{address}/{PREFIX} --timeout 3s {trust}", env!("CARGO_BIN_EXE_chart-publisher"))
            }
            Self::Helm => format!("helm push {chart} oci://{address}/{PREFIX} {}", if plain { "--plain-http" } else { "" }),
            Self::Oras => {
                let configuration = package.configuration.display();
                format!(
                    "oras push {} --disable-path-validation --config {configuration}:application/vnd.cncf.helm.config.v1+json {reference} {chart}:application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                    if plain { "--plain-http" } else { "" }
                )
            }
            Self::Crane => format!("crane push {layout} {reference} {}", if plain { "--insecure" } else { "" }),
            Self::Skopeo => {
                let trust = if plain { "--dest-tls-verify=false" } else { "" };
                format!("skopeo --insecure-policy copy {trust} oci:{layout}:{tag} docker://{reference}")
            }
            Self::Regctl => {
                let tls = if plain { "disabled" } else { "enabled" };
                format!("regctl --host reg={address},tls={tls} image copy ocidir://{layout}:{tag} {reference}")
            }
        };
        line.split_whitespace().map(str::to_owned).collect()
    }
}
