//! Replicas that do not know of each other's uploads: the setting that the message names, on all of them.

use futures::future::join_all;
use serde_json::json;

use super::{
    documented, fails, has, is_cured,
    sentence::{pointer, quoted_after},
    spec,
    support::{
        self, Bed,
        exposure::Exposure,
        random_word,
        registry::{Registry, Version::V3},
    },
    target,
};

const NAME: &str = "replicas";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_secret_that_the_message_names_makes_replicas_one_registry() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["small-1.2.2"]).start().await;
    let _controller = namespace.controller(&[]).await;
    let mut replicas = replicas(bed).await;
    let sockets: Vec<_> = replicas.iter().map(Registry::socket).collect();
    namespace.expose(NAME, Exposure::ClusterIp, &sockets).await;
    let host = format!("{}.example", random_word());
    let ingress = namespace.ingress(NAME, &host, NAME, sockets[0]).round_robin(&sockets[1..]).start().await;
    let names = [
        (source.url(), "http://charts.example.com"),
        (ingress.socket().to_string(), "10.0.0.80:80"),
        (host.clone(), "registry.example.com"),
    ];

    namespace.publish(NAME, &spec(&source.url(), &["small"], &target(NAME, &json!({"routes": ["Ingress"]})))).await;
    let (_, message) = fails(&namespace, NAME, "ReplicasNotShared").await;
    documented(&namespace, "replicas-before", &names);

    let setting = pointer(quoted_after(&message, "set the same "));
    let changed = replicas.iter_mut().map(|replica| {
        replica.change(|configuration| *configuration.pointer_mut(&setting).expect("a setting of distribution") = json!("the same"))
    });
    join_all(changed).await;

    is_cured(&namespace, NAME, "Ingress").await;
    documented(&namespace, "replicas-after", &names);
    assert!(replicas.iter().any(|replica| has(replica, "small/manifests/1.2.2")));
    let asked = replicas.iter().filter(|replica| replica.requests().iter().any(|request| request.line().starts_with('P')));
    assert!(asked.count() > 1, "the upload went over several replicas");
}

/// Three that share their storage and have a secret each.
async fn replicas(bed: &'static Bed) -> Vec<Registry> {
    let first = bed.registry(V3).setting("/http", json!({"secret": "of replica 0"})).start().await;
    let storage = json!({"rootdirectory": first.storage()});
    let mut replicas = vec![first];
    for number in 1..3 {
        let secret = json!({"secret": format!("of replica {number}")});
        replicas.push(bed.registry(V3).setting("/storage/filesystem", storage.clone()).setting("/http", secret).start().await);
    }
    replicas
}
