//! What happens to a chart in the registry after it was proven, what the next proof says of it, and what cures it.

use std::fs;

use chart_publisher::api::{ChartPublicationStatus, InventoryEntry};
use serde_json::{Value, json};

use super::{
    scene::{ANYWHERE, age, digest_of},
    support::{
        self, Bed,
        access_log::Request,
        eventually::{SOON, eventually},
        helm_repository::HelmRepositoryBuilder,
        http,
        namespace::Namespace,
        publication::{condition, ready, spec, url_target},
        registry::{Registry, Version},
    },
};

/// What is done to a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing.
    Whole,
    /// A bit of its archive is turned over on the registry's disk.
    Corrupted,
    /// Its archive is cut there.
    Truncated,
    /// Its archive is deleted there.
    Deleted,
    /// Somebody writes another chart under its tag.
    Overwritten,
    /// A letter of its manifest is changed on the registry's disk.
    Misspelt,
    /// Its manifest is deleted there.
    Forgotten,
}

/// Each with a chart of its own: a registry keeps equal bytes once.
const ALL: [(Fate, &str, &str); 7] = [
    (Fate::Whole, "whole", "1.0.0"),
    (Fate::Corrupted, "small", "1.2.2"),
    (Fate::Truncated, "small", "1.2.3+4"),
    (Fate::Deleted, "umbrella", "2.0.0"),
    (Fate::Overwritten, "large", "3.0.0"),
    (Fate::Misspelt, "misspelt", "1.0.0"),
    (Fate::Forgotten, "forgotten", "1.0.0"),
];

fn name(fate: Fate) -> String {
    format!("{fate:?}").to_lowercase()
}

#[tokio::test]
async fn the_next_proof_finds_what_the_disk_of_distribution_2_has_lost() {
    check(Version::V2).await;
}

#[tokio::test]
async fn the_next_proof_finds_what_the_disk_of_distribution_3_has_lost() {
    check(Version::V3).await;
}

async fn check(version: Version) {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(version).start().await);
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4", "umbrella-2.0.0", "large-3.0.0"]);
    let made = ["whole", "misspelt", "forgotten"].map(|name| bed.packages(name, &["1.0.0"]).remove(0));
    let charts = made.into_iter().fold(charts, HelmRepositoryBuilder::archive).start().await;
    let controller = namespace.controller(&ANYWHERE).await;
    for (fate, chart, version) in ALL {
        let mut spec =
            spec(&charts.url(), &json!([{"name": chart, "versions": version}]), &json!([url_target(registry.socket(), "charts")]));
        spec["proof"] = json!({});
        namespace.publish(&name(fate), &spec).await;
    }
    let mut before = Vec::new();
    for (fate, ..) in ALL {
        namespace.becomes_ready(&name(fate)).await;
        before.push(entry(&namespace, fate).await);
    }
    let (status, _, log) = controller.stop();
    assert!(status.is_some_and(|status| status.success()), "{log}");
    for ((fate, ..), entry) in ALL.into_iter().zip(&before) {
        befall(bed, &registry, fate, entry);
        age(&namespace, &name(fate)).await;
    }
    let seen = registry.requests().len();
    let _controller = namespace.controller(&ANYWHERE).await;
    for ((fate, ..), entry) in ALL.into_iter().zip(&before) {
        is_told(&namespace, &registry, fate, entry).await;
    }
    let requests = registry.requests().split_off(seen);
    only_whole_reads(&requests, &before[0]);
    is_written_once_more_at_most(&requests);
    for ((fate, ..), entry) in ALL.into_iter().zip(&before) {
        is_cured(bed, &namespace, &registry, fate, entry).await;
    }
}

async fn entry(namespace: &Namespace, fate: Fate) -> InventoryEntry {
    let inventory = namespace.inventory(&name(fate)).await.expect("an inventory");
    inventory.spec.entries.into_iter().next().expect("an entry")
}

fn befall(bed: &Bed, registry: &Registry, fate: Fate, entry: &InventoryEntry) {
    let file = registry.file_of(&entry.layer);
    match fate {
        Fate::Whole => {}
        Fate::Corrupted => {
            let mut bytes = fs::read(&file).expect("the blob");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&file, bytes).expect("the blob");
        }
        Fate::Truncated => {
            let bytes = fs::read(&file).expect("the blob");
            fs::write(&file, &bytes[..bytes.len() - 100]).expect("the blob");
        }
        Fate::Deleted => fs::remove_file(&file).expect("the blob"),
        Fate::Overwritten => {
            let at = |reference: &str| format!("{}/{reference}", registry.socket());
            let words = ["crane", "--insecure", "copy", &at("charts/whole:1.0.0"), &at(&format!("{}:{}", entry.repository, entry.tag))];
            bed.run_on_node(&words).expect_success();
        }
        Fate::Misspelt => {
            let file = registry.file_of(&entry.manifest);
            let manifest = fs::read_to_string(&file).expect("the manifest");
            assert!(manifest.contains("image.title"), "{manifest}");
            fs::write(&file, manifest.replace("image.title", "image.titel")).expect("the manifest");
        }
        Fate::Forgotten => fs::remove_file(registry.file_of(&entry.manifest)).expect("the manifest"),
    }
}

/// What the status and the Events say after the proof.
async fn is_told(namespace: &Namespace, registry: &Registry, fate: Fate, before: &InventoryEntry) {
    let publication = name(fate);
    let reference = format!("`{}:{}`", before.repository, before.tag);
    let expected = match fate {
        Fate::Whole | Fate::Deleted | Fate::Forgotten => "True Succeeded",
        Fate::Corrupted | Fate::Truncated | Fate::Misspelt => "False RegistryContentCorrupt",
        Fate::Overwritten => "False Drifted",
    };
    let proved = |status: &ChartPublicationStatus| status.targets[0].last_proved.as_ref().map(|time| time.0.to_string());
    let is_so = |status: &ChartPublicationStatus| {
        // What is Ready was so before as well: only the time tells the new proof.
        ready(status) == expected
            && (expected.starts_with("False") || proved(status).is_some_and(|time| time > before.proved.0.to_string()))
    };
    let status = namespace.becomes(&publication, &format!("{expected} after the proof"), is_so).await.status.expect("a status");
    let message = &condition(&status, "Ready").expect("Ready").message;
    let says =
        |words: &[&str]| words.iter().for_each(|word| assert!(message.contains(word), "{publication}: `{word}` is missing in: {message}"));
    match fate {
        Fate::Whole => assert_eq!(events(namespace, &publication).await, [] as [String; 0]),
        Fate::Corrupted | Fate::Truncated | Fate::Misspelt => {
            let damaged = damaged(fate, before);
            let found = digest_of(&registry.file_of(damaged));
            says(&[&reference, damaged, &found, &registry.socket().to_string(), "delete the blob's file in its storage"]);
            assert!(entry(namespace, fate).await.failed.is_some());
        }
        Fate::Deleted | Fate::Forgotten => {
            let damaged = damaged(fate, before);
            assert_eq!(digest_of(&registry.file_of(damaged)), damaged, "it is there again");
            let told = eventually(SOON, "an Event tells of it", async || match events(namespace, &publication).await.as_slice() {
                [one] => Ok(one.clone()),
                other => Err(format!("{other:?}")),
            })
            .await;
            let begin = format!("Warning ProofFailed: {} {} of target `main`", before.chart, before.version);
            for word in [&begin, &reference, damaged, "sent again, and is proven"] {
                assert!(told.contains(word), "`{word}` is missing in: {told}");
            }
        }
        Fate::Overwritten => {
            let foreign = entry(namespace, Fate::Whole).await.manifest;
            says(&[&reference, &before.manifest, &foreign, "somebody has written it over", "Delete the tag"]);
            assert!(entry(namespace, fate).await.failed.is_some());
        }
    }
}

/// The digest of what was damaged or deleted.
fn damaged(fate: Fate, entry: &InventoryEntry) -> &str {
    if matches!(fate, Fate::Misspelt | Fate::Forgotten) { &entry.manifest } else { &entry.layer }
}

/// The Events after those of the first publication.
async fn events(namespace: &Namespace, publication: &str) -> Vec<String> {
    let text = |text: Option<String>| text.unwrap_or_default();
    let events = namespace.events_of(publication).await.into_iter();
    let shown = events.map(|event| format!("{} {}: {}", text(event.type_), text(event.reason), text(event.note)));
    shown.filter(|line| !line.starts_with("Normal Published") && !line.starts_with("Normal Succeeded")).collect()
}

/// The manifest by its tag and both blobs, all of it; and nobody is asked whether it is there.
fn only_whole_reads(requests: &[Request], whole: &InventoryEntry) {
    let ours: Vec<_> = requests.iter().filter(|request| request.user_agent.starts_with("chart-publisher/")).collect();
    assert!(ours.iter().all(|request| request.method != "HEAD" && !matches!(request.status, 206 | 304)), "{ours:?}");
    let of_chart: Vec<_> =
        ours.iter().filter(|request| request.path().starts_with("/v2/charts/whole/")).map(|request| request.line()).collect();
    let blobs = of_chart.iter().filter(|line| line.starts_with("GET /v2/charts/whole/blobs/sha256:") && line.ends_with(" 200")).count();
    let layer = format!("GET /v2/charts/whole/blobs/{} 200", whole.layer);
    let rest = ["GET /v2/charts/whole/tags/list 200".to_owned(), "GET /v2/charts/whole/manifests/1.0.0 200".to_owned(), layer];
    assert!(of_chart.len() == 4 && blobs == 2 && rest.iter().all(|line| of_chart.contains(line)), "{of_chart:?}");
}

/// What cannot be mended is sent once; over a tag that somebody else has written nothing is.
fn is_written_once_more_at_most(requests: &[Request]) {
    for (chart, expected) in [
        ("whole/manifests/1.0.0", 0),
        ("small/manifests/1.2.2", 1),
        ("small/manifests/1.2.3_4", 1),
        ("umbrella/manifests/2.0.0", 1),
        ("large/manifests/3.0.0", 0),
        ("misspelt/manifests/1.0.0", 0),
        ("forgotten/manifests/1.0.0", 1),
    ] {
        let line = format!("PUT /v2/charts/{chart} 201");
        let written =
            requests.iter().filter(|request| request.user_agent.starts_with("chart-publisher/") && request.line() == line).count();
        assert_eq!(written, expected, "{line}");
    }
}

/// What the sentence asks for is done, and the publication is Ready again.
async fn is_cured(bed: &Bed, namespace: &Namespace, registry: &Registry, fate: Fate, before: &InventoryEntry) {
    match fate {
        Fate::Whole | Fate::Deleted | Fate::Forgotten => return,
        Fate::Corrupted | Fate::Truncated | Fate::Misspelt => fs::remove_file(registry.file_of(damaged(fate, before))).expect("the blob"),
        Fate::Overwritten => {
            let foreign = entry(namespace, Fate::Whole).await.manifest;
            let target = format!("/v2/{}/manifests/{foreign}", before.repository);
            let request = ::http::Request::builder().method("DELETE").uri(target).header("host", registry.socket().to_string());
            let request = request.body(http_body_util::Full::new(bytes::Bytes::new())).expect("a request");
            let answer = http::send(bed.server_namespace(), registry.socket(), request).await.expect("an answer");
            assert_eq!(answer.status.as_u16(), 202);
        }
    }
    namespace.request_run(&name(fate)).await;
    namespace.becomes_ready(&name(fate)).await;
    let after = entry(namespace, fate).await;
    let of_content = |entry: &InventoryEntry| -> Value { json!([entry.manifest, entry.layer, entry.repository, entry.tag]) };
    assert_eq!((of_content(&after), after.failed), (of_content(before), None));
    assert_eq!(digest_of(&registry.file_of(damaged(fate, before))), damaged(fate, before));
}
