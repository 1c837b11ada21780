//! What came of a run: for each target and version either a proof or a reason.

use super::{Away, FailedAttempt, Known, Pushed, ReadersPlan, Remembered, Way};
use crate::{
    api::Reason,
    model::{RepositoryName, Tag},
    plan::{Tactic, first},
    provenance::{Signer, Unvouched},
    remedy::{Class, Verdict},
    source::SourceError,
    verify::Verified,
};

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In the order of the spec.
    pub targets: Vec<TargetOutcome>,
    /// Whether the run was ended before all was done.
    pub cancelled: bool,
}

/// What came of one target.
#[derive(Debug, Default)]
pub struct TargetOutcome {
    /// Its name in the spec.
    pub name: String,
    /// Where it points: what the inventory keeps, so that what was proven at another registry counts for nothing here.
    pub registry: String,
    /// One for each wanted version that was reached.
    pub charts: Vec<ChartOutcome>,
    /// How many versions are wanted here.
    pub wanted: usize,
    /// The way that was used.
    pub used: Option<Used>,
    /// All ways that there are, in order.
    pub ways: Vec<Used>,
    /// What failed on the way there.
    pub attempts: Vec<FailedAttempt>,
    /// What was learnt of the ways.
    pub learnt: Vec<Remembered>,
    /// The `oci://` address for readers, with the chart's name where there is only one.
    pub pull: Option<String>,
    /// Whether what was proven before was proven again.
    pub proved_again: bool,
    /// What readers take.
    pub readers: ReadersPlan,
    /// Where the registry is away: who asks it again, and when.
    pub away: Option<Away>,
    /// Why nothing could be tried.
    pub failure: Option<Failed>,
}

/// A way that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The route's name, or `mixed`.
    pub route: String,
    /// What was dialled.
    pub address: String,
    /// The method's name, or `mixed`.
    pub method: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// Stands for a route or method where not all versions went by the same.
pub const MIXED: &str = "mixed";

impl Used {
    /// This one.
    pub fn of(way: &Way, tactic: Tactic) -> Self {
        let strategy = &way.strategy;
        Self {
            route: strategy.route.as_str().to_owned(),
            address: way.address(),
            method: tactic.method().as_str().to_owned(),
            reason: match tactic.shown() {
                shown if shown.is_empty() => strategy.reason.clone(),
                shown => format!("{}; {shown}", strategy.reason),
            },
        }
    }

    /// One that is there, before anything was sent by it.
    pub fn before_any(way: &Way) -> Self {
        Self::of(way, first(&way.strategy.bodies, 0))
    }

    /// What several have in common.
    pub fn together(used: Vec<Self>) -> Option<Self> {
        used.into_iter().reduce(|mut all, one| {
            if all.route != one.route {
                MIXED.clone_into(&mut all.route);
            }
            if all.method != one.method {
                MIXED.clone_into(&mut all.method);
            }
            for (whole, part) in [(&mut all.address, &one.address), (&mut all.reason, &one.reason)] {
                if !whole.split("; ").any(|known| known == part) {
                    *whole = format!("{whole}; {part}");
                }
            }
            all
        })
    }
}

/// What came of one version at one target.
#[derive(Debug)]
pub struct ChartOutcome {
    /// The chart.
    pub chart: String,
    /// As the source spells it.
    pub version: String,
    /// Where; nothing when the name cannot be a repository.
    pub place: Option<(RepositoryName, Tag)>,
    /// When it was made, as the source says, in seconds since 1970.
    pub created: Option<i64>,
    /// The way that it went in this run; nothing where nothing was sent or read.
    pub used: Option<Used>,
    /// Whose signature it has; nobody where none is demanded.
    pub signer: Option<Signer>,
    /// A proof or a reason.
    pub result: Result<Done, Failed>,
}

/// A version that is there, proven.
#[derive(Debug)]
pub enum Done {
    /// Sent and pulled back in this run.
    Published(Pushed),
    /// A proof found it missing or damaged; it was sent again and pulled back in this run.
    Mended {
        /// The proof.
        pushed: Pushed,
        /// What had been found.
        found: Failed,
    },
    /// It was there already, and was pulled back in this run.
    Found(Verified),
    /// It was proven in an earlier run, and the registry still lists it.
    Unchanged(Known),
}

impl Done {
    /// The digests.
    pub fn known(&self) -> Option<Known> {
        match self {
            Self::Published(pushed) | Self::Mended { pushed, .. } => Self::of(&pushed.verified),
            Self::Found(verified) => Self::of(verified),
            Self::Unchanged(known) => Some(known.clone()),
        }
    }

    fn of(verified: &Verified) -> Option<Known> {
        let expected = verified.proven();
        Some(Known { manifest: expected.manifest, layer: expected.blobs.first()?.digest, proved: None, doubted: false, signer: None })
    }

    /// Whether bytes were sent for it.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::Published(_) | Self::Mended { .. })
    }
}

/// Why something is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The name of the cause.
    pub reason: Reason,
    /// Object and cure.
    pub sentence: String,
    /// Whether it is tried again soon, by itself.
    pub passing: bool,
}

impl From<Verdict> for Failed {
    fn from(verdict: Verdict) -> Self {
        Self { reason: verdict.reason, passing: verdict.class != Class::Final, sentence: verdict.sentence }
    }
}

impl From<&SourceError> for Failed {
    fn from(error: &SourceError) -> Self {
        Self { reason: error.reason(), sentence: error.to_string(), passing: error.is_passing() }
    }
}

impl From<Unvouched> for Failed {
    fn from(error: Unvouched) -> Self {
        Self { reason: Reason::SignatureInvalid, sentence: error.to_string(), passing: false }
    }
}

impl TargetOutcome {
    /// How many versions are there, proven.
    pub fn proven(&self) -> usize {
        self.charts.iter().filter(|chart| chart.result.is_ok()).count()
    }

    /// Whether a route was taken because an earlier one led nowhere.
    pub fn is_detour(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.verdict.reason.leads_nowhere())
    }

    /// The first thing that is wrong.
    pub fn first_failure(&self) -> Option<&Failed> {
        self.failures().next()
    }

    /// All that is wrong.
    pub fn failures(&self) -> impl Iterator<Item = &Failed> {
        self.failure.iter().chain(self.charts.iter().filter_map(|chart| chart.result.as_ref().err()))
    }
}
