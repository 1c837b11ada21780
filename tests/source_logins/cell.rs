//! One cell of the matrix: a source with a login, and the same with wrong ones.

use chart_publisher::api::Reason;
use serde_json::{Value, json};

use super::support::{namespace::Namespace, publication::url_target, registry::Registry};

/// Which source, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    HelmRepository,
    Archive,
    Oci,
    /// A `HelmRepository` of Flux.
    Flux,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::HelmRepository, Self::Archive, Self::Oci, Self::Flux];

    /// As the document has it.
    pub fn shown(self) -> &'static str {
        match self {
            Self::HelmRepository => "`helmRepository`",
            Self::Archive => "`archive`",
            Self::Oci => "`oci`",
            Self::Flux => "`fluxRef`",
        }
    }
}

/// Who is shown to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    Anonymous,
    Basic,
    Bearer,
    Certificate,
}

impl Login {
    pub const ALL: [Self; 4] = [Self::Anonymous, Self::Basic, Self::Bearer, Self::Certificate];

    /// As the document has it.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Anonymous => "nobody",
            Self::Basic => "Basic",
            Self::Bearer => "bearer",
            Self::Certificate => "client certificate",
        }
    }
}

/// A login that the server does not take.
pub struct Wrong {
    /// As the document names it.
    pub input: &'static str,
    /// The address, and the Secrets.
    pub fields: Value,
    pub reason: Reason,
    /// Words of the sentence.
    pub cure: &'static str,
}

pub struct Cell {
    pub kind: Kind,
    pub login: Login,
    /// The server, as the document has it.
    pub server: &'static str,
    /// What is given, as the document has it.
    pub given: &'static str,
    /// The address, and the Secrets.
    pub right: Value,
    pub wrong: Vec<Wrong>,
}

/// What was seen of it.
#[derive(Default)]
pub struct Seen {
    /// One for each wrong login.
    pub messages: Vec<String>,
    pub problems: Vec<String>,
    /// All that users can read of it.
    pub shown: String,
}

impl Cell {
    /// The name of the publication with the right login, or with one of the wrong ones.
    pub fn name(number: usize, wrong: Option<usize>) -> String {
        wrong.map_or_else(|| format!("cell-{number}"), |wrong| format!("cell-{number}-{wrong}"))
    }

    /// Applies the publications of the right login and of all wrong ones.
    pub async fn apply(&self, namespace: &Namespace, number: usize, to: &Registry) {
        let wrong = self.wrong.iter().enumerate().map(|(which, wrong)| (Some(which), &wrong.fields));
        for (which, fields) in [(None, &self.right)].into_iter().chain(wrong) {
            let name = Self::name(number, which);
            if self.kind == Kind::Flux {
                namespace.flux_helm_repository(&name, fields);
            }
            let source = self.source(&name, fields);
            let charts = if self.kind == Kind::Archive { json!([]) } else { json!([{"name": "small"}]) };
            let targets = json!([url_target(to.socket(), &name)]);
            namespace.publish(&name, &json!({"timeout": "20s", "source": source, "charts": charts, "targets": targets})).await;
        }
    }

    fn source(&self, name: &str, fields: &Value) -> Value {
        match self.kind {
            Kind::HelmRepository => json!({"helmRepository": fields}),
            Kind::Archive => json!({"archive": fields}),
            Kind::Oci => json!({"oci": fields}),
            Kind::Flux => json!({"fluxRef": {"kind": "HelmRepository", "name": name}}),
        }
    }
}
