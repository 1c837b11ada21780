//! An index that several publications name: it is asked for once, and nobody gets what others may read.

use serde_json::{Value, json};

use super::{
    ANYWHERE,
    scene::{Scene, scene},
    support::{
        self,
        publication::{condition, ready, spec, url_target},
        registry::Version,
    },
};

/// What was asked of the index by controllers: the status of each answer.
fn asked(scene: &Scene) -> Vec<u16> {
    let requests = scene.charts.requests();
    let ours = requests.iter().filter(|one| one.user_agent.starts_with("chart-publisher/") && one.path() == "/index.yaml");
    ours.map(|one| one.status).collect()
}

fn chart(scene: &Scene, chart: &Value, prefix: &str) -> Value {
    spec(&scene.charts.url(), &json!([chart]), &json!([url_target(scene.registry.socket(), prefix)]))
}

#[tokio::test]
async fn a_second_publication_on_the_same_index_adds_no_request_to_it() {
    let scene = scene(&["small-1.2.2", "large-3.0.0"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    namespace.publish("first", &chart(&scene, &json!({"name": "small"}), "first")).await;
    namespace.becomes_ready("first").await;
    assert_eq!(asked(&scene), [200]);
    // The same chart, another one, and all of them.
    for (name, wanted) in [("same", json!({"name": "small"})), ("other", json!({"name": "large"})), ("all", json!({"pattern": "."}))] {
        namespace.publish(name, &chart(&scene, &wanted, name)).await;
        namespace.becomes_ready(name).await;
    }
    assert_eq!(namespace.status("all").await.published.as_deref(), Some("2/2"));
    assert_eq!(asked(&scene), [200], "what one has fetched is there for all");
    // Who asks for a run waits for what the source says now.
    namespace.run_again("same").await;
    namespace.run_again("other").await;
    assert_eq!(asked(&scene), [200, 304, 304]);
}

#[tokio::test]
async fn publications_that_begin_at_once_fetch_an_index_once() {
    let scene = scene(&["small-1.2.2", "large-3.0.0"]).await;
    let names: Vec<String> = (0..12).map(|number| format!("one-of-many-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let wanted = if number % 2 == 0 { "small" } else { "large" };
        scene.namespace.publish(name, &chart(&scene, &json!({"name": wanted}), name)).await;
    }
    let _controller = scene.controller().await;
    for name in &names {
        scene.namespace.becomes_ready(name).await;
    }
    assert_eq!(asked(&scene), [200]);
}

#[tokio::test]
async fn what_an_index_lacks_is_looked_for_again_before_it_is_called_missing() {
    let scene = scene(&["small-1.2.2"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    namespace.publish("before", &chart(&scene, &json!({"name": "small"}), "before")).await;
    namespace.becomes_ready("before").await;
    scene.charts.add(&support::shared().chart("large-3.0.0"));
    namespace.publish("after", &chart(&scene, &json!({"name": "large"}), "after")).await;
    namespace.becomes_ready("after").await;
    assert_eq!(asked(&scene), [200, 200]);
    namespace.publish("missing", &chart(&scene, &json!({"name": "nothing"}), "missing")).await;
    namespace.becomes("missing", "the chart is not found", |status| ready(status) == "False ChartNotFound").await;
    assert_eq!(asked(&scene), [200, 200, 304]);
}

#[tokio::test]
async fn a_publication_is_never_served_longer_than_its_own_interval() {
    let scene = scene(&["small-1.2.2", "large-3.0.0"]).await;
    let (namespace, _controller) = (&scene.namespace, scene.controller().await);
    let mut often = chart(&scene, &json!({"name": "small"}), "often");
    often["interval"] = json!("10s");
    namespace.publish("often", &often).await;
    namespace.publish("seldom", &chart(&scene, &json!({"name": "large"}), "seldom")).await;
    namespace.becomes_ready("often").await;
    namespace.becomes_ready("seldom").await;
    let archives = support::shared().packages("small", &["1.3.0"]);
    for archive in &archives {
        scene.charts.add(archive);
    }
    let is_newest = |status: &chart_publisher::api::ChartPublicationStatus| {
        let versions = status.targets.iter().flat_map(|target| &target.versions);
        ready(status) == "True Succeeded" && versions.map(|version| version.version.as_str()).any(|version| version == "1.3.0")
    };
    namespace.becomes("often", "what is new is seen at its interval", is_newest).await;
    let answers = asked(&scene);
    assert!(answers.starts_with(&[200]) && answers.iter().filter(|status| **status == 200).count() == 2, "{answers:?}");
}

#[tokio::test]
async fn an_index_is_shared_by_those_with_the_same_login_alone() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).basic("reader", "correct").start().await;
    let scene = Scene { namespace, registry, charts };
    let (namespace, _controller) = (&scene.namespace, scene.namespace.controller(&ANYWHERE).await);
    for (secret, password) in [("known", "correct"), ("copied", "correct"), ("unknown", "wrong")] {
        namespace.secret(secret, &[("username", "reader"), ("password", password)]).await;
    }
    let with = |secret: &str| {
        let mut spec = chart(&scene, &json!({"name": "small"}), secret);
        spec["source"]["helmRepository"]["secretRef"] = json!({"name": secret});
        spec
    };
    namespace.publish("known", &with("known")).await;
    namespace.becomes_ready("known").await;
    namespace.publish("unknown", &with("unknown")).await;
    let mut nobody = chart(&scene, &json!({"name": "small"}), "nobody");
    nobody["interval"] = json!("2h");
    namespace.publish("nobody", &nobody).await;
    for name in ["unknown", "nobody"] {
        namespace.becomes(name, "it may not read the index", |status| ready(status) == "False SourceUnauthorized").await;
    }
    let message = condition(&namespace.status("unknown").await, "Ready").expect("a condition").message.clone();
    assert!(message.contains("/unknown`") && !message.contains("/known`"), "its own Secret is named: {message}");
    assert_eq!(asked(&scene), [200, 401, 401]);
    // Another Secret of the same content says the same.
    namespace.publish("copied", &with("copied")).await;
    namespace.becomes_ready("copied").await;
    assert_eq!(asked(&scene), [200, 401, 401]);
    // What was read with a password ends with it.
    namespace.secret("copied", &[("username", "reader"), ("password", "outdated")]).await;
    namespace.run_again("copied").await;
    namespace.becomes("copied", "it may read no more", |status| ready(status) == "False SourceUnauthorized").await;
    assert_eq!(asked(&scene), [200, 401, 401, 401]);
}
