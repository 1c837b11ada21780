//! `ChartInventory`: read once after a start, written when something changed, split at 2,000 entries.

use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams},
};

use super::{
    memory::{Memory, Record},
    patch::{in_time, is_gone},
};
use crate::{
    api::{ChartInventory, ChartInventorySpec, ChartPublication, FIELD_MANAGER, InventoryEntry, Reason},
    publish::{ChartOutcome, Done, Outcome, TargetOutcome},
    status::signed_by,
    steps::{Step, enter},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

const ENTRIES_OF_ONE: usize = 2000;
/// More objects than this are never made: 2,000,000 entries.
const MOST_OBJECTS: usize = 1000;

/// The record of what is published.
pub(super) struct Inventory {
    api: Api<ChartInventory>,
    name: String,
    uid: String,
}

impl Inventory {
    pub(super) fn of(client: Client, publication: &ChartPublication) -> Self {
        let namespace = publication.metadata.namespace.as_deref().unwrap_or_default();
        let name = publication.metadata.name.clone().unwrap_or_default();
        Self { api: Api::namespaced(client, namespace), name, uid: publication.metadata.uid.clone().unwrap_or_default() }
    }

    /// `NAME`, then `NAME.UID.1`, `NAME.UID.2` … with the first part of the publication's uid: no publication has such a name by chance,
    /// and so no inventory of another one is ever overwritten.
    fn object_name(&self, index: usize) -> String {
        if index == 0 {
            return self.name.clone();
        }
        let uid: String = self.uid.chars().take_while(char::is_ascii_alphanumeric).take(12).collect();
        let base: String = self.name.chars().take(230).collect();
        format!("{}.{uid}.{index}", base.trim_end_matches(['.', '-']))
    }

    /// What is known, from memory or from the API server.
    pub(super) async fn entries(&self, publication: &ChartPublication, memory: &mut Memory) -> Result<Vec<InventoryEntry>, kube::Error> {
        if let Some(record) = &memory.inventory {
            return Ok(record.entries.clone());
        }
        let _step = enter(Step::ReadInventory);
        let mut entries = Vec::new();
        let mut objects = 0;
        while objects < MOST_OBJECTS {
            let object = match in_time(self.api.get(&self.object_name(objects))).await {
                Err(kube::Error::Api(answer)) if is_gone(&answer) => break,
                found => found?,
            };
            // An object of the same name that belongs to somebody else is no record of ours.
            let owners = object.metadata.owner_references.unwrap_or_default();
            if !owners.iter().any(|owner| Some(&owner.uid) == publication.metadata.uid.as_ref()) {
                break;
            }
            entries.extend(object.spec.entries);
            objects += 1;
        }
        memory.inventory = Some(Record { entries: entries.clone(), objects, is_written: true });
        Ok(entries)
    }

    /// Writes what has changed. It is remembered also where it cannot be written: then the next time all of it is.
    pub(super) async fn write(
        &self,
        publication: &ChartPublication,
        entries: Vec<InventoryEntry>,
        memory: &mut Memory,
    ) -> Result<(), kube::Error> {
        let before = memory.inventory.take().unwrap_or_default();
        if before.is_written && before.entries == entries {
            memory.inventory = Some(before);
            return Ok(());
        }
        let chunks: Vec<&[InventoryEntry]> = entries.chunks(ENTRIES_OF_ONE).collect();
        let chunks_before: Vec<&[InventoryEntry]> = before.entries.chunks(ENTRIES_OF_ONE).collect();
        let objects = before.objects.max(chunks.len());
        memory.inventory = Some(Record { entries: entries.clone(), objects, is_written: false });
        for (index, chunk) in chunks.iter().enumerate() {
            if !before.is_written || chunks_before.get(index) != Some(chunk) {
                self.write_one(publication, index, chunk).await?;
            }
        }
        for index in chunks.len()..objects {
            match in_time(self.api.delete(&self.object_name(index), &DeleteParams::default())).await {
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                other => drop(other?),
            }
        }
        let objects = chunks.len();
        memory.inventory = Some(Record { entries, objects, is_written: true });
        Ok(())
    }

    async fn write_one(&self, publication: &ChartPublication, index: usize, entries: &[InventoryEntry]) -> Result<(), kube::Error> {
        let name = self.object_name(index);
        let spec = ChartInventorySpec { count: u32::try_from(entries.len()).unwrap_or(u32::MAX), entries: entries.to_vec() };
        let mut object = ChartInventory::new(&name, spec);
        object.metadata.owner_references = publication.controller_owner_ref(&()).map(|owner| vec![owner]);
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let _step = enter(Step::WriteInventory);
        in_time(self.api.patch(&name, &parameters, &Patch::Apply(&object))).await.map(drop)
    }
}

/// What is known after a run: what it proved; and of what it could not reach, what was known before.
pub(super) fn updated(before: &[InventoryEntry], outcome: &Outcome, now: &Time) -> Vec<InventoryEntry> {
    let mut entries = Vec::new();
    for target in &outcome.targets {
        let of_target = before.iter().filter(|entry| entry.target == target.name && entry.registry == target.registry);
        if target.failure.is_some() {
            entries.extend(of_target.cloned());
            continue;
        }
        entries.extend(of_target.clone().filter(|entry| !is_settled(target, entry)).map(|entry| doubted(target, entry, now)));
        entries.extend(target.charts.iter().filter_map(|chart| {
            let (repository, tag) = chart.place.as_ref()?;
            let done = chart.result.as_ref().ok()?;
            let known = done.known()?;
            let proved_before = of_target.clone().find(|entry| is_of(chart, entry));
            let proved = match (done, proved_before) {
                (Done::Unchanged(_), Some(entry)) => entry.proved.clone(),
                _ => now.clone(),
            };
            Some(InventoryEntry {
                target: target.name.clone(),
                registry: target.registry.clone(),
                chart: chart.chart.clone(),
                version: chart.version.clone(),
                repository: repository.to_string(),
                tag: tag.to_string(),
                manifest: known.manifest.to_string(),
                layer: known.layer.to_string(),
                proved,
                failed: None,
                signed_by: chart.signer.as_ref().map(signed_by),
            })
        }));
    }
    entries.sort_by(|a, b| (&a.target, &a.repository, &a.tag).cmp(&(&b.target, &b.repository, &b.tag)));
    entries
}

/// An entry that stays, with a note where a proof has found that it no longer holds: so it is proven again before anything is said of
/// it, also after a restart.
fn doubted(target: &TargetOutcome, entry: &InventoryEntry, now: &Time) -> InventoryEntry {
    let is_disproved = target.charts.iter().any(|chart| {
        let failed = chart.result.as_ref().err().filter(|failed| !failed.passing);
        let is_of_content = |reason| matches!(reason, Reason::RegistryContentCorrupt | Reason::ProofFailed | Reason::Drifted);
        is_of(chart, entry) && failed.is_some_and(|failed| is_of_content(failed.reason))
    });
    let failed = if is_disproved { Some(entry.failed.clone().unwrap_or_else(|| now.clone())) } else { entry.failed.clone() };
    InventoryEntry { failed, ..entry.clone() }
}

fn is_of(chart: &ChartOutcome, entry: &InventoryEntry) -> bool {
    chart.place.as_ref().is_some_and(|(repository, tag)| entry.repository == repository.as_str() && entry.tag == tag.as_str())
}

/// Whether this run has said something new of an entry. What is no longer wanted stays on record: it is still published.
fn is_settled(target: &TargetOutcome, entry: &InventoryEntry) -> bool {
    target.charts.iter().any(|chart| is_of(chart, entry) && chart.result.is_ok())
}

#[cfg(test)]
#[path = "inventory_tests.rs"]
mod tests;
