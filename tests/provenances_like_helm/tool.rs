//! The real `helm verify`, by both versions.

use std::{fs, path::Path, process::Command, sync::Mutex};

use super::{changed::Provenance, installed::tool};

/// A version of Helm.
#[derive(Debug, Clone, Copy)]
pub enum Helm {
    V3,
    V4,
}

impl Helm {
    /// What it says of each provenance beside `archive`.
    pub fn verify(self, ring: &[u8], archive: &[u8], provenances: &[Provenance]) -> Vec<Result<(), String>> {
        let folder = tempfile::tempdir().unwrap();
        let keyring = folder.path().join("ring.gpg");
        fs::write(&keyring, ring).unwrap();
        let verdicts: Mutex<Vec<Option<Result<(), String>>>> = Mutex::new(provenances.iter().map(|_| None).collect());
        let next = Mutex::new(provenances.iter().enumerate());
        let take = || next.lock().unwrap().next();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some((number, provenance)) = take() {
                        let place = folder.path().join(number.to_string());
                        fs::create_dir(&place).unwrap();
                        let verdict = self.verify_one(&place, &keyring, archive, &provenance.text);
                        verdicts.lock().unwrap()[number] = Some(verdict);
                    }
                });
            }
        });
        verdicts.into_inner().unwrap().into_iter().map(Option::unwrap).collect()
    }

    fn verify_one(self, place: &Path, keyring: &Path, archive: &[u8], provenance: &[u8]) -> Result<(), String> {
        let file = place.join("web-1.2.3.tgz");
        fs::write(&file, archive).unwrap();
        fs::write(place.join("web-1.2.3.tgz.prov"), provenance).unwrap();
        let mut helm = Command::new(tool(match self {
            Self::V3 => "helm3",
            Self::V4 => "helm",
        }));
        let output = helm.arg("verify").arg(&file).arg("--keyring").arg(keyring).env("HOME", place).output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}
