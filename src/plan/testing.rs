//! A small cluster for the tests of the planner: JSON as `kubectl get -o json` prints it, changed case by case.

use std::sync::Arc;

use k8s_openapi::api::{
    core::v1::{Node, Service},
    discovery::v1::EndpointSlice,
    networking::v1::{Ingress, IngressClass},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Exposure, Families, Gateway, GatewayObjects, HttpRoute, LeftOut, Plan, PlanError, Reader, ReferenceGrant, RelayPossibility, Strategy,
    readers, routes,
};
use crate::api::{RouteKind, Target};

pub(super) fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Registry "platform/registry" on port 5000, one ready Pod on node-a, no nodes, no Ingresses; plain HTTP allowed.
pub(super) struct World {
    pub(super) service: Value,
    pub(super) slices: Vec<Value>,
    pub(super) nodes: Vec<Value>,
    pub(super) ingresses: Vec<Value>,
    pub(super) classes: Vec<Value>,
    pub(super) services: Vec<Value>,
    pub(super) http_routes: Vec<Value>,
    pub(super) gateways: Vec<Value>,
    pub(super) grants: Vec<Value>,
    pub(super) relay: RelayPossibility,
    pub(super) own_node: Option<&'static str>,
    pub(super) families: Families,
    pub(super) target: Value,
}

/// Sets the members of `change` in `value`; null takes one away.
pub(super) fn merge(value: &mut Value, change: Value) {
    match (value, change) {
        (Value::Object(map), Value::Object(change)) => {
            for (key, change) in change {
                if change.is_null() {
                    map.remove(&key);
                } else {
                    merge(map.entry(key).or_insert(Value::Null), change);
                }
            }
        }
        (value, change) => *value = change,
    }
}

pub(super) fn slice(family: &str, endpoints: &[(&str, &str, bool)]) -> Value {
    let endpoints: Vec<Value> =
        endpoints.iter().map(|(ip, node, ready)| json!({"addresses": [ip], "nodeName": node, "conditions": {"ready": ready}})).collect();
    json!({
        "metadata": {"namespace": "platform", "name": format!("registry-{family}"), "labels": {"kubernetes.io/service-name": "registry"}},
        "addressType": family, "endpoints": endpoints,
        "ports": [{"name": "http", "port": 5000, "protocol": "TCP"}],
    })
}

pub(super) fn node(name: &str, ips: &[&str]) -> Value {
    let addresses: Vec<Value> = ips.iter().map(|ip| json!({"type": "InternalIP", "address": ip})).collect();
    json!({
        "metadata": {"name": name, "labels": {}}, "spec": {},
        "status": {"addresses": addresses, "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

pub(super) fn ingress(name: &str, host: Option<&str>, path: (&str, &str)) -> Value {
    let mut rule = json!({"http": {"paths": [
        {"path": path.0, "pathType": path.1, "backend": {"service": {"name": "registry", "port": {"number": 5000}}}},
    ]}});
    if let Some(host) = host {
        merge(&mut rule, json!({"host": host}));
    }
    json!({
        "metadata": {"namespace": "platform", "name": name},
        "spec": {"ingressClassName": "nginx", "rules": [rule]},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.80"}]}},
    })
}

/// The class `nginx` and the Services that the ingress-nginx chart makes.
pub(super) fn ingress_nginx(type_: &str) -> (Value, Vec<Value>) {
    let labels = json!({"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/instance": "edge", "app.kubernetes.io/component": "controller"});
    let class = json!({"metadata": {"name": "nginx", "labels": labels}, "spec": {"controller": "k8s.io/ingress-nginx"}});
    let admission = json!({
        "metadata": {"namespace": "edge", "name": "controller-admission", "labels": labels},
        "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.81", "ports": [{"name": "https-webhook", "port": 443}]},
    });
    let controller = json!({
        "metadata": {"namespace": "edge", "name": "edge-controller", "labels": labels},
        "spec": {"type": type_, "clusterIP": "10.96.0.80", "clusterIPs": ["10.96.0.80"], "ports": [
            {"name": "http", "port": 80, "nodePort": 30080}, {"name": "https", "port": 443, "nodePort": 30443},
        ]},
    });
    (class, vec![admission, controller])
}

impl World {
    pub(super) fn new(service_type: &str) -> Self {
        let mut service = json!({
            "metadata": {"namespace": "platform", "name": "registry"},
            "spec": {
                "type": service_type, "clusterIP": "10.96.0.10", "clusterIPs": ["10.96.0.10"], "ipFamilies": ["IPv4"],
                "selector": {"app": "registry"}, "ports": [{"name": "http", "port": 5000, "protocol": "TCP", "targetPort": 5000}],
            },
        });
        if service_type != "ClusterIP" {
            merge(&mut service, json!({"spec": {"ports": [{"name": "http", "port": 5000, "protocol": "TCP", "nodePort": 30500}]}}));
        }
        Self {
            service,
            slices: vec![slice("IPv4", &[("10.244.1.5", "node-a", true)])],
            nodes: Vec::new(),
            ingresses: Vec::new(),
            classes: Vec::new(),
            services: Vec::new(),
            http_routes: Vec::new(),
            gateways: Vec::new(),
            grants: Vec::new(),
            relay: RelayPossibility::NotGranted,
            own_node: None,
            families: Families::BOTH,
            target: json!({"name": "main", "service": {"name": "registry", "repository": "charts"}, "insecure": true}),
        }
    }

    pub(super) fn service(mut self, change: Value) -> Self {
        merge(&mut self.service, change);
        self
    }

    pub(super) fn target(mut self, change: Value) -> Self {
        merge(&mut self.target, change);
        self
    }

    pub(super) fn slices(mut self, slices: Vec<Value>) -> Self {
        self.slices = slices;
        self
    }

    pub(super) fn nodes(mut self, nodes: Vec<Value>) -> Self {
        self.nodes = nodes;
        self
    }

    pub(super) fn ingresses(mut self, ingresses: Vec<Value>) -> Self {
        self.ingresses = ingresses;
        self
    }

    pub(super) fn http_routes(mut self, routes: Vec<Value>) -> Self {
        self.http_routes = routes;
        self
    }

    pub(super) fn gateways(mut self, gateways: Vec<Value>) -> Self {
        self.gateways = gateways;
        self
    }

    pub(super) fn grants(mut self, grants: Vec<Value>) -> Self {
        self.grants = grants;
        self
    }

    pub(super) fn services(mut self, services: Vec<Value>) -> Self {
        self.services = services;
        self
    }

    pub(super) fn controller(mut self, (class, services): (Value, Vec<Value>)) -> Self {
        self.classes = vec![class];
        self.services = services;
        self
    }

    pub(super) fn relay(mut self) -> Self {
        self.relay = RelayPossibility::Granted;
        self
    }

    pub(super) fn own_node(mut self, node: &'static str) -> Self {
        self.own_node = Some(node);
        self
    }

    pub(super) fn families(mut self, families: Families) -> Self {
        self.families = families;
        self
    }

    pub(super) fn plan(&self) -> Result<Plan, PlanError> {
        self.with(|target, exposure| routes(target, "platform", exposure))
    }

    pub(super) fn readers(&self, kinds: &[RouteKind]) -> Vec<Reader> {
        self.with(|target, exposure| readers(target, "platform", exposure, kinds))
    }

    fn with<R>(&self, plan: impl FnOnce(&Target, &Exposure<'_>) -> R) -> R {
        fn all<T: DeserializeOwned>(values: &[Value]) -> Vec<Arc<T>> {
            values.iter().cloned().map(|value| Arc::new(object(value))).collect()
        }
        fn borrowed<T>(objects: &[Arc<T>]) -> Vec<&T> {
            objects.iter().map(AsRef::as_ref).collect()
        }
        let service: Service = object(self.service.clone());
        let target: Target = object(self.target.clone());
        let (slices, nodes) = (all::<EndpointSlice>(&self.slices), all::<Node>(&self.nodes));
        let (ingresses, classes) = (all::<Ingress>(&self.ingresses), all::<IngressClass>(&self.classes));
        let services = all::<Service>(&self.services);
        let (http_routes, gateways) = (all::<HttpRoute>(&self.http_routes), all::<Gateway>(&self.gateways));
        let grants = all::<ReferenceGrant>(&self.grants);
        let (http_routes, gateways, grants) = (borrowed(&http_routes), borrowed(&gateways), borrowed(&grants));
        let exposure = Exposure {
            service: &service,
            slices: &slices,
            nodes: &nodes,
            ingresses: &ingresses,
            ingress_classes: &classes,
            gateway: GatewayObjects { routes: &http_routes, gateways: &gateways, grants: &grants },
            services: &services,
            relay: self.relay,
            own_node: self.own_node,
            families: self.families,
        };
        plan(&target, &exposure)
    }
}

/// `NodePort http://10.0.0.1:30500 → 10.0.0.1:30500, 10.0.0.2:30500`
pub(super) fn shown(strategy: &Strategy) -> String {
    let addresses = strategy.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!("{} {} → {addresses}", strategy.route.as_str(), strategy.origin)
}

/// Compares the strategies whole, the pull address, and words of what was left out. Where Relay is not granted, it is the last that is.
pub(super) fn check(world: &World, strategies: &[&str], pull: &str, left_out: &[&str]) {
    let plan = world.plan().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.strategies.iter().map(shown).collect::<Vec<_>>(), strategies);
    assert_eq!(plan.pull.as_deref(), Some(pull));
    let words: Vec<String> = plan.left_out.iter().map(|LeftOut { route, why }| format!("{}: {why}", route.as_str())).collect();
    let by_exposure = world.target.get("routes").is_none();
    let relay = (by_exposure && world.relay == RelayPossibility::NotGranted).then_some("Relay: it needs the right to forward ports");
    let left_out: Vec<&str> = left_out.iter().copied().chain(relay).collect();
    assert_eq!(words.len(), left_out.len(), "{words:#?}");
    for (words, expected) in words.iter().zip(left_out) {
        assert!(words.contains(expected), "{words} lacks {expected}");
    }
    assert!(plan.strategies.iter().all(|strategy| !strategy.addresses.is_empty() && !strategy.reason.is_empty()));
}

/// Compares reason and words of a refusal.
pub(super) fn refused(world: &World, reason: crate::api::Reason, words: &[&str]) {
    let error = world.plan().map(|plan| plan.strategies.iter().map(shown).collect::<Vec<_>>()).unwrap_err();
    assert_eq!(error.reason(), reason, "{error}");
    for expected in words {
        assert!(error.to_string().contains(expected), "{error} lacks {expected}");
    }
}
