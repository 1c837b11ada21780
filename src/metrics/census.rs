//! What there is at the time of a scrape.

use std::collections::BTreeMap;

use crate::{
    api::{ChartPublication, ChartPublicationStatus, Reason},
    spool::Usage,
};

/// How a publication stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// `Ready` is True.
    Ready,
    /// A run is under way, or the next follows by itself.
    Reconciling,
    /// Only a change can help.
    Stalled,
    /// Nothing is done.
    Suspended,
    /// Nothing was said of it yet.
    New,
    /// It does not fit the schema of this version.
    Unreadable,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Ready, Self::Reconciling, Self::Stalled, Self::Suspended, Self::New, Self::Unreadable];

    /// As it stands in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Suspended => "Suspended",
            Self::New => "New",
            Self::Unreadable => "Unreadable",
        }
    }
}

/// What there is.
#[derive(Debug, Default)]
pub struct Census {
    publications: BTreeMap<(State, Option<Reason>), u64>,
    pub(super) spool: Usage,
    pub(super) reconciles: Reconciles,
    /// Whether it is certain that this replica is the one that works.
    pub(super) leads: bool,
}

/// Who works and who waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciles {
    /// They work.
    pub running: u64,
    /// They have something to do and wait for a slot.
    pub waiting: u64,
    /// Slots.
    pub limit: u64,
}

impl Census {
    /// Of a moment at which these work and the spool holds this; publications are counted one by one.
    pub fn new(spool: Usage, reconciles: Reconciles, leads: bool) -> Self {
        Self { publications: BTreeMap::new(), spool, reconciles, leads }
    }

    /// Of a replica that waits for its turn: it watches nothing.
    pub fn standing_by(spool: Usage) -> Self {
        Self { spool, ..Self::default() }
    }

    /// Counts a publication; nothing stands for an object that cannot be read.
    pub fn count(&mut self, publication: Option<&ChartPublication>) {
        *self.publications.entry(publication.map_or((State::Unreadable, None), stands)).or_default() += 1;
    }

    /// How many stand how, and why.
    pub(super) fn publications(&self) -> impl Iterator<Item = (State, Option<Reason>, u64)> {
        self.publications.iter().map(|((state, reason), count)| (*state, *reason, *count))
    }
}

fn stands(publication: &ChartPublication) -> (State, Option<Reason>) {
    let Some(status) = publication.status.as_ref().filter(|status| !status.conditions.is_empty()) else { return (State::New, None) };
    if status.observed_generation != publication.metadata.generation {
        return (State::Reconciling, Some(Reason::Progressing));
    }
    let reason = reason(status);
    let is_true = |kind: &str| status.conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True");
    let state = match () {
        () if is_true("Ready") => State::Ready,
        () if is_true("Stalled") => State::Stalled,
        () if reason == Some(Reason::Suspended) => State::Suspended,
        () => State::Reconciling,
    };
    (state, reason)
}

/// Of `Ready`. A name that this version does not know counts as none: what is told is a closed list.
fn reason(status: &ChartPublicationStatus) -> Option<Reason> {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready")?;
    Reason::ALL.iter().copied().find(|reason| reason.as_str() == ready.reason)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A publication of generation 2 with these conditions: kind, status, reason.
    fn publication(observed: i64, conditions: &[[&str; 3]]) -> ChartPublication {
        let condition = |[kind, status, reason]: &[&str; 3]| -> Value {
            json!({"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": "2026-01-05T09:30:00Z"})
        };
        let conditions: Vec<_> = conditions.iter().map(condition).collect();
        serde_json::from_value(json!({
            "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "podinfo", "generation": 2},
            "spec": {"source": {"helmRepository": {"url": "https://charts.example.com"}}, "charts": [{"name": "podinfo"}], "targets": []},
            "status": {"observedGeneration": observed, "conditions": conditions},
        }))
        .unwrap()
    }

    #[test]
    fn each_publication_stands_in_one_way() {
        let ready = ["Ready", "True", "Succeeded"];
        for (observed, conditions, expected) in [
            (2, vec![], (State::New, None)),
            (2, vec![ready], (State::Ready, Some(Reason::Succeeded))),
            (2, vec![ready, ["Reconciling", "True", "Progressing"]], (State::Ready, Some(Reason::Succeeded))),
            (1, vec![ready], (State::Reconciling, Some(Reason::Progressing))),
            (
                2,
                vec![["Ready", "False", "RegistryUnavailable"], ["Reconciling", "True", "ProgressingWithRetry"]],
                (State::Reconciling, Some(Reason::RegistryUnavailable)),
            ),
            (2, vec![["Ready", "False", "Denied"], ["Stalled", "True", "Denied"]], (State::Stalled, Some(Reason::Denied))),
            (2, vec![["Ready", "Unknown", "Suspended"]], (State::Suspended, Some(Reason::Suspended))),
            (2, vec![["Ready", "False", "https://of.another/version"], ["Stalled", "True", "x"]], (State::Stalled, None)),
        ] {
            assert_eq!(stands(&publication(observed, &conditions)), expected, "{conditions:?}");
        }
    }

    #[test]
    fn all_that_are_there_are_counted_and_nothing_else() {
        let mut census = Census::default();
        census.count(None);
        census.count(Some(&publication(2, &[["Ready", "True", "Succeeded"]])));
        census.count(Some(&publication(2, &[["Ready", "True", "Succeeded"]])));
        let counted: Vec<_> = census.publications().collect();
        assert_eq!(counted, [(State::Ready, Some(Reason::Succeeded), 2), (State::Unreadable, None, 1)]);
    }
}
