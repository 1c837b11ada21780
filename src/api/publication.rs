//! `ChartPublication`: what to publish, from where, and where to.

use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::{ChartPublicationStatus, FluxReference, Verify};

const SOURCE_HAS_MANY_CHARTS: &str =
    "has(self.source.helmRepository) || has(self.source.oci) || (has(self.source.fluxRef) && self.source.fluxRef.kind == 'HelmRepository')";

/// Publishes Helm charts as OCI artifacts into registries, and proves that they arrived.
#[expect(clippy::duplicated_attributes, reason = "each printer column has a type and a path")]
#[derive(CustomResource, KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[kube(
    group = "chartpublisher.io",
    version = "v1alpha1",
    kind = "ChartPublication",
    plural = "chartpublications",
    shortname = "chartpub",
    category = "charts",
    namespaced,
    doc = "Publishes Helm charts as OCI artifacts into registries, and proves that they arrived.",
    status = "ChartPublicationStatus",
    derive = "PartialEq",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Published", type_ = "string", json_path = ".status.published"),
    printcolumn(name = "Route", type_ = "string", json_path = ".status.route"),
    printcolumn(name = "Method", type_ = "string", json_path = ".status.method", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(format!("!({SOURCE_HAS_MANY_CHARTS}) || (has(self.charts) && self.charts.size() > 0)"))
        .message("`charts` must say what to take: `[{name: NAME}]`, or of a repository with an index `[{pattern: REGEXP}]`, too"),
    validation = Rule::new(format!("{SOURCE_HAS_MANY_CHARTS} || !has(self.charts) || self.charts.size() == 0"))
        .message("`charts` is of `helmRepository`, `oci` and a HelmRepository of Flux: every other source, an OCIRepository too, is one chart and takes none"),
    validation = Rule::new("!has(self.source.oci) || !has(self.charts) || self.charts.all(chart, !has(chart.pattern))")
        .message("`pattern` cannot be used with `oci`: registries have no list of their repositories that works everywhere; give each chart by its `name`"),
    validation = Rule::new("!has(self.proof) || !has(self.proof.routes) || self.proof.routes.size() == 0 || self.targets.exists(target, has(target.service))")
        .message("`proof.routes` lead to a `service`, and no target has one"),
    validation = Rule::new("!has(self.verify) || !has(self.source.inline)")
        .message("`verify` needs a provenance, and `inline` has no place for one; put the archive and its `.prov` into ConfigMaps or Secrets"),
)]
pub struct ChartPublicationSpec {
    /// How often the source is asked again, for example `1h` or `30m`. Spread by up to a tenth, so that many publications do not ask at once.
    #[serde(default = "default_interval")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"), length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s') && duration(self) <= duration('8760h')").message("must lie between 10s and 8760h"))]
    pub interval: String,

    /// The longest wait for an answer of a registry or source, and the longest time that a body may make no progress.
    /// It is no limit for a transfer as a whole.
    #[serde(default = "default_timeout")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"), length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('1h')").message("must lie between 1s and 1h"))]
    pub timeout: String,

    /// When true, nothing is done for this resource until it is false again. What was published stays.
    #[serde(default)]
    pub suspend: bool,

    /// Where the charts come from: exactly one member.
    pub source: Source,

    /// Which charts and versions of a `helmRepository`, an `oci` registry or a `HelmRepository` of Flux are published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub charts: Vec<ChartSelection>,

    /// The registries that they are published into.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub targets: Vec<Target>,

    /// Proofs beyond the one after each push. Without it, what was published is read again only when its route changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,

    /// What a chart must have before it is published. A version that does not have it is not published, and stops no other one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

pub(super) fn yes() -> bool {
    true
}

fn default_interval() -> String {
    "1h".to_owned()
}

/// Proofs beyond the one after each push.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// How often everything that is published is read whole again and compared, by the route that is used. Spread by up to a tenth.
    #[serde(default = "default_proof_interval")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"), length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1m') && duration(self) <= duration('8760h')").message("must lie between 1m and 8760h"))]
    pub interval: String,

    /// The routes that readers take: the newest chart is downloaded by each of them at each proof and after each push of something
    /// new. What came of it stands in the target's `proofs`, and in its condition `ReaderRoute`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 6))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub routes: Vec<RouteKind>,
}

fn default_proof_interval() -> String {
    "24h".to_owned()
}

fn default_timeout() -> String {
    "1m".to_owned()
}

/// Where the charts come from: exactly one member.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.helmRepository), has(self.oci), has(self.archive), has(self.configMaps), has(self.secrets), has(self.inline), has(self.fluxRef)].filter(x, x).size() == 1")
        .message("exactly one of `helmRepository`, `oci`, `archive`, `configMaps`, `secrets`, `inline` and `fluxRef` must be set"),
)]
pub struct Source {
    /// An HTTP Helm repository: a server with an `index.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helm_repository: Option<HelmRepositorySource>,

    /// Charts in a registry. What its tags hold is published as it is: manifest, config and layers keep their digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciSource>,

    /// One chart archive at a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveSource>,

    /// One chart archive in `ConfigMaps` of this namespace, by their names: under one key of one of them, or in parts whose keys end with `-`
    /// or `.` and a number, which counts on from one to the next. A key that ends with `.prov` is its provenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), inner(length(min = 1, max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub config_maps: Option<Vec<String>>,

    /// The same in Secrets of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), inner(length(min = 1, max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub secrets: Option<Vec<String>>,

    /// One chart archive in base64, of at most 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1_420_000))]
    pub inline: Option<String>,

    /// An object of Flux in this namespace that says where the charts lie. Its address, Secrets and options are read at each run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flux_ref: Option<FluxReference>,
}

/// An HTTP Helm repository.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HelmRepositorySource {
    /// The address of the repository; `index.yaml` lies below it.
    #[schemars(regex(pattern = r"^https?://[^\s@]+$"), length(max = 2048))]
    pub url: String,

    /// A Secret of this namespace with `username` and `password`, or with `bearerToken`. It is sent to the repository's own host only,
    /// unless `passCredentials` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// When true, what `secretRef` holds is sent to every host that the index names for a chart: whoever can write the index can have it
    /// sent to a host of theirs. It never leaves TLS for plain HTTP, and never follows a redirect to another host.
    #[serde(default)]
    pub pass_credentials: bool,

    /// A Secret of this namespace with `ca.crt`, and `tls.crt` with `tls.key` for a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalReference>,

    /// A Secret of this namespace with the `address` of a proxy, `http://HOST:PORT` or `https://HOST:PORT`, that all of this source is asked
    /// by; with `username` and `password` where the proxy wants a login, and `ca.crt` where its certificate needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalReference>,
}

/// Charts in a registry.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OciSource {
    /// The address below which the charts lie: `oci://HOST[:PORT]/PREFIX`. Versions of a chart are the tags of PREFIX/NAME, where `_`
    /// stands for `+`.
    #[schemars(regex(pattern = r"^oci://[^\s@/?#]+(/[^\s?#]*)?$"), length(max = 1024))]
    pub url: String,

    /// Other hosts, with their ports where these are not the scheme's own, that the registry may name as token service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_hosts: Vec<String>,

    /// A Secret of this namespace: of type `kubernetes.io/dockerconfigjson`, or with `username` and `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// A Secret of this namespace with `ca.crt`, and `tls.crt` with `tls.key` for a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalReference>,

    /// A Secret of this namespace with the `address` of a proxy, `http://HOST:PORT` or `https://HOST:PORT`, that all of this source is asked
    /// by; with `username` and `password` where the proxy wants a login, and `ca.crt` where its certificate needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalReference>,

    /// Plain HTTP, and nothing else: certificates are always checked where TLS is spoken.
    #[serde(default)]
    pub insecure: bool,

    /// Whether what belongs to a chart is published beside it: what refers to its manifest, as signatures, attestations and bills of
    /// materials do, and the tags `sha256-DIGEST.sig`, `.att` and `.sbom` of cosign. When false, charts come alone.
    #[serde(default = "yes")]
    pub referrers: bool,
}

/// One chart archive at a URL.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ArchiveSource {
    /// The address of the `.tgz`.
    #[schemars(regex(pattern = r"^https?://[^\s@]+$"), length(max = 2048))]
    pub url: String,

    /// The SHA-256 that the archive must have, as `sha256:` and 64 hexadecimal digits. Without it, what the server sends is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"), length(max = 71))]
    pub digest: Option<String>,

    /// A Secret of this namespace with `username` and `password`, or with `bearerToken`. It is sent to the URL's own host only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// A Secret of this namespace with `ca.crt`, and `tls.crt` with `tls.key` for a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalReference>,

    /// A Secret of this namespace with the `address` of a proxy, `http://HOST:PORT` or `https://HOST:PORT`, that all of this source is asked
    /// by; with `username` and `password` where the proxy wants a login, and `ca.crt` where its certificate needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalReference>,
}

/// The name of an object in the publication's own namespace.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct LocalReference {
    /// The name of the object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// A chart of the repository, or several, and the versions.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.name) != has(self.pattern)").message("exactly one of `name` and `pattern` must be set"),
)]
pub struct ChartSelection {
    /// The name of the chart in the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 250))]
    pub name: Option<String>,

    /// All charts of a `helmRepository` whose names match this regular expression, for example `^pod`. It is anchored only where it says
    /// so. A chart that another item has by its `name` is taken by that item alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub pattern: Option<String>,

    /// Which versions: a constraint in Helm's language, for example `6.5.0`, `^6.5`, `>=6.0.0 <7.0.0` or `6.1.x || 6.3.x`. Where the index
    /// has a version of this very spelling, only that one. Without it, any version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub versions: Option<String>,

    /// Of these the newest N; 0 stands for all of them.
    #[serde(default = "default_latest")]
    #[schemars(range(min = 0, max = 10000))]
    pub latest: u32,

    /// Versions that are passed over before `latest` counts: each a version, or a constraint as in `versions`, which means prereleases too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 512)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub exclude: Vec<String>,

    /// When true, a prerelease counts like any other version. When false, it counts only where `versions` names a prerelease in the same
    /// alternative, as `>=6.0.0-0` does.
    #[serde(default)]
    pub prereleases: bool,
}

fn default_latest() -> u32 {
    1
}

/// A registry that the charts are published into.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.service), has(self.url)].filter(x, x).size() == 1")
        .message("exactly one of `service` and `url` must be set"),
    validation = Rule::new("!has(self.url) || !has(self.routes) || self.routes.size() == 0")
        .message("`routes` lead to a `service`; a `url` is its own route"),
)]
pub struct Target {
    /// Tells the targets of this resource apart.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(min = 1, max = 63))]
    pub name: String,

    /// A registry behind a Service of this namespace. The route to it follows from how the Service is exposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceTarget>,

    /// Any registry, by its address: `oci://HOST[:PORT]/PREFIX`. A chart lies at PREFIX/NAME:VERSION.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^oci://[^\s@/?#]+(/[^\s?#]*)?$"), length(max = 1024))]
    pub url: Option<String>,

    /// The routes that may be taken to the Service, in this order: of `ClusterIP`, `NodePort`, `LoadBalancer`, `Ingress`, `Endpoint` and `Relay`.
    /// Empty: as the Service is exposed, with the others after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 6))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub routes: Vec<RouteKind>,

    /// How bodies are sent.
    #[serde(default)]
    pub upload: Upload,

    /// The host name, with the port where it is not the scheme's own, that requests and the TLS handshake name, whatever address is dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$"), length(max = 255))]
    pub hostname: Option<String>,

    /// Other hosts, with their ports where these are not the scheme's own, that the registry may name as token service or upload address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_hosts: Vec<String>,

    /// A Secret of this namespace: of type `kubernetes.io/dockerconfigjson`, or with `username` and `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// A Secret of this namespace with `ca.crt`, and `tls.crt` with `tls.key` for a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalReference>,

    /// Plain HTTP, and nothing else: certificates are always checked where TLS is spoken.
    #[serde(default)]
    pub insecure: bool,
}

/// A registry behind a Service.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceTarget {
    /// The name of the Service, in the publication's own namespace.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,

    /// The port of the Service, by name or number. Without it the Service must have only one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "name_or_number")]
    #[schemars(schema_with = "name_or_number_of_port")]
    pub port: Option<String>,

    /// The path of the repositories in the registry: with `charts` a chart lies at charts/NAME:VERSION.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z0-9._/-]*$"), length(max = 200))]
    pub repository: String,
}

/// `http`, `"5000"` and `5000` are all ways that people write a port.
fn name_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Port {
        Number(u16),
        Name(String),
    }
    Ok(Option::<Port>::deserialize(deserializer)?.map(|port| match port {
        Port::Number(number) => number.to_string(),
        Port::Name(name) => name,
    }))
}

fn name_or_number_of_port(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "pattern": r"^([0-9]{1,5}|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$",
        "maxLength": 15,
        "minimum": 1,
        "maximum": 65535,
    })
}

/// A way to reach a registry.
#[derive(JsonSchema, Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouteKind {
    /// The address of the Service inside of the cluster.
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// The addresses of nodes, with the Service's port on them.
    NodePort,
    /// The address of the Service's load balancer.
    LoadBalancer,
    /// An Ingress or HTTPRoute that leads to the Service.
    Ingress,
    /// The addresses of the ready Pods behind the Service.
    Endpoint,
    /// A ready Pod behind the Service, by the API server's port-forward. Needs a right that the administrator grants.
    Relay,
}

impl RouteKind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::ClusterIp, Self::NodePort, Self::LoadBalancer, Self::Ingress, Self::Endpoint, Self::Relay];

    /// As it stands in a resource.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIp => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
            Self::Ingress => "Ingress",
            Self::Endpoint => "Endpoint",
            Self::Relay => "Relay",
        }
    }
}

/// How bodies are sent.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// `Auto` chooses by the route and by what was learnt. `Buffered` sends one request with the whole body and its length, `Chunked`
    /// several with a part each, `SinglePost` one POST with everything; `Streamed` sends without a length, as go-containerregistry
    /// does with streams, and is there to compare and to diagnose.
    #[serde(default)]
    pub method: UploadMethod,

    /// The largest part of `Chunked`, for example `16Mi`: at least `64Ki`, at most `1Gi`.
    #[serde(default = "default_chunk_size")]
    #[schemars(regex(pattern = r"^[0-9]+(Ki|Mi|Gi)$"), length(max = 12))]
    #[x_kube(validation = Rule::new("quantity(self).compareTo(quantity('64Ki')) >= 0 && quantity(self).compareTo(quantity('1Gi')) <= 0").message("must lie between 64Ki and 1Gi"))]
    pub chunk_size: String,
}

impl Default for Upload {
    fn default() -> Self {
        Self { method: UploadMethod::default(), chunk_size: default_chunk_size() }
    }
}

fn default_chunk_size() -> String {
    "16Mi".to_owned()
}

/// How the bytes of a blob are framed.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UploadMethod {
    /// By the route.
    #[default]
    Auto,
    /// One PUT with the whole body and its Content-Length.
    Buffered,
    /// Bounded PATCH requests with Content-Length and Content-Range, resumed where they are cut.
    Chunked,
    /// One POST with the whole body.
    SinglePost,
    /// One PATCH in chunked transfer encoding.
    Streamed,
}

impl UploadMethod {
    /// As it stands in a resource.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Buffered => "Buffered",
            Self::Chunked => "Chunked",
            Self::SinglePost => "SinglePost",
            Self::Streamed => "Streamed",
        }
    }
}
