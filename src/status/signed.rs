//! Who signed a chart, as resources have it.

use crate::{api::SignedBy, provenance::Signer};

/// As it stands in a status and in the record.
pub fn signed_by(signer: &Signer) -> SignedBy {
    let Signer { fingerprint, subkey, user } = signer.clone();
    SignedBy { fingerprint, subkey, user }
}

/// As it was read there.
pub fn signer(signed_by: &SignedBy) -> Signer {
    let SignedBy { fingerprint, subkey, user } = signed_by.clone();
    Signer { fingerprint, subkey, user }
}
