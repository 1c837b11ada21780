//! Without a cluster: registries by their URL, and what a controller that comes later makes of it.

use std::fs;

use chart_publisher::model::Digest;
use serde_json::json;

use super::{
    printed::{Printed, publication, publish, writes},
    support::{
        self,
        publication::{spec, url_target},
        registry::Version,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn all_that_the_file_asks_for_is_there_and_a_second_run_sends_nothing() {
    let bed = support::shared();
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4", "umbrella-2.0.0"]).start().await;
    for version in Version::ALL {
        let registry = bed.registry(version).start().await;
        let wanted = json!([{"name": "small", "latest": 0}, {"name": "umbrella"}]);
        let documents = publication("boot", &spec(&charts.url(), &wanted, &json!([url_target(registry.socket(), "charts")]))).to_string();
        let ran = publish(bed, &documents, &["-o", "json", "-n", "platform"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.errors.contains("platform/boot: small 1.2.2 → main: published and pulled back"), "{}", ran.errors);
        let printed = Printed::of(&ran);
        assert_eq!((printed.result.as_str(), printed.counts()), ("Proven", [3, 0, 0]));
        let one = &printed.publications[0];
        assert_eq!((one.namespace.as_str(), one.name.as_str(), one.result.as_str()), ("platform", "boot", "Proven"));
        let source = one.source.as_ref().expect("a source");
        assert_eq!((source.charts, source.versions, source.revision.starts_with("sha256:")), (2, 3, true));
        let target = &one.targets[0];
        assert_eq!(
            (target.wanted, target.proven, target.route.as_deref(), target.method.as_deref()),
            (3, 3, Some("URL"), Some("Buffered"))
        );
        assert_eq!((target.address.as_ref(), target.attempts.len()), (Some(&registry.socket().to_string()), 0));
        assert!(target.how.is_some() && target.pull.is_some() && target.failure.is_none());
        for chart in &target.charts {
            assert!(chart.signed_by.is_none(), "nobody asks for a signature: {chart:?}");
            let archive = fs::read(bed.chart(&format!("{}-{}", chart.chart, chart.version))).expect("a chart of the bed");
            assert_eq!(chart.layer.as_ref(), Some(&Digest::of(&archive).to_string()), "{chart:?}");
            let reference = chart.reference.as_deref().expect("a place");
            assert!(reference.ends_with(&chart.version.replace('+', "_")), "{reference}");
            let digest = bed.run_in_pod(&["crane", "--insecure", "digest", reference]).expect_success();
            assert_eq!(chart.digest.as_deref(), Some(digest.trim()));
            assert_eq!((chart.route.as_deref(), chart.method.as_deref(), chart.failure.is_none()), (Some("URL"), Some("Buffered"), true));
        }
        let before = registry.requests().len();
        let again = Printed::of(&publish(bed, &documents, &["-o", "json"]));
        assert_eq!((again.result.as_str(), again.counts()), ("Proven", [0, 3, 0]));
        assert_eq!(writes(&registry, before), []);
        let pulled = registry.requests().into_iter().skip(before).filter(|request| request.path().contains("/blobs/")).count();
        assert!(pulled >= 3, "what is there is read before it counts: {pulled}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_dead_is_told_beside_the_one_that_has_all() {
    let bed = support::shared();
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4"]).start().await;
    let (registry, dead) = (bed.registry(Version::V3).start().await, bed.place(5000));
    let mut away = url_target(dead.socket(), "charts");
    away["name"] = json!("away");
    let targets = json!([away, url_target(registry.socket(), "charts")]);
    let documents = publication("boot", &spec(&charts.url(), &json!([{"name": "small", "latest": 0}]), &targets)).to_string();
    let ran = publish(bed, &documents, &["-o", "json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.errors.ends_with("2 of 4 versions are published and proven; not all of what default/boot asks for\n"), "{}", ran.errors);
    let printed = Printed::of(&ran);
    assert_eq!((printed.result.as_str(), printed.counts(), printed.publications[0].result.as_str()), ("Failed", [2, 0, 2], "Failed"));
    let expected = ["away small 1.2.3+4 Failed", "away small 1.2.2 Failed", "main small 1.2.3+4 Published", "main small 1.2.2 Published"];
    assert_eq!(printed.lines(), expected);
    let targets = &printed.publications[0].targets;
    for chart in &targets[0].charts {
        let failure = chart.failure.as_ref().expect("a failure");
        assert_eq!((failure.reason.as_str(), failure.passing, chart.digest.is_none()), ("RouteUnreachable", true, true), "{failure:?}");
        assert!(failure.message.contains(&dead.socket().to_string()) && !failure.message.contains("Another publication"), "{failure:?}");
    }
    let attempt = &targets[0].attempts[0];
    assert_eq!((attempt.route.as_str(), attempt.method.as_str(), attempt.tactic.as_str()), ("URL", "Buffered", ""), "{attempt:?}");
    assert_eq!((attempt.reason.as_str(), &attempt.address), ("RouteUnreachable", &dead.socket().to_string()), "{attempt:?}");
    assert!(attempt.message.contains("look whether the registry runs"), "{attempt:?}");

    let ran = publish(bed, &documents, &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<_> = ran.output.lines().collect();
    assert!(lines[0].starts_with("PUBLICATION   CHART  VERSION  TARGET  ACTION     ROUTE  METHOD    REFERENCE"), "{}", ran.output);
    assert!(lines[1].contains("1.2.3+4  away    Failed     -") && lines[2].contains("1.2.2    away    Failed     -"), "{}", ran.output);
    assert!(lines[3].starts_with("    RouteUnreachable: "), "the sentence of both, once: {}", ran.output);
    assert!(lines[4].contains("main    Unchanged  URL    Buffered"), "{}", ran.output);
    assert_eq!(lines.len(), 6, "{}", ran.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_comes_later_adopts_what_is_there() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2", "umbrella-2.0.0"]).start().await;
    let spec = spec(&charts.url(), &json!([{"name": "small"}, {"name": "umbrella"}]), &json!([url_target(registry.socket(), "charts")]));
    let printed = Printed::of(&publish(bed, &publication("adopted", &spec).to_string(), &["-o", "json", "-n", namespace.name()]));
    assert_eq!(printed.counts(), [2, 0, 0]);
    let before = registry.requests().len();
    let _controller = namespace.controller(&["--allow-address", "127.0.0.0/8"]).await;
    namespace.publish("adopted", &spec).await;
    let status = namespace.becomes_ready("adopted").await.status.expect("a status");
    assert_eq!(status.published.as_deref(), Some("2/2"));
    assert_eq!(writes(&registry, before), [], "nothing is sent twice");
    let digests: Vec<_> = printed.publications[0].targets[0].charts.iter().filter_map(|chart| chart.digest.clone()).collect();
    let mut adopted: Vec<_> = status.targets[0].versions.iter().map(|version| version.digest.clone()).collect();
    adopted.sort_by_key(|digest| digests.iter().position(|other| other == digest));
    assert_eq!(adopted, digests);
    assert_eq!(namespace.inventory("adopted").await.expect("an inventory").spec.count, 2);
    let again = Printed::of(&publish(bed, &publication("adopted", &spec).to_string(), &["-o", "json", "-n", namespace.name()]));
    assert_eq!((again.counts(), writes(&registry, before)), ([0, 2, 0], Vec::new()));
}
