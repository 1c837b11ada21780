//! 500 small charts in one publication: what they cost beside the bare loop, and beside `helm push` and `oras push`.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ::http::Request;
use chart_publisher::{
    api::{Target, Upload, UploadMethod},
    chart::{self, Limits},
    model::{Login, MANIFEST_TYPE, RepositoryName, Tag},
    net::{AddressPolicy, Patience, SystemRoots, TlsConfig, Transport},
    plan,
    publish::{Attempt, Learnt, NewIdentities, Package, Reach, Subject, Taken, Ways, push, send},
    registry::Permit,
    remedy::Audience,
    spool::{Budget, Spool},
};
use futures::StreamExt;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::{
    bare::{self, Image},
    charts::{self, Chart},
    quiet,
    support::{
        self, Bed, http,
        namespace::Namespace,
        publication::{ready, spec, url_target},
        registry::Version,
    },
    table::Times,
};

const NAMES: usize = 250;
const VERSIONS: [&str; 2] = ["1.0.0", "1.1.0"];
const NOISE: u64 = 24 << 10;
const AT_ONCE: usize = 8;
const LONG: Duration = Duration::from_mins(5);

const BARE: &str = "bare loop of POST, PUT, POST, PUT, PUT";
const PUSH: &str = "our engine, the push alone";
const PROVEN: &str = "our engine, with the pull-back";
const WHOLE: &str = "the controller: from a publication to Ready, with fetching, tags and pull-back";
const HELM: &str = "helm push";
const ORAS: &str = "oras push";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes five minutes and nearly the whole machine; `make bench-times` runs it"]
async fn five_hundred_small_charts_cost_little_more_than_their_requests() {
    let bed = support::control_plane();
    bed.install_crds();
    let source = bed.helm_repository(&[]).start().await;
    let charts = packed(&source.site());
    charts::index(&source, &charts);
    let packages = packages(&source.site(), &charts).await;
    let registry = bed.registry(Version::V3).start().await;
    controller(bed, &source.url(), registry.socket()).await;
    let asked = registry.requests().iter().filter(|request| request.user_agent.starts_with("chart-publisher/")).count();
    support::say(&format!("the controller asked the registry {asked} times for {} charts", charts.len()));
    // Five to push, two to prove, and one for the tags of each repository.
    assert!(asked <= charts.len() * 7 + NAMES, "{asked} requests");
    let images = Arc::new(images(registry.socket(), &source.site(), &charts).await);
    let mut times = Times::new("500 small charts, 8 at a time", BARE);
    for round in 0..5 {
        times.add(BARE, bare::push(quiet(bed).await.socket(), &images, AT_ONCE).await.as_secs_f64());
        times.add(PUSH, engine(&packages, quiet(bed).await.socket(), false).await.as_secs_f64());
        times.add(PROVEN, engine(&packages, quiet(bed).await.socket(), true).await.as_secs_f64());
        times.add(WHOLE, controller(bed, &source.url(), quiet(bed).await.socket()).await.as_secs_f64());
        if round > 2 {
            continue;
        }
        times.add(ORAS, peer(bed, &source.site(), "oras", quiet(bed).await.socket()).as_secs_f64());
        times.add(HELM, peer(bed, &source.site(), "helm", quiet(bed).await.socket()).as_secs_f64());
    }
    times.print();
    times.assert_at_most(PUSH, 1.25);
    times.assert_at_most(PROVEN, 1.8);
}

fn packed(folder: &Path) -> Vec<Chart> {
    let all = (0..NAMES).flat_map(|number| VERSIONS.map(|version| (format!("chart-{number}"), version)));
    all.map(|(name, version)| Chart::pack(folder, &name, version, NOISE)).collect()
}

/// A chart as the engine has it before the first byte goes out.
struct Parcel {
    repository: RepositoryName,
    tag: Tag,
    package: Package,
}

async fn packages(folder: &Path, charts: &[Chart]) -> Vec<Parcel> {
    let spool = Spool::new(folder.to_owned(), Budget { memory: 64 << 20, ..Budget::default() });
    let mut parcels = Vec::new();
    for chart in charts {
        let bytes = fs::read(folder.join(chart.file())).expect("a chart");
        let mut writer = spool.writer(Some(chart.length), u64::MAX).await.expect("room");
        writer.write(&bytes).await.expect("room");
        let archive = writer.finish().await.expect("room");
        let content = chart::read(archive.reader(), &Limits::default()).expect("a chart");
        let repository = RepositoryName::below("charts", &chart.name).expect("a name");
        let tag = Tag::of_version(&content.version).expect("a tag");
        parcels.push(Parcel { repository, tag, package: Package::new(&content, archive, None, None) });
    }
    parcels
}

fn ways(registry: SocketAddr) -> Ways {
    let target = Target {
        name: "main".to_owned(),
        service: None,
        url: Some(format!("oci://{registry}/charts")),
        routes: Vec::new(),
        upload: Upload { method: UploadMethod::Auto, chunk_size: "16Mi".to_owned() },
        hostname: None,
        allowed_hosts: Vec::new(),
        secret_ref: None,
        cert_secret_ref: None,
        insecure: true,
    };
    let plan = plan::url(&target).expect("a plan");
    let tls = TlsConfig::new(&SystemRoots::load(), None, None).expect("TLS");
    let reach = Reach {
        observer: None,
        transport: &Transport::new(),
        login: &Login::Anonymous,
        tls: &tls,
        allowed_hosts: &[],
        patience: Patience { stall: Duration::from_mins(1) },
        policy: &|_| AddressPolicy::Any,
        identities: &NewIdentities,
        permit: &Permit::default(),
    };
    let subject =
        Subject { registry: "the registry".to_owned(), secret: None, cert_secret: None, insecure: true, audience: Audience::Resource };
    reach.ways(&plan, subject, Learnt::default())
}

/// All parcels as a run of a publication sends them, from memory; with the pull-back of each, or without.
async fn engine(parcels: &[Parcel], registry: SocketAddr, proven: bool) -> Duration {
    let ways = &ways(registry);
    let begin = Instant::now();
    let each = parcels.iter().map(|Parcel { repository, tag, package }| async move {
        let taken = &Taken::default();
        let body = package.largest_body();
        let reference = tag.to_string();
        if proven {
            let work = |attempt: Attempt| async move {
                push(&attempt.registry, attempt.tactic.framing, repository, tag, package, taken, async {}).await
            };
            ways.through(&reference, body, work).await.map(drop)
        } else {
            let work = |attempt: Attempt| async move {
                send(&attempt.registry, attempt.tactic.framing, repository, tag.into(), package, taken).await
            };
            ways.through(&reference, body, work).await.map(drop)
        }
    });
    let results: Vec<_> = futures::stream::iter(each).buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(results.iter().find_map(|result| result.as_ref().err()), None);
    begin.elapsed()
}

/// What a registry has of these charts, to be sent to another one byte by byte.
pub async fn images(registry: SocketAddr, folder: &Path, charts: &[Chart]) -> Vec<Image> {
    let host = registry.to_string();
    let get = async |path: String| {
        let request = Request::get(&path).header("host", &host).header("accept", MANIFEST_TYPE).body(Full::default()).expect("a request");
        let answer = http::send(None, registry, request).await.expect("an answer");
        assert_eq!(answer.status, 200, "{path}");
        answer.body.to_vec()
    };
    let mut images = Vec::new();
    for chart in charts {
        let repository = format!("charts/{}", chart.name);
        let manifest = get(format!("/v2/{repository}/manifests/{}", chart.version)).await;
        let read: Value = serde_json::from_slice(&manifest).expect("a manifest");
        let config = read["config"]["digest"].as_str().expect("a digest").to_owned();
        let configuration = get(format!("/v2/{repository}/blobs/{config}")).await;
        let archive = fs::read(folder.join(chart.file())).expect("a chart");
        let blobs = vec![(chart.digest.clone(), archive), (config, configuration)];
        images.push(Image { repository, tag: chart.version.clone(), blobs, manifest });
    }
    images
}

/// One publication, from its creation until it is Ready. The controller is new, as the registry is.
async fn controller(bed: &'static Bed, source: &str, registry: SocketAddr) -> Duration {
    let namespace = bed.namespace().await;
    let _controller = namespace.controller(&["--allow-address", "127.0.0.0/8"]).await;
    let charts: Vec<_> = (0..NAMES).map(|number| json!({"name": format!("chart-{number}"), "latest": 0})).collect();
    let begin = Instant::now();
    namespace.publish("many", &spec(source, &json!(charts), &json!([url_target(registry, "charts")]))).await;
    is_ready(&namespace).await;
    begin.elapsed()
}

async fn is_ready(namespace: &Namespace) {
    let all = format!("{0}/{0}", NAMES * VERSIONS.len());
    let is_so = |status: &_| ready(status) == "True Succeeded" && status.published.as_ref() == Some(&all);
    namespace.becomes_within(LONG, "many", "it is Ready", is_so).await;
}

/// A tool that pushes one chart, called for each of them, as many at a time.
fn peer(bed: &Bed, folder: &Path, tool: &str, registry: SocketAddr) -> Duration {
    let charts = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let lines = charts.filter_map(|file| {
        let (name, version) = file.strip_suffix(".tgz")?.rsplit_once('-')?;
        Some(match tool {
            "oras" => format!("{registry}/charts/{name}:{version} {file}:application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
            _ => format!("{file} oci://{registry}/charts"),
        })
    });
    let work = bed.folder("peer");
    fs::write(work.join("lines"), lines.collect::<Vec<_>>().join("\n")).expect("a file");
    fs::write(folder.join("config.json"), "{}").expect("a file");
    let config = if tool == "oras" { "--config config.json:application/vnd.cncf.helm.config.v1+json" } else { "" };
    let line = format!("cd {} && xargs -a {}/lines -P {AT_ONCE} -L 1 {tool} push --plain-http {config}", folder.display(), work.display());
    let begin = Instant::now();
    bed.run_on_host(&["bash", "-c", &line]).expect_success();
    begin.elapsed()
}
