//! The routes of readers: the newest chart is downloaded by each of `proof.routes` when something was pushed, at each round of proofs,
//! when the routes have changed, and again and again while one of them fails.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::{
    events,
    inventory::Inventory,
    memory::Memory,
    run::{LOOK, Run, now},
    targets::{Recollection, asked},
};
use crate::{
    api::{ChartPublicationStatus, InventoryEntry, PublishedVersion, Reason, TargetStatus},
    publish::{Content, Done, Outcome, TargetOutcome, TargetRun},
    status::{Checked, is_complete, with_checks},
};

impl Run<'_> {
    /// After a run: what is new by the routes of readers. `status` is what was written of the run.
    pub(super) async fn check_readers(&self, runs: &[TargetRun], status: ChartPublicationStatus, outcome: &Outcome, memory: &mut Memory) {
        let is_due = memory.readers.rest(Instant::now()).is_some_and(|rest| rest.is_zero());
        let of_target = |run: &&TargetRun| {
            let target = outcome.targets.iter().find(|target| target.name == run.name);
            let shown = status.targets.iter().find(|target| target.name == run.name);
            let target = target.filter(|target| target.away.is_none());
            target.zip(shown).is_some_and(|(target, shown)| is_due || is_news(target) || !is_complete(&target.readers, shown))
        };
        let runs: Vec<&TargetRun> = runs.iter().filter(of_target).collect();
        let new = outcome.targets.iter().flat_map(new_of).collect();
        self.download(&runs, status, memory, &new).await;
    }

    /// Between two runs, while one of the routes fails.
    pub(super) async fn check_readers_alone(&self, memory: &mut Memory) {
        let Some(status) = self.publication.status.clone() else { return memory.readers.saw(true, Instant::now(), 0.0) };
        let inventory = Inventory::of(self.context.client.clone(), self.publication);
        let Ok(entries) = inventory.entries(self.publication, memory).await else {
            return memory.readers.saw(false, Instant::now(), fastrand::f64());
        };
        let mut runs = Vec::new();
        for (target, planned) in self.publication.spec.targets.iter().zip(self.plans) {
            runs.extend(self.target(target, planned, &entries, Recollection::Keep).await);
        }
        self.download(&runs.iter().collect::<Vec<_>>(), status, memory, &New::new()).await;
    }

    async fn download(&self, runs: &[&TargetRun], status: ChartPublicationStatus, memory: &mut Memory, new: &New) {
        if asked(self.publication).is_empty() {
            return memory.readers.saw(true, Instant::now(), 0.0);
        }
        let entries = memory.inventory.as_ref().map(|record| record.entries.as_slice()).unwrap_or_default();
        let mut checks = Vec::new();
        for run in runs.iter().filter(|run| !run.readers.asked.is_empty()) {
            let shown = status.targets.iter().find(|target| target.name == run.name);
            checks.extend(shown.and_then(|shown| newest(shown, run, entries, new)).map(|content| check(run, content)));
        }
        let checked = tokio::select! {
            checked = futures::future::join_all(checks) => checked,
            () = self.outdated() => return,
        };
        let after = with_checks(&self.report(&now(), Some(&status)), status.clone(), &checked);
        if !checked.is_empty() || !all_deliver(&after) {
            memory.readers.saw(all_deliver(&after), Instant::now(), fastrand::f64());
        }
        if after != status {
            self.writer.write(&after, &self.context.stop).await;
            events::send(&self.context.recorder, self.publication, events::of_readers(Some(&status), &after)).await;
        }
    }

    /// Ends when nobody wants to know any more.
    pub(super) async fn outdated(&self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.context.stop.cancelled() => return,
            }
            if self.is_outdated() {
                return;
            }
        }
    }
}

/// Whether something was sent, or all was proven again.
fn is_news(target: &TargetOutcome) -> bool {
    target.proved_again || target.charts.iter().any(|chart| chart.result.as_ref().is_ok_and(Done::is_new))
}

fn all_deliver(status: &ChartPublicationStatus) -> bool {
    status.targets.iter().flat_map(|target| &target.proofs).all(|proof| proof.result == Reason::Succeeded.as_str())
}

/// Target, chart and version of what was sent.
type New = BTreeSet<(String, String, String)>;

fn new_of(target: &TargetOutcome) -> impl Iterator<Item = (String, String, String)> {
    let new = target.charts.iter().filter(|chart| chart.result.as_ref().is_ok_and(Done::is_new));
    new.map(|chart| (target.name.clone(), chart.chart.clone(), chart.version.clone()))
}

/// The newest of what was sent just now, else the newest of all.
fn newest(shown: &TargetStatus, run: &TargetRun, entries: &[InventoryEntry], new: &New) -> Option<Content> {
    let is_new = |version: &&PublishedVersion| new.contains(&(run.name.clone(), version.chart.clone(), version.version.clone()));
    let version = shown.versions.iter().find(is_new).or_else(|| shown.versions.first())?;
    let entry = entries.iter().find(|entry| {
        (&entry.target, &entry.registry, &entry.chart, &entry.version) == (&run.name, &run.registry, &version.chart, &version.version)
    })?;
    Some(Content {
        repository: entry.repository.parse().ok()?,
        tag: entry.tag.parse().ok()?,
        manifest: entry.manifest.parse().ok()?,
        layer: entry.layer.parse().ok()?,
    })
}

async fn check(run: &TargetRun, content: Content) -> Checked {
    Checked { target: run.name.clone(), checks: run.readers.check(run.ways.subject(), &content).await }
}
