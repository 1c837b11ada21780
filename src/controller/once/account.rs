//! What came of one publication, over all passes.

use std::collections::HashMap;

use kube::ResourceExt;

use crate::{
    api::ChartPublication,
    publish::{ASKED_BY_ANOTHER, ChartOutcome, Done, Failed, TargetOutcome},
    status::SourceReport,
};

/// What came of one publication.
#[derive(Debug, Default)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Nothing is done for it.
    pub suspended: bool,
    /// Work on it was ended before all was done.
    pub stopped: bool,
    /// What the source offered.
    pub source: Option<SourceReport>,
    /// What went wrong before any target: of the source, and of what it does not have.
    pub refused: Vec<Failed>,
    /// In the order of the spec; none where it never came to that.
    pub targets: Vec<TargetOutcome>,
}

impl Account {
    pub(super) fn of(publication: &ChartPublication) -> Self {
        Self {
            namespace: publication.namespace().unwrap_or_default(),
            name: publication.name_any(),
            suspended: publication.spec.suspend,
            ..Self::default()
        }
    }

    /// Whether everything that it asks for is there, proven in this run. What is suspended asks for nothing.
    pub fn is_proven(&self) -> bool {
        let (proven, wanted) = self.counts();
        self.suspended || (!self.targets.is_empty() && !self.stopped && self.failures().next().is_none() && proven == wanted)
    }

    /// How many versions are there, proven, and how many are wanted: over all targets.
    pub fn counts(&self) -> (usize, usize) {
        let counted = |(proven, wanted), target: &TargetOutcome| (proven + target.proven(), wanted + target.wanted);
        self.targets.iter().fold((0, 0), counted)
    }

    /// All that is wrong.
    pub fn failures(&self) -> impl Iterator<Item = &Failed> {
        self.refused.iter().chain(self.targets.iter().flat_map(TargetOutcome::failures))
    }

    /// With what an earlier pass came to: what it proved and this one only found in its place, or did not come to.
    pub(super) fn after(mut self, before: Self) -> Self {
        if self.targets.is_empty() {
            self.source = self.source.or(before.source);
            self.targets = before.targets;
            return self;
        }
        let mut before: HashMap<String, TargetOutcome> =
            before.targets.into_iter().map(|target| (target.name.clone(), target)).collect();
        for target in &mut self.targets {
            if let Some(old) = before.remove(&target.name) {
                merge(target, old);
            }
        }
        self
    }

    /// Nothing follows any more, whatever was said of it.
    pub(super) fn closed(mut self) -> Self {
        let charts = self.targets.iter_mut().flat_map(|target| &mut target.charts);
        for failed in charts.filter_map(|chart| chart.result.as_mut().err()) {
            if let Some(rest) = failed.sentence.strip_suffix(ASKED_BY_ANOTHER) {
                failed.sentence = rest.to_owned();
            }
        }
        self
    }
}

fn merge(target: &mut TargetOutcome, old: TargetOutcome) {
    let key = |chart: &ChartOutcome| (chart.chart.clone(), chart.version.clone());
    let places: HashMap<_, _> = target.charts.iter().enumerate().map(|(place, chart)| (key(chart), place)).collect();
    let sent = target.charts.iter().any(|chart| chart.result.as_ref().is_ok_and(Done::is_new));
    for chart in old.charts.into_iter().filter(|chart| chart.result.is_ok()) {
        match places.get(&key(&chart)).and_then(|place| target.charts.get_mut(*place)) {
            Some(now) if matches!(now.result, Ok(Done::Unchanged(_))) => *now = chart,
            Some(_) => {}
            None => target.charts.push(chart),
        }
    }
    // A pass that only found everything in its place says nothing new of the way.
    if !sent && target.failures().next().is_none() && old.used.is_some() {
        (target.used, target.attempts) = (old.used, old.attempts);
    }
}
