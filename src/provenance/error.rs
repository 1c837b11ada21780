//! Why nobody vouches for a chart, and why a keyring cannot be used. Sentences name the chart and the cure.

use super::{Signer, clearsigned::FrameError, statement::StatementError};

/// A chart for which nobody vouches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{chart}` cannot be verified: {flaw}")]
pub struct Unvouched {
    /// `name version`.
    pub chart: String,
    /// Why not.
    pub flaw: Flaw,
}

/// What is wrong with a provenance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// There is none.
    #[error("it has no provenance, for {0}; sign the chart with `helm package --sign`, and put the `.prov` beside its archive")]
    Missing(String),
    /// No clear-signed message.
    #[error("its provenance is no signed message that can be read in one way alone: {0}; `helm package --sign` makes a right one")]
    Frame(#[from] FrameError),
    /// Packets that are no signatures, or too many.
    #[error("its provenance has no signature that can be read: {0}; `helm package --sign` makes a right one")]
    Signature(&'static str),
    /// Signed by somebody else.
    #[error(
        "its provenance is signed by {issuer}, and {keyring} has no such key that may sign: add the public key there, where it is to be trusted"
    )]
    UnknownKey {
        /// Key ids or fingerprints.
        issuer: String,
        /// The keyring.
        keyring: String,
    },
    /// A hash for which somebody can make another text.
    #[error("its signature by {signer} rests on {hash}, which can be forged: sign the chart anew with `helm package --sign`")]
    WeakHash {
        /// Who signed.
        signer: Signer,
        /// The hash.
        hash: String,
    },
    /// The signature is of something else.
    #[error("its provenance is not what {signer} has signed: somebody has changed it since; get the original back, or sign the chart anew")]
    Forged {
        /// Who is said to have signed.
        signer: Signer,
    },
    /// A time that is over, or has not come.
    #[error("its signature by {signer} does not hold now: {when}; sign the chart anew, and look at the clocks of both sides")]
    SignatureTime {
        /// Who signed.
        signer: Signer,
        /// Which.
        when: &'static str,
    },
    /// A key that was revoked.
    #[error("the key of {signer}, which signed it, was revoked: sign the chart anew with another key")]
    Revoked {
        /// Who signed.
        signer: Signer,
    },
    /// A key whose time is over, or has not come.
    #[error(
        "the key of {signer}, which signed it, is not valid now: {when}; put the key with a later end into {keyring}, or sign the chart anew with another one"
    )]
    KeyTime {
        /// Who signed.
        signer: Signer,
        /// Which.
        when: &'static str,
        /// The keyring.
        keyring: String,
    },
    /// A key that is too weak.
    #[error("the key of {signer}, which signed it, cannot be relied on: {why}; sign the chart anew with another key")]
    WeakKey {
        /// Who signed.
        signer: Signer,
        /// Why.
        why: &'static str,
    },
    /// Signed, and says nothing of a chart.
    #[error("what {signer} has signed is no provenance: {cause}; `helm package --sign` makes a right one")]
    Statement {
        /// Who signed.
        signer: Signer,
        /// Why.
        cause: StatementError,
    },
    /// The provenance of another chart.
    #[error("its provenance is that of `{found}`: put the one of this version beside its archive")]
    OtherChart {
        /// `name version`.
        found: String,
    },
    /// Another file.
    #[error("its provenance says nothing of `{file}`: sign the archive under this name, which `helm package` gives it")]
    OtherFile {
        /// The name that the archive has.
        file: String,
    },
    /// Another archive.
    #[error(
        "{signer} has signed {signed} for `{file}`, and the archive has {found}: somebody has changed it since, or the `.prov` is older; get the original back, or sign the chart anew"
    )]
    OtherArchive {
        /// Who signed.
        signer: Signer,
        /// The name that the archive has.
        file: String,
        /// What was signed.
        signed: String,
        /// What the archive has.
        found: String,
    },
}

/// Why a keyring cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is nothing.
    #[error("it is empty: put the public keys of those who sign there (`kubectl create secret generic NAME --from-file=pubring.gpg`)")]
    Empty,
    /// An entry that holds something else.
    #[error("`{entry}` holds no OpenPGP keys: {why}; `gpg --armor --export` makes such a file")]
    NoKeys {
        /// The entry.
        entry: String,
        /// Why not.
        why: String,
    },
    /// GnuPG's own file.
    #[error("`{entry}` is a keybox, which GnuPG alone reads: put there what `gpg --export` gives")]
    Keybox {
        /// The entry.
        entry: String,
    },
    /// A key with which one signs.
    #[error("`{entry}` holds a secret key, which belongs to its owner alone: put there what `gpg --export` gives")]
    SecretKey {
        /// The entry.
        entry: String,
    },
    /// Too many.
    #[error("it holds more than {most} keys: leave those of the people who sign these charts")]
    TooMany {
        /// How many it may hold.
        most: usize,
    },
    /// Keys that cannot sign.
    #[error("none of its keys can sign a chart: {why}; put the public keys of those who sign there (`gpg --armor --export`)")]
    NoneSigns {
        /// Why the last one cannot.
        why: String,
    },
}
