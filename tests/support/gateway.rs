//! A Gateway in front of a registry: a part of the Gateway API's CRDs, the objects, and a haproxy that does what the Gateway's controller
//! would have it do.

use std::net::SocketAddr;

use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::{
    Bed,
    access_log::Request,
    authority::{Authority, Validity},
    exposure::SERVICE_PORT,
    namespace::Namespace,
    web_server::WebServer,
};

const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/gateway_api.yaml");
const GROUP: &str = "gateway.networking.k8s.io";
const CONTROLLER: &str = "test.example/gateway-controller";

/// The CRDs are there. Dropping it removes them, with all objects.
pub struct GatewayApi(&'static Bed);

/// A Gateway that answers. Dropping it ends its proxy; the Gateway goes with its namespace.
pub struct ServedGateway {
    haproxy: WebServer,
    namespace: String,
    name: String,
}

/// A Service of some namespace.
#[derive(Clone, Copy, Debug)]
pub struct Backend<'a> {
    pub namespace: &'a str,
    pub service: &'a str,
}

impl Bed {
    /// Installs the CRDs. They are of the whole cluster: a test that looks what happens without them needs a bed of its own.
    pub fn install_gateway_api(&'static self) -> GatewayApi {
        self.run_on_host(&["kubectl", "apply", "--server-side", "-f", CRDS]).expect_success();
        self.run_on_host(&["kubectl", "wait", "--for=condition=Established", "--timeout=30s", "-f", CRDS]).expect_success();
        GatewayApi(self)
    }
}

impl Drop for GatewayApi {
    fn drop(&mut self) {
        self.0.run_on_host(&["kubectl", "delete", "--ignore-not-found", "--timeout=30s", "-f", CRDS]);
    }
}

impl Namespace {
    /// A Gateway `name` for routes of all namespaces: one listener, for HTTPS with an authority. Programs in the cluster resolve `host`,
    /// which must be this test's own.
    pub async fn gateway(&self, name: &str, host: &str, upstream: SocketAddr, authority: Option<&Authority>) -> ServedGateway {
        let port = if authority.is_some() { 443 } else { 80 };
        let identity = authority.map(|authority| authority.server(&[host], Validity::Now).expect("a certificate"));
        let haproxy = self.bed.haproxy(self.bed.place(port), identity, host, &[upstream]).await;
        self.bed.name(host, haproxy.socket().ip());
        let protocol = if authority.is_some() { "HTTPS" } else { "HTTP" };
        let listener = json!({"name": "web", "port": port, "protocol": protocol, "allowedRoutes": {"namespaces": {"from": "All"}}});
        self.apply_gateway_kind("v1", "Gateway", name, json!({"gatewayClassName": "test", "listeners": [listener]})).await;
        let gateway = ServedGateway { haproxy, namespace: self.name().to_owned(), name: name.to_owned() };
        self.set_gateway_address(name, Some(gateway.socket())).await;
        gateway
    }

    /// Says in a Gateway's status where it is.
    pub async fn set_gateway_address(&self, name: &str, address: Option<SocketAddr>) {
        let addresses: Vec<_> = address.iter().map(|address| json!({"type": "IPAddress", "value": address.ip()})).collect();
        self.set_gateway_status("Gateway", name, json!({"addresses": addresses})).await;
    }

    /// An HTTPRoute `name` for all paths of `host`, accepted by the Gateway.
    pub async fn http_route(&self, name: &str, host: &str, gateway: &ServedGateway, to: Backend<'_>) {
        let backend = json!({"namespace": to.namespace, "name": to.service, "port": SERVICE_PORT});
        let rule = json!({"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [backend]});
        let spec = json!({"parentRefs": [gateway.reference()], "hostnames": [host], "rules": [rule]});
        self.apply_gateway_kind("v1", "HTTPRoute", name, spec).await;
        self.accept_http_route(name, gateway, true).await;
    }

    /// What the Gateway's controller says of an HTTPRoute.
    pub async fn accept_http_route(&self, name: &str, gateway: &ServedGateway, accepted: bool) {
        let condition = json!({
            "type": "Accepted", "status": if accepted { "True" } else { "False" }, "reason": if accepted { "Accepted" } else { "NotAllowed" },
            "message": "as the test says", "lastTransitionTime": "2026-01-02T03:04:05Z",
        });
        let parent = json!({"parentRef": gateway.reference(), "controllerName": CONTROLLER, "conditions": [condition]});
        self.set_gateway_status("HTTPRoute", name, json!({"parents": [parent]})).await;
    }

    /// A ReferenceGrant by which HTTPRoutes of another namespace may refer to Services of this one.
    pub async fn grant_http_routes_of(&self, namespace: &str) {
        let spec =
            json!({"from": [{"group": GROUP, "kind": "HTTPRoute", "namespace": namespace}], "to": [{"group": "", "kind": "Service"}]});
        self.apply_gateway_kind("v1beta1", "ReferenceGrant", "routes", spec).await;
    }

    async fn apply_gateway_kind(&self, version: &str, kind: &str, name: &str, spec: Value) {
        let object = json!({"apiVersion": format!("{GROUP}/{version}"), "kind": kind, "metadata": {"name": name}, "spec": spec});
        let objects = self.gateway_kinds(version, kind);
        objects.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(&object)).await.expect("a kind of the Gateway API");
    }

    async fn set_gateway_status(&self, kind: &str, name: &str, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        self.gateway_kinds("v1", kind).patch_status(name, &PatchParams::default(), &patch).await.expect("a kind of the Gateway API");
    }

    fn gateway_kinds(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, version, kind));
        Api::namespaced_with(self.client.clone(), self.name(), &resource)
    }
}

impl ServedGateway {
    /// Where its proxy listens.
    pub fn socket(&self) -> SocketAddr {
        self.haproxy.socket()
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.haproxy.requests()
    }

    fn reference(&self) -> Value {
        json!({"group": GROUP, "kind": "Gateway", "namespace": self.namespace, "name": self.name})
    }
}
