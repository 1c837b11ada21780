//! What the fuzz targets have been fed with, once more: their seeds, what covers their code, and inputs that were findings.
//!
//! A finding becomes a test by its file, which is put into `fuzz/corpus/TARGET/`. The targets are those of `fuzz/`, without libFuzzer.
#![cfg(test)]
#![cfg(feature = "fuzzing")]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use targets::{TARGETS, Target};

/// Bytes of all inputs that are kept.
const MOST_KEPT: u64 = 1 << 20;

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind)
}

/// The files of a folder; none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn inputs(target: &Target) -> Vec<PathBuf> {
    ["seeds", "corpus"].iter().flat_map(|kind| files(&folder(kind).join(target.name))).collect()
}

#[test]
fn what_is_kept_is_read_as_it_is_promised() {
    let mut broken = Vec::new();
    for target in &TARGETS {
        for path in inputs(target) {
            let input = fs::read(&path).unwrap();
            if catch_unwind(|| (target.run)(&input)).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn each_target_has_seeds_and_a_dictionary_and_nothing_belongs_to_none() {
    for target in &TARGETS {
        let seeds = files(&folder("seeds").join(target.name));
        assert!(!seeds.is_empty(), "{}", target.name);
        assert!(folder("dictionaries").join(target.name).with_extension("dict").is_file(), "{}", target.name);
        for path in inputs(target) {
            assert!(fs::metadata(&path).unwrap().len() <= target.longest as u64, "{} is too long to be run", path.display());
        }
    }
    let known: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    for kind in ["seeds", "corpus", "dictionaries"] {
        let found: BTreeSet<_> = files(&folder(kind)).iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        assert!(found.is_subset(&known), "{kind}: {found:?}");
    }
}

#[test]
fn what_is_kept_is_small() {
    let sizes = TARGETS.iter().flat_map(inputs).map(|path| fs::metadata(path).unwrap().len());
    let sum: u64 = sizes.sum();
    assert!(sum <= MOST_KEPT, "{sum} bytes");
}
