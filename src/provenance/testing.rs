//! Keys and signatures for tests, at chosen times: what `gpg` would make, and what it would not.

use base64::Engine as _;
use pgp::{
    composed::{KeyType, SecretKeyParamsBuilder, SignedSecretKey, SubkeyParamsBuilder},
    crypto::hash::HashAlgorithm,
    packet::{KeyFlags, Notation, PacketTrait, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData},
    ser::Serialize,
    types::{Duration, KeyDetails, Password, SigningKey, Tag, Timestamp},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// When all keys are made: a day of 2023, in seconds since 1970.
pub const BEGIN: u32 = 1_700_000_000;

/// How a key is made.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    /// RSA of 2,048 bits in place of Ed25519, which takes no weak hash.
    pub is_rsa: bool,
    pub created: u32,
    pub lasts: Option<u32>,
    pub signs: bool,
    pub revoked: Option<Revoked>,
    /// The hash of its own signatures.
    pub hash: HashAlgorithm,
    pub subkey: Option<Sub>,
}

/// What of it was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    Key,
    User,
}

/// How its subkey is made.
#[derive(Debug, Clone, Copy)]
pub struct Sub {
    pub lasts: Option<u32>,
    pub is_revoked: bool,
    pub agrees: bool,
}

/// An ordinary key.
pub const USUAL: Made =
    Made { is_rsa: false, created: BEGIN, lasts: None, signs: true, revoked: None, hash: HashAlgorithm::Sha512, subkey: None };

/// How a signature is made.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub kind: SignatureType,
    pub hash: HashAlgorithm,
    pub created: u32,
    pub lasts: Option<u32>,
    pub has_notation: bool,
    pub by_subkey: bool,
}

/// An ordinary signature.
pub const ORDINARY: Terms = Terms {
    kind: SignatureType::Text,
    hash: HashAlgorithm::Sha512,
    created: BEGIN + 10,
    lasts: None,
    has_notation: false,
    by_subkey: false,
};

/// Somebody with a key.
pub struct Person {
    secret: SignedSecretKey,
}

impl Person {
    /// The same key for the same number.
    pub fn new(number: u64, user: &str, made: Made) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(number);
        let mut parameters = SecretKeyParamsBuilder::default();
        let created = Timestamp::from_secs(made.created);
        let kind = if made.is_rsa { KeyType::Rsa(2048) } else { KeyType::Ed25519Legacy };
        parameters.key_type(kind).can_certify(true).can_sign(made.signs).created_at(created).primary_user_id(user.to_owned());
        if made.subkey.is_some() {
            let subkey = SubkeyParamsBuilder::default().key_type(KeyType::Ed25519Legacy).can_sign(true).created_at(created).build();
            parameters.subkey(subkey.unwrap());
        }
        let mut secret = parameters.build().unwrap().generate(&mut dice).unwrap();
        certify(&mut secret, made);
        if let Some(sub) = made.subkey {
            bind(&mut secret, made, sub);
        }
        Self { secret }
    }

    /// As `gpg --export` gives it.
    pub fn exported(&self) -> Vec<u8> {
        self.secret.to_public_key().to_bytes().unwrap()
    }

    /// As `gpg --armor --export` gives it.
    pub fn armored(&self) -> String {
        armored("PGP PUBLIC KEY BLOCK", &self.exported())
    }

    /// As `gpg --export-secret-keys` gives it.
    pub fn with_secret(&self) -> Vec<u8> {
        self.secret.to_bytes().unwrap()
    }

    /// As `gpg` shows it.
    pub fn fingerprint(&self) -> String {
        self.secret.fingerprint().to_string().to_uppercase()
    }

    /// The packet of a signature of `text`.
    pub fn signature(&self, text: &str, terms: Terms) -> Vec<u8> {
        let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
        let signed = lines.join("\r\n");
        match self.secret.secret_subkeys.first().filter(|_| terms.by_subkey) {
            Some(subkey) => in_packet(&sign(&subkey.key, &signed, terms)),
            None => in_packet(&sign(&self.secret.primary_key, &signed, terms)),
        }
    }

    /// A clear-signed message.
    pub fn signed(&self, text: &str, terms: Terms) -> String {
        clear_signed(text, &self.signature(text, terms))
    }
}

/// `text` above the packets of its signatures.
pub fn clear_signed(text: &str, packets: &[u8]) -> String {
    let escaped: Vec<String> =
        text.split('\n').map(|line| if line.starts_with('-') { format!("- {line}") } else { line.to_owned() }).collect();
    format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n{}", escaped.join("\n"), armored("PGP SIGNATURE", packets))
}

/// In lines of 64 letters.
pub fn armored(label: &str, bytes: &[u8]) -> String {
    let letters: Vec<char> = base64::engine::general_purpose::STANDARD.encode(bytes).chars().collect();
    let lines: Vec<String> = letters.chunks(64).map(|line| line.iter().collect()).collect();
    format!("-----BEGIN {label}-----\n\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn in_packet(signature: &Signature) -> Vec<u8> {
    let mut bytes = Vec::new();
    signature.to_writer_with_header(&mut bytes).unwrap();
    bytes
}

fn times(created: u32, lasts: Option<u32>, of_key: bool) -> Vec<Subpacket> {
    let mut all = vec![Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(created))).unwrap()];
    if let Some(lasts) = lasts {
        let lasts = Duration::from_secs(lasts);
        let data = if of_key { SubpacketData::KeyExpirationTime(lasts) } else { SubpacketData::SignatureExpirationTime(lasts) };
        all.push(Subpacket::regular(data).unwrap());
    }
    all
}

fn config(kind: SignatureType, hash: HashAlgorithm, key: &impl SigningKey, hashed: Vec<Subpacket>) -> SignatureConfig {
    let mut config = SignatureConfig::v4(kind, key.algorithm(), hash);
    config.hashed_subpackets = hashed;
    config.hashed_subpackets.push(Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint())).unwrap());
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id())).unwrap()];
    config
}

fn flags(signs: bool) -> Subpacket {
    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(signs);
    Subpacket::regular(SubpacketData::KeyFlags(flags)).unwrap()
}

/// The user id and the revocations, in place of what the library signs at the time of now.
fn certify(secret: &mut SignedSecretKey, made: Made) {
    let (nobody, key, public) = (Password::empty(), &secret.primary_key, secret.primary_key.public_key());
    let id = secret.details.users.first().unwrap().id.clone();
    let mut hashed = times(made.created, made.lasts, true);
    hashed.push(flags(made.signs));
    let own = config(SignatureType::CertPositive, made.hash, key, hashed);
    let mut signatures = vec![own.sign_certification(key, public, &nobody, Tag::UserId, &id).unwrap()];
    if made.revoked == Some(Revoked::User) {
        let revocation = config(SignatureType::CertRevocation, made.hash, key, times(made.created + 5, None, false));
        signatures.push(revocation.sign_certification(key, public, &nobody, Tag::UserId, &id).unwrap());
    }
    let mut revocations = Vec::new();
    if made.revoked == Some(Revoked::Key) {
        let revocation = config(SignatureType::KeyRevocation, made.hash, key, times(made.created + 5, None, false));
        revocations.push(revocation.sign_key(key, &nobody, public).unwrap());
    }
    secret.details.users.first_mut().unwrap().signatures = signatures;
    secret.details.revocation_signatures = revocations;
}

fn bind(secret: &mut SignedSecretKey, made: Made, sub: Sub) {
    let (nobody, key, public) = (Password::empty(), &secret.primary_key, secret.primary_key.public_key());
    let subkey = secret.secret_subkeys.first().unwrap().key.clone();
    let mut hashed = times(made.created, sub.lasts, true);
    hashed.push(flags(true));
    if sub.agrees {
        let back = config(SignatureType::KeyBinding, made.hash, &subkey, times(made.created, None, false));
        let back = back.sign_primary_key_binding(&subkey, subkey.public_key(), &nobody, public).unwrap();
        hashed.push(Subpacket::regular(SubpacketData::EmbeddedSignature(Box::new(back))).unwrap());
    }
    let binding = config(SignatureType::SubkeyBinding, made.hash, key, hashed);
    let mut signatures = vec![binding.sign_subkey_binding(key, public, &nobody, subkey.public_key()).unwrap()];
    if sub.is_revoked {
        let revocation = config(SignatureType::SubkeyRevocation, made.hash, key, times(made.created + 5, None, false));
        signatures.push(revocation.sign_subkey_binding(key, public, &nobody, subkey.public_key()).unwrap());
    }
    secret.secret_subkeys.first_mut().unwrap().signatures = signatures;
}

fn sign(key: &impl SigningKey, signed: &str, terms: Terms) -> Signature {
    let mut hashed = times(terms.created, terms.lasts, false);
    if terms.has_notation {
        let notation = Notation { readable: true, name: "a@b".into(), value: "c".into() };
        hashed.push(Subpacket::critical(SubpacketData::Notation(notation)).unwrap());
    }
    config(terms.kind, terms.hash, key, hashed).sign(key, &Password::empty(), signed.as_bytes()).unwrap()
}
