//! Flux's kinds `HelmRepository` and `OCIRepository`, without Flux: their CRDs, and objects of them.

use serde_json::{Value, json};

use super::{Bed, namespace::Namespace};

const CRD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/flux.yaml");

/// The CRDs are there. Dropping it removes them, with all objects.
pub struct Flux(&'static Bed);

impl Bed {
    /// Installs the CRDs. They are of the whole cluster: one test of a process may do so at a time.
    pub fn install_flux(&'static self) -> Flux {
        self.run_on_host(&["kubectl", "apply", "--server-side", "-f", CRD]).expect_success();
        self.run_on_host(&["kubectl", "wait", "--for=condition=Established", "--timeout=30s", "-f", CRD]).expect_success();
        Flux(self)
    }
}

impl Drop for Flux {
    fn drop(&mut self) {
        self.0.run_on_host(&["kubectl", "delete", "--ignore-not-found", "--timeout=30s", "-f", CRD]);
    }
}

impl Namespace {
    /// Applies a `HelmRepository`, as a user of Flux would.
    pub fn flux_helm_repository(&self, name: &str, spec: &Value) {
        self.flux_source("HelmRepository", name, spec);
    }

    /// Applies an `OCIRepository`, in the same way.
    pub fn flux_oci_repository(&self, name: &str, spec: &Value) {
        self.flux_source("OCIRepository", name, spec);
    }

    fn flux_source(&self, kind: &str, name: &str, spec: &Value) {
        let mut object = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": self.name()}, "spec": {"interval": "5m"},
        });
        for (field, value) in spec.as_object().expect("fields") {
            object["spec"][field] = value.clone();
        }
        let file = self.bed.folder("flux").join("source.json");
        std::fs::write(&file, object.to_string()).expect("a file in the bed's folder");
        self.bed.run_on_host(&["kubectl", "apply", "-f", &file.display().to_string()]).expect_success();
    }
}
