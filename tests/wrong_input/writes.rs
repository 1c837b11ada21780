//! Wrong inputs: what is not written, since a disk or the registry's rule for tags does not let it.

use std::net::SocketAddr;

use chart_publisher::api::Reason;
use serde_json::{Value, json};

use crate::{
    archives::{chart, index, index_that_promises},
    case::{Case, endpoints, service},
    support::{Bed, nginx::Site, web_server::WebServer},
    world::World,
};

/// Disks that are full or read-only, and tags that hold something already.
pub fn writes(world: &World) -> Vec<Case> {
    let at = |input, socket: SocketAddr| {
        let target = json!({"name": "main", "service": {"name": "registry", "repository": "charts"}, "insecure": true});
        Case::new(input, world.good(), target).with(service("registry", &[("http", socket.port())])).with(endpoints("registry", socket))
    };
    let here = "Service \"team/registry\" by ClusterIP";
    let to = |world: &World, path: &str| json!({"name": "main", "url": format!("oci://{}/{path}", world.ruled.socket()), "insecure": true});
    let mut forgetful = to(world, "forgetful");
    forgetful["url"] = json!(format!("oci://{}/forgetful", world.forgetful.socket()));
    let large = vec![b'x'; 6_000_000];
    let large = world.source("large", index("small", "1.0.0", &large), large);
    // More than the volume of the spool has, and less than the spool's budget; its digest is never asked for.
    let middling = world.source("middling", index_that_promises("small", "1.0.0", &"0f".repeat(32)), vec![b'x'; 3_500_000]);
    vec![
        at("the registry's storage is full", world.full.socket()).retries(Reason::RegistryFull, here, "enlarge the volume"),
        at("the registry's storage is mounted read-only", world.write_protected.socket()).retries(
            Reason::RegistryReadOnly,
            here,
            "look at `readOnly` of its volume and mount",
        ),
        Case::new("the spool has no room for the chart", large, plain(world, "charts")).stalls(
            Reason::SpoolFull,
            "/large/chart.tgz` could not be kept",
            "`--spool-size`",
        ),
        Case::new("the volume of the spool is full before the spool is", middling, plain(world, "charts")).retries(
            Reason::SpoolFull,
            "/middling/chart.tgz` could not be kept",
            "enlarge the volume behind `--spool-dir`",
        ),
        Case::new("the tag holds other content", world.good(), plain(world, "drifted"))
            .keeps(format!("{}/drifted/small:1.0.0", world.plain.socket()))
            .stalls(
                Reason::Drifted,
                "`drifted/small:1.0.0` holds the manifest sha256:",
                "Delete the tag to publish the source's chart there",
            ),
        Case::new("the tag is immutable and holds what is wanted", world.good(), to(world, "equal")).succeeds("1"),
        Case::new("the tag is immutable and holds other content", world.good(), to(world, "immutable")).stalls(
            Reason::TagImmutable,
            "\"immutable/small:1.0.0\" holds other content there",
            "publish a new version, or change the registry's rule",
        ),
        Case::new("the registry makes no repository by itself", world.good(), to(world, "missing")).stalls(
            Reason::RepositoryNotFound,
            "for \"missing/small:1.0.0\" in the registry",
            "Make the repository or project",
        ),
        Case::new("the registry takes images and no charts", world.good(), to(world, "images")).stalls(
            Reason::ArtifactRefused,
            "(registry.example.com:5000): while writing the manifest",
            "use one that takes OCI artifacts",
        ),
        Case::new("the registry says yes and keeps nothing", world.good(), forgetful).retries(
            Reason::RegistryInconsistent,
            "\"forgetful/small:1.0.0\"",
            "a cache on the way answers",
        ),
    ]
}

/// What stands under some tags before the controller comes.
pub fn push_beforehand(world: &World) {
    let equal = chart("small", "1.0.0");
    let mut other = equal.clone();
    // Another time in the header of gzip is another digest.
    other[4] = 1;
    for (path, content) in [("drifted", &other), ("immutable", &other), ("equal", &equal)] {
        let archive = world.bed.folder(path).join("small-1.0.0.tgz");
        std::fs::write(&archive, content).expect("a file");
        let target = format!("oci://{}/{path}", world.plain.socket());
        world.bed.run_in_pod(&["helm", "push", "--plain-http", &archive.display().to_string(), &target]).expect_success();
    }
}

/// Rules that registries of others have, before a real one, by the path: `equal` and `immutable` let no tag be written twice, as ECR, and
/// the list of tags lags behind, so that it comes to that; `missing` makes no repository, as ECR; `images` takes no other artifacts, as
/// old ones.
pub async fn ruled(bed: &'static Bed, registry: SocketAddr) -> WebServer {
    let taken = "The image tag \\'1.0.0\\' already exists in the \\'small\\' repository and cannot be overwritten because the repository is immutable.";
    let error = |code: &str, message: &str| format!(r#"'{{"errors":[{{"code":"{code}","message":"{message}"}}]}}'"#);
    let rule = |path: &str, method: &str, answer: String| {
        format!("location ~ {path} {{ if ($request_method = {method}) {{ return {answer}; }} proxy_pass http://{registry}; }}")
    };
    let rules = [
        format!("location ~ /tags/list$ {{ return 404 {}; }}", error("NAME_UNKNOWN", "repository name not known to registry")),
        rule("/(equal|immutable)/small/manifests/", "PUT", format!("400 {}", error("TAG_INVALID", taken))),
        rule("/missing/small/blobs/uploads/$", "POST", format!("404 {}", error("NAME_UNKNOWN", "The repository does not exist"))),
        rule("/images/small/manifests/", "PUT", format!("400 {}", error("MANIFEST_INVALID", "manifest invalid"))),
        format!("location / {{ proxy_pass http://{registry}; }}"),
    ];
    proxied(bed, &rules.join(" ")).await
}

/// Says yes to each manifest and keeps none.
pub async fn forgetful(bed: &'static Bed, registry: SocketAddr) -> WebServer {
    let rule = format!("location ~ /manifests/ {{ if ($request_method = PUT) {{ return 201; }} proxy_pass http://{registry}; }}");
    proxied(bed, &format!("{rule} location / {{ proxy_pass http://{registry}; }}")).await
}

async fn proxied(bed: &'static Bed, rules: &str) -> WebServer {
    let directives = format!("default_type application/json; client_max_body_size 0; proxy_set_header Host $http_host; {rules}");
    bed.nginx(bed.place(5000), Site { identity: None, directives }).await
}

fn plain(world: &World, path: &str) -> Value {
    json!({"name": "main", "url": format!("oci://{}/{path}", world.plain.socket()), "insecure": true})
}
