//! A 413 of ingress-nginx: the annotation that the message names.

use k8s_openapi::api::networking::v1::Ingress;
use serde_json::json;

use super::{
    documented, fails, has, is_cured,
    sentence::{object, quoted_after, setting},
    spec,
    support::{self, exposure::Exposure, random_word, registry::Version},
    target,
};

const NAME: &str = "body-limit";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_annotation_that_the_message_names_lets_the_body_through() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["large-3.0.0"]).start().await;
    let _controller = namespace.controller(&[]).await;
    let registry = bed.registry(Version::V3).start().await;
    let exposed = namespace.expose(NAME, Exposure::ClusterIp, &[registry.socket()]).await;
    let host = format!("{}.example", random_word());
    let mut ingress = namespace.ingress(NAME, &host, NAME, exposed.socket).start().await;
    let names = [
        (source.url(), "http://charts.example.com"),
        (ingress.socket().to_string(), "10.0.0.80:80"),
        (host.clone(), "registry.example.com"),
    ];

    let only = json!({"routes": ["Ingress"], "upload": {"method": "Buffered"}});
    namespace.publish(NAME, &spec(&source.url(), &["large"], &target(NAME, &only))).await;
    let (_, message) = fails(&namespace, NAME, "BodyTooLarge").await;
    documented(&namespace, "body-limit-before", &names);
    assert!(!has(&registry, "large/manifests/3.0.0"));

    let (place, name) = object(&message, "Ingress");
    let (key, value) = setting(quoted_after(&message, "set its annotation "));
    let annotation = format!("{key}={}", value.trim_matches('"'));
    bed.run_on_host(&["kubectl", "annotate", "--namespace", place, "ingress", name, &annotation]).expect_success();
    ingress.follow(&namespace.api::<Ingress>().get(NAME).await.expect("the Ingress")).await;

    is_cured(&namespace, NAME, "Ingress").await;
    documented(&namespace, "body-limit-after", &names);
    assert!(has(&registry, "large/manifests/3.0.0"));
    let bodies = ingress.requests().into_iter().filter(|request| request.method == "PUT" && request.received > Some(6_000_000));
    assert_eq!(bodies.filter(|request| request.status == 201).count(), 1, "the chart went through the Ingress, in one body");
}
