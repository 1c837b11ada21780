//! Which keys of a certificate may sign, and how long: by its own signatures, those of its user ids and its subkeys.
//!
//! What is bound by no valid signature of the primary key is passed over, as GnuPG does: whoever adds a packet to a file of keys has
//! no say. A revocation counts as soon as it is there.

use std::cmp::Reverse;

use pgp::{
    composed::{SignedPublicKey, SignedPublicSubKey},
    packet::{PublicKey, PublicSubkey, Signature, SignatureType, SubpacketData},
    ser::Serialize,
    types::{Duration, KeyDetails, KeyVersion, PublicParams, SignedUser, Tag, Timestamp},
};

/// Bits of the shortest RSA key that counts (NIST SP 800-131A).
const SHORTEST_RSA: u16 = 2048;
/// Letters of a user id that are shown.
const LONGEST_USER: usize = 120;

/// Who signed a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The fingerprint of the primary key, in upper case, as `gpg` shows it.
    pub fingerprint: String,
    /// That of the subkey, where one has signed.
    pub subkey: Option<String>,
    /// The user id that the key calls its primary one.
    pub user: String,
}

impl std::fmt::Display for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}` ({})", self.user, self.fingerprint)
    }
}

/// A key that may sign.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) signer: Signer,
    public: Public,
    pub(super) is_revoked: bool,
    /// Times in seconds since 1970.
    pub(super) from: i64,
    pub(super) until: Option<i64>,
    /// Why it cannot be relied on.
    pub(super) weak: Option<&'static str>,
}

#[derive(Debug)]
enum Public {
    Primary(PublicKey),
    Subkey(PublicSubkey),
}

impl Key {
    /// Whether `signature` says that it was made by this key, and by no other.
    pub(super) fn is_named_by(&self, signature: &Signature) -> bool {
        let (id, fingerprint) = match &self.public {
            Public::Primary(key) => (key.legacy_key_id(), key.fingerprint()),
            Public::Subkey(key) => (key.legacy_key_id(), key.fingerprint()),
        };
        let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
        let is_named = !ids.is_empty() || !fingerprints.is_empty();
        is_named && ids.into_iter().all(|named| *named == id) && fingerprints.into_iter().all(|named| *named == fingerprint)
    }

    /// Whether it made `signature` of `signed`.
    pub(super) fn has_signed(&self, signature: &Signature, signed: &[u8]) -> bool {
        match &self.public {
            Public::Primary(key) => signature.verify(key, signed),
            Public::Subkey(key) => signature.verify(key, signed),
        }
        .is_ok()
    }
}

/// For how long all signatures that bind a key hold, and the key with them.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    from: i64,
    until: Option<i64>,
}

impl Bounds {
    fn of_key(created: Timestamp, binding: &Signature) -> Self {
        Self { from: seconds(created), until: end(created, binding.key_expiration_time()) }.and(Self::of_signature(binding))
    }

    fn of_signature(signature: &Signature) -> Self {
        let created = signature.created().unwrap_or_default();
        Self { from: seconds(created), until: end(created, signature.signature_expiration_time()) }
    }

    fn and(self, other: Self) -> Self {
        let until = [self.until, other.until].into_iter().flatten().min();
        Self { from: self.from.max(other.from), until }
    }
}

pub(super) fn seconds(time: Timestamp) -> i64 {
    time.as_secs().into()
}

/// No time at all means that there is no end.
pub(super) fn end(begin: Timestamp, span: Option<Duration>) -> Option<i64> {
    span.filter(|span| span.as_secs() > 0).map(|span| seconds(begin) + i64::from(span.as_secs()))
}

/// A user id that the key has signed itself.
struct Identity<'c> {
    user: &'c SignedUser,
    own: &'c Signature,
    revocations: usize,
}

/// The keys of a certificate that may sign.
///
/// # Errors
/// Why there is none.
pub(super) fn signing(certificate: &SignedPublicKey) -> Result<Vec<Key>, &'static str> {
    let primary = &certificate.primary_key;
    if primary.version() != KeyVersion::V4 {
        return Err("a key is not of version 4, as GnuPG makes them");
    }
    let identities = certificate.details.users.iter().filter_map(|user| Identity::of(primary, user));
    let first = identities.min_by_key(|identity| (identity.revocations, !identity.own.is_primary(), Reverse(identity.own.created())));
    let identity = first.ok_or("a key has signed no user id of its own")?;
    let is_revocation = |signature: &&Signature| signature.typ() == Some(SignatureType::KeyRevocation);
    let is_revoked = identity.revocations > 0
        || certificate.details.revocation_signatures.iter().filter(is_revocation).any(|signature| signature.verify_key(primary).is_ok());
    let user: String =
        String::from_utf8_lossy(identity.user.id.id()).chars().filter(|letter| !letter.is_control()).take(LONGEST_USER).collect();
    let signer = Signer { fingerprint: shown(primary), subkey: None, user };
    let bounds = Bounds::of_key(primary.created_at(), identity.own);
    let unknown = has_unknown(identity.own);
    let mut keys = Vec::new();
    if identity.own.key_flags().sign() {
        let weak = weakness(primary.public_params(), unknown);
        let (signer, public) = (signer.clone(), Public::Primary(primary.clone()));
        keys.push(Key { signer, public, is_revoked, from: bounds.from, until: bounds.until, weak });
    }
    for subkey in &certificate.public_subkeys {
        let Some((binding, back)) = bound(primary, subkey) else { continue };
        let bounds = bounds.and(Bounds::of_key(subkey.key.created_at(), binding)).and(Bounds::of_signature(back));
        let is_revoked = is_revoked
            || of_type(subkey, SignatureType::SubkeyRevocation).any(|one| one.verify_subkey_binding(primary, &subkey.key).is_ok());
        let weak = weakness(subkey.key.public_params(), unknown || has_unknown(binding) || has_unknown(back));
        let signer = Signer { subkey: Some(shown(&subkey.key)), ..signer.clone() };
        keys.push(Key { signer, public: Public::Subkey(subkey.key.clone()), is_revoked, from: bounds.from, until: bounds.until, weak });
    }
    if keys.is_empty() { Err("a key is not made for signing") } else { Ok(keys) }
}

impl<'c> Identity<'c> {
    fn of(primary: &PublicKey, user: &'c SignedUser) -> Option<Self> {
        let is_own = |signature: &&Signature| signature.verify_certification(primary, Tag::UserId, &user.id).is_ok();
        let (revocations, all): (Vec<_>, Vec<_>) =
            user.signatures.iter().filter(is_own).partition(|signature| signature.typ() == Some(SignatureType::CertRevocation));
        let own = all.into_iter().rev().max_by_key(|signature| signature.created())?;
        Some(Self { user, own, revocations: revocations.len() })
    }
}

/// The newest binding of a subkey, and the signature by which the subkey agrees; nothing where it may not sign.
fn bound<'c>(primary: &PublicKey, subkey: &'c SignedPublicSubKey) -> Option<(&'c Signature, &'c Signature)> {
    let all = of_type(subkey, SignatureType::SubkeyBinding);
    let valid = all.filter(|signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok());
    let binding = valid.max_by_key(|signature| signature.created()).filter(|binding| binding.key_flags().sign())?;
    let back = binding.embedded_signature()?;
    back.verify_primary_key_binding(&subkey.key, primary).ok()?;
    Some((binding, back))
}

fn of_type(subkey: &SignedPublicSubKey, kind: SignatureType) -> impl Iterator<Item = &Signature> {
    subkey.signatures.iter().filter(move |signature| signature.typ() == Some(kind))
}

fn shown(key: &impl KeyDetails) -> String {
    key.fingerprint().to_string().to_uppercase()
}

/// Whether a signature says something that must be understood, and is not (RFC 9580, section 5.2.3.7).
pub(super) fn has_unknown(signature: &Signature) -> bool {
    let is_known =
        |data: &SubpacketData| !matches!(data, SubpacketData::Notation(_) | SubpacketData::Experimental(..) | SubpacketData::Other(..));
    signature.config().is_none_or(|config| config.hashed_subpackets().any(|one| one.is_critical && !is_known(&one.data)))
}

fn weakness(parameters: &PublicParams, has_unknown: bool) -> Option<&'static str> {
    match parameters {
        _ if has_unknown => Some("its own signature has a part that must be understood, and is not"),
        PublicParams::DSA(_) => Some("DSA is no longer for new signatures (FIPS 186-5)"),
        PublicParams::RSA(key) if bits(key) < SHORTEST_RSA => Some("an RSA key of fewer than 2,048 bits can be broken"),
        _ => None,
    }
}

/// What a number is written with: its length in bits comes first.
fn bits(key: &impl Serialize) -> u16 {
    let bytes = key.to_bytes().unwrap_or_default();
    bytes.first_chunk::<2>().map_or(0, |length| u16::from_be_bytes(*length))
}
