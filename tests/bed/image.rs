//! Container images of programs of this machine: one layer with the programs and the libraries that they load. Shared by the
//! supervisor and by the tests.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use chart_publisher::model::Digest;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::enclosure::Enclosure;

/// The image of the sandbox of each Pod.
pub const PAUSE: &str = "docker.io/library/pause:bed";

/// An image that is described and not yet made.
#[must_use]
pub struct Image {
    name: String,
    programs: Vec<PathBuf>,
    arguments: Vec<String>,
}

impl Image {
    /// An image that starts `program`, which lies in it as `/bin/` and its name. A short name is completed as in a Pod's spec: `x`
    /// is `docker.io/library/x:bed`.
    pub fn new(name: &str, program: &Path) -> Self {
        let name = if name.contains('/') { name.to_owned() } else { format!("docker.io/library/{name}:bed") };
        Self { name, programs: vec![program.to_owned()], arguments: Vec::new() }
    }

    /// Holds another program too.
    pub fn beside(mut self, program: &Path) -> Self {
        self.programs.push(program.to_owned());
        self
    }

    /// Its program is started with these arguments, unless a Pod has others.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(ToString::to_string).collect();
        self
    }

    /// Gives it to the containerd of a bed, by a file in `folder` that is gone afterwards.
    pub fn import(&self, enclosure: &Enclosure, ctr: &Path, folder: &Path) -> io::Result<()> {
        let file = folder.join(format!("{:016x}.tar", fastrand::u64(..)));
        self.write(&file)?;
        let mut command = Command::new("nsenter");
        command.args(enclosure.arguments()).arg(ctr).args(["--namespace", "k8s.io", "images", "import"]).arg(&file);
        let output = command.stdin(Stdio::null()).output()?;
        fs::remove_file(file)?;
        if output.status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {}", text(&output.stderr)))) }
    }

    /// As `docker save` writes it.
    fn write(&self, file: &Path) -> io::Result<()> {
        let layer = self.layer()?;
        let first = self.programs.first().map(|program| inside(program)).transpose()?;
        let configuration = json!({
            "architecture": architecture(), "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&layer)]},
            "config": {"Entrypoint": [first], "Cmd": self.arguments, "Env": ["PATH=/bin"], "WorkingDir": "/"},
        });
        let manifest = json!([{"Config": "config.json", "RepoTags": [self.name], "Layers": ["layer.tar"]}]);
        let mut archive = Builder::new(File::create(file)?);
        append(&mut archive, "manifest.json", 0o644, manifest.to_string().as_bytes())?;
        append(&mut archive, "config.json", 0o644, configuration.to_string().as_bytes())?;
        append(&mut archive, "layer.tar", 0o644, &layer)?;
        archive.into_inner()?.flush()
    }

    fn layer(&self) -> io::Result<Vec<u8>> {
        let mut layer = Builder::new(Vec::new());
        folder(&mut layer, "tmp", 0o1777)?;
        let mut libraries = Vec::new();
        for program in &self.programs {
            append(&mut layer, inside(program)?.trim_start_matches('/'), 0o755, &fs::read(program)?)?;
            libraries.extend(loaded_by(program)?);
        }
        libraries.sort();
        libraries.dedup();
        for library in libraries {
            append(&mut layer, library.trim_start_matches('/'), 0o755, &fs::read(&library)?)?;
        }
        layer.into_inner()
    }
}

fn inside(program: &Path) -> io::Result<String> {
    let name = program.file_name().ok_or_else(|| io::Error::other(format!("{} is no file", program.display())))?;
    Ok(format!("/bin/{}", name.to_string_lossy()))
}

/// The loader and the libraries, as the loader itself says; none for a static program.
fn loaded_by(program: &Path) -> io::Result<Vec<String>> {
    let output = Command::new("ldd").arg(program).stdin(Stdio::null()).output()?;
    Ok(text(&output.stdout).split_whitespace().filter(|word| word.starts_with('/') && !word.ends_with(':')).map(str::to_owned).collect())
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn append(archive: &mut Builder<impl Write>, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    archive.append_data(&mut header, path, content)
}

fn folder(archive: &mut Builder<impl Write>, path: &str, mode: u32) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_size(0);
    header.set_mode(mode);
    archive.append_data(&mut header, format!("{path}/"), io::empty())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
