//! Where signatures are demanded: what is there counts only once its archive was judged.
//!
//! What was judged in an earlier run counts for as long as the keyring has the key that signed it. All else is fetched from the source
//! and judged before the registry is asked for anything; also what was published before a signature was demanded.

use super::{
    Done, Failed, Known, Need, TargetRun, Used, Vetted,
    job::{Job, JobResult, Parcel, mutated},
};
use crate::{
    api::Reason,
    model::Digest,
    provenance::{Demand, Signer},
    source::FetchedChart,
};

/// What is known of the signature of a version before its job begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seal {
    /// None is demanded.
    NotAsked,
    /// This archive was signed so, and that still counts.
    Known {
        /// The archive.
        layer: Digest,
        /// Who signed it.
        signer: Signer,
    },
    /// It has to be judged.
    Open {
        /// Whether it was published before.
        is_published: bool,
    },
}

impl Seal {
    /// From what is on record.
    pub(super) fn of(demand: &Demand, known: Option<&Known>) -> Self {
        let Some(keyring) = demand.keyring() else { return Self::NotAsked };
        let signer = known.and_then(|known| known.signer.clone()).filter(|signer| keyring.still_trusts(signer));
        match (known, signer) {
            (Some(known), Some(signer)) => Self::Known { layer: known.layer, signer },
            _ => Self::Open { is_published: known.is_some() },
        }
    }
}

/// What came of a job, and whose signature it has.
pub(super) struct Sealed {
    pub(super) result: Result<Done, Failed>,
    pub(super) way: Option<Used>,
    pub(super) signer: Option<Signer>,
}

impl Sealed {
    fn unsigned(JobResult { result, way }: JobResult) -> Self {
        Self { result, way, signer: None }
    }

    /// Whether it was ended before anything came of it.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.result.as_ref().is_err_and(|failed| failed.reason == Reason::Progressing)
    }

    /// Whether the spool has too little room for it now.
    pub(super) fn lacks_room(&self) -> bool {
        self.result.as_ref().is_err_and(|failed| failed.reason == Reason::SpoolFull && failed.passing)
    }
}

impl Job {
    /// Does it, where its signature is the one that is demanded.
    pub(super) async fn done(&self, target: &TargetRun, parcel: &Parcel<'_>) -> Sealed {
        let (reference, need, seal) = match self {
            Self::Refused { .. } | Self::To { need: Need::Mutated { .. }, .. } | Self::To { seal: Seal::NotAsked, .. } => {
                return Sealed::unsigned(self.carried_out(target, parcel).await);
            }
            Self::To { repository, tag, need, seal } => (format!("{repository}:{tag}"), need, seal),
        };
        // Before anything is asked of the registry.
        if let Seal::Open { is_published } = seal
            && let Err(failed) = parcel.package().await
        {
            return Sealed::unsigned(JobResult { result: Err(with_rest(failed, *is_published, need)), way: None });
        }
        let JobResult { result, way } = self.carried_out(target, parcel).await;
        let Some(known) = result.as_ref().ok().and_then(Done::known) else { return Sealed { result, way, signer: None } };
        match signer(seal, parcel, &known, &reference).await {
            Ok(signer) => Sealed { result, way, signer: Some(signer) },
            Err(failed) => Sealed { result: Err(failed), way, signer: None },
        }
    }
}

/// Who has signed what is there.
async fn signer(seal: &Seal, parcel: &Parcel<'_>, known: &Known, reference: &str) -> Result<Signer, Failed> {
    if let Seal::Known { layer, signer } = seal
        && *layer == known.layer
    {
        return Ok(signer.clone());
    }
    let package = parcel.package().await?;
    if package.digest() != known.layer {
        return Err(mutated(reference, parcel.wanted, known, package.digest()));
    }
    if parcel.keeps_manifests() && package.manifest() != known.manifest {
        return Err(parcel.moved_to(package.manifest(), known, reference));
    }
    package.signer().cloned().ok_or_else(|| {
        let sentence = format!("`{reference}` was not judged");
        Failed { reason: Reason::SignatureInvalid, sentence, passing: true }
    })
}

/// Says what readers get all the same.
fn with_rest(failed: Failed, is_published: bool, need: &Need) -> Failed {
    let rest = match need {
        _ if failed.reason != Reason::SignatureInvalid => return failed,
        _ if is_published => "It was published before, and what is published stays",
        Need::Look => "Its tag is there already, by somebody else or from before, and stays: delete it where nobody may pull it",
        _ => return failed,
    };
    Failed { sentence: format!("{}. {rest}", failed.sentence), ..failed }
}

/// Holds a chart against the demand; not on the threads that drive connections.
pub(super) async fn vetted(demand: &Demand, chart: FetchedChart) -> Result<Vetted, Failed> {
    let demand = demand.clone();
    match tokio::task::spawn_blocking(move || Vetted::of(&demand, chart)).await {
        Ok(vetted) => Ok(vetted?),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
