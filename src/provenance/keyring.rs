//! The keys that are trusted: what `gpg --export` gives, armored or not, in one file or several.

use pgp::{
    composed::{Deserializable, SignedPublicKey},
    packet::{Packet, PacketParser, Signature},
};

use super::{
    KeyringError, Signer, armor,
    key::{self, Key},
};

/// Certificates of one keyring.
const MOST_KEYS: usize = 1000;
const PUBLIC: &str = "PGP PUBLIC KEY BLOCK";
const SECRET: &str = "PGP PRIVATE KEY BLOCK";

/// The keys that are trusted.
#[derive(Debug)]
pub struct Keyring {
    name: String,
    keys: Vec<Key>,
}

impl Keyring {
    /// Reads all `entries`, each with its name; `name` stands in sentences.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn read<'e>(name: &str, entries: impl IntoIterator<Item = (&'e str, &'e [u8])>) -> Result<Self, KeyringError> {
        let (mut certificates, mut is_empty, mut why) = (Vec::new(), true, "it has none");
        for (entry, bytes) in entries {
            is_empty = false;
            certificates.extend(self::certificates(entry, bytes)?);
            if certificates.len() > MOST_KEYS {
                return Err(KeyringError::TooMany { most: MOST_KEYS });
            }
        }
        if is_empty {
            return Err(KeyringError::Empty);
        }
        let mut keys = Vec::new();
        for certificate in &certificates {
            match key::signing(certificate) {
                Ok(more) => keys.extend(more),
                Err(reason) => why = reason,
            }
        }
        if keys.is_empty() { Err(KeyringError::NoneSigns { why: why.to_owned() }) } else { Ok(Self { name: name.to_owned(), keys }) }
    }

    /// As sentences name it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The keys by one of which `signature` says that it was made.
    pub(super) fn named_by(&self, signature: &Signature) -> Vec<&Key> {
        self.keys.iter().filter(|key| key.is_named_by(signature)).collect()
    }

    /// Whether what `signer` has signed once is still vouched for: the key is here and was not revoked. That its time is over changes
    /// nothing of what it has signed before.
    pub fn still_trusts(&self, signer: &Signer) -> bool {
        let is_same = |key: &&Key| (&key.signer.fingerprint, &key.signer.subkey) == (&signer.fingerprint, &signer.subkey);
        self.keys.iter().find(is_same).is_some_and(|key| !key.is_revoked && key.weak.is_none())
    }
}

fn certificates(entry: &str, bytes: &[u8]) -> Result<Vec<SignedPublicKey>, KeyringError> {
    let none = |why: &str| KeyringError::NoKeys { entry: entry.to_owned(), why: why.to_owned() };
    if bytes.get(8..12) == Some(b"KBXf") {
        return Err(KeyringError::Keybox { entry: entry.to_owned() });
    }
    if !armor::is_armored(bytes) {
        return match bytes.first() {
            None => Err(none("it is empty")),
            // The first bit of a packet is set.
            Some(first) if first & 0x80 == 0 => Err(none("it is neither armored nor binary")),
            Some(_) => in_packets(entry, bytes),
        };
    }
    let text = std::str::from_utf8(bytes).map_err(|_| none("it is no text"))?;
    let mut all = Vec::new();
    for block in armor::blocks(text).map_err(|error| none(&error.to_string()))? {
        match block.label.as_str() {
            PUBLIC => all.extend(in_packets(entry, &block.bytes)?),
            SECRET => return Err(KeyringError::SecretKey { entry: entry.to_owned() }),
            other => return Err(none(&format!("it has a block `{}`", other.chars().take(40).collect::<String>()))),
        }
    }
    Ok(all)
}

fn in_packets(entry: &str, bytes: &[u8]) -> Result<Vec<SignedPublicKey>, KeyringError> {
    let none = |why: &str| KeyringError::NoKeys { entry: entry.to_owned(), why: why.to_owned() };
    if PacketParser::new(bytes).any(|packet| matches!(packet, Ok(Packet::SecretKey(_) | Packet::SecretSubkey(_)))) {
        return Err(KeyringError::SecretKey { entry: entry.to_owned() });
    }
    let all = SignedPublicKey::from_bytes_many(bytes).map_err(|_| none("it cannot be read"))?;
    // What this program cannot read is passed over, as Helm does.
    let readable: Vec<_> = all.flatten().take(MOST_KEYS + 1).collect();
    if readable.is_empty() { Err(none("there is no key in it that can be read")) } else { Ok(readable) }
}
