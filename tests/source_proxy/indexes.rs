//! What comes by a proxy serves those alone who name it.

use serde_json::json;

use super::{
    scene::{ANYWHERE, asked, lines, names_proxy, spec},
    support::{self, registry::Version},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_shared_only_by_those_who_ask_it_by_the_same_proxy() {
    let bed = support::shared();
    bed.install_crds();
    let (namespace, to) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let proxy = bed.forward_proxy().start().await;
    names_proxy(&namespace, "proxy", &proxy, None, None).await;
    let _controller = namespace.controller(&ANYWHERE).await;
    for (name, by) in [("direct", None), ("proxied", Some("proxy")), ("direct-too", None), ("proxied-too", Some("proxy"))] {
        let mut source = json!({"helmRepository": {"url": charts.url()}});
        if let Some(secret) = by {
            source["helmRepository"]["proxySecretRef"] = json!({"name": secret});
        }
        namespace.publish(name, &spec(&source, &to, name)).await;
        namespace.becomes_ready(name).await;
    }
    let direct: Vec<_> = lines(charts.requests()).into_iter().filter(|line| line.contains("index.yaml")).collect();
    assert_eq!(direct, ["GET /index.yaml 200", "GET /index.yaml 200"], "once by each way");
    let by_proxy: Vec<_> = proxy.asked().into_iter().filter(|line| line.contains("index.yaml")).collect();
    assert_eq!(by_proxy, [asked(&charts.url(), "/index.yaml")]);
}
