//! Which versions of a chart are published: a range, the newest of it, without some; and what becomes of a version that comes later.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{
    scene::Scene,
    support::{
        self, http,
        publication::{ready, spec},
        registry::Version,
    },
};

/// A scene with these archives in its repository.
async fn scene_with(archives: &[PathBuf]) -> Scene {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = archives.iter().fold(bed.helm_repository(&[]), support::helm_repository::HelmRepositoryBuilder::archive);
    Scene { namespace, registry, charts: charts.start().await }
}

/// The tags of a repository, sorted.
async fn tags(scene: &Scene, repository: &str) -> Vec<String> {
    let (bed, registry) = (scene.namespace.bed, scene.registry.socket());
    let answer = http::get(bed.server_namespace(), registry, &registry.to_string(), &format!("/v2/{repository}/tags/list")).await;
    let list: Value = serde_json::from_slice(&answer.expect("an answer").body).expect("JSON");
    let mut tags: Vec<String> = serde_json::from_value(list["tags"].clone()).expect("tags");
    tags.sort();
    tags
}

#[tokio::test]
async fn a_range_is_published_and_what_comes_later_follows_at_the_interval() {
    let bed = support::shared();
    let archives = bed.packages("web", &["0.9.0", "1.0.0", "1.1.0", "1.2.0", "1.2.1+b", "1.3.0", "1.4.0-rc.1", "2.0.0", "1.4.0"]);
    let (later, archives) = archives.split_last().expect("archives");
    let scene = scene_with(archives).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    let chart = json!({"name": "web", "versions": ">=1.0.0 <2.0.0", "latest": 3, "exclude": ["1.2.0"]});
    let mut wanted = spec(&scene.charts.url(), &json!([chart]), &json!([scene.target()]));
    wanted["interval"] = json!("10s");
    namespace.publish("range", &wanted).await;
    let published = |names: &'static [&str]| {
        move |status: &chart_publisher::api::ChartPublicationStatus| {
            let versions = status.targets.iter().flat_map(|target| &target.versions).map(|version| version.version.as_str());
            ready(status) == "True Succeeded" && status.published.as_deref() == Some("3/3") && versions.eq(names.iter().copied())
        }
    };
    namespace.becomes("range", "the newest three are published", published(&["1.3.0", "1.2.1+b", "1.1.0"])).await;
    assert_eq!(tags(&scene, "charts/web").await, ["1.1.0", "1.2.1_b", "1.3.0"]);
    let asked: Vec<_> = scene.charts.requests().iter().filter(|one| one.status == 200).map(|one| one.path().to_owned()).collect();
    let asked: Vec<_> = asked.iter().filter(|path| *path != "/index.yaml").collect();
    assert_eq!(asked.len(), 3, "nothing else is fetched: {asked:?}");

    scene.charts.add(later);
    namespace.becomes("range", "a new version is published by itself", published(&["1.4.0", "1.3.0", "1.2.1+b"])).await;
    assert_eq!(tags(&scene, "charts/web").await, ["1.1.0", "1.2.1_b", "1.3.0", "1.4.0"], "what was published stays");
}

#[tokio::test]
async fn the_newest_release_is_published_where_nothing_else_is_said() {
    let bed = support::shared();
    let scene = scene_with(&bed.packages("web", &["1.9.0", "1.10.0", "2.0.0-rc.1"])).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    namespace.publish("release", &scene.spec("web")).await;
    namespace.becomes_ready("release").await;
    assert_eq!(tags(&scene, "charts/web").await, ["1.10.0"]);
    namespace.change("release", &json!({"charts": [{"name": "web", "prereleases": true}]})).await;
    namespace.becomes_ready("release").await;
    assert_eq!(tags(&scene, "charts/web").await, ["1.10.0", "2.0.0-rc.1"]);
}
