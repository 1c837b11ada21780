//! What a run would do, and why: it looks as a run does, by the same code, and ends where a run would begin to send or to read charts.
//! Writes nothing, and must not.

use super::{
    Failed, ProofTerms, TargetRun, Used,
    job::{Job, mutated},
    need::Need,
    run::prepare,
    seal::Seal,
};
use crate::{plan::Wanted, provenance::Demand, source::Source};

/// The size of a chart whose size nobody has said: most are smaller.
const USUAL: u64 = 64 << 10;

/// What a run would do for one version at one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is fetched, sent and pulled back.
    Publish,
    /// The tag is there and nobody knows what it holds: it is read, and proven or reported.
    Look,
    /// What was proven before is read again.
    Prove,
    /// It is there, and was not judged by this keyring: its provenance is fetched from the source and verified.
    Verify,
    /// Nothing has to be done.
    Unchanged,
    /// Nothing may be done.
    Refuse,
    /// Nothing can be done now.
    Wait,
    /// Nothing is done while the publication is suspended.
    Suspended,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Publish, Self::Look, Self::Prove, Self::Verify, Self::Unchanged, Self::Refuse, Self::Wait, Self::Suspended];

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "Publish",
            Self::Look => "Look",
            Self::Prove => "Prove",
            Self::Verify => "Verify",
            Self::Unchanged => "Unchanged",
            Self::Refuse => "Refuse",
            Self::Wait => "Wait",
            Self::Suspended => "Suspended",
        }
    }
}

/// What a run would do for one version at one target, by which way, and why.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// What.
    pub action: Action,
    /// `repository:tag` in the registry, where the names can be such.
    pub place: Option<String>,
    /// The way that would be taken first.
    pub way: Option<Used>,
    /// Why this is done, or not.
    pub reason: String,
}

impl Foreseen {
    /// What is not done, since something failed.
    pub fn failed(failed: &Failed, place: Option<String>) -> Self {
        let action = if failed.passing { Action::Wait } else { Action::Refuse };
        Self { action, place, way: None, reason: format!("{}: {}", failed.reason, failed.sentence) }
    }
}

/// For each of `wanted`, in its order, what a run over `target` would do. Lists tags, and asks nothing else.
pub async fn foresee(target: &TargetRun, source: &Source, wanted: &[Wanted], proof: Option<ProofTerms>, demand: &Demand) -> Vec<Foreseen> {
    let prepared = prepare(target, (source, wanted), proof, demand).await;
    let way = target.ways.begins_with(USUAL).or(prepared.by).map(|(way, tactic)| Used::of(way, tactic));
    prepared.jobs.into_iter().zip(wanted).map(|(job, wanted)| foreseen(job, wanted, way.as_ref(), demand)).collect()
}

fn foreseen(job: Job, wanted: &Wanted, way: Option<&Used>, demand: &Demand) -> Foreseen {
    let (need, repository, tag, seal) = match job {
        Job::To { need, repository, tag, seal } => (need, repository, tag, seal),
        Job::Refused { place, failed } => {
            return Foreseen::failed(&failed, place.map(|(repository, tag)| format!("{repository}:{tag}")));
        }
    };
    let place = format!("{repository}:{tag}");
    let (action, reason) = match need {
        Need::Publish => (Action::Publish, format!("the registry does not list `{place}`")),
        Need::Look => (Action::Look, format!("`{place}` is there, and no proof of it by this route is known: it is read and compared")),
        Need::Prove(known) if known.doubted => {
            (Action::Prove, format!("the last proof of `{place}` failed: it is read again, and mended where it can be"))
        }
        Need::Prove(_) => (Action::Prove, format!("the proof of `{place}` is older than `proof.interval`: it is read again")),
        Need::Attach { lacks, .. } => {
            (Action::Publish, format!("the source has `{lacks}`, which belongs to `{place}`, and the registry does not list it"))
        }
        Need::Nothing(_) if matches!(seal, Seal::Open { .. }) => {
            (Action::Verify, format!("`{place}` is there, and was proven before without this keyring"))
        }
        Need::Nothing(_) => (Action::Unchanged, format!("`{place}` is there, and was proven before")),
        Need::Mutated { known, promised } => {
            let failed = mutated(&place, wanted, &known, promised);
            return Foreseen { way: way.cloned(), ..Foreseen::failed(&failed, Some(place)) };
        }
    };
    let reason = format!("{reason}{}", of_signature(&seal, demand));
    let reason = match way {
        Some(way) => format!("{reason}; {}", way.reason),
        None => reason,
    };
    Foreseen { action, place: Some(place), way: way.cloned(), reason }
}

/// What is said of its signature.
fn of_signature(seal: &Seal, demand: &Demand) -> String {
    match (seal, demand.keyring()) {
        (Seal::Known { signer, .. }, _) => format!("; it is signed by {signer}"),
        (Seal::Open { .. }, Some(keyring)) => format!("; its provenance has to be signed by a key of {}", keyring.name()),
        (Seal::Open { .. }, None) | (Seal::NotAsked, _) => String::new(),
    }
}
