//! A registry on the node whose Service leads through the fault proxies: one that knows only bytes before one that knows HTTP.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{
    faults::{
        ground::{Endpoint, Ground},
        proxy::HttpProxy,
        rule::Rule,
        watch::{Pulled, pull},
        wire::{Wire, WireProxy},
    },
    support::{
        address::Place,
        exposure::{Exposed, Exposure},
        namespace::Namespace,
        registry::{Registry, Version},
    },
};

/// The registry, what stands before it, and a view of it past all that.
pub struct Broken {
    _registry: Registry,
    pub proxy: HttpProxy,
    pub wire: WireProxy,
    pub exposed: Exposed,
    past: HttpProxy,
    _place: Place,
}

impl Broken {
    /// Exposes it as the Service `name` of type NodePort; whatever route is taken leads to `front`: to both proxies, or to one.
    pub async fn set_up(
        namespace: &Namespace,
        name: &str,
        rules: impl IntoIterator<Item = Rule>,
        front: impl Fn(&HttpProxy, &WireProxy) -> SocketAddr,
    ) -> Self {
        let bed = namespace.bed;
        let registry = bed.registry(Version::V3).start().await;
        let place = bed.place(5000);
        let node = Ground { namespace: bed.server_namespace().map(str::to_owned), address: place.socket().ip() };
        let at = |socket| Endpoint { ground: node.clone(), socket };
        let proxy = HttpProxy::start(&node, at(registry.socket()), rules);
        let wire = WireProxy::start(&node, at(proxy.socket()), &[]);
        let past = HttpProxy::start(&Ground::loopback(), at(registry.socket()), []);
        let exposed = namespace.expose(name, Exposure::NodePort, &[front(&proxy, &wire)]).await;
        Self { _registry: registry, proxy, wire, exposed, past, _place: place }
    }

    /// Other faults from now on.
    pub fn set(&self, rules: Vec<Rule>, wires: &[Wire]) {
        self.proxy.set(rules);
        self.wire.set(wires);
    }

    /// Where it answers past the proxies.
    pub fn past(&self) -> SocketAddr {
        self.past.socket()
    }

    /// Pulls a tag whole, past the proxies, and hashes all of it. `None` when there is no such tag.
    pub async fn pull(&self, repository: &str, tag: &str) -> Result<Option<Pulled>, String> {
        pull(self.past(), repository, tag).await
    }
}

/// A publication of charts into `path` of the Service `name`.
pub fn spec(source: &str, charts: &[&str], name: &str, path: &str, timeout: &str) -> Value {
    let charts: Vec<_> = charts.iter().map(|chart| json!({"name": chart})).collect();
    json!({
        "interval": "24h", "timeout": timeout, "source": {"helmRepository": {"url": source}}, "charts": charts,
        "targets": [{"name": "main", "service": {"name": name, "port": "http", "repository": path}, "insecure": true}],
    })
}
