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

    /// How many versions are there, proven, and how many are wanted: over all targets. What the source cannot meet counts as one for each
    /// request.
    pub fn counts(&self) -> (usize, usize) {
        let missing = self.source.as_ref().map_or(0, |source| source.missing);
        let counted = |(proven, wanted), target: &TargetOutcome| (proven + target.proven(), wanted + target.wanted + missing);
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
        let mut before: HashMap<String, TargetOutcome> = before.targets.into_iter().map(|target| (target.name.clone(), target)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::Reason,
        model::Digest,
        publish::{Known, Used},
    };

    fn used(route: &str) -> Used {
        Used { route: route.to_owned(), address: "10.0.0.1:1".to_owned(), method: "Buffered".to_owned(), reason: "because".to_owned() }
    }

    /// A version that is there, and was seen to be by this route; nothing for one that was found in its place.
    fn there(version: &str, route: Option<&str>) -> ChartOutcome {
        let known =
            Known { manifest: Digest::of(version.as_bytes()), layer: Digest::of(b"l"), proved: Some(1), doubted: false, signer: None };
        chart(version, route.map(used), Ok(Done::Unchanged(known)))
    }

    fn failed(version: &str, sentence: &str) -> ChartOutcome {
        let failed = Failed { reason: Reason::RouteUnreachable, sentence: sentence.to_owned(), passing: true };
        chart(version, None, Err(failed))
    }

    fn chart(version: &str, used: Option<Used>, result: Result<Done, Failed>) -> ChartOutcome {
        ChartOutcome { chart: "podinfo".to_owned(), version: version.to_owned(), place: None, created: None, used, signer: None, result }
    }

    fn account(charts: Vec<ChartOutcome>) -> Account {
        let target = TargetOutcome { name: "main".to_owned(), wanted: 2, charts, used: Some(used("URL")), ..TargetOutcome::default() };
        Account { targets: vec![target], ..Account::default() }
    }

    fn shown(account: &Account) -> Vec<(&str, bool, Option<&str>)> {
        let charts = account.targets.iter().flat_map(|target| &target.charts);
        charts.map(|chart| (chart.version.as_str(), chart.result.is_ok(), chart.used.as_ref().map(|used| used.route.as_str()))).collect()
    }

    #[test]
    fn what_an_earlier_pass_proved_stands() {
        let first = || account(vec![there("1.0.0", Some("NodePort")), failed("2.0.0", "away")]);
        let second = account(vec![there("1.0.0", None), there("2.0.0", Some("Ingress"))]).after(first());
        assert_eq!(shown(&second), [("1.0.0", true, Some("NodePort")), ("2.0.0", true, Some("Ingress"))]);
        assert!(second.is_proven() && second.counts() == (2, 2));
        // It was ended before it came to all of them, or could not even ask the source.
        let ended = Account { stopped: true, ..account(vec![failed("2.0.0", "away")]) }.after(first());
        assert_eq!(shown(&ended), [("2.0.0", false, None), ("1.0.0", true, Some("NodePort"))]);
        let refused = Failed { reason: Reason::SourceUnreachable, sentence: String::new(), passing: true };
        let unasked = Account { refused: vec![refused], ..Account::default() }.after(first());
        assert_eq!((shown(&unasked).len(), unasked.counts()), (2, (1, 2)));
        assert!(!ended.is_proven() && !unasked.is_proven() && !first().is_proven());
        // What fails now is not there, whatever was proven before.
        let lost = account(vec![failed("1.0.0", "gone"), there("2.0.0", None)]).after(account(vec![there("1.0.0", Some("NodePort"))]));
        assert_eq!(shown(&lost)[0], ("1.0.0", false, None));
    }

    #[test]
    fn all_is_proven_only_where_something_was_reached() {
        assert!(!Account::default().is_proven(), "it never had its turn");
        assert!(Account { suspended: true, ..Account::default() }.is_proven(), "it asks for nothing");
        assert!(!account(vec![there("1.0.0", None)]).is_proven(), "one of two");
        assert!(!Account { stopped: true, ..account(vec![there("1.0.0", None), there("2.0.0", None)]) }.is_proven());
    }

    #[test]
    fn what_the_source_lacks_is_wanted_too() {
        let source = SourceReport { revision: String::new(), charts: 1, versions: 2, missing: 1 };
        let lacking = Account { source: Some(source), ..account(vec![there("1.0.0", None), there("2.0.0", None)]) };
        assert_eq!(lacking.counts(), (2, 3));
        assert!(!lacking.is_proven());
    }

    #[test]
    fn nobody_asks_again_after_the_end() {
        let closed = account(vec![failed("1.0.0", &format!("it is away.{ASKED_BY_ANOTHER}"))]).closed();
        assert_eq!(closed.failures().next().map(|failed| failed.sentence.as_str()), Some("it is away."));
    }
}
