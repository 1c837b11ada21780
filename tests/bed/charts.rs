//! Charts that helm itself makes and packages: a small one, one with dependencies, one of 6 MB.

use std::{fs, path::Path, process::Command};

use crate::{Outcome, state::Bed, tools::run};

/// Packages the charts into the folder `charts` of the bed.
pub async fn package(bed: &Bed) -> Outcome<()> {
    let sources = bed.path("chart-sources");
    let (helm, packaged) = (bed.tools().join("helm"), bed.path("charts"));
    tokio::task::spawn_blocking(move || {
        fs::create_dir_all(&sources)?;
        fs::create_dir_all(&packaged)?;
        small(&helm, &sources, &packaged)?;
        with_dependencies(&helm, &sources, &packaged)?;
        large(&helm, &sources, &packaged)
    })
    .await?
}

fn helm(program: &Path, folder: &Path, words: &[&str]) -> Outcome<()> {
    let mut command = Command::new(program);
    command.args(words).current_dir(folder).env("HELM_CACHE_HOME", folder.join(".cache")).env("HELM_CONFIG_HOME", folder.join(".config"));
    run(&mut command).map(drop)
}

/// Two versions, one of them with build metadata: its `+` is `_` in a tag.
fn small(program: &Path, sources: &Path, packaged: &Path) -> Outcome<()> {
    helm(program, sources, &["create", "small"])?;
    let packaged = packaged.display().to_string();
    helm(program, sources, &["package", "small", "--version", "1.2.2", "--destination", &packaged])?;
    helm(program, sources, &["package", "small", "--version", "1.2.3+4", "--app-version", "9.9", "--destination", &packaged])
}

fn with_dependencies(program: &Path, sources: &Path, packaged: &Path) -> Outcome<()> {
    helm(program, sources, &["create", "umbrella"])?;
    let file = sources.join("umbrella/Chart.yaml");
    let mut text = fs::read_to_string(&file)?;
    text += "dependencies:\n- name: small\n  version: \">=0.0.0\"\n  repository: file://../small\n  alias: first\n";
    fs::write(file, text)?;
    let packaged = packaged.display().to_string();
    helm(program, sources, &["package", "umbrella", "--dependency-update", "--version", "2.0.0", "--destination", &packaged])
}

/// Noise does not shrink. Helm takes no file above 5 MiB, so there are two.
fn large(program: &Path, sources: &Path, packaged: &Path) -> Outcome<()> {
    helm(program, sources, &["create", "large"])?;
    fs::create_dir_all(sources.join("large/files"))?;
    for name in ["first.bin", "second.bin"] {
        let mut noise = vec![0; 3_000_000];
        fastrand::fill(&mut noise);
        fs::write(sources.join("large/files").join(name), noise)?;
    }
    helm(program, sources, &["package", "large", "--version", "3.0.0", "--destination", &packaged.display().to_string()])
}
