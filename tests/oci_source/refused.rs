//! What is no chart, and what is none of ours: refused by name, one version at a time, and nothing else is kept from its target.

use std::fs;

use serde_json::{Value, json};

use super::{
    scene::{ANYWHERE, Scene, crane},
    support::{
        publication::{condition, ready},
        registry::Version,
    },
};

#[tokio::test]
async fn what_is_no_chart_is_refused_and_stops_no_other_version() {
    let scene = Scene::create(Version::V3, Version::V3).await;
    let bed = scene.bed();
    scene.push(&[&bed.chart("small-1.2.2"), &bed.chart("small-1.2.3+4")]);
    let repository = format!("{}/upstream/small", scene.from.socket());
    let chart = format!("{repository}:1.2.2");
    let folder = bed.folder("artifact");
    fs::write(folder.join("words"), "no chart").expect("a file in the bed's folder");
    let words = format!("{}:text/plain", folder.join("words").display());
    let artifact = format!("{repository}:2.0.0");
    let push = ["oras", "push", "--no-tty", "--plain-http", "--disable-path-validation", &artifact, &words];
    bed.run_in_pod(&push).expect_success();
    crane(bed, &["index", "append", "--manifest", &chart, "--tag", &format!("{repository}:3.0.0")]);
    for tag in ["5.0.0", "latest", "v1.2.2"] {
        crane(bed, &["tag", &chart, tag]);
    }
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    for (name, version, says) in [
        ("artifact", "2.0.0", "holds no chart: its config has the media type `application/vnd.oci.empty.v1+json`"),
        ("index", "3.0.0", "holds no chart: it is an index of several manifests"),
        ("renamed", "5.0.0", "holds the chart `small 1.2.2`"),
        ("spelt", "v1.2.2", "holds the chart `small 1.2.2`"),
    ] {
        scene.namespace.publish(name, &scene.spec(&json!([{"name": "small", "versions": version}]))).await;
        let status = scene.namespace.becomes(name, "it is refused", |status| ready(status) == "False ChartInvalid").await.status;
        let message = condition(&status.expect("a status"), "Ready").expect("a condition").message.clone();
        assert!(message.contains(&format!("{repository}:{version}")) && message.contains(says), "{message}");
    }
    scene.namespace.publish("all", &scene.spec(&json!([{"name": "small", "latest": 0}]))).await;
    let status = scene.namespace.becomes("all", "it is refused", |status| ready(status) == "False ChartInvalid").await.status;
    let status = status.expect("a status");
    assert_eq!(status.published.as_deref(), Some("2/5"));
    assert!(condition(&status, "Ready").expect("a condition").message.contains("(3 of 5 versions failed)"));
    for chart in ["small:1.2.2", "small:1.2.3_4"] {
        let [before, after] = scene.digests(chart);
        assert_eq!(before, after);
    }
    let tags = crane(bed, &["ls", &format!("{}/charts/small", scene.to.socket())]);
    assert_eq!(tags.lines().collect::<Vec<_>>(), ["1.2.2", "1.2.3_4"]);
}

#[tokio::test]
async fn plan_says_which_tags_are_passed_over_and_publish_needs_no_other_chart() {
    let scene = Scene::create(Version::V2, Version::V2).await;
    let bed = scene.bed();
    scene.push(&[&bed.chart("small-1.2.2"), &bed.chart("umbrella-2.0.0")]);
    for tag in ["latest", "v1.2.2"] {
        crane(bed, &["tag", &format!("{}/upstream/small:1.2.2", scene.from.socket()), tag]);
    }
    let mut spec = scene.spec(&json!([{"name": "missing"}, {"name": "small"}, {"name": "umbrella"}]));
    let publication = |spec: &Value| json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": "a"}, "spec": spec});
    let file = bed.folder("plan").join("publication.yaml");
    fs::write(&file, publication(&spec).to_string()).expect("a file in the bed's folder");
    let file = file.display().to_string();
    let ran = bed.run_in_pod(&[env!("CARGO_BIN_EXE_chart-publisher"), "plan", "-f", &file, "-o", "json"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.errors.contains("SourceNotFound: ") && ran.errors.contains("/upstream/missing` does not exist"), "{ran:?}");
    let printed: Value = serde_json::from_str(&ran.output).expect("JSON");
    let items = printed["items"].as_array().expect("a list").iter();
    let items: Vec<_> = items.map(|item| (item["chart"].as_str(), item["version"].as_str(), item["action"].as_str())).collect();
    assert_eq!(items, [(Some("small"), Some("1.2.2"), Some("Publish")), (Some("umbrella"), Some("2.0.0"), Some("Publish"))]);
    let passed_over = printed["passedOver"].to_string();
    assert!(passed_over.contains("the tag is no version") && passed_over.contains("\"latest\""), "{passed_over}");
    assert!(passed_over.contains("written in full") && passed_over.contains("\"v1.2.2\""), "{passed_over}");

    spec["charts"].as_array_mut().expect("a list").push(json!({"name": "team/small"}));
    fs::write(&file, publication(&spec).to_string()).expect("a file in the bed's folder");
    let ran = bed.run_in_pod(&[env!("CARGO_BIN_EXE_chart-publisher"), "lint", "-f", &file]);
    assert!(ran.output.contains("is a path: put `team` at the end of `spec.source.oci.url`"), "{ran:?}");
    let _controller = scene.namespace.controller(&ANYWHERE).await;
    scene.namespace.publish("others", &spec).await;
    let status = scene.namespace.becomes("others", "one chart is not there", |status| ready(status) == "False SourceNotFound").await.status;
    let status = status.expect("a status");
    assert_eq!(status.published.as_deref(), Some("2/4"), "the other charts are published all the same, and two are missing");
}
