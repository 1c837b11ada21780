//! What is demanded of the origin of charts: nothing, or a signature by a key of a keyring.

use std::{fmt::Write as _, sync::Arc};

use pgp::{
    crypto::hash::HashAlgorithm,
    packet::{Packet, PacketParser, Signature, SignatureType, SignatureVersion},
};

use super::{
    Flaw, Keyring, Signer, Unvouched,
    clearsigned::ClearSigned,
    key::{self, Key},
    statement::Statement,
};
use crate::model::Digest;

/// Signatures of one provenance.
const MOST_SIGNATURES: usize = 16;

/// Hashes for which nobody can make another text.
const STRONG: [HashAlgorithm; 6] = [
    HashAlgorithm::Sha224,
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha512,
    HashAlgorithm::Sha3_256,
    HashAlgorithm::Sha3_512,
];

/// What is demanded of the origin of charts. Copies share the keyring.
#[derive(Debug, Clone, Default)]
pub struct Demand(Option<Arc<Asked>>);

#[derive(Debug)]
struct Asked {
    keyring: Arc<Keyring>,
    /// In seconds since 1970.
    now: i64,
}

/// A chart, as it would be published.
#[derive(Debug, Clone, Copy)]
pub struct Chart<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The digest of its archive.
    pub digest: Digest,
}

impl Demand {
    /// A signature by a key of `keyring`; `now` in seconds since 1970.
    pub fn of(keyring: impl Into<Arc<Keyring>>, now: i64) -> Self {
        Self(Some(Arc::new(Asked { keyring: keyring.into(), now })))
    }

    /// The keyring, where one is asked.
    pub fn keyring(&self) -> Option<&Keyring> {
        self.0.as_ref().map(|asked| &*asked.keyring)
    }

    /// Who vouches for `chart`; nobody where nothing is demanded. `provenance` holds what the source has of it, or what was seen in its
    /// place.
    ///
    /// # Errors
    /// [`Unvouched`].
    pub fn judge(&self, chart: &Chart<'_>, provenance: Result<&[u8], &str>) -> Result<Option<Signer>, Unvouched> {
        let Some(asked) = &self.0 else { return Ok(None) };
        let judged = provenance.map_err(|seen| Flaw::Missing(seen.to_owned())).and_then(|bytes| asked.judge(chart, bytes));
        judged.map(Some).map_err(|flaw| Unvouched { chart: format!("{} {}", chart.name, chart.version), flaw })
    }
}

impl Asked {
    fn judge(&self, chart: &Chart<'_>, provenance: &[u8]) -> Result<Signer, Flaw> {
        let message = ClearSigned::read(provenance)?;
        let signatures = signatures(&message.signatures)?;
        let (signature, keys) = self.first_known(&signatures)?;
        let text = message.signed();
        let Some(key) = keys.iter().find(|key| key.has_signed(signature, &text)) else { return Err(self.not_signed(signature, &keys)) };
        self.check(signature, key)?;
        let signer = key.signer.clone();
        let statement = Statement::read(&message.text).map_err(|cause| Flaw::Statement { signer: signer.clone(), cause })?;
        agrees(chart, &statement, &signer)?;
        Ok(signer)
    }

    /// As Helm does: the first signature by a key of the ring decides.
    fn first_known<'s>(&self, signatures: &'s [Signature]) -> Result<(&'s Signature, Vec<&Key>), Flaw> {
        for signature in signatures {
            let keys = self.keyring.named_by(signature);
            if !keys.is_empty() {
                return Ok((signature, keys));
            }
        }
        let mut issuer = String::new();
        for signature in signatures.iter().take(3) {
            let fingerprints = signature.issuer_fingerprint().into_iter().map(ToString::to_string);
            let ids = signature.issuer_key_id().into_iter().map(ToString::to_string);
            let name = fingerprints.chain(ids).next().unwrap_or_else(|| "an unnamed key".to_owned());
            let _ = write!(issuer, "{}{}", if issuer.is_empty() { "" } else { ", " }, name.to_uppercase());
        }
        Err(Flaw::UnknownKey { issuer, keyring: self.keyring.name().to_owned() })
    }

    fn not_signed(&self, signature: &Signature, keys: &[&Key]) -> Flaw {
        match keys.first() {
            Some(key) => self.check(signature, key).err().unwrap_or_else(|| Flaw::Forged { signer: key.signer.clone() }),
            None => Flaw::Signature("it names no key"),
        }
    }

    fn check(&self, signature: &Signature, key: &Key) -> Result<(), Flaw> {
        let signer = || key.signer.clone();
        if signature.version() != SignatureVersion::V4 {
            return Err(Flaw::Signature("it is not of version 4"));
        }
        if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
            return Err(Flaw::Signature("it is none of a text"));
        }
        if key::has_unknown(signature) {
            return Err(Flaw::Signature("it has a part that must be understood, and is not"));
        }
        match signature.hash_alg() {
            Some(hash) if STRONG.contains(&hash) => {}
            Some(hash) => return Err(Flaw::WeakHash { signer: signer(), hash: hash.to_string() }),
            None => return Err(Flaw::Signature("it names no hash")),
        }
        if let Some(why) = key.weak {
            return Err(Flaw::WeakKey { signer: signer(), why });
        }
        if key.is_revoked {
            return Err(Flaw::Revoked { signer: signer() });
        }
        if let Some(when) = self.time(key.from, key.until) {
            return Err(Flaw::KeyTime { signer: signer(), when, keyring: self.keyring.name().to_owned() });
        }
        let created = signature.created().ok_or(Flaw::Signature("it names no time"))?;
        match self.time(key::seconds(created), key::end(created, signature.signature_expiration_time())) {
            Some(when) => Err(Flaw::SignatureTime { signer: signer(), when }),
            None => Ok(()),
        }
    }

    fn time(&self, from: i64, until: Option<i64>) -> Option<&'static str> {
        match until {
            _ if from > self.now => Some("it is of the future"),
            Some(until) if until < self.now => Some("it has expired"),
            _ => None,
        }
    }
}

fn signatures(packets: &[u8]) -> Result<Vec<Signature>, Flaw> {
    let mut all = Vec::new();
    for packet in PacketParser::new(packets) {
        match packet {
            Ok(Packet::Signature(signature)) if all.len() < MOST_SIGNATURES => all.push(signature),
            Ok(Packet::Signature(_)) => return Err(Flaw::Signature("there are more than 16")),
            Ok(_) => return Err(Flaw::Signature("there is something else among its packets")),
            Err(_) => return Err(Flaw::Signature("its packets are damaged, or of a kind that is not known")),
        }
    }
    if all.is_empty() { Err(Flaw::Signature("there is none")) } else { Ok(all) }
}

/// Readers of the registry pull the archive under the name that `helm package` gives it, and verify it by this.
fn agrees(chart: &Chart<'_>, statement: &Statement, signer: &Signer) -> Result<(), Flaw> {
    if (statement.name.as_str(), statement.version.as_str()) != (chart.name, chart.version) {
        return Err(Flaw::OtherChart { found: shown(&format!("{} {}", statement.name, statement.version)) });
    }
    let (file, found) = (format!("{}-{}.tgz", chart.name, chart.version), format!("sha256:{}", chart.digest.hex()));
    match statement.files.get(&file) {
        None => Err(Flaw::OtherFile { file }),
        Some(promised) if *promised == found => Ok(()),
        Some(promised) => Err(Flaw::OtherArchive { signer: signer.clone(), file, signed: shown(promised), found }),
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(100).collect()
}
