//! What a publication demands of the origin of its charts: from `verify` and its Secret to a keyring.

use std::sync::Arc;

use super::{
    access::Secrets,
    at_hand::{AtHand, IN_A_CLUSTER, absent},
    inputs::Member,
};
use crate::{
    api::{ChartPublication, LocalReference, Reason},
    provenance::{Demand, Keyring, KeyringError},
    publish::Failed,
};

/// Reads the keyring; `now` in seconds since 1970.
///
/// # Errors
/// Where nothing may be published, since no signature could be judged.
pub(super) async fn demand(publication: &ChartPublication, secrets: &Secrets, now: i64) -> Result<Demand, Failed> {
    let Some(reference) = keyring_of(publication)? else { return Ok(Demand::default()) };
    let (name, entries) = secrets.entries(reference).await?;
    let keyring = read(name, entries).await.map_err(|error| secrets.invalid(reference, &error.to_string()))?;
    Ok(Demand::of(keyring, now))
}

/// The same where there is no cluster: the keyring `at_hand` stands in for the Secret.
pub(super) fn by_file(publication: &ChartPublication, at_hand: &AtHand, now: i64) -> Result<Demand, Failed> {
    let Some(reference) = keyring_of(publication)? else { return Ok(Demand::default()) };
    match &at_hand.keyring {
        Some(keyring) => Ok(Demand::of(Arc::clone(keyring), now)),
        None => Err(absent(format!("Secret `{}` {IN_A_CLUSTER}, or its keys by `--keyring FILE`", reference.name))),
    }
}

/// The Secret that holds it, where one is asked.
fn keyring_of(publication: &ChartPublication) -> Result<Option<&LocalReference>, Failed> {
    let Some(verify) = &publication.spec.verify else { return Ok(None) };
    // The API server lets it not pass; a file has not seen it.
    if matches!(Member::of(&publication.spec.source), Ok(Member::Inline(_))) {
        let sentence = "`verify` needs a provenance, and `spec.source.inline` has no place for one: put the archive and its `.prov` into \
                        ConfigMaps or Secrets, and name these in `configMaps` or `secrets`";
        return Err(Failed { reason: Reason::SignatureInvalid, sentence: sentence.to_owned(), passing: false });
    }
    Ok(Some(&verify.provenance.secret_ref))
}

/// A large keyring has thousands of signatures of its own: not on the threads that drive connections.
async fn read(name: String, entries: Vec<(String, Vec<u8>)>) -> Result<Keyring, KeyringError> {
    let read = move || Keyring::read(&name, entries.iter().map(|(entry, bytes)| (entry.as_str(), bytes.as_slice())));
    match tokio::task::spawn_blocking(read).await {
        Ok(keyring) => keyring,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
