//! What most tests here begin with: a namespace, a registry, a Helm repository.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{
    ANYWHERE,
    support::{
        self,
        controller::Controller,
        helm_repository::HelmRepository,
        http,
        namespace::Namespace,
        publication::{spec, url_target},
        recorded_api::RecordedApi,
        registry::{Registry, Version},
    },
    witness::Witness,
};

/// A namespace, a registry and a Helm repository. Fields go in their order: what is used goes last.
pub struct Scene {
    pub namespace: Namespace,
    pub registry: Registry,
    pub charts: HelmRepository,
}

/// A scene with some of the bed's charts in its repository.
pub async fn scene(charts: &[&str]) -> Scene {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    Scene { namespace, registry, charts: bed.helm_repository(charts).start().await }
}

impl Scene {
    /// A controller for this namespace that has its chart's rights.
    pub async fn controller(&self) -> Controller {
        self.namespace.controller(&ANYWHERE).await
    }

    /// The Helm repository as a `source`.
    pub fn source(&self) -> Value {
        json!({"helmRepository": {"url": self.charts.url()}})
    }

    /// The registry as a target.
    pub fn target(&self) -> Value {
        url_target(self.registry.socket(), "charts")
    }

    /// The newest version of one chart, from the repository to the registry.
    pub fn spec(&self, chart: &str) -> Value {
        spec(&self.charts.url(), &json!([{"name": chart}]), &json!([self.target()]))
    }

    /// A watch on the publications of the namespace.
    pub async fn witness(&self) -> Witness {
        Witness::of(&self.namespace).await
    }

    /// Whether the registry has a manifest under this tag.
    pub async fn registry_has(&self, repository: &str, tag: &str) -> bool {
        has_manifest(self.namespace.bed, self.registry.socket(), repository, tag).await
    }

    /// A way to the API server on which all requests are seen.
    pub async fn recorded_api(&self) -> RecordedApi {
        self.namespace.recorded_api().await
    }
}

/// Whether a registry has a manifest under this tag.
pub async fn has_manifest(bed: &support::Bed, registry: SocketAddr, repository: &str, tag: &str) -> bool {
    let path = format!("/v2/{repository}/tags/list");
    let answer = http::get(bed.server_namespace(), registry, &registry.to_string(), &path).await.expect("an answer");
    let list: Value = serde_json::from_slice(&answer.body).expect("JSON");
    list["tags"].as_array().is_some_and(|tags| tags.contains(&json!(tag)))
}
