//! The Gateway API as far as a plan needs it: HTTPRoute, Gateway and ReferenceGrant, read leniently, since what is there follows from
//! the CRDs that a cluster happens to have. Fields that are not named here are passed over.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, de::IgnoredAny};

/// Its API group.
pub const GROUP: &str = "gateway.networking.k8s.io";

/// Requests for some hosts and paths, and where they go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct HttpRoute {
    /// Name, namespace, age.
    pub metadata: ObjectMeta,
    /// What was asked for.
    pub spec: HttpRouteSpec,
    /// What the Gateways' controllers say.
    pub status: HttpRouteStatus,
}

/// What is asked of an HTTPRoute.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpRouteSpec {
    /// The Gateways that it hangs on.
    pub parent_refs: Vec<ParentReference>,
    /// The hosts; none stands for those of the listeners.
    pub hostnames: Vec<String>,
    /// What goes where.
    pub rules: Vec<HttpRouteRule>,
}

/// A Gateway, or some listeners of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ParentReference {
    /// None stands for [`GROUP`].
    pub group: Option<String>,
    /// None stands for Gateway.
    pub kind: Option<String>,
    /// None stands for the route's own.
    pub namespace: Option<String>,
    /// The Gateway.
    pub name: String,
    /// One listener of it.
    pub section_name: Option<String>,
    /// The listeners with this port.
    pub port: Option<i32>,
}

/// Where some requests go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpRouteRule {
    /// Which; none stands for all.
    pub matches: Vec<HttpRouteMatch>,
    /// What is done with them on the way.
    pub filters: Vec<HttpRouteFilter>,
    /// Where to.
    pub backend_refs: Vec<BackendReference>,
}

/// Some requests: all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpRouteMatch {
    /// None stands for the prefix `/`.
    pub path: Option<PathMatch>,
    /// One method.
    pub method: Option<String>,
    /// Certain headers.
    pub headers: Vec<IgnoredAny>,
    /// Certain parameters.
    pub query_params: Vec<IgnoredAny>,
}

/// Some paths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PathMatch {
    /// `Exact`, `PathPrefix` or `RegularExpression`; none stands for `PathPrefix`.
    #[serde(rename = "type")]
    pub type_: Option<String>,
    /// None stands for `/`.
    pub value: Option<String>,
}

/// What is done with a request on the way.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpRouteFilter {
    /// `RequestRedirect`, `URLRewrite`, …
    #[serde(rename = "type")]
    pub type_: String,
    /// Of `URLRewrite`.
    pub url_rewrite: UrlRewrite,
}

/// What becomes of the URL.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct UrlRewrite {
    /// Another path.
    pub path: Option<IgnoredAny>,
}

/// Where requests go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BackendReference {
    /// None stands for the core group.
    pub group: Option<String>,
    /// None stands for Service.
    pub kind: Option<String>,
    /// None stands for the route's own.
    pub namespace: Option<String>,
    /// The Service.
    pub name: String,
    /// Its port.
    pub port: Option<i32>,
    /// Its share; none stands for 1.
    pub weight: Option<i32>,
}

/// What the controllers of its Gateways say of a route.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct HttpRouteStatus {
    /// One for each.
    pub parents: Vec<ParentStatus>,
}

/// What the controller of one Gateway says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ParentStatus {
    /// Of which Gateway.
    pub parent_ref: ParentReference,
    /// Who says it.
    pub controller_name: String,
    /// `Accepted` above all.
    pub conditions: Vec<SaidOf>,
}

/// A condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SaidOf {
    /// What is said.
    #[serde(rename = "type")]
    pub type_: String,
    /// Whether it holds.
    pub status: String,
    /// Why, in a word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

/// A server that takes requests for routes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Gateway {
    /// Name, namespace.
    pub metadata: ObjectMeta,
    /// What was asked for.
    pub spec: GatewaySpec,
    /// Where it is.
    pub status: GatewayStatus,
}

/// What is asked of a Gateway.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct GatewaySpec {
    /// The ports that it listens on.
    pub listeners: Vec<Listener>,
}

/// A port of a Gateway.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// The host that it takes; none stands for any.
    pub hostname: Option<String>,
    /// The port.
    pub port: i32,
    /// `HTTP`, `HTTPS`, …
    pub protocol: String,
    /// Whose routes it takes.
    pub allowed_routes: AllowedRoutes,
}

/// Whose routes a listener takes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AllowedRoutes {
    /// Of which namespaces.
    pub namespaces: RouteNamespaces,
}

/// Of which namespaces a listener takes routes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RouteNamespaces {
    /// `All`, `Selector`, or `Same`, which none stands for.
    pub from: Option<String>,
}

/// Where a Gateway is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct GatewayStatus {
    /// All its addresses.
    pub addresses: Vec<GatewayAddress>,
}

/// An address of a Gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GatewayAddress {
    /// `Hostname`, or `IPAddress`, which none stands for.
    #[serde(rename = "type")]
    pub type_: Option<String>,
    /// The address.
    pub value: String,
}

/// Lets objects of other namespaces refer to those of its own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ReferenceGrant {
    /// Namespace.
    pub metadata: ObjectMeta,
    /// Who may refer to what.
    pub spec: ReferenceGrantSpec,
}

/// Who may refer to what.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ReferenceGrantSpec {
    /// Who.
    pub from: Vec<GrantedFrom>,
    /// To what.
    pub to: Vec<GrantedTo>,
}

/// Objects of another namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GrantedFrom {
    /// Their group.
    pub group: String,
    /// Their kind.
    pub kind: String,
    /// Their namespace.
    pub namespace: String,
}

/// Objects of the grant's namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GrantedTo {
    /// Their group; empty for the core group.
    pub group: String,
    /// Their kind.
    pub kind: String,
    /// One of them; none stands for all.
    pub name: Option<String>,
}

/// What a cluster has of the Gateway API, as the planner is given it. Empty where it has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct GatewayObjects<'a> {
    /// All HTTPRoutes; those that lead elsewhere are passed over.
    pub routes: &'a [&'a HttpRoute],
    /// All Gateways.
    pub gateways: &'a [&'a Gateway],
    /// `ReferenceGrants`; those of other namespaces than the Service's are passed over.
    pub grants: &'a [&'a ReferenceGrant],
}
