//! PURE: what a status may still say after its targets were moved.

use super::targets::identity;
use crate::api::{ChartPublication, ChartPublicationStatus, InventoryEntry, Target};

/// The status without the targets that are gone from the spec or point elsewhere by now: what was published at another place says
/// nothing of this one. Nothing when all of it still holds.
pub(super) fn without_moved(publication: &ChartPublication, entries: &[InventoryEntry]) -> Option<ChartPublicationStatus> {
    let namespace = publication.metadata.namespace.as_deref().unwrap_or_default();
    let status = publication.status.as_ref()?;
    let stays = |name: &str| {
        let target = publication.spec.targets.iter().find(|target| target.name == name);
        target.is_some_and(|target| !has_moved(target, namespace, entries))
    };
    if status.targets.iter().all(|target| stays(&target.name)) {
        return None;
    }
    let mut status = ChartPublicationStatus { published: None, route: None, method: None, ..status.clone() };
    status.targets.retain(|target| stays(&target.name));
    Some(status)
}

/// Whether all that the record has of a target lies elsewhere.
fn has_moved(target: &Target, namespace: &str, entries: &[InventoryEntry]) -> bool {
    let registry = identity(target, namespace);
    let mut of_target = entries.iter().filter(|entry| entry.target == target.name).peekable();
    of_target.peek().is_some() && of_target.all(|entry| entry.registry != registry)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(target: &str, registry: &str) -> InventoryEntry {
        serde_json::from_value(json!({
            "target": target, "registry": registry, "chart": "web", "version": "1.0.0", "repository": "web", "tag": "1.0.0",
            "manifest": "sha256:0", "layer": "sha256:1", "proved": "2026-01-02T03:04:05Z",
        }))
        .unwrap()
    }

    /// The targets that the status still has, and whether anything was taken from it.
    fn check(entries: &[(&str, &str)], left: Option<&[&str]>) {
        let publication: ChartPublication = serde_json::from_value(json!({
            "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "charts", "namespace": "team"},
            "spec": {
                "source": {"helmRepository": {"url": "http://charts"}},
                "charts": [{"name": "web"}],
                "targets": [{"name": "main", "url": "oci://new/charts"}, {"name": "near", "service": {"name": "registry"}}],
            },
            "status": {
                "published": "2/2", "route": "NodePort", "method": "Buffered",
                "targets": [{"name": "main"}, {"name": "near"}],
            },
        }))
        .unwrap();
        let entries: Vec<_> = entries.iter().map(|(target, registry)| entry(target, registry)).collect();
        let found = without_moved(&publication, &entries);
        let names = found.as_ref().map(|status| status.targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>());
        assert_eq!(names.as_deref(), left, "{entries:?}");
        assert!(found.is_none_or(|status| status.published.is_none() && status.route.is_none() && status.method.is_none()));
    }

    #[test]
    fn only_what_was_published_elsewhere_is_forgotten() {
        let (here, near) = (("main", "oci://new/charts"), ("near", "service/team/registry"));
        check(&[], None);
        check(&[here, near], None);
        check(&[("main", "oci://old/charts"), here], None);
        check(&[("main", "oci://old/charts"), near], Some(&["near"]));
        check(&[here, ("near", "service/team/other")], Some(&["main"]));
        check(&[("main", "oci://old/charts"), ("near", "service/team/registry:5000")], Some(&[]));
    }
}
