//! The statuses as this process wrote them last. A watch may bring what was written later than the next run begins; what was told
//! before is then told again, as an Event that is counted twice and a status that is written for nothing.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kube::ResourceExt;

use crate::api::{ChartPublication, ChartPublicationStatus};

/// Of all publications, by their uid: each until the watch has brought it.
#[derive(Default)]
pub(super) struct Statuses(Mutex<HashMap<String, Written>>);

/// What was written, and the version that the object had then.
struct Written {
    version: u64,
    status: Option<ChartPublicationStatus>,
}

impl Statuses {
    /// The API server answered this to a write.
    pub(super) fn wrote(&self, object: ChartPublication) {
        let Some((uid, version)) = object.uid().zip(version(&object)) else { return };
        self.known().insert(uid, Written { version, status: object.status });
    }

    /// The object with the status that it has by now, as far as that is known here.
    pub(super) fn newest<'p>(&self, object: &'p ChartPublication) -> Cow<'p, ChartPublication> {
        let Some((uid, seen)) = object.uid().zip(version(object)) else { return Cow::Borrowed(object) };
        let mut known = self.known();
        match known.get(&uid) {
            Some(written) if written.version > seen => {
                let mut newest = object.clone();
                newest.status.clone_from(&written.status);
                Cow::Owned(newest)
            }
            Some(_) => {
                known.remove(&uid);
                Cow::Borrowed(object)
            }
            None => Cow::Borrowed(object),
        }
    }

    /// Forgets all but those that exist.
    pub(super) fn keep(&self, exists: impl Fn(&str) -> bool) {
        self.known().retain(|uid, _| exists(uid));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Written>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of the objects of one kind, the later one is the larger number (Kubernetes API concepts, "Resource versions").
fn version(object: &ChartPublication) -> Option<u64> {
    object.resource_version()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn object(version: &str, published: &str) -> ChartPublication {
        let metadata = json!({"name": "charts", "namespace": "platform", "uid": "u", "resourceVersion": version});
        let spec = json!({"source": {"archive": {"url": "https://example.com/a.tgz"}}, "targets": [{"name": "main", "url": "oci://r"}]});
        from_value(json!({
            "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": metadata, "spec": spec,
            "status": {"published": published},
        }))
        .unwrap()
    }

    fn published(statuses: &Statuses, seen: &ChartPublication) -> String {
        statuses.newest(seen).status.as_ref().and_then(|status| status.published.clone()).unwrap_or_default()
    }

    #[test]
    fn what_the_watch_has_not_brought_yet_counts_and_what_is_newer_counts_more() {
        let statuses = Statuses::default();
        let old = object("99", "0/1");
        assert_eq!(published(&statuses, &old), "0/1", "nothing was written");
        statuses.wrote(object("100", "1/1"));
        assert_eq!(published(&statuses, &old), "1/1");
        assert_eq!(published(&statuses, &object("101", "by hand")), "by hand");
        assert!(statuses.known().is_empty(), "the watch has caught up");
        statuses.wrote(object("102", "1/1"));
        statuses.keep(|uid| uid != "u");
        assert_eq!(published(&statuses, &old), "0/1");
    }

    #[test]
    fn a_version_that_is_no_number_says_nothing() {
        let statuses = Statuses::default();
        statuses.wrote(object("x", "1/1"));
        assert_eq!(published(&statuses, &object("y", "0/1")), "0/1");
    }
}
