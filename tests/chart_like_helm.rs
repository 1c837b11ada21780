//! What we make of an archive is what the real `helm push` makes of it, byte for byte.
//!
//! Each archive is pushed by Helm v4, the generated ones by v3 too, to distribution v3 on loopback; then its config blob and its
//! manifest are read back and compared with [`chart_publisher::chart`]. The programs come from `tests/tools/install.sh`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what it expects by panicking")]
#![expect(clippy::print_stdout, reason = "the figures are the product")]

#[expect(dead_code, reason = "nothing is broken here")]
#[path = "archives_like_helm/generator.rs"]
mod generator;

#[path = "tools/installed.rs"]
mod installed;
#[path = "chart_like_helm/metadata.rs"]
mod metadata;
#[path = "chart_like_helm/shapes.rs"]
mod shapes;
#[path = "chart_like_helm/signer.rs"]
mod signer;
#[path = "chart_like_helm/starter.rs"]
mod starter;
#[path = "archives_like_helm/tape.rs"]
mod tape;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use chart_publisher::{
    chart::{self, ChartError, Limits},
    model::{Descriptor, Digest},
};
use generator::Generator;
use shapes::Archive;
use signer::Signer;
use starter::{Helm, Registry};

/// The time that every archive file has; Helm makes `created` of it.
const CREATED: u32 = 1_700_000_000;

struct Bed {
    helm: Helm,
    registry: Registry,
    directory: tempfile::TempDir,
}

impl Bed {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { helm: Helm::new(directory.path()), registry: Registry::start(), directory }
    }

    /// Puts an archive where Helm can push it, with its provenance beside it.
    fn file(&self, archive: &Archive) -> PathBuf {
        let path = self.directory.path().join("chart-0.0.0.tgz");
        let provenance = self.directory.path().join("chart-0.0.0.tgz.prov");
        fs::write(&path, &archive.bytes).unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(CREATED.into()))
            .unwrap();
        match &archive.provenance {
            Some(text) => fs::write(&provenance, text).unwrap(),
            None => drop(fs::remove_file(&provenance)),
        }
        path
    }

    /// What differs from Helm, if anything.
    fn difference(&self, helm: &Helm, archive: &Archive) -> Option<String> {
        let pushed =
            helm.run(&["push", self.file(archive).to_str().unwrap(), &format!("oci://{}/like", self.registry.host()), "--plain-http"]);
        let chart = match (chart::read(archive.bytes.as_slice(), &Limits::default()), pushed) {
            (Ok(chart), Ok(_)) => chart,
            (ours, helm) => {
                return Some(format!("ours: {:?}\nhelm: {helm:?}", ours.map(|chart| chart.config).map_err(|error| error.to_string())));
            }
        };
        let described = |bytes: &[u8]| Descriptor { digest: Digest::of(bytes), size: bytes.len() as u64 };
        let provenance = archive.provenance.as_ref().map(|text| described(text.as_bytes()));
        let ours = chart::manifest(&chart, &described(&archive.bytes), provenance.as_ref(), Some(CREATED.into()));
        let repository = format!("like/{}", chart.name);
        let tag = chart.version.as_str().replace('+', "_");
        let manifest = self.registry.get(&format!("/v2/{repository}/manifests/{tag}"));
        let named: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let config = self.registry.get(&format!("/v2/{repository}/blobs/{}", named["config"]["digest"].as_str().unwrap()));
        for (part, ours, helm) in [("config", &chart.config[..], config), ("manifest", &ours.bytes[..], manifest)] {
            if ours != helm {
                return Some(format!("{part}\nours: {}\nhelm: {}", String::from_utf8_lossy(ours), String::from_utf8_lossy(&helm)));
            }
        }
        assert_eq!((ours.digest, ours.config_digest), (Digest::of(&ours.bytes), Digest::of(&chart.config)));
        None
    }
}

#[test]
fn config_and_manifest_are_those_of_helm() {
    let bed = Bed::start();
    let mut archives = shapes::archives();
    archives.extend(packaged(&bed.helm, bed.directory.path()));
    assert!(archives.len() >= 36, "only {} archives", archives.len());
    let differences: Vec<String> = archives
        .iter()
        .filter_map(|archive| bed.difference(&bed.helm, archive).map(|found| format!("{}: {found}", archive.label)))
        .collect();
    assert!(differences.is_empty(), "{} of {} differ\n{}", differences.len(), archives.len(), differences.join("\n"));
}

/// Pushes so many generated charts, without provenance and with it, by Helm v3 and v4.
fn generated_charts_are_those_of_helm(charts: usize) {
    let begin = Instant::now();
    let bed = Bed::start();
    let helms = [("v3", Helm::of_version_3(bed.directory.path())), ("v4", Helm::new(bed.directory.path()))];
    let mut generator = Generator::new(200);
    let (mut differences, mut pushes, mut with_plus) = (Vec::new(), 0, 0);
    for number in 0..charts {
        let bytes = generator.whole().bytes;
        let version = chart::read(bytes.as_slice(), &Limits::default()).unwrap().version;
        with_plus += usize::from(version.as_str().contains('+'));
        for (version, helm) in &helms {
            for provenance in [None, Some(format!("-----BEGIN PGP SIGNED MESSAGE-----\n{number}\n"))] {
                let archive = Archive { label: format!("chart {number}, Helm {version}"), bytes: bytes.clone(), provenance };
                differences.extend(bed.difference(helm, &archive).map(|found| format!("{}: {found}", archive.label)));
                pushes += 1;
            }
        }
    }
    assert!(differences.is_empty(), "{} of {pushes} differ\n{}", differences.len(), differences.join("\n"));
    assert!(with_plus * 10 >= charts, "{with_plus} of {charts} have a `+` in their version");
    println!(
        "{charts} charts ({with_plus} with `+`) by Helm v3 and v4, with and without provenance: {pushes} pushes, 0 differ; {:?}",
        begin.elapsed()
    );
}

#[test]
fn twenty_generated_charts_are_those_of_helm_3_and_4() {
    generated_charts_are_those_of_helm(20);
}

/// `make like-helm`.
#[test]
#[ignore = "three minutes"]
fn two_hundred_generated_charts_are_those_of_helm_3_and_4() {
    generated_charts_are_those_of_helm(200);
}

#[test]
fn helm_verifies_a_signature_that_we_pushed() {
    let bed = Bed::start();
    let signer = Signer::new();
    let at = |name: &str| bed.directory.path().join(name).to_str().unwrap().to_owned();
    bed.helm.run(&["create", &at("signed")]).unwrap();
    let (secret, public, source, packaged) = (signer.keyring("secret"), signer.keyring("public"), at("signed"), at("packaged"));
    let sign = ["--version", "1.2.3+build.7", "--sign", "--key", "signer", "--keyring", &secret];
    bed.helm.run(&[&["package", &source, "-d", &packaged], &sign[..]].concat()).unwrap();
    let target = format!("oci://{}/signed", bed.registry.host());
    signer::push_by_us(&signer::archive_in(Path::new(&packaged)), &target);
    for (folder, helm) in [("v3", Helm::of_version_3(bed.directory.path())), ("v4", Helm::new(bed.directory.path()))] {
        fs::create_dir(at(folder)).unwrap();
        helm.run(&["pull", &format!("{target}/signed"), "--version", "1.2.3+build.7", "--prov", "--plain-http", "-d", &at(folder)])
            .unwrap();
        let pulled = signer::archive_in(Path::new(&at(folder)));
        let verify = ["verify", pulled.to_str().unwrap(), "--keyring", &public];
        let said = helm.run(&verify).unwrap();
        assert!(said.contains("Signed by") && said.contains("signer@charts.example"), "{said}");
        // A chart with another byte is what the signature does not say.
        let mut bytes = fs::read(&pulled).unwrap();
        bytes.push(0);
        fs::write(&pulled, bytes).unwrap();
        assert!(helm.run(&verify).is_err(), "Helm {folder} verifies a chart that was changed");
    }
}

#[test]
fn what_helm_refuses_is_refused() {
    let bed = Bed::start();
    for archive in shapes::refused() {
        let helm =
            bed.helm.run(&["push", bed.file(&archive).to_str().unwrap(), &format!("oci://{}/like", bed.registry.host()), "--plain-http"]);
        let ours = chart::read(archive.bytes.as_slice(), &Limits::default());
        assert!(helm.is_err() && ours.is_err(), "{}: ours {:?}, helm {helm:?}", archive.label, ours.map(|chart| chart.config));
    }
}

/// Beyond Helm: what other tools read in another way may not be published under a digest that looks proven.
#[test]
fn what_tools_read_in_different_ways_is_refused() {
    for (archive, expected) in shapes::ambiguous() {
        let error: ChartError = chart::read(archive.bytes.as_slice(), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{}", archive.label);
    }
}

/// Charts that Helm itself makes: the scaffold, a library, and one with a dependency beside it.
fn packaged(helm: &Helm, directory: &Path) -> Vec<Archive> {
    let work = directory.join("packaged");
    fs::create_dir(&work).unwrap();
    let at = |name: &str| work.join(name).to_str().unwrap().to_owned();
    for name in ["scaffold", "child", "parent"] {
        helm.run(&["create", &at(name)]).unwrap();
    }
    let dependencies = "dependencies:\n- {name: child, version: '>=0.1.0', repository: 'file://../child', alias: kid, condition: kid.enabled, tags: [a]}\n";
    let text = fs::read_to_string(work.join("parent/Chart.yaml")).unwrap();
    fs::write(work.join("parent/Chart.yaml"), text + dependencies).unwrap();
    let mut archives = Vec::new();
    for (label, arguments) in [
        ("scaffold", vec!["package", &at("scaffold"), "-d", &at("")]),
        (
            "scaffold with versions",
            vec!["package", &at("scaffold"), "-d", &at(""), "--version", "2.0.0-rc.1+build.7", "--app-version", "1.10"],
        ),
        ("with a dependency", vec!["package", &at("parent"), "-d", &at(""), "--dependency-update"]),
    ] {
        let said = helm.run(&arguments).unwrap();
        let path = said.rsplit("saved it to: ").next().unwrap().trim();
        archives.push(Archive { label: label.to_owned(), bytes: fs::read(path).unwrap(), provenance: None });
    }
    archives
}
