//! Charts and what belongs to them, in a spool that holds all of one chart at a time, and not of two.

use std::fs;

use serde_json::{Value, json};

use super::{
    scene::{Scene, crane},
    support::registry::Version,
};

const CHARTS: [&str; 4] = ["one", "two", "three", "four"];

#[tokio::test]
async fn who_finds_too_little_room_among_others_has_its_turn_alone() {
    let scene = Scene::create(Version::V3, Version::V3).await;
    let bed = scene.bed();
    let mut noise = vec![0; 4 << 20];
    fastrand::fill(&mut noise);
    let folder = bed.folder("attached");
    fs::write(folder.join("noise"), &noise).expect("a file in the bed's folder");
    let layer = format!("{}:text/plain", folder.join("noise").display());
    for name in CHARTS {
        // Of 4 MiB and a little.
        scene.push(&[&bed.noisy_package(name, 1)]);
        let chart = format!("{}/upstream/{name}:1.0.0", scene.from.socket());
        let kind = ["--artifact-type", "application/vnd.example.bill", &chart, &layer];
        let attach = ["oras", "attach", "--no-tty", "--plain-http", "--disable-path-validation"];
        bed.run_in_pod(&[&attach[..], &kind].concat()).expect_success();
    }
    let publish = |charts: &[&str], room: &str| {
        let charts: Vec<Value> = charts.iter().map(|name| json!({"name": name})).collect();
        let publication = json!({
            "apiVersion": "chartpublisher.io/v1alpha1",
            "kind": "ChartPublication",
            "metadata": {"name": "a"},
            "spec": scene.spec(&json!(charts)),
        });
        let file = folder.join("publication.yaml");
        fs::write(&file, publication.to_string()).expect("a file in the bed's folder");
        let file = file.display().to_string();
        bed.run_in_pod(&[env!("CARGO_BIN_EXE_chart-publisher"), "publish", "-f", &file, "--spool-size", room, "-o", "json"])
    };
    let ran = publish(&CHARTS, "7Mi");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.output.contains("the spool is full: what is on its way together, each chart with what belongs to it"), "{ran:?}");

    let ran = publish(&CHARTS, "10Mi");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let printed: Value = serde_json::from_str(&ran.output).expect("JSON");
    assert_eq!(printed["published"], 4, "{ran:?}");
    for name in CHARTS {
        let [source, target] = [scene.from.socket(), scene.to.socket()].map(|socket| {
            let place = if socket == scene.from.socket() { "upstream" } else { "charts" };
            let digest = crane(bed, &["digest", &format!("{socket}/{place}/{name}:1.0.0")]);
            // The list of what refers to it, as clients keep it.
            crane(bed, &["manifest", &format!("{socket}/{place}/{name}:{}", digest.replace(':', "-"))])
        });
        assert_eq!(source, target, "{name}");
    }
}
