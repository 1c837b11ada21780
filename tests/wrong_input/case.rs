//! One wrong input: what a user has done, and what the status has to say of it.

use chart_publisher::api::Reason;
use serde_json::{Value, json};

/// What follows after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing before something is changed: `Stalled`.
    Stalled,
    /// Another run, soon and by itself: `Reconciling`.
    Retried,
    /// Nothing has to: all is as it should be.
    Published,
}

/// A wrong input and what becomes of it.
pub struct Case {
    /// As the document names it.
    pub input: &'static str,
    /// The spec of the publication.
    pub spec: Value,
    /// What lies in the namespace beside it.
    pub objects: Vec<Value>,
    /// Done once the publication is Ready, where the input becomes wrong only then.
    pub change: Option<Box<dyn Fn() + Send + Sync>>,
    /// A tag whose content is left as it is, and that is published once somebody deletes it.
    pub kept: Option<String>,
    /// The reason of `Ready`.
    pub reason: Reason,
    /// What follows.
    pub then: Then,
    /// Words of the sentence that name the object.
    pub names: &'static str,
    /// Words of the sentence that name the cure.
    pub cure: &'static str,
}

impl Case {
    /// A publication with this source and target.
    pub fn new(input: &'static str, source: Value, target: Value) -> Self {
        let charts = if source.get("helmRepository").or(source.get("oci")).is_some() { json!([{"name": "small"}]) } else { json!([]) };
        let mut spec = json!({"interval": "1h", "timeout": "2s", "charts": charts});
        spec["source"] = source;
        spec["targets"] = Value::Array(vec![target]);
        Self {
            input,
            spec,
            objects: Vec::new(),
            change: None,
            kept: None,
            reason: Reason::Succeeded,
            then: Then::Stalled,
            names: "",
            cure: "",
        }
    }

    /// Other charts than the newest `small`.
    pub fn charts(mut self, charts: Value) -> Self {
        self.spec["charts"] = charts;
        self
    }

    /// An object beside it.
    pub fn with(mut self, object: Value) -> Self {
        self.objects.push(object);
        self
    }

    /// What is done once it is Ready.
    pub fn later(mut self, change: impl Fn() + Send + Sync + 'static) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// A tag that is left as it is.
    pub fn keeps(mut self, reference: String) -> Self {
        self.kept = Some(reference);
        self
    }

    /// It stalls.
    pub fn stalls(self, reason: Reason, names: &'static str, cure: &'static str) -> Self {
        Self { reason, then: Then::Stalled, names, cure, ..self }
    }

    /// It is tried again.
    pub fn retries(self, reason: Reason, names: &'static str, cure: &'static str) -> Self {
        Self { reason, then: Then::Retried, names, cure, ..self }
    }
    /// It is no fault after all.
    pub fn succeeds(self, names: &'static str) -> Self {
        Self { reason: Reason::Succeeded, then: Then::Published, names, ..self }
    }
}

/// A Secret of a type with these entries.
pub fn secret(name: &str, kind: &str, entries: &[(&str, &str)]) -> Value {
    let entries: serde_json::Map<_, _> = entries.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": name}, "stringData": entries})
}

/// A Secret with a user and password.
pub fn login(user: &str, password: &str) -> Value {
    secret("login", "Opaque", &[("username", user), ("password", password)])
}

/// A Service with ports of these names.
pub fn service(name: &str, ports: &[(&str, u16)]) -> Value {
    let port = |(name, port): &(&str, u16)| json!({"name": name, "port": port, "protocol": "TCP"});
    let ports: Vec<_> = ports.iter().map(port).collect();
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"type": "ClusterIP", "ports": ports}})
}

/// What stands behind a Service.
pub fn endpoints(service: &str, socket: std::net::SocketAddr) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": format!("{service}-1"), "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [socket.ip()], "conditions": {"ready": true}, "nodeName": "node-1"}],
        "ports": [{"name": "http", "port": socket.port(), "protocol": "TCP"}],
    })
}
