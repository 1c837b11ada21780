//! The table's columns: what stands before a registry, what it asks of its clients, and the publication that a user writes for it.

use super::{
    readers::{Chart, LARGE, SMALL},
    support::{exposure::Exposure, namespace::Namespace, registry::Version},
};

/// What stands before a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    NodePort,
    LoadBalancer,
    Ingress,
    ClusterIp,
}

/// What a registry asks of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing, by plain HTTP.
    Open,
    /// Trust in a private CA.
    Tls,
    /// The same at the Ingress, behind which plain HTTP is spoken.
    TlsAtIngress,
    /// User name and password.
    Basic,
    /// A token of a token server.
    Bearer,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name of Service and publication.
    pub name: &'static str,
    pub front: Front,
    pub version: Version,
    pub access: Access,
    /// Whether `routes` allows the route of the front and no other.
    pub only: bool,
}

/// The name and password that registries know.
pub const USER: (&str, &str) = ("publisher", "secret");

/// What is published everywhere.
pub const SMALL_AND_LARGE: [Chart; 2] = [SMALL, LARGE];

impl Front {
    /// The Service.
    pub fn exposure(self) -> Exposure {
        match self {
            Self::NodePort => Exposure::NodePort,
            Self::LoadBalancer => Exposure::LoadBalancer,
            Self::Ingress | Self::ClusterIp => Exposure::ClusterIp,
        }
    }

    /// The first route, as the table in docs/routes.md has it.
    pub fn route(self) -> &'static str {
        match self {
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
            Self::Ingress => "Ingress",
            Self::ClusterIp => "ClusterIP",
        }
    }
}

impl Case {
    /// A row whose publication leaves the routes to the controller.
    pub const fn new(name: &'static str, front: Front, version: Version, access: Access) -> Self {
        Self { name, front, version, access, only: false }
    }

    /// What a user writes for it.
    pub fn publication(&self, source: &str, token_host: Option<&str>) -> String {
        let name = self.name;
        let trust = format!("      certSecretRef:\n        name: {name}-ca\n");
        let login = format!("      secretRef:\n        name: {name}-push\n");
        let allowed = token_host.map(|host| format!("      allowedHosts: [{host}]\n")).unwrap_or_default();
        let routes = if self.only { format!("      routes: [{}]\n", self.front.route()) } else { String::new() };
        let access = match self.access {
            Access::Open => "      insecure: true\n".to_owned(),
            Access::Tls => trust,
            Access::TlsAtIngress => format!("      insecure: true\n{trust}"),
            Access::Basic | Access::Bearer => format!("      insecure: true\n{login}{allowed}"),
        };
        publication(name, name, "charts", source, &SMALL_AND_LARGE) + &routes + &access
    }
}

/// Applies YAML as a user does.
pub fn apply(namespace: &Namespace, yaml: &str) {
    let folder = namespace.bed.folder("applied");
    let file = folder.join("publication.yaml");
    std::fs::write(&file, yaml).expect("a file in the bed's folder");
    let words = ["kubectl", "apply", "--namespace", namespace.name(), "--filename", &file.display().to_string()];
    namespace.bed.run_on_host(&words).expect_success();
}

/// The YAML of a publication into a path of a Service's registry, up to further fields of the target. Only a change that is watched
/// makes it run again: the interval is a day.
pub fn publication(name: &str, service: &str, path: &str, source: &str, charts: &[Chart]) -> String {
    let charts: Vec<_> = charts.iter().map(|chart| format!("    - name: {}\n", chart.name)).collect();
    let charts = charts.concat();
    format!(
        "apiVersion: chartpublisher.io/v1alpha1
kind: ChartPublication
metadata:
  name: {name}
spec:
  interval: 24h
  source:
    helmRepository:
      url: {source}
  charts:
{charts}  targets:
    - name: main
      service:
        name: {service}
        port: http
        repository: {path}
"
    )
}
