//! When everything is read again, and when it is not.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    scene::ANYWHERE,
    support::{
        self,
        eventually::eventually,
        publication::{spec, url_target},
        registry::Version,
    },
};

#[tokio::test]
async fn everything_is_read_again_when_the_interval_has_passed_and_not_before() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4"]).start().await;
    let _controller = namespace.controller(&ANYWHERE).await;
    let mut spec = spec(&charts.url(), &json!([{"name": "small", "latest": 0}]), &json!([url_target(registry.socket(), "charts")]));
    spec["proof"] = json!({"interval": "1m"});
    namespace.publish("clockwork", &spec).await;
    let first = namespace.becomes_ready("clockwork").await.status.expect("a status");
    let proved = Instant::now();
    let reads = || registry.requests().iter().filter(|request| request.method == "GET" && request.path().contains("/blobs/")).count();
    // Archive and config of each.
    eventually(Duration::from_secs(5), "the log has both", async || if reads() == 4 { Ok(()) } else { Err(reads()) }).await;
    for _ in 0..3 {
        let again = namespace.run_again("clockwork").await.status.expect("a status");
        assert_eq!(again.targets[0].last_proved, first.targets[0].last_proved, "who asks for a run asks for no proof");
    }
    assert_eq!(reads(), 4);
    eventually(Duration::from_secs(90), "all is read again", async || if reads() == 8 { Ok(()) } else { Err(reads()) }).await;
    let took = proved.elapsed();
    // 54 s to 66 s after the first proof, of which the clock shows whole seconds.
    assert!((Duration::from_secs(50)..Duration::from_secs(80)).contains(&took), "{took:?}");
    let is_later = |status: &chart_publisher::api::ChartPublicationStatus| status.targets[0].last_proved > first.targets[0].last_proved;
    namespace.becomes("clockwork", "the time of the proof is shown", is_later).await;
    assert_eq!(registry.requests().iter().filter(|request| request.method == "PUT" && request.path().contains("/manifests/")).count(), 2);
}
