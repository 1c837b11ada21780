//! The definitions of the kinds, as `crds/` has them: what the types say, and what no type can say.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{CustomResourceDefinition, JSON};
use kube::CustomResourceExt;
use serde_json::json;

use super::{ChartInventory, ChartPublication};

/// The definitions of all kinds.
pub fn definitions() -> [CustomResourceDefinition; 2] {
    let mut publication = ChartPublication::crd();
    // Without it, whoever reads the status by kstatus takes a publication that nobody has looked at yet for done.
    let schemas = publication.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut());
    for schema in schemas {
        if let Some(status) = schema.properties.as_mut().and_then(|properties| properties.get_mut("status")) {
            status.default = Some(JSON(json!({"observedGeneration": -1})));
        }
    }
    [publication, ChartInventory::crd()]
}
