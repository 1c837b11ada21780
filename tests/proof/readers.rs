//! The routes that readers take: checked by a download, and told apart from the route that was used.

use std::{fs, time::Duration};

use chart_publisher::api::ChartPublicationStatus;
use serde_json::json;

use super::{
    scene::{reader_route, readers},
    support::{
        self,
        eventually::{SOON, eventually},
        exposure::Exposure,
        publication::{ready, spec},
        random_word,
        registry::Version,
    },
};

/// A failing route is looked at again after half a minute.
const BY_ITSELF: Duration = Duration::from_mins(1);

#[tokio::test]
async fn reader_route_turns_false_when_only_the_readers_route_breaks_and_back_by_itself() {
    let Some(bed) = support::with_node() else { return };
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V3).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    let (host, broken) = (format!("{}.example.com", random_word()), bed.folder("switch").join("broken"));
    namespace.expose("registry", Exposure::ClusterIp, &[registry.socket()]).await;
    let ingress = namespace.ingress("front", &host, "registry", registry.socket()).fails_while(&broken).start().await;
    let _controller = namespace.controller(&[]).await;
    let target =
        json!({"name": "main", "service": {"name": "registry", "repository": "charts"}, "insecure": true, "routes": ["ClusterIP"]});
    let mut spec = spec(&charts.url(), &json!([{"name": "small", "latest": 0}]), &json!([target]));
    spec["proof"] = json!({"routes": ["Ingress"]});
    namespace.publish("read", &spec).await;
    let is = |said: &'static str| move |status: &ChartPublicationStatus| ready(status) == "True Succeeded" && readers(status) == said;
    let status = namespace.becomes("read", "readers are served", is("True Succeeded")).await.status.expect("a status");
    assert_eq!((status.route.as_deref(), status.targets[0].proofs.len()), (Some("ClusterIP"), 1));
    let proof = &status.targets[0].proofs[0];
    let expected = ("Ingress", Some(ingress.socket().to_string()), "Succeeded", "`charts/small:1.2.2` was downloaded whole");
    assert_eq!((&*proof.route, proof.address.clone(), &*proof.result, &*proof.message), expected);
    let by_ingress: Vec<_> = ingress.requests().iter().map(|request| request.method.clone()).collect();
    assert_eq!(by_ingress, ["GET", "GET", "GET"], "manifest, config, archive");

    // It breaks for blobs alone, and is noticed when something is pushed.
    fs::write(&broken, "").expect("a file in the bed's folder");
    charts.add(&bed.chart("small-1.2.3+4"));
    namespace.request_run("read").await;
    let status = namespace.becomes("read", "readers are not served", is("False RegistryUnavailable")).await.status.expect("a status");
    assert_eq!(status.published.as_deref(), Some("2/2"), "the other route has it all");
    let message = &reader_route(&status).expect("ReaderRoute").message;
    for word in ["not served by Ingress", &format!("Ingress \"{}/front\"", namespace.name()), "500", "look at the log of"] {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
    let proof = &status.targets[0].proofs[0];
    assert_eq!((&*proof.route, &*proof.result), ("Ingress", "RegistryUnavailable"));
    let described = bed.run_on_host(&["kubectl", "describe", "-n", namespace.name(), "chartpub", "read"]).expect_success();
    assert!(described.contains("Reader Route") || described.contains("ReaderRoute"), "{described}");

    fs::remove_file(&broken).expect("the switch");
    let asked = registry.requests().len();
    let mended = namespace.becomes_within(BY_ITSELF, "read", "readers are served again", is("True Succeeded")).await;
    let lists = registry.requests().split_off(asked).into_iter().filter(|request| request.path().ends_with("/tags/list")).count();
    assert_eq!(lists, 0, "only the route of the readers was looked at");
    assert_eq!(mended.status.and_then(|status| status.published).as_deref(), Some("2/2"));
    let told = eventually(SOON, "both changes are told", async || {
        let events = namespace.events_of("read").await;
        let of_readers = events.iter().filter(|event| event.note.as_ref().is_some_and(|note| note.contains("readers are")));
        let told: Vec<_> =
            of_readers.map(|event| (event.type_.clone().unwrap_or_default(), event.reason.clone().unwrap_or_default())).collect();
        if told.len() == 2 { Ok(told) } else { Err(format!("{told:?}")) }
    })
    .await;
    let expected = [("Warning", "RegistryUnavailable"), ("Normal", "Succeeded")];
    assert_eq!(told, expected.map(|(kind, reason)| (kind.to_owned(), reason.to_owned())));
}

#[tokio::test]
async fn a_route_that_is_not_there_is_named_and_taken_up_when_it_comes() {
    let Some(bed) = support::with_node() else { return };
    let (namespace, registry) = (bed.namespace().await, bed.registry(Version::V2).start().await);
    let charts = bed.helm_repository(&["small-1.2.2"]).start().await;
    namespace.expose("registry", Exposure::ClusterIp, &[registry.socket()]).await;
    let _controller = namespace.controller(&[]).await;
    let target = json!({"name": "main", "service": {"name": "registry", "repository": "charts"}, "insecure": true});
    let mut spec = spec(&charts.url(), &json!([{"name": "small"}]), &json!([target]));
    spec["proof"] = json!({"routes": ["ClusterIP", "NodePort"]});
    namespace.publish("read", &spec).await;
    let status =
        namespace.becomes("read", "one of two is not there", |status| readers(status) == "False NoRoute").await.status.expect("a status");
    assert_eq!(ready(&status), "True Succeeded");
    let results: Vec<_> = status.targets[0].proofs.iter().map(|proof| (&*proof.route, &*proof.result)).collect();
    assert_eq!(results, [("ClusterIP", "Succeeded"), ("NodePort", "NoRoute")]);
    let message = &reader_route(&status).expect("ReaderRoute").message;
    assert!(message.contains("the Service is of type ClusterIP and has no node port"), "{message}");

    namespace.expose("registry", Exposure::NodePort, &[registry.socket()]).await;
    let status = namespace.becomes_within(BY_ITSELF, "read", "both are there", |status| readers(status) == "True Succeeded").await.status;
    let status = status.expect("a status");
    let proofs = &status.targets[0].proofs;
    assert_eq!(
        proofs.iter().map(|proof| (&*proof.route, &*proof.result)).collect::<Vec<_>>(),
        [("ClusterIP", "Succeeded"), ("NodePort", "Succeeded")]
    );
    assert!(proofs[1].message.ends_with("(in-cluster view: kube-proxy may answer for this address itself)"), "{proofs:?}");
    assert!(!proofs[0].message.contains("in-cluster"), "{proofs:?}");
    assert!(reader_route(&status).is_some_and(|condition| condition.message.contains("ClusterIP, NodePort")), "{status:?}");
}
