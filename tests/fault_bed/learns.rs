//! What was learnt of a path is shown, outlives a restart of the controller, and saves the next chart every wasted request.

use crate::{
    faults::{
        Close,
        ground::{Endpoint, Ground},
        proxy::HttpProxy,
        rule::{Page, Rule, What, When},
    },
    support::{
        self,
        publication::{spec, url_target},
        registry::Version,
    },
};
use serde_json::json;

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learnt_is_shown_outlives_a_restart_and_is_forgotten_when_somebody_asks() {
    let bed = support::shared();
    let namespace = bed.namespace().await;
    let (registry, charts) = (bed.registry(Version::V3).start().await, bed.helm_repository(&["large-3.0.0"]).start().await);
    let ground = Ground { namespace: bed.server_namespace().map(str::to_owned), address: registry.socket().ip() };
    let upstream = Endpoint { ground: ground.clone(), socket: registry.socket() };
    let limit = What::LimitBody { limit: MIB, page: Page::Nginx, close: Close::Reset, read: MIB / 2 };
    let proxy = HttpProxy::start(&ground, upstream, [Rule::new(When::always(), limit)]);
    let refused = || proxy.requests().iter().filter(|asked| asked.status == Some(413)).count();
    let to = |prefix: &str| spec(&charts.url(), &json!([{"name": "large"}]), &json!([url_target(proxy.socket(), prefix)]));
    let anywhere = ["--allow-address", "127.0.0.0/8"];

    let controller = namespace.controller(&anywhere).await;
    namespace.publish("first", &to("one")).await;
    let first = namespace.becomes_ready("first").await;
    let found_out = refused();
    assert!((1..=2).contains(&found_out), "{found_out} bodies were refused");
    let status = first.status.expect("a status");
    let learnt = &status.targets[0].learnt[0];
    assert_eq!(learnt.origin, format!("http://{}", proxy.socket()));
    assert_eq!((learnt.refused[0].method.as_str(), learnt.refused[0].remedy.as_str()), ("Buffered", "body-too-large"));
    assert!(learnt.chunks.as_ref().is_some_and(|chunks| chunks.taken.is_some_and(|taken| taken > 0)), "{learnt:?}");

    controller.stop();
    let controller = namespace.controller(&anywhere).await;
    let again = namespace.run_again("first").await;
    assert_eq!(again.status.expect("a status").targets[0].learnt, [], "asked for a run, it tries all of it anew");
    assert_eq!(refused(), found_out, "and had nothing to send");

    namespace.publish("second", &to("two")).await;
    let second = namespace.becomes_ready("second").await;
    let found_again = refused();
    assert!(found_again > found_out, "what was forgotten has to be found out again");
    let learnt = &second.status.expect("a status").targets[0].learnt;
    drop(controller);
    let _controller = namespace.controller(&anywhere).await;
    let asked = proxy.requests().len();
    // Its first run after the restart brings back what its status tells.
    namespace.change("second", &json!({"interval": "2h"})).await;
    let recalled = namespace
        .becomes("second", "it has run again", |status| {
            status.observed_generation == Some(2) && support::publication::ready(status).starts_with("True")
        })
        .await;
    assert_eq!(&recalled.status.expect("a status").targets[0].learnt, learnt);
    namespace.publish("third", &to("three")).await;
    namespace.becomes_ready("third").await;
    assert_eq!(refused(), found_again, "the next chart pays for nothing: {:?}", proxy.requests().split_off(asked));
}
