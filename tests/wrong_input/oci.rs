//! Wrong inputs: charts that come from a registry.

use chart_publisher::{api::Reason, model::Digest};
use serde_json::{Value, json};

use crate::{
    archives::{changed_chart, chart},
    case::{Case, login, secret},
    support::scripted::Reply,
    world::World,
};

const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Where they lie, who asks, and whom it trusts.
pub fn registries(world: &World) -> Vec<Case> {
    let case = |input, source: Value| Case::new(input, source, target(world));
    let with_login = |mut source: Value| {
        source["oci"]["secretRef"] = json!({"name": "login"});
        source
    };
    let trusting = |input, socket| {
        let mut source = by_tls(plain(socket));
        source["oci"]["certSecretRef"] = json!({"name": "authority"});
        case(input, source).with(secret("authority", "Opaque", &[("ca.crt", &world.authority.pem())]))
    };
    let (basic, bearer) = (plain(world.basic.socket()), plain(world.bearer.socket()));
    let mut listed = with_login(bearer.clone());
    listed["oci"]["allowedHosts"] = json!([world.token_host()]);
    let elsewhere = json!({"auths": {"other.example.com": {"username": "reader", "password": world.password}}}).to_string();
    let (here, secret_name) = ("`oci://registry.example.com:5000/upstream/small` may not be read", "in the Secret `team/login`");
    let mut cases = vec![
        case("the registry has no such repository", plain(world.plain.socket())).stalls(
            Reason::SourceNotFound,
            "`oci://registry.example.com:5000/upstream/small` does not exist",
            "check `url`, and the name in `charts`",
        ),
        case("the source's registry wants a login, and none is given", basic.clone()).stalls(
            Reason::SourceUnauthorized,
            here,
            "give a Secret as `secretRef`",
        ),
        case("the source's registry does not take the login", with_login(basic.clone()))
            .with(login("pusher", &world.wrong_password))
            .stalls(Reason::SourceUnauthorized, here, secret_name),
        case("the token service of the source does not take the login", listed).with(login("pusher", &world.wrong_password)).stalls(
            Reason::SourceUnauthorized,
            here,
            secret_name,
        ),
        case("the token service of the source is on another host", with_login(bearer)).with(login("pusher", &world.password)).stalls(
            Reason::SourceUnauthorized,
            "tokens.example.com:5001",
            "`source.oci.allowedHosts`",
        ),
        case("the Docker configuration has nothing for the source", with_login(basic))
            .with(secret("login", "kubernetes.io/dockerconfigjson", &[(".dockerconfigjson", &elsewhere)]))
            .stalls(Reason::SecretInvalid, "has no entry for the registry of the source", "`registry.example.com:5000` in `auths`"),
    ];
    cases.extend([
        case("the source's registry has a certificate of an unknown authority", by_tls(plain(world.tls.socket()))).retries(
            Reason::TlsFailed,
            "signed by an unknown authority",
            "`ca.crt` in the Secret of `certSecretRef`",
        ),
        trusting("the certificate of the source's registry has expired", world.expired.socket()).retries(
            Reason::TlsFailed,
            "the certificate has expired",
            "the server needs a new certificate",
        ),
        trusting("the source's registry asks for a client certificate, and none is given", world.mutual.socket()).stalls(
            Reason::TlsFailed,
            "asks for a client certificate, or does not take the one it got",
            "give `tls.crt` and `tls.key` that it takes in the Secret of `certSecretRef`",
        ),
        trusting("the certificate of the source's registry is made for another name", world.other_name.socket()).retries(
            Reason::TlsFailed,
            "made for `other.example.com`",
            "use a name that the certificate holds",
        ),
        case("the source's registry has no TLS", by_tls(plain(world.plain.socket()))).retries(
            Reason::TlsOnPlainHttp,
            "does not speak TLS on this port",
            "set `insecure: true`",
        ),
        case("the source's registry speaks TLS", plain(world.tls.socket())).stalls(
            Reason::PlainHttpOnTls,
            "the registry wants TLS",
            "take `insecure: true` away",
        ),
        case("nothing listens where the source's registry should", plain(world.nobody.socket())).retries(
            Reason::SourceUnreachable,
            "connection refused",
            "check the address",
        ),
        case("the source's registry has a fault", plain(world.broken.socket())).retries(
            Reason::SourceUnreachable,
            "the registry answered 503 UNAVAILABLE",
            "its log says why",
        ),
        case("what answers for the source is no registry", plain(world.page.socket())).stalls(
            Reason::SourceInvalid,
            "is no repository of a registry",
            "check `url`",
        ),
    ]);
    cases
}

/// What a tag holds.
pub fn contents(world: &World) -> Vec<Case> {
    let archive = chart("small", "1.0.0");
    let whole = manifest(CONFIG, &[(LAYER, &archive)]);
    let held = |folder: &str, manifest: &Value, archive: &[u8]| self::held(world, folder, manifest, &[b"{}", archive]);
    let case = |input, source: Value| Case::new(input, source, target(world));
    let changed = held_as(world, "changed", &whole, &archive, changed_chart("small", "1.0.0"));
    let damaged = held("named", &whole, &archive);
    world.charts.says(
        "/v2/named/small/manifests/1.0.0",
        Reply::ok(whole.to_string()).field("docker-content-digest", format!("sha256:{}", "0f".repeat(32))),
    );
    let stranger = chart("small", "0.9.0");
    let push = "push the chart there again";
    vec![
        case("the tag holds an image", held("image", &manifest("application/vnd.oci.image.config.v1+json", &[]), &[])).stalls(
            Reason::ChartInvalid,
            "/image/small:1.0.0` holds no chart: its config has the media type",
            "push the chart with `helm push`",
        ),
        case(
            "the tag holds an index of several manifests",
            held("several", &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}), &[]),
        )
        .stalls(Reason::ChartInvalid, "/several/small:1.0.0` holds no chart: it is an index", "`exclude`"),
        case("the tag holds another version", held("stranger", &manifest(CONFIG, &[(LAYER, &stranger)]), &stranger)).stalls(
            Reason::ChartInvalid,
            "/stranger/small:1.0.0` holds the chart `small 0.9.0`",
            "push it with `helm push`",
        ),
        case("the tag holds an archive that is none", held("text", &manifest(CONFIG, &[(LAYER, b"text")]), b"text")).stalls(
            Reason::ChartInvalid,
            "/text/small:1.0.0` holds no chart that Helm would take: the archive is no gzip file",
            push,
        ),
        case("the registry has other bytes than its manifest says", changed).stalls(
            Reason::DigestMismatch,
            "/changed/small:1.0.0`: the blob sha256:",
            push,
        ),
        case("the registry calls a manifest by another digest", damaged).stalls(
            Reason::DigestMismatch,
            "/named/small:1.0.0`: the manifest has sha256:",
            push,
        ),
        case("the registry has lost the archive", lost(world)).stalls(Reason::SourceNotFound, "/lost/small:1.0.0` could not be read", push),
        case("a signature of the chart is listed and gone", signed(world, "unsigned", None)).retries(
            Reason::SourceNotFound,
            ".sig` does not exist, although the registry lists it",
            "`referrers: false` at the source",
        ),
        case("the tag of a signature holds something else", signed(world, "mis-signed", Some(Reply::ok("<html>")))).stalls(
            Reason::SourceInvalid,
            ".sig`: it is no manifest of OCI",
            "look what was pushed there",
        ),
        case("a signature of the chart is damaged", signed(world, "signed", Some(damaged_signature()))).stalls(
            Reason::DigestMismatch,
            ".sig`: the manifest has sha256:",
            "sign or attach it again",
        ),
        case("the manifest is over the limit", long(world)).stalls(
            Reason::LimitExceeded,
            "the manifest is larger than 4194304 bytes",
            "look what was pushed there",
        ),
    ]
}

fn manifest(config: &str, layers: &[(&str, &[u8])]) -> Value {
    let blob = |kind: &str, content: &[u8]| json!({"mediaType": kind, "digest": Digest::of(content).to_string(), "size": content.len()});
    let layers: Vec<_> = layers.iter().map(|(kind, content)| blob(kind, content)).collect();
    json!({"schemaVersion": 2, "config": blob(config, b"{}"), "layers": layers})
}

/// A scripted registry whose repository `FOLDER/small` has one tag, with this manifest and these blobs.
fn held(world: &World, folder: &str, manifest: &Value, blobs: &[&[u8]]) -> Value {
    let repository = format!("/v2/{folder}/small");
    world.charts.says(&format!("{repository}/tags/list"), Reply::ok(json!({"name": folder, "tags": ["1.0.0"]}).to_string()));
    world.charts.says(&format!("{repository}/manifests/1.0.0"), Reply::ok(manifest.to_string()));
    for blob in blobs {
        world.charts.says(&format!("{repository}/blobs/{}", Digest::of(blob)), Reply::ok(blob.to_vec()));
    }
    json!({"oci": {"url": format!("oci://{}/{folder}", world.charts.socket()), "insecure": true}})
}

/// The same with other bytes in place of the archive.
fn held_as(world: &World, folder: &str, manifest: &Value, archive: &[u8], sent: impl Into<bytes::Bytes>) -> Value {
    let source = held(world, folder, manifest, &[b"{}"]);
    world.charts.says(&format!("/v2/{folder}/small/blobs/{}", Digest::of(archive)), Reply::ok(sent));
    source
}

fn lost(world: &World) -> Value {
    held(world, "lost", &manifest(CONFIG, &[(LAYER, b"nowhere")]), &[b"{}"])
}

/// A chart with a tag of cosign, and what is said under that.
fn signed(world: &World, folder: &str, reply: Option<Reply>) -> Value {
    let archive = chart("small", "1.0.0");
    let whole = manifest(CONFIG, &[(LAYER, &archive)]);
    let source = held(world, folder, &whole, &[b"{}", &archive]);
    let tag = format!("sha256-{}.sig", Digest::of(whole.to_string().as_bytes()).hex());
    let unknown = json!({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}).to_string();
    let repository = format!("/v2/{folder}/small");
    world.charts.says(&format!("{repository}/tags/list"), Reply::ok(json!({"name": folder, "tags": ["1.0.0", tag]}).to_string()));
    world.charts.says(&format!("{repository}/manifests/{tag}"), reply.unwrap_or_else(|| Reply::status(404).body(unknown)));
    source
}

fn damaged_signature() -> Reply {
    Reply::ok(manifest("application/vnd.oci.image.config.v1+json", &[]).to_string())
        .field("docker-content-digest", format!("sha256:{}", "0f".repeat(32)))
}

fn long(world: &World) -> Value {
    let source = held(world, "long", &json!({}), &[]);
    world.charts.says("/v2/long/small/manifests/1.0.0", Reply::ok(vec![b' '; (4 << 20) + 1]));
    source
}

fn target(world: &World) -> Value {
    json!({"name": "main", "url": format!("oci://{}/from-a-registry", world.plain.socket()), "insecure": true})
}

fn plain(socket: std::net::SocketAddr) -> Value {
    json!({"oci": {"url": format!("oci://{socket}/upstream"), "insecure": true}})
}

fn by_tls(mut source: Value) -> Value {
    source["oci"]["insecure"] = json!(false);
    source
}
